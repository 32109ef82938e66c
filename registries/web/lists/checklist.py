"""The checklist of the overview: what needs attention, with the first registries of each line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from registries.domain.query import Filter, ListQuery, Trait
from registries.domain.registry import RegistrySecret
from registries.index.survey import Some, Survey
from registries.web import filters
from registries.web.responses import details_url
from registries.words import labels, times

NAMES = 2
"""The most registries that a line names."""
IMAGES = 6
"""The most that the line of probe images names. No list has just these."""


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the checklist. `names` are (title, URL, note) of the first registries."""

    text: str
    count: int
    kind: str
    url: str = ""
    names: tuple[tuple[str, str, str], ...] = ()
    more: int = 0
    hint: str = ""


def tasks(survey: Survey, images: Mapping[str, str], now: datetime) -> list[Task]:
    """The checklist, in the order of urgency, in the words of the list's filters. A line without a registry is done.
    `images`: what is wrong with probe images, by the uid of the registry."""
    tally, today = survey.tally, timezone.localdate(now)

    def filtered(status: Filter, kind: str, some: Some | None = None) -> Task:
        names = _names(some, lambda it: times.next_expiry(it, today)) if some else ()
        more, label = some.more if some else 0, labels.FILTERS[status]
        target = filters.url(ListQuery(), status=status)
        return Task(str(label.text), tally.of(status), kind, target, names, more, str(label.hint))

    def having(trait: Trait, some: Some, note: Callable[[RegistrySecret], str]) -> Task:
        target = filters.url(ListQuery(), trait=trait)
        return Task(filters.trait(trait), some.count, "warn", target, _names(some, note), some.more)

    lines = [
        filtered(Filter.EXPIRING, "warn", survey.expiring),
        filtered(Filter.UNTESTED, "idle"),
        filtered(Filter.UNPROVEN, "warn"),
        filtered(Filter.STALE, "idle"),
        having(Trait.NOT_VERIFIED, survey.not_verified, lambda _it: ""),
        having(Trait.PLAIN_HTTP, survey.plain, lambda _it: ""),
    ]
    if settings.PASSWORD_AGE_DAYS > 0:
        lines.insert(4, having(Trait.AGED, survey.old, lambda it: times.ago(it.password_set_at, now)))
    return [*_image_task(survey, images), *lines]


def _image_task(survey: Survey, images: Mapping[str, str]) -> list[Task]:
    """No line without a registry: most people have no probe image."""
    found = [it for it in survey.probed if it.uid in images]
    some = Some(tuple(found[:IMAGES]), len(found))
    names = _names(some, lambda _it: "")
    return (
        [Task(_("Problem with the probe image"), some.count, "warn", "", names, some.more)] if found else []
    )


def _names(some: Some, note: Callable[[RegistrySecret], str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((it.title, details_url(it.key), note(it)) for it in some.first)
