"""The test of a stored registry as a value, and the interfaces that testing needs: history, pauses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from registries.domain.registry import Key, RegistrySecret
from registries.verification.outcome import Tested


@dataclass(frozen=True, slots=True)
class Check:
    """One test of one stored registry; `outcome` is None while it is under way."""

    id: int
    key: Key
    uid: str
    person: str
    started_at: datetime
    outcome: Tested | None = None


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

    def finish(self, check: Check, outcome: Tested) -> None: ...

    def lose(self, person: str, uids: Sequence[str], outcome: Tested) -> None:
        """Whatever a person had under way on these is over."""
        ...

    def forget(self, *uids: str) -> None: ...

    def under_way(self, uids: Collection[str]) -> Mapping[str, Check]:
        """Which of these are being tested now."""
        ...
