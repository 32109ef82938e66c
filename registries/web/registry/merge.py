"""Merges an edit with what others saved since its form was opened. Only a text that both changed is a conflict."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from registries.audit.action import OK, Action
from registries.audit.log import events_of
from registries.domain.access import Access
from registries.domain.errors import ConsoleError
from registries.domain.registry import RegistrySecret
from registries.wiring import services
from registries.words import labels


@dataclass(frozen=True, slots=True)
class Newer:
    """A text that somebody else saved, by whom and when. `person` is a user name, or "Someone with kubectl"."""

    label: str
    text: str
    person: str
    at: datetime | None
    ago: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Both edits together, by the name of the field."""

    texts: Mapping[str, str]
    """The values to save: the typed text where the person changed it, else the stored one."""
    taken: tuple[str, ...]
    """Texts that only somebody else changed."""
    clashes: tuple[str, ...]
    """Texts that both changed, to different values."""

    @classmethod
    def of(cls, stored: RegistrySecret, typed: Mapping[str, str]) -> "Merge":
        """`typed` has the values of an EditForm, normalized."""
        texts: dict[str, str] = {}
        taken: list[str] = []
        clashes: list[str] = []
        for name, now in stored.information.items():
            mine, seen = typed[name], typed[f"seen_{name}"]
            changed_by_others = normalized(now) not in (seen, mine)
            texts[name] = now if mine == seen else mine
            if changed_by_others:
                (taken if mine == seen else clashes).append(name)
        return cls(texts, tuple(taken), tuple(clashes))


def normalized(text: str) -> str:
    """A text trimmed, with the line ends of the store; a browser sends others."""
    return text.replace("\r\n", "\n").strip()


def newer(access: Access, registry: RegistrySecret, name: str) -> Newer:
    """What somebody else saved in a text of the registry."""
    person, at = _author(access, registry, name)
    return Newer(
        label=str(labels.FIELDS[name]),
        text=registry.information[name],
        person=person or _("Someone else"),
        at=at,
        ago=labels.ago(at, datetime.now(UTC)) if at else "",
    )


def kept(access: Access, registry: RegistrySecret, names: tuple[str, ...]) -> list[str]:
    """A sentence for each text that only somebody else changed."""
    texts = (newer(access, registry, name) for name in names)
    return [
        _("%(field)s: the newer text of %(person)s is kept.") % {"field": it.label, "person": it.person}
        for it in texts
    ]


def _author(access: Access, registry: RegistrySecret, name: str) -> tuple[str, datetime | None]:
    """Who last wrote a text, and when: another program of the cluster, or a person by the audit log."""
    try:
        writer = services().registries.writer(access=access, key=registry.key, text=name.replace("_", "-"))
    except ConsoleError:
        return "", None
    if writer:
        return writer.program and _("Someone with %(program)s") % {"program": writer.program}, writer.at
    edits = (it for it in events_of(registry) if it.action == Action.EDIT and it.outcome == OK)
    entry = next(edits, None)
    return (entry.person, entry.at) if entry else ("", None)
