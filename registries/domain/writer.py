"""The program that wrote an annotation or the password, as the managedFields of a resource tell (server-side apply)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CONSOLE = "registry-console"
"""The field manager of the console: the API server takes it from the User-Agent."""
KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
GITOPS = {
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
}
"""Programs that keep a cluster as a repository says, by their field managers."""
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
        if annotation == PASSWORD and (applier := _applier(resource, entries)):
            return applier
        owning = [it for it in entries if f"f:{annotation}" in _owned(it, annotation)]
        writers = [
            cls(_program(str(it.get("manager") or "")), _time(it))
            for it in owning or ([] if annotation == PASSWORD else entries)
        ]
        last = max(writers, key=lambda writer: writer.at or _LONG_AGO, default=None)
        return last if last and last.program != CONSOLE else None


def _applier(resource: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> "Writer | None":
    """The program that keeps the whole of `spec` as it is in a file or a repository: it writes the password again,
    whoever wrote it last. kubectl leaves a copy of the file in an annotation."""
    for it in entries:
        program = _program(str(it.get("manager") or ""))
        if program in GITOPS.values() and (it.get("fieldsV1") or {}).get("f:spec"):
            return Writer(program, _time(it))
    notes = resource["metadata"].get("annotations") or {}
    return Writer(KUBECTL, None) if LAST_APPLIED in notes else None


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
    if manager in GITOPS:
        return GITOPS[manager]
    return "".join(it for it in manager if it.isprintable())[:_LONGEST]


def _time(entry: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(entry.get("time")))
    except ValueError:
        return None
