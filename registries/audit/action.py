"""What the audit log records: actions, their outcomes, and the interface of the log itself."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from registries.domain.access import Access
from registries.domain.registry import Key

OK = "ok"
"""The outcome of an action that went through; a refused one has the reason of its error."""
IN_DOUBT = "uncertain"
"""The outcome of an action that may have gone through: the store took it and did not answer."""


class Action(StrEnum):
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    TEST = "test"
    TRY = "try"
    SEE = "see"
    LOGIN = "login"
    LOGOUT = "logout"
    ACCOUNT = "account"
    GRANT = "grant"
    NAMESPACE = "namespace"
    BIND = "bind"
    UNBIND = "unbind"
    TOKEN = "token"  # noqa: S105  what was acted on


class Audit(Protocol):
    def record(
        self,
        access: Access,
        action: Action,
        *,
        outcome: str = OK,
        key: Key | None = None,
        namespace: str = "",
        uid: str = "",
        note: str = "",
    ) -> None:
        """Write down one action. `note` is a code or a name, never text typed into a secret field."""
        ...

    def record_all(
        self, access: Access, action: Action, items: Sequence[tuple[Key, str]], *, outcome: str = OK
    ) -> None:
        """The same for many registries, by key and uid, all of which ended alike."""
        ...
