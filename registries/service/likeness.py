"""In what two registries differ. Passwords are compared by their digests, and no caller gets one."""

import threading
from collections import OrderedDict
from enum import StrEnum
from hmac import compare_digest

from registries.domain.errors import TooManyRequests
from registries.domain.registry import Key, RegistrySecret
from registries.service.guesses import Guesses
from registries.stores.base import Store

REMEMBERED = 10_000
"""Answers, over all people."""


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


class Likeness:
    """Compares passwords by their digests, for a person who may use both registries.

    A comparison is a guess at a password. The answer is remembered for that person: looking again does not count.
    """

    def __init__(self, store: Store, guesses: Guesses) -> None:
        self._store = store
        self._guesses = guesses
        self._known: OrderedDict[tuple[object, ...], None] = OrderedDict()
        self._lock = threading.Lock()

    def alike(self, person: str, one: RegistrySecret, other: RegistrySecret, *guessed: Key) -> bool:
        """Whether every node and test treats two registries alike. Passwords are compared only where everything that
        can be seen is alike. The errors of `same_password`."""
        return not visible_differences(one, other) and self.same_password(person, one, other, *guessed)

    def same_password(self, person: str, one: RegistrySecret, other: RegistrySecret, *guessed: Key) -> bool:
        """Whether two passwords are equal. `person` is an Access.owner.

        Ones that differ count as a guess at each key of `guessed`. Equal ones do not, but are not told without a guess
        left. TooManyRequests; Unavailable when a password cannot be read.
        """
        digests = self._store.fingerprint(one), self._store.fingerprint(other)
        same = bool(digests[0]) and compare_digest(*digests)
        if self._is_known(person, *digests):
            return same
        keys = [str(it) for it in guessed]
        for key in keys:
            if wait := self._guesses.wait(person, key):
                raise TooManyRequests(key, retry_after=wait)
        if same:
            for key in keys:
                self._guesses.give_back(person, key)
        self._remember(person, *digests)
        return same

    def _is_known(self, *answer: object) -> bool:
        with self._lock:
            return answer in self._known

    def _remember(self, *answer: object) -> None:
        with self._lock:
            self._known[answer] = None
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
