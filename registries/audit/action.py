"""Actions and outcomes in the audit log, and the notes of edits."""

import json
from collections.abc import Mapping
from enum import StrEnum

OK = "ok"
"""The outcome of a successful action. A refused action has the reason of its error."""
IN_DOUBT = "uncertain"
"""The outcome of an action without an answer: the store received it and may have applied it."""
BY_RULE = "rule"
"""The `source` of an Access of a rule that acts for a person, instead of an IP address."""
REPLACED = "replaced "
"""The beginning of the note of a registry that took the place of another one; its uid follows."""
LINKED = "linked"
"""The note of a copy that was linked to its source again."""
OF_SECRET = " secret "  # noqa: S105  no password
"""Between the address and the Secret (namespace/name) in the note of a new registry."""


class Action(StrEnum):
    CREATE = "create"
    EDIT = "edit"
    COMPARE = "compare"
    PASSWORD = "password"  # noqa: S105  an action
    COPY = "copy"
    SYNC = "sync"
    DELETE = "delete"
    UNDO = "undo"
    TEST = "test"
    TRY = "try"
    SEE = "see"
    LOGIN = "login"
    LOGOUT = "logout"
    ACCOUNT = "account"
    GRANT = "grant"
    NAMESPACE = "namespace"
    BIND = "bind"
    UNBIND = "unbind"
    RESTART = "restart"
    EXPORT = "export"
    TOKEN = "token"  # noqa: S105  an object, not a secret
    CHANNEL = "channel"
    SILENCE = "silence"
    INTERVAL = "interval"
    NODE_TEST = "node_test"
    MIRROR = "mirror"


NOTE_MAX = 255
TEXT_MAX = 90
"""Characters of one text. A longer one is cut."""

Changes = Mapping[str, tuple[str, str] | None]
"""By field, the texts before and after. None where only the name of the field may be kept."""


def note_of_edit(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The note of an edit. It keeps the short texts. Of a description, it keeps only that it changed: who deletes a
    secret from such a text must get rid of it."""
    changed: dict[str, tuple[str, str] | None] = {}
    for name, text in before.items():
        if after[name] != text:
            changed[name] = None if name == "description" else (text, after[name])
    return write_changes(changed)


def write_changes(changes: Changes) -> str:
    """The note. The texts are left out where they do not fit."""
    note = _json({name: texts and [_cut(text) for text in texts] for name, texts in changes.items()})
    return note if len(note) <= NOTE_MAX else _json(dict.fromkeys(changes))


def read_changes(note: str) -> Changes | None:
    """The changes in a note. None for the empty note of an older entry."""
    try:
        given = json.loads(note)
        return {
            str(name): None if texts is None else (str(texts[0]), str(texts[1]))
            for name, texts in given.items()
        }
    except (ValueError, AttributeError, LookupError, TypeError):
        return None


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
