"""Actions and outcomes in the audit log, and the interface of the log."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from registries.domain.access import Access
from registries.domain.registry import Key

OK = "ok"
"""The outcome of a successful action. A refused action has the reason of its error."""
IN_DOUBT = "uncertain"
"""The outcome of an action without an answer: the store received it and may have applied it."""


BY_RULE = "rule"
"""The `source` of an Access of a rule that acts for a person, instead of an IP address."""
REPLACED = "replaced "
"""The beginning of the note of a registry that took the place of another one; its uid follows."""


class Action(StrEnum):
    CREATE = "create"
    EDIT = "edit"
    PASSWORD = "password"  # noqa: S105  an action
    COPY = "copy"
    SYNC = "sync"
    DELETE = "delete"
    UNDO = "undo"
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
    RESTART = "restart"
    EXPORT = "export"
    TOKEN = "token"  # noqa: S105  an object, not a secret
    CHANNEL = "channel"
    SILENCE = "silence"
    INTERVAL = "interval"
    NODE_TEST = "node_test"
    MIRROR = "mirror"


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
        """Records one action. `note` is a code or a name, never input of a secret field."""
        ...

    def record_all(
        self,
        access: Access,
        action: Action,
        items: Sequence[tuple[Key, str]],
        *,
        outcome: str = OK,
        note: str = "",
    ) -> None:
        """Records one action on many registries, (key, uid) each, with the same outcome and note."""
        ...

    def close_namespace(self, namespace: str, before: datetime | None = None) -> None:
        """Keeps the entries of a deleted namespace from the people of a later one with its name. `before` is the
        creation of the later one, where the deletion was not seen."""
        ...
