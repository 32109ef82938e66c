"""Patterns as Go's path/filepath.Match reads them. A host cannot contain `?`, `^` and `\\`."""

import re

_RANGE = r"[^\]-](?:-[^\]-])?"
_PART = re.compile(rf"\*|\[(?:{_RANGE})+\]|[^*\[]", re.DOTALL)


def glob_matches(pattern: bytes, label: bytes) -> bool:
    """Whether a pattern with `*` and `[a-z]` matches a whole label. False for a malformed pattern.

    Takes at most len(pattern) * len(label) steps.
    """
    if not {*b"*["} & {*pattern}:
        return pattern == label
    whole, text = pattern.decode(errors="surrogateescape"), label.decode(errors="surrogateescape")
    parts = _PART.findall(whole)
    return "".join(parts) == whole and _matches(parts, text)


def _matches(parts: list[str], text: str) -> bool:
    """Goes back only to the last star: what an earlier star matches makes no difference."""
    at = part = 0
    star, star_at = None, 0
    while at < len(text):
        if part < len(parts) and parts[part] == "*":
            star, star_at = part, at
            part += 1
        elif part < len(parts) and _fits(parts[part], text[at]):
            at, part = at + 1, part + 1
        elif star is not None:
            star_at += 1
            at, part = star_at, star + 1
        else:
            return False
    return all(it == "*" for it in parts[part:])


def _fits(part: str, character: str) -> bool:
    if len(part) == 1:
        return part == character
    ranges = re.findall(_RANGE, part[1:-1], re.DOTALL)
    return any(it[0] <= character <= it[-1] for it in ranges)
