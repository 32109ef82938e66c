"""The states of registries that are kept in sync, by the codes of sync.states, and what a person can do about them; and
in what a copy differs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from registries.words.labels import BUSY, GOOD, WARN, Label
from registries.words.names import MORE, named

DIFFERENCES = {
    "address": _("different address"),
    "username": _("different user name"),
    "trust": _("different certificate settings"),
    "password": _("different password"),
    "unknown": _("not compared"),
}
"""In what a registry differs from its source, by the codes of service.copies."""
NAMED = 5
"""Registries that a sentence names."""

INFO = ("idle", "info")
RULES = {
    "new": Label(_("Starting…"), *BUSY),
    "active": Label(_("On"), *GOOD),
    "no_right": Label(_("Paused"), *WARN),
    "source_gone": Label(_("Paused"), *WARN),
    "failed": Label(_("Waiting"), *WARN),
    "ending": Label(_("Unbinding…"), *BUSY),
}
PARTLY = Label(_("On, with failures"), "bad", "circle-alert")
COPIES = {
    "waiting": Label(_("Will be written"), *BUSY),
    "in_step": Label(_("In sync"), *GOOD),
    "present": Label(_("Same registry exists; left alone"), *INFO),
    "name_taken": Label(_("Different registry exists; left alone"), *WARN),
    "changed": Label(_("Changed outside the rule; not overwritten"), *WARN),
    "deleted": Label(_("Deleted by someone"), *WARN),
    "namespace_gone": Label(_("The namespace no longer exists"), *INFO),
    "left": Label(_("No longer in the rule"), *INFO),
    "failed": Label(_("Failed; retried every minute"), "bad", "circle-alert"),
}
COUNTED = {
    "failed": _("%(n)s could not be written"),
    "changed name_taken deleted": _("%(n)s to decide"),
    "waiting": _("%(n)s not written yet"),
    "present namespace_gone": _("%(n)s not synced"),
    "left": _("%(n)s no longer in the rule"),
}
"""How many namespaces are in one of some states. Together with the copies in sync, they are all that a rule lists: the
list has the state of each."""
ADVICE = {
    "name_taken": _("To sync here, delete this registry: the rule then creates its copy."),
}
"""What to do where there is nothing to click."""
CLICKS = {
    "changed": _("Overwrite"),
    "present": _("Take over"),
    "deleted": _("Create again"),
    "failed": _("Write again"),
    "namespace_gone": _("Dismiss"),
    "left": _("Dismiss"),
}
EFFECTS = {
    "changed": _("The copy gets the values of the source. What somebody changed is lost."),
    "present": _("The registry becomes a copy of the source and follows its changes."),
    "deleted": _("The copy is created again."),
    "failed": _("The console writes the copy again now."),
    "namespace_gone": _(
        "The namespace is removed from this list. A new namespace with its name gets a copy again."
    ),
    "left": _("The namespace is removed from this list. The copy stays."),
}


def rule_label(state: str, counts: Mapping[Any, int]) -> Label:
    """The state of a rule; one that is on is not shown as good while a copy could not be written."""
    return PARTLY if state == "active" and counts.get("failed") else RULES[state]


def counts_texts(counts: Mapping[Any, int]) -> dict[str, str]:
    """How many copies are not in sync, by COUNTED: "2 to decide". The failed ones come first."""
    numbers = ((key, text, sum(counts.get(it, 0) for it in key.split())) for key, text in COUNTED.items())
    return {key: text % {"n": f"{number:,}"} for key, text, number in numbers if number}


def deletion_sentences(
    sources: Sequence[object],
    copies: Sequence[object],
    awaited: Sequence[object],
    *,
    many: bool,
    fill: Callable[..., str] = named,
) -> list[str]:
    """What a deletion means for rules: of sources, of copies, and of registries whose name a rule waits for. Values
    print as namespace/name. `many`: more than one registry is deleted. `fill` is `names.plain` for plain text."""
    if not many:
        texts = zip((sources, copies, awaited), _about_one(), strict=True)
        return [text for concerned, text in texts if concerned]
    counted = (
        (
            sources,
            ngettext(
                "%(n)s of them is the source of a sync rule. This rule ends: %(names)s.",
                "%(n)s of them are sources of sync rules. These rules end: %(names)s.",
                len(sources),
            ),
        ),
        (
            copies,
            ngettext(
                "%(n)s is a copy that a rule made and does not create again by itself: %(names)s.",
                "%(n)s are copies that a rule made and does not create again by itself: %(names)s.",
                len(copies),
            ),
        ),
        (
            awaited,
            ngettext(
                "A rule waits for %(n)s of the names, and creates a copy of its source there at once: %(names)s.",
                "Rules wait for %(n)s of the names, and create copies of their sources there at once: %(names)s.",
                len(awaited),
            ),
        ),
    )
    return [fill({"names": _names(those)}, text, n=len(those)) for those, text in counted if those]


def _about_one() -> tuple[str, str, str]:
    """What the deletion of one registry means: of a source, of a copy, and of one whose name a rule waits for."""
    return (
        gettext(
            "This registry is the source of a sync rule. The rule ends, and its copies are no longer synced."
        ),
        gettext("A sync rule made this copy. The rule does not create it again by itself."),
        gettext("A sync rule waits for this name: after the deletion, it creates a copy of its source here."),
    )


def _names(registries: Sequence[object]) -> list[object]:
    return [*registries[:NAMED], MORE] if len(registries) > NAMED else [*registries]
