"""The lines of the overview: each is a registry, or those of one domain with one cause."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from registries.domain.registry import RegistrySecret
from registries.index.survey import Survey
from registries.web.responses import details_url
from registries.words import labels, times
from registries.words.labels import Label


@dataclass(frozen=True, slots=True)
class Line:
    """One registry, or those of one domain with one cause."""

    label: Label
    text: str
    url: str
    reason: str
    where: str
    at: datetime | None
    ago: str
    whole: str = ""
    """The place with more words, if there is room."""
    displayed: bool = False
    """Whether the text is a display name, and no host or name of Kubernetes."""
    namespaced: bool = False
    """Whether the place is a namespace, and no count."""
    registries: int = 1


@dataclass(frozen=True, slots=True)
class Lines:
    """The first lines of a list, and how many registries are left out."""

    shown: tuple[Line, ...]
    more: int


def newest_tests(survey: Survey, now: datetime) -> Lines:
    """The registries that were tested last, each with the time."""

    def one(it: RegistrySecret) -> Line:
        label, at = labels.status(it), it.verification.at
        return of_registry(it, label, str(label.hint), at, times.ago(at, now))

    return Lines(tuple(one(it) for it in survey.tested), 0)


def next_to_expire(survey: Survey, now: datetime) -> Lines:
    """The registries whose credential or certificate expires first, however late."""
    today = timezone.localdate(now)

    def one(it: RegistrySecret) -> Line:
        kind = "warn" if it.expires_soon(today) else "idle"
        label = Label(labels.EXPIRES_SOON.text if kind == "warn" else "", kind, labels.EXPIRES_SOON.icon)
        return of_registry(it, label, times.expiry(*it.endings[0], today))

    return Lines(tuple(one(it) for it in survey.ending), 0)


def of_registry(
    it: RegistrySecret, label: Label, reason: str, at: datetime | None = None, ago: str = ""
) -> Line:
    """The line of one registry, by its name."""
    return Line(
        label,
        it.title,
        details_url(it.key),
        reason,
        it.namespace,
        at,
        ago,
        displayed=bool(it.display_name),
        namespaced=True,
    )
