"""The two kinds of people: local accounts, and people of the cluster. The setting AUTH chooses one."""

from collections.abc import Callable, Sequence
from typing import Protocol

from registries.domain.access import Access

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
