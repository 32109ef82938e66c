"""The errors that a caller can act on. Each knows its Kubernetes reason and HTTP status; imports nothing of ours.

ConsoleError
├── NotFound          404  no such object, or none that this person may see
├── Forbidden         403  seen, but the role for it is missing
│   └── Refused       403  the role is there, but a rule of the cluster is against it
├── AlreadyExists     409  the name is taken
├── Conflict          409  changed, deleted or re-created since it was read
├── Invalid           422  one cause per field
├── TooManyRequests   429  slow down
│   └── LeftAlone          the registry asked for it, not the console
└── Unavailable       503  the store cannot answer now
"""

from dataclasses import dataclass
from typing import ClassVar

QUOTA = "quota_exceeded"
REFUSED = "cluster_refused"
"""The problems of a Refused."""
REGISTRY_BUSY = "registry_busy"
"""The problem when a test did not get its turn at its registry."""
SESSION_ENDED = "session_ended"
"""The problem of an Unavailable: the person's credential is forgotten, or the cluster no longer takes it."""

UNCERTAIN = "cluster_uncertain"
"""The problem of an Unavailable: a write was sent and not answered, so it may have been done."""


class ConsoleError(Exception):
    """Base of the tree. `subject` is what it is about ("team-a/harbor-prod"), never a secret."""

    reason: ClassVar[str] = "InternalError"
    status: ClassVar[int] = 500

    def __init__(self, subject: str = "", problem: str = "") -> None:
        super().__init__(f"{self.reason}: {subject}{': ' + problem if problem else ''}")
        self.subject = subject
        self.problem = problem


class NotFound(ConsoleError):
    reason = "NotFound"
    status = 404


class Forbidden(ConsoleError):
    """`role` is the role that would be enough; or `problem` says what is missing instead."""

    reason = "Forbidden"
    status = 403

    def __init__(self, subject: str = "", role: str = "", problem: str = "") -> None:
        super().__init__(subject, f"needs {role}" if role else problem)
        self.role = role


class Refused(Forbidden):
    """`problem` says by what: `quota_exceeded`, or `cluster_refused` by admission. Trying again does not help."""

    def __init__(self, subject: str, problem: str) -> None:
        super().__init__(subject, problem=problem)


class AlreadyExists(ConsoleError):
    reason = "AlreadyExists"
    status = 409


class Conflict(ConsoleError):
    """`problem` says which way it changed: `changed`, `recreated`, `not_empty`, `already_running`."""

    reason = "Conflict"
    status = 409


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong with one field. `problem` is a stable code, translated when shown; `part` is
    the offending piece of an address, never of a secret."""

    field: str
    problem: str
    limit: int | None = None
    part: str = ""


class Invalid(ConsoleError):
    reason = "Invalid"
    status = 422

    def __init__(self, subject: str, causes: tuple[Cause, ...]) -> None:
        super().__init__(subject, ", ".join(f"{cause.field} {cause.problem}" for cause in causes))
        self.causes = causes


class TooManyRequests(ConsoleError):
    """`retry_after` is in seconds; `problem` says what there is too much of, when that is not requests."""

    reason = "TooManyRequests"
    status = 429

    def __init__(self, subject: str = "", retry_after: int = 1, problem: str = "") -> None:
        super().__init__(subject, problem or f"retry after {retry_after} s")
        self.retry_after = retry_after


class LeftAlone(TooManyRequests):
    """A registry asked not to be troubled for a user name (Retry-After), and `retry_after` is what is left of that."""


class Unavailable(ConsoleError):
    """`passing`: it may be over in a moment, so that work which can wait had better wait."""

    reason = "ServiceUnavailable"
    status = 503

    def __init__(self, subject: str = "", problem: str = "", *, passing: bool = False) -> None:
        super().__init__(subject, problem)
        self.passing = passing
