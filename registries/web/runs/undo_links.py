"""What pages say of undo: for how long a deletion can be undone, and the addresses that undo it."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from registries.audit import search
from registries.domain.access import Access
from registries.domain.registry import Key
from registries.wiring import services
from registries.words import labels


def choice(request: HttpRequest) -> dict[str, Any]:
    """The context of _undo_choice.html: for how long a deletion can be undone, if it can, and whether to forget."""
    undo = services().undo
    return {
        "undo_lasts": labels.span(timedelta(hours=undo.hours)) if undo.is_on else "",
        "forget": "forget" in request.POST,
    }


def undo_url(key: Key, uid: str) -> str:
    return reverse("registries:undo", args=(key.namespace, key.name, uid))


def of_runs(access: Access, runs: Collection[UUID]) -> dict[UUID, str]:
    """The addresses that undo these runs of deletions: of those with something that the person can restore."""
    if not runs or not services().undo.is_on:
        return {}
    found = search.runs_to_undo(access, runs, timezone.now() - services().undo_lasts)
    return {run: reverse("registries:undo_run", args=(run,)) for run in found}


def number_of(access: Access, run: UUID) -> int:
    """How many of the registries that a run deleted the person can restore."""
    return len(restorable(access, run)) if services().undo.is_on else 0


def restorable(access: Access, run: UUID) -> dict[str, Key]:
    return services().undo.offered(access=access, uids=search.deleted_by(access, run))
