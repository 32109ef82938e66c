"""How often a person may compare a text with a stored password: each comparison is a guess at it."""

from collections.abc import Mapping
from hashlib import sha256

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access
from registries.domain.errors import Cause, Problem, TooManyRequests, Unavailable
from registries.domain.metadata import TELLING
from registries.domain.registry import Key
from registries.intake import LONGEST, stored_echo_causes
from registries.limits import Rates
from registries.stores.base import Store

GUESSES_PER_MINUTE = 10


class Guesses:
    """A budget per person and registry, over all tokens and sessions and all processes.

    `budget` has the comparisons of a minute, `told` the records of an exhausted budget.
    """

    def __init__(self, budget: Rates, told: Rates) -> None:
        self._budget = budget
        self._told = told

    def wait(self, person: str, registry: str) -> int:
        """Takes one comparison. Returns 0, or the seconds until there will be one."""
        return self._budget.wait(f"guess {_digest(person, registry)}")

    def give_back(self, person: str, registry: str) -> None:
        """Returns a comparison that tells nothing new."""
        self._budget.give_back(f"guess {_digest(person, registry)}")

    def first_refusal(self, person: str, registry: str) -> bool:
        """Whether a refusal is to be recorded. Repeated ones must not fill the journal."""
        return not self._told.wait(f"guesses told {_digest(person, registry)}")


class Echoes:
    """Finds the stored password in texts that somebody wants to store."""

    def __init__(self, store: Store, audit: AuditLog, guesses: Guesses) -> None:
        self._store = store
        self._audit = audit
        self._guesses = guesses

    def causes(self, access: Access, key: Key, uid: str, texts: Mapping[str, str]) -> list[Cause]:
        """The texts that hold the stored password. A hit is recorded, since it can be an attempt to guess.

        Each comparison counts, a dry run as well, whatever comes of it. TooManyRequests.
        """
        if not any(len(text) >= TELLING and name in LONGEST for name, text in texts.items()):
            return []
        if wait := self._guesses.wait(access.owner, str(key)):
            if self._guesses.first_refusal(access.owner, str(key)):
                self._audit.record(
                    access, Action.EDIT, key=key, outcome=TooManyRequests.reason, note="holds_password"
                )
            raise TooManyRequests(str(key), retry_after=wait)
        try:
            causes = stored_echo_causes(texts, self._store.credential(key, uid=uid).password)
        except Unavailable as error:
            if error.problem in (Problem.KEY_MISSING, Problem.SEAL_BROKEN):
                return []  # a password that cannot be opened must not keep anybody from renaming
            raise
        if causes:
            self._audit.record(access, Action.EDIT, key=key, uid=uid, outcome="failed", note="holds_password")
        return causes


def _digest(person: str, registry: str) -> str:
    """A name of a bucket is short; two long names that begin alike must not share one."""
    return sha256(f"{person}\0{registry}".encode()).hexdigest()
