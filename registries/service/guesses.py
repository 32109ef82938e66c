"""How often a person may compare a text with a stored password: each comparison is a guess at it."""

from hashlib import sha256
from typing import Protocol

GUESSES_PER_MINUTE = 10


class Limit(Protocol):
    def wait(self, caller: str) -> int:
        """Takes one. Returns 0, or the seconds until there will be one."""


class Guesses:
    """A budget per person and registry, over all tokens and sessions and all processes.

    `budget` has the comparisons of a minute, `told` the records of an exhausted budget.
    """

    def __init__(self, budget: Limit, told: Limit) -> None:
        self._budget = budget
        self._told = told

    def wait(self, person: str, registry: str) -> int:
        """Takes one comparison. Returns 0, or the seconds until there will be one."""
        return self._budget.wait(f"guess {_digest(person, registry)}")

    def first_refusal(self, person: str, registry: str) -> bool:
        """Whether a refusal is to be recorded. Repeated ones must not fill the journal."""
        return not self._told.wait(f"guesses told {_digest(person, registry)}")


def _digest(person: str, registry: str) -> str:
    """A name of a bucket is short; two long names that begin alike must not share one."""
    return sha256(f"{person}\0{registry}".encode()).hexdigest()
