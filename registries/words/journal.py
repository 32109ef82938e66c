"""Entries of the audit log in sentences of the reader's language: what was done, and what came of it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from registries.audit.action import LINKED, OF_SECRET, OK, Action, read_changes
from registries.audit.log import TESTS
from registries.audit.search import Outcome, RunLine
from registries.models import AuditEntry
from registries.words import labels
from registries.words.language import Text

ACTIONS = {
    "create": _("Added"),
    "edit": _("Edited"),
    "compare": _("Compared a text with the password"),
    "password": _("Changed the password"),
    "copy": _("Created a copy"),
    "sync": _("Sync"),
    "delete": _("Deleted"),
    "undo": _("Undid the deletion"),
    "test": _("Tested"),
    "try": _("Tested before saving"),
    "see": _("Viewed"),
    "login": _("Logged in"),
    "logout": _("Logged out"),
    "account": _("Account"),
    "grant": _("Role"),
    "namespace": _("Namespace"),
    "token": _("Access token"),
    "channel": _("Channel"),
    "mirror": _("Mirror"),
    "silence": _("Silence"),
    "interval": _("Check interval"),
    "node_test": _("Tested from a node"),
    "export": _("Exported the audit log"),
    "bind": _("Bound to the default service account"),
    "unbind": _("Unbound from the default service account"),
    "restart": _("Restarted a failing pod"),
}

RESULTS = {
    "ok": _("Done"),
    "Forbidden": _("Refused: role missing"),
    "NotFound": _("Refused: not visible"),
    "failed": _("Failed"),
    "TooManyRequests": _("Refused: too many attempts"),
    "refused": _("Refused: cluster policy"),
    "uncertain": _("No response: may have succeeded"),
    "locked": _("Refused: locked"),
    "Unauthorized": _("Refused: not valid"),
    "revoked": _("Ended by the cluster"),
}
"""By the outcome of an entry."""

_CHANGES: dict[tuple[str, str], Text] = {
    (Action.ACCOUNT, "create"): _("Added the account"),
    (Action.ACCOUNT, "password"): _("Reset the password"),
    (Action.ACCOUNT, "activate"): _("Activated the account"),
    (Action.ACCOUNT, "deactivate"): _("Deactivated the account"),
    (Action.ACCOUNT, "delete"): _("Deleted the account"),
    (Action.PASSWORD, "replaced"): _("Deleted and created again with other values"),
    (Action.PASSWORD, "asked"): _("Asked Harbor for the robot account %(new)s, in place of %(old)s"),
    (Action.PASSWORD, "robot"): _("Created the robot account %(new)s in Harbor, in place of %(old)s"),
    (Action.NAMESPACE, "create"): _("Added the namespace"),
    (Action.NAMESPACE, "delete"): _("Deleted the namespace"),
    (Action.TOKEN, "create"): _("Created the access token %s"),
    (Action.TOKEN, "revoke"): _("Revoked the access token %s"),
    (Action.SILENCE, "add"): _("Silenced messages until %s"),
    (Action.SILENCE, "end"): _("Ended a silence"),
    (Action.RESTART, "workload"): _("Restarted %s"),
    (Action.INTERVAL, "set"): _("Set the check interval to %s"),
    (Action.INTERVAL, "off"): _("Turned the scheduled checks off"),
    (Action.SYNC, "on"): _("Started sync"),
    (Action.SYNC, "off"): _("Stopped sync"),
    (Action.SYNC, "changed"): _("Let a changed copy be overwritten"),
    (Action.SYNC, "present"): _("Let a registry be taken over as a copy"),
    (Action.SYNC, "deleted"): _("Let a deleted copy be created again"),
    (Action.SYNC, "failed"): _("Let a copy be tried again"),
    (Action.SYNC, LINKED): _("Linked a copy to its source again"),
    (Action.SYNC, "moved"): _("Took over the rule of a deleted source"),
    (Action.INTERVAL, "reset"): _("Reset the check interval"),
    (Action.CHANNEL, "create"): _("Added the channel %s"),
    (Action.CHANNEL, "edit"): _("Changed the channel %s"),
    (Action.CHANNEL, "delete"): _("Deleted the channel %s"),
    (Action.MIRROR, "create"): _("Added the mirror %s"),
    (Action.MIRROR, "delete"): _("Deleted the mirror %s"),
    (Action.TOKEN, "unknown"): _("Used an unknown access token"),
    (Action.TOKEN, "revoked"): _("Used the revoked access token %s"),
    (Action.TOKEN, "expired"): _("Used the expired access token %s"),
    (Action.TOKEN, "inactive"): _("Used the access token %s of a deactivated account"),
}
"""Action and first word of the note -> sentence. `%s` is the rest of the note, for example a token."""
_UNNAMED: dict[tuple[str, str], Text] = {(Action.TOKEN, "expired"): _("Used an expired access token")}
"""The sentence where the note has only its first word."""

_RUNS: dict[str, Any] = {
    Action.TEST: ngettext_lazy("Tested %(n)s registry", "Tested %(n)s registries", "number"),
    Action.DELETE: ngettext_lazy("Deleted %(n)s registry", "Deleted %(n)s registries", "number"),
    Action.UNDO: ngettext_lazy("Restored %(n)s registry", "Restored %(n)s registries", "number"),
    Action.PASSWORD: ngettext_lazy("Changed %(n)s password", "Changed %(n)s passwords", "number"),
    Action.COPY: ngettext_lazy("Created %(n)s copy", "Created %(n)s copies", "number"),
}
"""What a run did, with the number of registries."""

OUTCOMES = {
    Outcome.DONE: _("Done"),
    Outcome.FAILED: _("Failed"),
    Outcome.REFUSED: _("Refused"),
    Outcome.UNCERTAIN: _("No response"),
}
"""The choices of the filter."""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in words. `about` belongs to the action, `detail` to the outcome. `ok` is false for a refusal and for a
    failed test. `account` is the one that was changed, "" for most."""

    action: str
    account: str
    about: str
    outcome: str
    detail: str
    ok: bool
    is_address: bool
    """Whether `about` is an address alone."""


