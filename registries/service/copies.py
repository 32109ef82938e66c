"""The copies of a credential: registries with the same address and user name in what a person sees; and in what two
registries differ. Passwords are compared by their digests, and no caller of Likeness gets one. Each comparison of a
text with a stored password is a guess at it, so a person has only so many."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest

from registries.domain.access import Access, Permission
from registries.domain.errors import ConsoleError, TooManyRequests
from registries.domain.metadata import words_compared
from registries.domain.query import Criteria
from registries.domain.registry import Key, RegistrySecret
from registries.domain.writer import PASSWORD
from registries.index.search import Index
from registries.limits import Rates
from registries.stores.base import Store

REMEMBERED = 10_000
"""Answers, over all people."""
GUESSES_PER_MINUTE = 10
WORDS_OF_A_GUESS = 12
"""Words of a text, each of which may be the password, that count as one comparison: ordinary sentences have few."""


@dataclass(eq=False)
class Guesses:
    """A budget per person and registry, over all tokens and sessions and all processes.

    `budget` has the comparisons of a minute, `told` the records of an exhausted budget.
    """

    _budget: Rates
    _told: Rates

    def wait(self, person: str, registry: str, count: int = 1) -> int:
        """Takes so many comparisons, or none. Returns 0, or the seconds until there will be as many."""
        for taken in range(count):
            if wait := self._budget.wait(f"guess {_digest(person, registry)}"):
                for _ in range(taken):
                    self.give_back(person, registry)
                return wait + (count - taken - 1) * 60 // GUESSES_PER_MINUTE
        return 0

    def give_back(self, person: str, registry: str) -> None:
        """Returns a comparison that tells nothing new."""
        self._budget.give_back(f"guess {_digest(person, registry)}")

    def first_refusal(self, person: str, registry: str) -> bool:
        """Whether a refusal is to be recorded. Repeated ones must not fill the journal."""
        return not self._told.wait(f"guesses told {_digest(person, registry)}")


def guesses_in(texts: Iterable[str]) -> int:
    """How many comparisons new texts of a registry are. The longest ones are a whole budget."""
    return min(max(1, -(-words_compared(*texts) // WORDS_OF_A_GUESS)), GUESSES_PER_MINUTE)


def _digest(person: str, registry: str) -> str:
    """A name of a bucket is short; two long names that begin alike must not share one."""
    return sha256(f"{person}\0{registry}".encode()).hexdigest()


class Difference(StrEnum):
    ADDRESS = "address"
    USERNAME = "username"
    TRUST = "trust"
    """Another CA, or only one of them verifies the certificate."""
    PASSWORD = "password"  # noqa: S105  a code
    UNKNOWN = "unknown"
    """The passwords could not be compared now."""


def visible_differences(one: RegistrySecret, other: RegistrySecret) -> tuple[Difference, ...]:
    """The differences that whoever sees both can see. An address that cannot be parsed is like no other."""
    same_address = one.address == other.address and not (one.address_problem or other.address_problem)
    trust = [(it.ca_bundle.strip(), it.skip_tls_verify) for it in (one, other)]
    compared = (
        (Difference.ADDRESS, same_address),
        (Difference.USERNAME, one.username == other.username),
        (Difference.TRUST, trust[0] == trust[1]),
    )
    return tuple(difference for difference, same in compared if not same)


@dataclass(eq=False)
class Likeness:
    """Compares passwords by their digests, for a person who may use both registries.

    A comparison is a guess at a password. The answer is remembered for that person: looking again does not count.
    """

    _store: Store
    _guesses: Guesses
    _known: OrderedDict[tuple[object, ...], None] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def alike(self, person: str, one: RegistrySecret, other: RegistrySecret, *guessed: Key) -> bool:
        """Whether every node and test treats two registries alike. Passwords are compared only where everything that
        can be seen is alike. The errors of `same_password`."""
        return not visible_differences(one, other) and self.same_password(person, one, other, *guessed)

    def compared(self, access: Access, one: RegistrySecret, other: RegistrySecret) -> bool | None:
        """Whether two passwords are equal, as a guess at both. None for a person who may not use both, who has guessed
        too often, or if a password cannot be read."""
        if not all(access.may(Permission.TEST, it.namespace) for it in (one, other)):
            return None
        try:
            return self.same_password(access.owner, one, other, one.key, other.key)
        except ConsoleError:
            return None

    def same_password(self, person: str, one: RegistrySecret, other: RegistrySecret, *guessed: Key) -> bool:
        """Whether two passwords are equal. `person` is an Access.owner.

        Ones that differ count as a guess at each key of `guessed`. Equal ones do not, but are not told without a guess
        left. TooManyRequests; Unavailable when a password cannot be read.
        """
        digests = self._store.fingerprint(one), self._store.fingerprint(other)
        same = bool(digests[0]) and compare_digest(*digests)
        answer = (person, *sorted(digests))
        with self._lock:
            if answer in self._known:
                return same
        keys = [str(it) for it in guessed]
        for key in keys:
            if wait := self._guesses.wait(person, key):
                raise TooManyRequests(key, retry_after=wait)
        if same:
            for key in keys:
                self._guesses.give_back(person, key)
        with self._lock:
            self._known[answer] = None
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return same


MOST = 50
"""Copies that are listed and compared."""


class CopyState(StrEnum):
    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    """Its password could not be compared now."""
    FORBIDDEN = "forbidden"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class Copy:
    registry: RegistrySecret
    state: CopyState
    writer: str = ""
    """The other program that wrote its password, and may write it again, such as kubectl or Argo CD."""

    @property
    def changeable(self) -> bool:
        return self.state in (CopyState.SAME, CopyState.DIFFERS, CopyState.UNKNOWN)


def is_copy(it: RegistrySecret, of: RegistrySecret) -> bool:
    """Whether two registries have the same address and user name. An address that cannot be parsed has no copies."""
    same = (it.address, it.username) == (of.address, of.username)
    return same and it.uid != of.uid and not of.address_problem


@dataclass(eq=False)
class Copies:
    """The copies of a registry, and whether they have its password."""

    _store: Store
    _index: Index
    _likeness: Likeness

    def of(self, *, access: Access, registry: RegistrySecret) -> tuple[Copy, ...]:
        """At most MOST copies, by namespace and name."""
        found = self._index.matching(access, Criteria(text=registry.domain))
        copies = [it for it in found if is_copy(it, registry)][:MOST]
        return tuple(self._copy(access, it, registry) for it in copies)

    def copy(self, *, access: Access, of: RegistrySecret, uid: str) -> RegistrySecret | None:
        """A copy by its uid; None when there is none any more that this person sees."""
        found = self._index.with_uid(access, uid)
        return found if found and is_copy(found, of) else None

    def _copy(self, access: Access, it: RegistrySecret, of: RegistrySecret) -> Copy:
        copy = Copy(it, self._state(access, it, of))
        if not copy.changeable:
            return copy
        with suppress(ConsoleError):
            writer = self._store.writer(it.key, PASSWORD)
            return replace(copy, writer=writer.program if writer else "")
        return copy

    def _state(self, access: Access, copy: RegistrySecret, of: RegistrySecret) -> CopyState:
        if copy.deleting:
            return CopyState.DELETING
        if not {Permission.CREATE, Permission.EDIT} <= access.permissions(copy.namespace):
            return CopyState.FORBIDDEN
        same = self._likeness.compared(access, of, copy)
        if same is None:
            return CopyState.UNKNOWN
        return CopyState.SAME if same else CopyState.DIFFERS
