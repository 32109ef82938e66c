"""Entries of the audit log in sentences of the reader's language: what was done, and what came of it."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from registries.audit.action import OK, Action
from registries.models import AuditEntry
from registries.probe import Reason
from registries.words import labels
from registries.words.language import Text

_CHANGES: dict[tuple[str, str], Text] = {
    (Action.ACCOUNT, "create"): _("Added the account %s"),
    (Action.ACCOUNT, "password"): _("Reset the password of %s"),
    (Action.ACCOUNT, "activate"): _("Activated the account %s"),
    (Action.ACCOUNT, "deactivate"): _("Deactivated the account %s"),
    (Action.ACCOUNT, "delete"): _("Deleted the account %s"),
    (Action.NAMESPACE, "create"): _("Added the namespace"),
    (Action.NAMESPACE, "delete"): _("Deleted the namespace"),
    (Action.TOKEN, "create"): _("Created the access token %s"),
    (Action.TOKEN, "revoke"): _("Revoked the access token %s"),
    (Action.CHANNEL, "create"): _("Added the channel %s"),
    (Action.CHANNEL, "edit"): _("Changed the channel %s"),
    (Action.CHANNEL, "delete"): _("Deleted the channel %s"),
    (Action.TOKEN, "unknown"): _("Used an unknown access token"),
    (Action.TOKEN, "revoked"): _("Used the revoked access token %s"),
    (Action.TOKEN, "expired"): _("Used the expired access token %s"),
    (Action.TOKEN, "inactive"): _("Used the access token %s of a deactivated account"),
}
"""Action and first word of the note -> sentence. `%s` is the rest of the note: a user name or the start of a token."""
_UNNAMED: dict[tuple[str, str], Text] = {(Action.TOKEN, "expired"): _("Used an expired access token")}
"""The sentence where the note has only its first word."""
_TESTS = (Action.TEST, Action.TRY)
_GOOD = {"", *(reason for reason in Reason if reason.ok)}


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in words. `ok` is false for a refusal and for a failed test."""

    action: str
    outcome: str
    detail: str
    ok: bool


def line(entry: AuditEntry) -> Line:
    done = entry.outcome == OK
    ok = done and (entry.action not in _TESTS or entry.note in _GOOD)
    detail = ""
    if entry.action in _TESTS:
        detail = labels.reason(entry.note)
    elif entry.note == "holds_password":
        detail = str(_("The text contains the password"))
    elif entry.action == Action.CREATE:
        detail = entry.note  # the address
    return Line(
        action=_action(entry),
        outcome=str(labels.OUTCOMES.get(entry.outcome if ok or not done else "failed", entry.outcome)),
        detail=detail,
        ok=ok,
    )


def _action(entry: AuditEntry) -> str:
    general = str(labels.ACTIONS.get(entry.action, entry.action))
    if not entry.note:
        return general
    if entry.action == Action.GRANT:
        name, _space, role = entry.note.rpartition(" ")
        if role == "-":
            return str(_("Removed the role of %s")) % name
        return str(_("Gave %(name)s the role %(role)s")) % {"name": name, "role": role}
    word, _space, rest = entry.note.partition(" ")
    about = (entry.action, word)
    sentence = str(_CHANGES.get(about, "") if rest else _UNNAMED.get(about, _CHANGES.get(about, "")))
    if not sentence:
        return general
    if word == "revoke" and " of " in rest:
        prefix, _of, owner = rest.partition(" of ")
        sentence = str(_("Revoked the access token %(prefix)s of %(owner)s"))
        return sentence % {"prefix": f"{prefix}…", "owner": owner}
    if entry.action == Action.TOKEN:
        rest = f"{rest}…"
    return sentence.replace("%s", rest)
