"""The cast: the people that all tests know, and what tests need of them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, user_logged_in
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Model
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from console.sessions import SessionStore
from registries import wiring
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.registry import Key, RegistrySecret
from registries.intake import read_draft
from registries.models import AuditEntry, Grant, StoreChange, StoredResource, StoreVersion
from registries.wiring import services
from tests import canary

NAMESPACES = ("team-a", "team-b")
ROLES = {
    "olive": (EVERYWHERE, Role.ADMIN),
    "nina": ("team-a", Role.ADMIN),
    "omar": ("team-a", Role.OPERATOR),
    "vic": ("team-a", Role.VIEWER),
    "sam": None,
}
WRITTEN = (User, Grant, StoreVersion, StoredResource, StoreChange, AuditEntry)
"""What the arrival of the cast writes."""
CREATED = re.compile(r'(?<="creationTimestamp": ")[^"]+')
BACKEND = "registries.log_in.backend.AccountBackend"
EVERYBODY = (*ROLES, None)
"""The cast, and nobody."""
Probing = Callable[[str], dict[str, str]]
"""The fixture `probing`: address, user name and password of a registry of the demo, by its behaviour."""


@dataclass
class Cast:
    """The five people, two namespaces, and what tests need of them."""

    users: dict[str, User] = field(default_factory=dict)
    _kept: ClassVar["Kept | None"] = None

    def arrive(self) -> None:
        """Writes the people and, where the console manages them, the namespaces. Thousands of tests begin so: only the
        first in a process goes through the service, the others write the same rows. PostgreSQL's sequences would not
        notice them."""
        if (
            connection.vendor != "sqlite"
            or not services().registries.manages_namespaces
            or _anything_written()
        ):
            self._come()
            return
        if Cast._kept is None:
            self._come()
            Cast._kept = Kept()
        else:
            self.users = Cast._kept.write()

    def _come(self) -> None:
        made = User.objects.bulk_create(User(username=name, password="!") for name in ROLES)
        self.users = {it.username: it for it in made}
        Grant.objects.bulk_create(
            Grant(user=self.users[name], namespace=grant[0], role=grant[1].value)
            for name, grant in ROLES.items()
            if grant
        )
        for namespace in NAMESPACES if services().registries.manages_namespaces else ():
            services().registries.create_namespace(access=self.access("olive"), name=namespace)

    def client(self, person: str | None, **headers: str) -> Client:
        """A browser in which somebody is logged in, or nobody; in Chinese unless told."""
        client = Client(headers=headers)
        if person:
            _log_in(client, self.users[person])
        return client

    def htmx(self, person: str = "olive") -> Client:
        """A browser whose scripts ask for a part of a page."""
        return self.client(person, hx_request="true")

    def token(self, person: str, *namespaces: str, role: Role = Role.ADMIN, days: float = 1) -> str:
        """A new API token of somebody's, limited to namespaces and a role."""
        until = timezone.now() + timedelta(days=days)
        values = {"name": "test", "namespaces": namespaces, "role": role, "expires_at": until}
        return services().tokens.create(access=self.access(person), **values)[1]

    def api(self, person: str, *namespaces: str, role: Role = Role.ADMIN) -> Client:
        """A client that shows a token and no cookie."""
        return Client(headers={"authorization": f"Bearer {self.token(person, *namespaces, role=role)}"})

    def access(self, person: str) -> Access:
        role = ROLES[person]
        user = self.users.get(person)
        account = user.pk if user else None
        return Access.from_grants(person, [role] if role else [], source="127.0.0.1", account=account)

    def add(self, name: str = "harbor-prod", namespace: str = "team-a", **values: str) -> RegistrySecret:
        """Store a registry, with the canary for its password."""
        return services().registries.create(
            access=self.access("olive"), draft=read_draft(typed(name, namespace, **values))
        )

    def find(self, name: str = "harbor-prod", namespace: str = "team-a") -> RegistrySecret:
        return services().registries.find(access=self.access("olive"), key=Key(namespace, name))


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside is undone at the end, in the database and in the process."""
    wiring.reset()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Kept:
    """The rows of the cast, to be written again. Their times become those of the writing."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            self._tables = [self._read(cursor, model) for model in WRITTEN]

    @staticmethod
    def _read(cursor: Any, model: type[Model]) -> tuple[str, list[tuple[Any, ...]]]:
        table, names = model._meta.db_table, ", ".join(it.column for it in model._meta.concrete_fields)
        places = ", ".join("%s" for _ in model._meta.concrete_fields)
        cursor.execute(f"SELECT {names} FROM {table}")  # noqa: S608  names of ours
        return f"INSERT INTO {table} ({names}) VALUES ({places})", cursor.fetchall()  # noqa: S608

    def write(self) -> dict[str, User]:
        now, created = timezone.now(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

        def fresh(value: Any) -> Any:
            if isinstance(value, datetime):
                return now
            return CREATED.sub(created, value) if isinstance(value, str) and "{" in value else value

        tables = [(statement, [tuple(map(fresh, row)) for row in rows]) for statement, rows in self._tables]
        with connection.cursor() as cursor:
            for statement, rows in tables:
                cursor.executemany(statement, [tuple(map(_stored, row)) for row in rows])
        names = [it.attname for it in User._meta.concrete_fields]
        made = [User.from_db(connection.alias, names, row) for row in tables[0][1]]
        return {it.username: it for it in made}


def _log_in(client: Client, user: User) -> None:
    """As Client.force_login, in half of the time: the session is written once, with what Django puts into it."""
    session = SessionStore()
    session[SESSION_KEY] = user._meta.pk.value_to_string(user)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save(must_create=True)
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    request = HttpRequest()
    request.session = session
    user_logged_in.send(sender=User, request=request, user=user)


def _anything_written() -> bool:
    found = " OR ".join(f"EXISTS (SELECT 1 FROM {it._meta.db_table})" for it in WRITTEN)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {found}")
        return bool(cursor.fetchone()[0])


def _stored(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def typed(name: str = "harbor-prod", namespace: str = "team-a", **values: str) -> dict[str, str]:
    """What somebody types into the add form."""
    return {
        "name": name,
        "namespace": namespace,
        "provider": "harbor",
        "domain": "harbor.example.com",
        "username": "admin",
        "password": canary.CANARY,
        "display_name": "",
        "description": "",
        **values,
    }