def line(entry: AuditEntry) -> Line:
    done = entry.outcome == OK
    detail = ""
    if entry.action in TESTS:
        detail = labels.reason(entry.note)
    elif entry.note == "holds_password":
        detail = gettext("The text contains the password")
    return Line(
        action=_action(entry),
        account=entry.note.partition(" ")[2] if entry.action == Action.ACCOUNT else "",
        about=_about(entry),
        outcome=str(RESULTS.get("failed" if done and entry.failed else entry.outcome, entry.outcome)),
        detail=detail,
        ok=not entry.failed,
        is_address=entry.action == Action.CREATE and OF_SECRET not in entry.note,
    )


def run_action(run: RunLine) -> str:
    """What a run did, with the number of registries."""
    action, number = run.newest.action, f"{run.total:,}"
    if action in _RUNS:
        return str(_RUNS[action] % {"n": number, "number": run.total})
    return f"{ACTIONS.get(action, action)} × {number}"


def run_outcome(run: RunLine) -> tuple[str, str]:
    """The counts of a run: done (of tests, connected) and failed, each "" for none."""
    done, failed = run.total - run.failed, run.failed
    text = gettext("%(n)s connected") if run.newest.action in TESTS else gettext("%(n)s done")
    return (
        text % {"n": f"{done:,}"} if done else "",
        ngettext("%(n)s failed", "%(n)s failed", failed) % {"n": f"{failed:,}"} if failed else "",
    )


def _about(entry: AuditEntry) -> str:
    if entry.action == Action.CREATE:
        address, _of, secret = entry.note.partition(OF_SECRET)
        text = gettext("%(address)s, from the Secret %(secret)s")
        return text % {"address": address, "secret": secret} if secret else address
    if entry.action == Action.COPY and entry.note:
        return gettext("from %(source)s") % {"source": entry.note}
    if entry.action == Action.EXPORT and entry.note.isdigit():
        rows = int(entry.note)
        return ngettext("%(n)s entry", "%(n)s entries", rows) % {"n": f"{rows:,}"}
    if entry.action != Action.EDIT or entry.outcome != OK:
        return ""
    edited = read_changes(entry.note)
    if edited is None:
        return ""
    parts = [_changed(name, texts) for name, texts in edited.items()]
    return gettext("; ").join(parts) or gettext("Nothing changed")


def _changed(name: str, texts: tuple[str, str] | None) -> str:
    field = str(labels.FIELDS.get(name, name))
    if texts is None:
        return field
    before, after = (text or gettext("(empty)") for text in texts)
    values = {"field": field, "before": before, "after": after}
    return gettext("%(field)s: %(before)s → %(after)s") % values


def _action(entry: AuditEntry) -> str:
    general = str(ACTIONS.get(entry.action, entry.action))
    if not entry.note:
        return general
    if entry.action == Action.GRANT:
        name, _space, role = entry.note.rpartition(" ")
        if role == "-":
            return str(_("Removed the role of %s")) % name
        return str(_("Gave %(name)s the role %(role)s")) % {"name": name, "role": role}
    word, _space, rest = entry.note.partition(" ")
    if entry.action == Action.CHANNEL:
        _service, _space, rest = rest.partition(" ")
    about = (entry.action, word)
    sentence = str(_CHANGES.get(about, "") if rest else _UNNAMED.get(about, _CHANGES.get(about, "")))
    if not sentence:
        return general
    if entry.action == Action.TOKEN:
        rest, _of, owner = rest.partition(" of ")
        token = _token(rest, entry.name)
        if owner:
            sentence = str(_("Revoked the access token %(token)s of %(owner)s"))
            return sentence % {"token": token, "owner": owner}
        return sentence.replace("%s", token)
    if word in ("asked", "robot"):
        new, _space, old = rest.partition(" ")
        return sentence % {"new": new, "old": old}
    return sentence.replace("%s", rest)


def _token(prefix: str, name: str) -> str:
    """A token by its name, which older entries lack, and the start of its text."""
    return gettext("%(name)s (%(start)s)") % {"name": name, "start": f"{prefix}…"} if name else f"{prefix}…"
