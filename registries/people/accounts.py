"""Local accounts and their roles. At least one active administrator must remain. The audit log gets every change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.errors import AlreadyExists, Cause, Conflict, Invalid, NotFound, Problem
from registries.limits import exclusive
from registries.models import Grant
from registries.people import grants
from registries.people.tokens import revoke_all

ADMINISTRATORS = "administrators"
"""Changes that could remove an administrator happen one after the other: together they could remove the last two."""

_WEAK: dict[str, Problem] = {
    it.value: it
    for it in (Problem.PASSWORD_TOO_SHORT, Problem.PASSWORD_TOO_COMMON, Problem.PASSWORD_TOO_SIMILAR)
}
"""By the error code of Django's password validator."""


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    active: bool
    superuser: bool
    last_login: datetime | None
    roles: tuple[tuple[str, Role], ...]
    """(namespace or EVERYWHERE, role); EVERYWHERE comes first."""


class Accounts:
    """Account administration. Raises Forbidden unless `access` administers the console."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def all(self, *, access: Access) -> Sequence[Account]:
        access.require_administration()
        users = User.objects.prefetch_related("grants").order_by("username")
        return [_account(user, list(user.grants.all())) for user in users]

    def one(self, *, access: Access, name: str) -> Account:
        access.require_administration()
        user = _user(name)
        return _account(user, list(user.grants.all()))

    def create(self, *, access: Access, name: str, password: str) -> None:
        """Raises AlreadyExists, or Invalid for a bad name or a weak password."""
        access.require_administration()
        user = User(username=name)
        try:
            user.full_clean(exclude=["password"], validate_unique=False)
        except ValidationError as error:
            raise Invalid(name, (Cause("username", Problem.ACCOUNT_NAME),)) from error
        self._set_password(user, password)
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError as error:
            raise AlreadyExists(name) from error
        self._note(access, f"create {name}")

    def reset_password(self, *, access: Access, name: str, password: str) -> None:
        """Sets a new password, which ends all sessions and tokens of the account. Raises Invalid, NotFound."""
        access.require_administration()
        user = _user(name)
        self._set_password(user, password)
        with transaction.atomic():
            user.save(update_fields=["password"])
            revoke_all(user)
        self._note(access, f"password {name}")

    def set_active(self, *, access: Access, name: str, active: bool) -> None:
        """Deactivating ends the sessions and tokens of the account, also for a later activation.

        Raises Conflict for the last administrator.
        """
        access.require_administration()
        with exclusive(ADMINISTRATORS):
            user = _user(name)
            user.is_active = active
            user.save(update_fields=["is_active"])
            if not active:
                revoke_all(user)
                end_sessions(user)
            _require_an_administrator()
        self._note(access, f"{'activate' if active else 'deactivate'} {name}")

    def delete(self, *, access: Access, name: str) -> None:
        access.require_administration()
        with exclusive(ADMINISTRATORS):
            _user(name).delete()
            _require_an_administrator()
        self._note(access, f"delete {name}")

    def grant(self, *, access: Access, name: str, namespace: str, role: Role) -> None:
        """Assigns a role. It replaces the role that the account has in this namespace."""
        access.require_administration()
        with exclusive(ADMINISTRATORS):
            grants.set_grant(_user(name), namespace, role)
            _require_an_administrator()
            self._audit.record(access, Action.GRANT, namespace=_scope(namespace), note=f"{name} {role.value}")

    def revoke(self, *, access: Access, name: str, namespace: str) -> None:
        access.require_administration()
        with exclusive(ADMINISTRATORS):
            grants.remove_grant(_user(name), namespace)
            _require_an_administrator()
            self._audit.record(access, Action.GRANT, namespace=_scope(namespace), note=f"{name} -")

    def _note(self, access: Access, note: str) -> None:
        self._audit.record(access, Action.ACCOUNT, note=note)

    @staticmethod
    def _set_password(user: User, password: str) -> None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            problems = [_WEAK.get(getattr(it, "code", ""), Problem.PASSWORD_WEAK) for it in error.error_list]
            raise Invalid(user.username, tuple(Cause("password", it) for it in problems)) from None
        user.set_password(password)


def _scope(namespace: str) -> str:
    """The namespace for the audit log. A grant EVERYWHERE has none, so only administrators see it."""
    return "" if namespace == EVERYWHERE else namespace


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise NotFound(name)
    return user


def _account(user: User, held: list[Grant]) -> Account:
    ordered = sorted(held, key=lambda grant: (grant.namespace != EVERYWHERE, grant.namespace))
    return Account(
        name=user.username,
        active=user.is_active,
        superuser=user.is_superuser,
        last_login=user.last_login,
        roles=tuple((grant.namespace, Role(grant.role)) for grant in ordered),
    )


def _require_an_administrator() -> None:
    """Raises Conflict if no administrator is left. Call it inside the transaction, which then rolls back."""
    if not grants.administrators():
        raise Conflict("", Problem.LAST_ADMINISTRATOR)


def end_sessions(user: User) -> int:
    """Deletes every session of an account. Returns their number.

    A session names its account inside its signed data only, so all sessions are read.
    """
    current = Session.objects.filter(expire_date__gt=timezone.now()).iterator()
    ended = [it.session_key for it in current if it.get_decoded().get(SESSION_KEY) == str(user.pk)]
    return Session.objects.filter(session_key__in=ended).delete()[0]
