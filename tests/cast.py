"""The cast: the people that all tests know, and what tests need of them."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.registry import Key, RegistrySecret
from registries.intake import read_draft
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
BACKEND = "registries.log_in.backend.AccountBackend"
EVERYBODY = (*ROLES, None)
"""The cast, and nobody."""


@dataclass
class Cast:
    """The five people, two namespaces, and what tests need of them."""

    users: dict[str, User] = field(default_factory=dict)

    def client(self, person: str | None, **headers: str) -> Client:
        """A browser in which somebody is logged in, or nobody; in Chinese unless told."""
        client = Client(headers=headers)
        if person:
            client.force_login(self.users[person], backend=BACKEND)
        return client

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
