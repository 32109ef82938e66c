"""The note of an edit: the names of the changed fields, and for harmless ones the texts before and after."""

import json
from collections.abc import Mapping

NOTE_MAX = 255
TEXT_MAX = 90
"""Characters of one text. A longer one is cut."""

Changes = Mapping[str, tuple[str, str] | None]
"""By field, the texts before and after. None where only the name of the field may be kept."""


def edited(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The note of an edit. It keeps the short texts. Of a description, it keeps only that it changed: who deletes a
    secret from such a text must get rid of it."""
    changed: dict[str, tuple[str, str] | None] = {}
    for name, text in before.items():
        if after[name] != text:
            changed[name] = None if name == "description" else (text, after[name])
    return write(changed)


def write(changes: Changes) -> str:
    """The note. The texts are left out where they do not fit."""
    note = _json({name: texts and [_cut(text) for text in texts] for name, texts in changes.items()})
    return note if len(note) <= NOTE_MAX else _json(dict.fromkeys(changes))


def read(note: str) -> Changes | None:
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
