"""What is written down of people's actions and of tests: the values, and what the service needs of whoever
writes them. Imports the domain, access and outcome; the tables are owned by audit.py and history.py.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from registries.domain.access import Access
from registries.domain.registry import Key, RegistrySecret
from registries.verification.outcome import Outcome

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


@dataclass(frozen=True, slots=True)
class Check:
    """One test of one stored registry; `outcome` is None while it is under way."""

    id: int
    key: Key
    uid: str
    person: str
    started_at: datetime
    outcome: Outcome | None = None


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


class Limit(Protocol):
    def take(self, access: Access, namespace: str) -> None:
        """Count a test that is about to begin. TooManyRequests."""
        ...


class Restraint(Protocol):
    def note(self, registry: str, username: str, seconds: int) -> None:
        """A registry (host:port) asked not to be troubled for a user name for so long."""
        ...

    def left(self, registry: str, username: str) -> int:
        """The seconds that are left of that, 0 if it asked for nothing."""
        ...


class Checks(Protocol):
    def begin(self, registry: RegistrySecret, person: str) -> tuple[Check, bool]:
        """The test that is under way, or a new one, and whether it is new."""
        ...

    def finish(self, check: Check, outcome: Outcome) -> None: ...

    def lose(self, person: str, uids: Sequence[str], outcome: Outcome) -> None:
        """Whatever a person had under way on these is over."""
        ...

    def forget(self, *uids: str) -> None: ...

    def under_way(self, uids: Collection[str]) -> Mapping[str, Check]:
        """Which of these are being tested now."""
        ...
