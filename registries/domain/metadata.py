"""Rules for names and display texts, and checks of a client's own labels and annotations: the rules of an API server,
and no password in them.

The rules for labels and annotations are those of apimachinery's validation of objectmeta.
"""

import base64
import re
import unicodedata
from collections.abc import Callable, Mapping

from registries.domain.errors import Cause, Causes, Problem

NAME_MAX = 253
NAMESPACE_MAX = 63
LABELS, ANNOTATIONS = "metadata.labels", "metadata.annotations"
VALUE_MAX = 63
ANNOTATIONS_MAX = 248 * 1024
"""Bytes of all keys and values: the limit of Kubernetes, less 8 KiB for the annotations of the console."""
TELLING = 8
"""Shortest password, in characters, that a text is searched for. A shorter one ("demo") may be an ordinary word."""
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_DNS_LABEL = re.compile(rf"{_LABEL}\Z")
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z")
_WORD = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z0-9](?=\S{{{TELLING - 1}}})")
"""The begin of what `names_password` may compare: a word, also one that goes on after a sign."""

Given = Mapping[str, object]


def name_problem(name: str) -> Problem | None:
    """The first problem with the name of a registry, or None. A name is an RFC 1123 subdomain, as in Kubernetes.

    The problems are `empty`, `too_long`, `characters` and `ends`.
    """
    return _dns_problem(name, _SUBDOMAIN, NAME_MAX, r"[a-z0-9.-]+\Z")


def namespace_problem(name: str) -> Problem | None:
    """The first problem with the name of a namespace, or None. A name is an RFC 1123 label: no dots, 63 characters.

    The problems are those of `name_problem`.
    """
    return _dns_problem(name, _DNS_LABEL, NAMESPACE_MAX, r"[a-z0-9-]+\Z")


def _dns_problem(name: str, whole: re.Pattern[str], longest: int, alphabet: str) -> Problem | None:
    if not name:
        return Problem.EMPTY
    if len(name) > longest:
        return Problem.TOO_LONG
    if not re.match(alphabet, name):
        return Problem.CHARACTERS
    return None if whole.match(name) else Problem.ENDS


def text_problem(text: str, longest: int, *, lines: bool = False) -> Problem | None:
    """The first problem with a display text: `too_long`, `control_character`, `direction_mark`, or None.

    `lines` allows line breaks and tabs. Emoji and every script are allowed. Marks that change the direction of
    writing are not: they can make one name look like another (Unicode TR 36).
    """
    if len(text) > longest:
        return Problem.TOO_LONG
    for character in text:
        if character in _BIDI_CONTROLS:
            return Problem.DIRECTION_MARK
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} and not (
            lines and character in "\r\n\t"
        ):
            return Problem.CONTROL_CHARACTER
    return None


def metadata_causes(labels: Given, annotations: Given, password: str, bundle: str) -> Causes:
    """The problems of labels and annotations as sent. `bundle`, an annotation of the console, adds to the size.

    A problem with a key is reported at the whole map, as an API server does: the key itself may hold the password.
    Keys of annotations are checked in lower case, also as an API server does.
    """
    causes = _causes(LABELS, labels, str, label_value_problem, password)
    causes.include(_causes(ANNOTATIONS, annotations, str.lower, lambda value: None, password))
    size = sum(len(text.encode()) for pair in annotations.items() for text in pair if isinstance(text, str))
    if size + len(bundle.encode()) > ANNOTATIONS_MAX:
        causes.add(Cause(ANNOTATIONS, Problem.ANNOTATIONS_SIZE, ANNOTATIONS_MAX))
    return causes


def label_value_problem(value: str) -> Problem | None:
    return None if not value or _NAME.match(value) else Problem.LABEL_VALUE


def is_key(key: str) -> bool:
    """Whether a key is a qualified name: up to 63 of letters, digits, `-`, `_` and `.`, optionally after a DNS
    subdomain and a slash."""
    prefix, slash, name = key.rpartition("/")
    return bool(_NAME.match(name)) and (not slash or name_problem(prefix) is None)


def holds_password(text: str, password: str) -> bool:
    """Whether a text contains a password, as it is or as base64."""
    return any(form in text for form in _forms(password))


def names_password(text: str, password: str) -> bool:
    """Whether a password, as it is or as base64, is a whole word of a text: no ASCII letter or digit stands beside it.

    For a password that the writer of the text may not know. In a text without limits between words, one search would
    compare every part of it.
    """
    return any(
        re.search(rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])", text) for form in _forms(password)
    )


def words_compared(*texts: str) -> int:
    """How many passwords `names_password` could find in these texts, one a word."""
    return sum(len(_WORD.findall(text)) for text in texts)


def _causes(
    place: str,
    texts: Given,
    looked_at: Callable[[str], str],
    value_problem: Callable[[str], Problem | None],
    password: str,
) -> Causes:
    forms, causes = _forms(password), Causes()
    for key, value in texts.items():
        if any(it in key for it in forms):
            causes.add(Cause(place, Problem.HOLDS_PASSWORD))
        elif not is_key(looked_at(key)):
            causes.add(Cause(place, Problem.METADATA_KEY))
        elif not isinstance(value, str):
            causes.add(Cause(f"{place}[{key}]", Problem.WRONG_TYPE))
        elif any(it in value for it in forms):
            causes.add(Cause(f"{place}[{key}]", Problem.HOLDS_PASSWORD))
        elif problem := value_problem(value):
            causes.add(Cause(f"{place}[{key}]", problem, VALUE_MAX))
    return causes


def _forms(password: str) -> tuple[str, ...]:
    """A password as it is, and as base64. Empty for a password shorter than TELLING."""
    if len(password) < TELLING:
        return ()
    return password, base64.b64encode(password.encode()).decode()
