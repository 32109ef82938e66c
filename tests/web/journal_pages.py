"""What the tests of the audit log share: its pages, what stands on them, and entries."""

import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.registry import Key
from registries.models import AuditEntry
from registries.wiring import services
from tests.cast import Cast

PATH, EXPORT = "/journal/", "/journal/export/"
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)
"""Noon in the console's time zone."""


def page(cast: Cast, reader: str = "olive", **query: str) -> str:
    return cast.client(reader).get(PATH, query).content.decode()


def names(shown: str) -> list[str]:
    """The objects of the lines from top to bottom. A log-in has none."""
    cells = re.findall(r'<td role="cell" class="(?:mono )?j-object">(.*?)</td>', shown, re.DOTALL)
    texts = (
        " ".join(re.sub("<[^>]+>", " ", re.sub("</?(?:wbr|span)[^>]*>", "", cell)).split()) for cell in cells
    )
    return [text for text in texts if text]


def record(person: Access, name: str, at: datetime | None = None, **values: object) -> AuditEntry:
    """One entry on team-a/`name`, at a time."""
    given = {"action": Action.SEE, "key": Key("team-a", name), **values}
    services().audit.record(person, **given)  # type: ignore[arg-type]
    entry = AuditEntry.objects.latest("pk")
    if at:
        AuditEntry.objects.filter(pk=entry.pk).update(at=at)
    return entry


def in_run(cast: Cast, *places: str, person: str = "olive", failed: int = 0) -> UUID:
    """A run of tests with one entry for each namespace, the first of them failed."""
    access = cast.access(person).in_run(uuid4())
    for number, namespace in enumerate(places):
        note = "timeout" if number < failed else "ok"
        services().audit.record(access, Action.TEST, key=Key(namespace, f"r{number}"), note=note)
    assert access.run
    return access.run
