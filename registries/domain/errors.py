"""The errors that a caller can act on, each with its Kubernetes reason and HTTP status.

ConsoleError
├── NotFound          404  not found, or not visible to the caller
├── Forbidden         403  visible, but the caller lacks the role
│   └── Refused       403  the caller has the role, but a rule of the cluster refuses the write
├── AlreadyExists     409  the name is taken
├── Conflict          409  the object was changed, deleted or created again since it was read
├── Invalid           422  one cause per field
├── TooManyRequests   429  the caller has to slow down
│   └── LeftAlone          the registry asked for a pause (Retry-After)
└── Unavailable       503  the store cannot answer now
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from registries.domain.problem import Problem as Problem


class ConsoleError(Exception):
    """Base of the tree. `subject` names the object concerned ("team-a/harbor-prod") and never holds a secret.

    `problem` is a code, or None when the class of the error says everything.
    """

    reason: ClassVar[str] = "InternalError"
    status: ClassVar[int] = 500

    def __init__(self, subject: str = "", problem: Problem | None = None, detail: str = "") -> None:
        """`detail` is for logs. It is used only without a problem."""
        told = problem or detail
        super().__init__(f"{self.reason}: {subject}{': ' + told if told else ''}")
        self.subject = subject
        self.problem = problem

    @property
    def code(self) -> Problem:
        """The problem; without one, the reason."""
        return self.problem or Problem(self.reason)


class NotFound(ConsoleError):
    reason = "NotFound"
    status = 404


class Forbidden(ConsoleError):
    """`role` is the weakest role that would be enough; or `problem` says what is missing instead."""

    reason = "Forbidden"
    status = 403

    def __init__(self, subject: str = "", role: str = "", problem: Problem | None = None) -> None:
        super().__init__(subject, problem, f"needs {role}" if role else "")
        self.role = role


class Refused(Forbidden):
    """`problem` is `quota_exceeded`, `cluster_refused` (admission) or `password_fixed`. A retry does not help."""

    def __init__(self, subject: str, problem: Problem) -> None:
        super().__init__(subject, problem=problem)


class AlreadyExists(ConsoleError):
    reason = "AlreadyExists"
    status = 409


class Conflict(ConsoleError):
    """`problem` names the conflict: `changed`, `recreated`, `not_empty`, `already_running` and others."""

    reason = "Conflict"
    status = 409


FIELD_MAX = 400
"""Characters of a field or subject in an error. The path of an annotation and a key fit, so those are never cut."""
PART_MAX = 100
CAUSES_MAX = 50


def shortened(text: str, most: int = FIELD_MAX) -> str:
    """At most `most` characters of a text, and an ellipsis where it goes on."""
    return text if len(text) <= most else text[:most] + "…"


@dataclass(frozen=True, slots=True)
class Cause:
    """One problem with one field. `limit` is a maximum length. `part` is the invalid part of an address; it never
    comes from a secret. A client may choose both texts, so they are cut."""

    field: str
    problem: Problem
    limit: int | None = None
    part: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", shortened(self.field))
        object.__setattr__(self, "part", shortened(self.part, PART_MAX))


class Causes:
    """Collects causes: the first CAUSES_MAX different ones, and the number of further ones.

    A short request can have thousands of wrong fields, and its answer must not be many times as long.
    """

    def __init__(self, causes: Iterable[Cause] = ()) -> None:
        self._first: dict[Cause, None] = {}
        self.further = 0
        self.add(*causes)

    def add(self, *causes: Cause) -> None:
        for cause in causes:
            if len(self._first) < CAUSES_MAX:
                self._first[cause] = None
            elif cause not in self._first:
                self.further += 1

    def include(self, other: "Causes") -> None:
        self.add(*other)
        self.further += other.further

    def __iter__(self) -> Iterator[Cause]:
        return iter(self._first)

    def __bool__(self) -> bool:
        return bool(self._first)


class Invalid(ConsoleError):
    """`causes` has at most CAUSES_MAX causes; `further` is the number of those left out."""

    reason = "Invalid"
    status = 422

    def __init__(self, subject: str, causes: Iterable[Cause]) -> None:
        collected = causes if isinstance(causes, Causes) else Causes(causes)
        self.causes = tuple(collected)
        self.further = collected.further
        told = ", ".join(f"{cause.field} {cause.problem}" for cause in self.causes)
        super().__init__(shortened(subject), detail=told)


class TooManyRequests(ConsoleError):
    """`retry_after` is in seconds. `problem` is None when there were too many requests."""

    reason = "TooManyRequests"
    status = 429

    def __init__(self, subject: str = "", retry_after: int = 1, problem: Problem | None = None) -> None:
        super().__init__(subject, problem, f"retry after {retry_after} s")
        self.retry_after = retry_after


class LeftAlone(TooManyRequests):
    """A registry asked for a pause for one user name. `retry_after` is the rest of that pause, in seconds."""


class Unavailable(ConsoleError):
    """`passing` is True when the failure may be over in a moment: background work waits and retries."""

    reason = "ServiceUnavailable"
    status = 503

    def __init__(self, subject: str = "", problem: Problem | None = None, *, passing: bool = False) -> None:
        super().__init__(subject, problem)
        self.passing = passing
