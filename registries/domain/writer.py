"""The program that wrote an annotation or the password, as the managedFields of a resource tell (server-side apply)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CONSOLE = "registry-console"
"""The field manager of the console: the API server takes it from the User-Agent."""
KUBECTL = "kubectl"
PASSWORD = "password"  # noqa: S105  the name of a field in spec; no annotation has a name without a prefix here
_LONGEST = 60
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Writer:
    """A program, and the time of its last write."""

    program: str
    at: datetime | None

    @classmethod
    def of(cls, resource: Mapping[str, Any], annotation: str) -> "Writer | None":
        """The last writer of an annotation, or of anything if it is absent; or of PASSWORD. None for the console."""
        entries = resource["metadata"].get("managedFields") or []
        owning = [it for it in entries if f"f:{annotation}" in _owned(it, annotation)]
        writers = [
            cls(_program(str(it.get("manager") or "")), _time(it))
            for it in owning or ([] if annotation == PASSWORD else entries)
        ]
        last = max(writers, key=lambda writer: writer.at or _LONG_AGO, default=None)
        return last if last and last.program != CONSOLE else None


def _owned(entry: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """The fields that a program owns beside this one: those of `spec`, or the annotations."""
    fields: Mapping[str, Any] = entry.get("fieldsV1") or {}
    if field == PASSWORD:
        return fields.get("f:spec") or {}
    return (fields.get("f:metadata") or {}).get("f:annotations") or {}


def _program(manager: str) -> str:
    """Any client names itself: kubectl-edit is kubectl, and control characters go."""
    if manager.partition("-")[0] == KUBECTL:
        return KUBECTL
    return "".join(it for it in manager if it.isprintable())[:_LONGEST]


def _time(entry: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(entry.get("time")))
    except ValueError:
        return None
