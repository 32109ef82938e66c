"""A client's own labels and annotations: which may be kept, by the rules of an API server (apimachinery's validation of
objectmeta), and which would show a password. Imports the domain and errors.
"""

import base64
import re
from collections.abc import Callable, Mapping

from registries.domain.errors import Cause, Problem
from registries.domain.registry import name_problem

LABELS, ANNOTATIONS = "metadata.labels", "metadata.annotations"
VALUE_MAX = 63
ANNOTATIONS_MAX = 248 * 1024
"""Bytes of all keys and values together: what Kubernetes takes, less 8 KiB for what the console writes itself."""
TELLING = 8
"""Characters of a password from which on a text that has it in it has it from there; "demo" is a word as well."""
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z")

Given = Mapping[str, object]


def metadata_causes(labels: Given, annotations: Given, password: str, bundle: str = "") -> list[Cause]:
    """What is wrong with them, as they came; `bundle` is an annotation of the console's that counts as well.

    The place of a key that is wrong is that of all, as with an API server, which looks at keys of annotations in lower
    case. So is that of a key that holds the password: an error shows none either.
    """
    causes = _causes(LABELS, labels, str, label_value_problem, password)
    causes += _causes(ANNOTATIONS, annotations, str.lower, lambda value: None, password)
    size = sum(len(text.encode()) for pair in annotations.items() for text in pair if isinstance(text, str))
    if size + len(bundle.encode()) > ANNOTATIONS_MAX:
        causes.append(Cause(ANNOTATIONS, Problem.ANNOTATIONS_SIZE, ANNOTATIONS_MAX))
    return list(dict.fromkeys(causes))


def label_value_problem(value: str) -> Problem | None:
    return None if not value or _NAME.match(value) else Problem.LABEL_VALUE


def is_key(key: str) -> bool:
    """A qualified name: up to 63 letters, digits, `-`, `_` and `.`, if need be after a DNS subdomain and a slash."""
    prefix, slash, name = key.rpartition("/")
    return bool(_NAME.match(name)) and (not slash or name_problem(prefix) is None)


def holds_password(text: str, password: str) -> bool:
    """Whether a text shows a password to whoever may read the text."""
    return any(form in text for form in _forms(password))


def without_echoes(texts: Mapping[str, str], password: str) -> dict[str, str]:
    """Those that may be shown to who must not read the password."""
    forms = _forms(password)
    return {key: value for key, value in texts.items() if not any(it in key or it in value for it in forms)}


def _causes(
    place: str,
    texts: Given,
    looked_at: Callable[[str], str],
    value_problem: Callable[[str], Problem | None],
    password: str,
) -> list[Cause]:
    forms, causes = _forms(password), []
    for key, value in texts.items():
        if any(it in key for it in forms):
            causes.append(Cause(place, Problem.HOLDS_PASSWORD))
        elif not is_key(looked_at(key)):
            causes.append(Cause(place, Problem.METADATA_KEY))
        elif not isinstance(value, str):
            causes.append(Cause(f"{place}[{key}]", Problem.WRONG_TYPE))
        elif any(it in value for it in forms):
            causes.append(Cause(f"{place}[{key}]", Problem.HOLDS_PASSWORD))
        elif problem := value_problem(value):
            causes.append(Cause(f"{place}[{key}]", problem, VALUE_MAX))
    return causes


def _forms(password: str) -> tuple[str, ...]:
    """A password as it is, and as base64; nothing of one that is too short to tell."""
    if len(password) < TELLING:
        return ()
    return password, base64.b64encode(password.encode()).decode()
