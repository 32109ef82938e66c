"""A test of a stored registry, and the interfaces of its history and of pauses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from registries.domain.registry import Key, RegistrySecret
from registries.probe.result import Result
from registries.probe.schedule import registry_of
from registries.verification.outcome import Tested

SCHEDULED = "scheduled check"
"""The person of a check that nobody started. No account can have this name, because it has a space."""


@dataclass(frozen=True, slots=True)
class Check:
    """One test of one stored registry. `outcome` is None while the test runs."""

    id: int
    key: Key
    uid: str
    person: str
    started_at: datetime
    outcome: Tested | None = None
    registry: RegistrySecret | None = field(default=None, compare=False, repr=False)
    """The registry as it was read when the test began; None for a test that is only looked up."""

    @property
    def lane(self) -> str:
        """The registry's host and port: tests in one lane are made one after the other."""
        return registry_of(self.registry.address) if self.registry else ""


class Restraint(Protocol):
    def note(self, namespace: str, registry: str, username: str, seconds: int) -> None:
        """A registry (host:port) sent Retry-After for a user name."""
        ...

    def left(self, namespace: str, registry: str, username: str) -> int:
        """The remaining seconds of the pause, or 0."""
        ...


class Observer(Protocol):
    def __call__(self, uid: str, result: Result, at: datetime) -> None:
        """Takes note of a verdict that was written to the resource with this uid."""
        ...


class Checks(Protocol):
    def begin(self, registry: RegistrySecret, person: str) -> tuple[Check, bool]:
        """The running test, or a new one, and whether it is new."""
        ...

    def is_open(self, check: Check) -> bool:
        """Whether a test was not ended, for example given up after its process slept."""
        ...

    def finish(self, check: Check, outcome: Tested) -> None:
        """Ends a test, unless it was ended before."""
        ...

    def lose(self, person: str, uids: Sequence[str], outcome: Tested) -> None:
        """Ends the person's running tests of these registries."""
        ...

    def end(self, uids: Collection[str], outcome: Tested) -> None:
        """Ends the running tests of registries, whoever started them."""
        ...

    def forget(self, *uids: str) -> None: ...

    def under_way(self, uids: Collection[str]) -> Mapping[str, Check]:
        """The running tests of these registries, by uid."""
        ...
