"""The runs of one person, of every kind."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from registries.domain.access import OWNER_MAX, Access
from registries.models import Run
from registries.runs.run import RunState

RECENT = timedelta(minutes=10)
"""How long the list mentions a run that has ended."""
LOOKED_AT = 20
"""The newest runs, of all kinds, that the list looks at: one query."""


def kind_of(access: Access, run_id: UUID) -> str | None:
    """The kind of a run of this person. None: it does not exist."""
    runs = Run.objects.filter(pk=run_id, owner=access.owner[:OWNER_MAX])
    return runs.values_list("kind", flat=True).first()


def mentioned(access: Access) -> list[tuple[str, UUID]]:
    """Kind and id of the person's newest run of each kind, newest first, without those that ended long ago. A run that
    keeps passwords waits for its person: it comes before others of its kind, and is mentioned as long as it keeps them.
    """
    started = Run.objects.filter(owner=access.owner[:OWNER_MAX]).exclude(state=RunState.PROPOSED)
    looked_at = started.annotate(keeps=Q(rotation__isnull=False)).order_by("-keeps", "-created_at")
    newest: dict[str, tuple[datetime, UUID] | None] = {}
    rows = looked_at.values_list("kind", "pk", "created_at", "finished_at", "keeps")
    for kind, run, created_at, finished_at, keeps in rows[:LOOKED_AT]:
        newest.setdefault(kind, (created_at, run) if keeps or is_recent(finished_at) else None)
    shown = [(*of_kind, kind) for kind, of_kind in newest.items() if of_kind]
    return [(kind, run) for _, run, kind in sorted(shown, reverse=True)]


def is_recent(finished_at: datetime | None) -> bool:
    return finished_at is None or timezone.now() - finished_at < RECENT
