"""Roles of accounts. Owns Grant."""

from collections.abc import Callable, Sequence
from typing import Protocol

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q

from registries.domain.access import EVERYWHERE, Access, Role
from registries.models import Grant

TIDY_EVERY = 60.0


class People(Protocol):
    """Implemented by LocalPeople and ClusterSessions."""

    @property
    def upkeep(self) -> Sequence[Callable[[], None]]:
        """Functions that delete what ended sessions leave behind: sessions also end without a request. Each is called
        every TIDY_EVERY seconds."""

    def access_of(self, user: object, source: str) -> Access:
        """The access of `request.user` from a client address. Empty for other kinds of users. Unavailable."""

    def access_now(self, access: Access) -> Access:
        """The current access of the same person, for background work. Unavailable."""

    def forget(self, user: object) -> None:
        """Deletes what the console stores for the session of a user who logs out."""


_HELD = f"SELECT namespace, role FROM {Grant._meta.db_table} WHERE user_id = %s"  # noqa: S608
"""Written out: every page asks it, and Django takes four times as long to write it as SQLite to answer."""
JOINED = f"LEFT JOIN {Grant._meta.db_table} held ON held.user_id = owner.id"
"""The roles of `owner` as held.namespace and held.role, each in a row, for a query that is written out."""


def access_of(user: User, source: str = "") -> Access:
    """The current access of an account, in one query. Empty for an inactive account."""
    if not user.is_active:
        return access_without_roles(user, source)
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [user.pk])
        pairs = cursor.fetchall()
    return Access.from_grants(
        user.get_username(),
        [(namespace, Role(role)) for namespace, role in pairs],
        source=source,
        superuser=user.is_superuser,
        account=user.pk,
    )


def access_without_roles(user: User, source: str) -> Access:
    """Names an account, for the audit log and for an inactive one."""
    return Access(person=user.get_username(), source=source, owner=f"account:{user.pk}")


class LocalPeople:
    """Accounts of the console."""

    upkeep: Sequence[Callable[[], None]] = ()

    def access_of(self, user: object, source: str) -> Access:
        return access_of(user, source) if isinstance(user, User) else Access(person="", source=source)

    def access_now(self, access: Access) -> Access:
        """Empty if the account is gone or inactive."""
        user = User.objects.filter(pk=access.account_id or 0).first()
        gone = Access(person=access.person, source=access.source, owner=access.owner)
        return access_of(user, access.source) if user else gone

    def forget(self, user: object) -> None:
        """Django deletes the session. The console stores nothing else for it."""


def set_grant(user: User, namespace: str, role: Role) -> None:
    Grant.objects.update_or_create(user=user, namespace=namespace, defaults={"role": role.value})


def remove_grant(user: User, namespace: str) -> None:
    Grant.objects.filter(user=user, namespace=namespace).delete()


def forget_namespace(namespace: str) -> None:
    """Deletes the grants of a deleted namespace: a new namespace with this name starts without grants."""
    Grant.objects.filter(namespace=namespace).delete()


def administrators() -> Sequence[User]:
    """Active accounts that are image-admin in all namespaces."""
    everywhere = Q(grants__namespace=EVERYWHERE, grants__role=Role.ADMIN.value)
    return list(User.objects.filter(Q(is_superuser=True) | everywhere, is_active=True).distinct())
