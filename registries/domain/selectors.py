"""Label and field selectors in the syntax of Kubernetes.

`a=b`, `a!=b`, `a`, `!a`, `a in (b, c)` and `a notin (b)`, joined by commas.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from registries.domain.metadata import is_key, label_value_problem
from registries.domain.registry import Key

FIELDS = ("metadata.name", "metadata.namespace")
MOST = 100
"""Conditions of one selector."""
_WORD = r"[^\s=!(),<>]"
_PART = re.compile(
    rf"""\s* (?: !\s*(?P<without>{_WORD}+)
    | (?P<key>{_WORD}+)
      (?: \s*(?P<operator>==|=|!=)\s*(?P<value>{_WORD}*) | \s+(?P<among>in|notin)\s*\((?P<values>[^()]+)\) )?
    ) \s*\Z""",
    re.VERBOSE,
)


class SelectorError(ValueError):
    """A text is no selector, or its field is not supported. The message may be shown."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A condition on one key: with `wanted`, its value is one of `values` (None: the key exists); else it is not.

    A condition that is not `wanted` also holds where the key does not exist.
    """

    key: str
    values: frozenset[str] | None
    wanted: bool

    def holds(self, texts: Mapping[str, str]) -> bool:
        found = self.key in texts and (self.values is None or texts[self.key] in self.values)
        return found == self.wanted


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements have to hold. An empty selector selects everything."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.labels or self.fields)

    def selects(self, key: Key, labels: Mapping[str, str]) -> bool:
        fields = dict(zip(FIELDS, (key.name, key.namespace), strict=True))
        return all(it.holds(labels) for it in self.labels) and all(it.holds(fields) for it in self.fields)


def read_selector(labels: str, fields: str) -> Selector:
    """The selector of the parameters `labelSelector` and `fieldSelector`. SelectorError."""
    return Selector(tuple(_labels(labels)), tuple(_fields(fields)))


def _labels(text: str) -> Iterator[Requirement]:
    for it in _requirements("labelSelector", text):
        if not is_key(it.key):
            raise SelectorError(f"labelSelector: not a label's key: {it.key!r}")
        wrong = next((value for value in sorted(it.values or ()) if label_value_problem(value)), None)
        if wrong is not None:
            raise SelectorError(f"labelSelector: not a label's value: {wrong!r}")
        yield it


def _fields(text: str) -> Iterator[Requirement]:
    for it in _requirements("fieldSelector", text):
        if it.key not in FIELDS:
            raise SelectorError(
                f"fieldSelector: field label not supported: {it.key!r}; use {' or '.join(FIELDS)}"
            )
        if it.values is None or "(" in text:
            raise SelectorError("fieldSelector: the operators are =, == and !=")
        yield it


def _requirements(parameter: str, text: str) -> Iterator[Requirement]:
    if not text.strip():
        return
    for number, part in enumerate(_parts(text)):
        if number == MOST:
            raise SelectorError(f"{parameter}: more than {MOST} conditions")
        found = _PART.match(part)
        if found is None:
            raise SelectorError(f"{parameter}: not understood: {part.strip()!r}")
        key = found["without"] or found["key"]
        if found["operator"]:
            yield Requirement(key, frozenset((found["value"],)), found["operator"] != "!=")
        elif found["among"]:
            values = frozenset(value.strip() for value in found["values"].split(","))
            yield Requirement(key, values, found["among"] == "in")
        else:
            yield Requirement(key, None, not found["without"])


def _parts(text: str) -> Iterator[str]:
    """The text between the commas that are outside parentheses."""
    start, inside = 0, False
    for at, character in enumerate(text):
        if character in "()":
            inside = character == "("
        elif character == "," and not inside:
            yield text[start:at]
            start = at + 1
    yield text[start:]
