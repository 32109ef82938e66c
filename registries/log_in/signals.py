"""Audits log-ins, log-outs and failed log-ins. A failed log-in keeps the name only if the account exists.

A log-out deletes the stored credential of the cluster.
"""

from typing import Any, Protocol

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from registries.audit.action import Action
from registries.domain.access import Access
from registries.log_in.sender import client_address
from registries.people.grants import access_without_roles
from registries.wiring import services

NOBODY = "?"


class Named(Protocol):
    """An account, or a ClusterSession, which has an `owner`."""

    def get_username(self) -> str: ...


def connect() -> None:
    user_logged_in.connect(_logged_in, dispatch_uid="audit")
    user_logged_out.connect(_logged_out, dispatch_uid="audit")
    user_login_failed.connect(_failed, dispatch_uid="audit")


def _logged_in(sender: object, request: HttpRequest, user: Named, **kwargs: Any) -> None:
    services().audit.record(_access(user, client_address(request)), Action.LOGIN)


def _logged_out(sender: object, request: HttpRequest, user: Named | None, **kwargs: Any) -> None:
    if user is not None:
        services().people.forget(user)
        services().audit.record(_access(user, client_address(request)), Action.LOGOUT)


def _failed(
    sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    user = User.objects.filter(username=str(credentials.get("username") or "")).first()
    source = client_address(request) if request else ""
    outcome = "locked" if getattr(request, "axes_locked_out", False) else "failed"
    services().audit.record(
        _access(user, source) if user else Access(NOBODY, source), Action.LOGIN, outcome=outcome
    )


def _access(user: Named, source: str) -> Access:
    if isinstance(user, User):
        return access_without_roles(user, source)
    return Access(user.get_username(), source, owner=getattr(user, "owner", ""))


def refuse(request: HttpRequest) -> None:
    """Audits a malformed credential. It does not count towards the lock, since the cluster was not asked."""
    services().audit.record(Access(NOBODY, client_address(request)), Action.LOGIN, outcome="failed")
