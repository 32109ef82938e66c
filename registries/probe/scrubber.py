"""The one cleaner for every text that a server chose: servers may repeat what they were sent, in any encoding."""

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from .decoding import TooManyViews, views

MASK = "***"
DETAIL_MAX = 300
# Masking a shorter secret would reveal it. A text that contains one is not shown at all.
_SHORTEST_MASKED = 4
# A shorter password may be in a URL by chance (`token`, `v2`).
_SHORTEST_TELLING = 6
# Lines of a pasted JSON key. Shorter lines are only braces.
_SHORTEST_LINE = 8
_NO_LETTERS = re.compile(r"[\W_]+")


IN_A_NAME = str.maketrans({character: f"\\{character}" for character in '\\"+,;<>'})
"""Escapes of RFC 4514 for characters that are escaped everywhere in the name of a certificate."""


class Scrubber:
    """Knows the secrets of one probe in all forms that servers repeat. Its repr shows none."""

    def __init__(self, username: str, password: str) -> None:
        self._unread: list[str] = []
        self._unwritten: list[str] = []
        self._forms: set[str] = set()
        self._telling: set[str] = set()
        self._needles: set[str] = set()
        self.add(password)
        self._add_base64(password.encode())
        self._add_base64(f"{username}:{password}".encode())

    def add(self, secret: str) -> None:
        """Adds a secret, for example a token."""
        self._unread.append(secret)

    def _read(self) -> None:
        """Prepares the search for secrets, on first use: most probes have nothing to scrub."""
        while self._unread:
            secret = self._unread.pop()
            self._unwritten.append(secret)
            plain = {secret, secret.strip(), _one_line(secret), *_long_lines(secret)}
            self._needles |= {needle.casefold() for needle in plain if needle.strip()}

    def _write(self) -> None:
        """Computes the forms of the secrets, which takes longer."""
        self._read()
        while self._unwritten:
            secret = self._unwritten.pop()
            written = _written(secret)
            self._forms |= {form for form in written | _long_lines(secret) if form.strip()}
            if len(secret) >= _SHORTEST_TELLING:
                self._telling |= {form.casefold() for form in written}

    def _add_base64(self, raw: bytes) -> None:
        for encoded in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
            self.add(encoded)
            self.add(encoded.rstrip("="))

    def contains(self, text: str) -> bool:
        """Whether `text` contains a secret in a usual form. For bytes as text, which cannot be decoded further."""
        self._write()
        folded = text.casefold()
        return any(form in folded for form in self._telling)

    def reveals(self, text: str, known: str = "") -> bool:
        """Whether `text` (a URL, a scope) contains a secret that is too long to be there by chance, in any encoding.
        A secret that is a part of `known` tells nothing."""
        if not known and self.contains(text):
            return True
        self._read()
        known = known.casefold()
        long = {
            needle for needle in self._needles if len(needle) >= _SHORTEST_TELLING and needle not in known
        }
        return _found(long, text)

    def scrub(self, text: str) -> str:
        """`text` with every usual form of every secret masked, in any letter case. The mask alone if it contains a
        secret in another encoding, '' if it contains one that is too short to mask."""
        self._write()
        for form in sorted(self._forms, key=len, reverse=True):
            if len(form) >= _SHORTEST_MASKED:
                text = re.sub(re.escape(form), MASK, text, flags=re.IGNORECASE)
            elif form in text:
                return ""
        if _found({needle for needle in self._needles if len(needle) < _SHORTEST_MASKED}, text):
            return ""
        return MASK if _found(self._needles, text) else text

    def detail(self, text: str) -> str:
        """`text` scrubbed, on one line, without control characters, at most DETAIL_MAX characters. It is scrubbed
        before and after cleaning, because each step could hide a secret from the other."""
        cleaned = self.scrub(_one_line(self.scrub(text)))
        return cleaned if len(cleaned) <= DETAIL_MAX else cleaned[: DETAIL_MAX - 1] + "…"


def _written(secret: str) -> set[str]:
    """All ways to write a secret in text, URLs, JSON, HTML and names of certificates."""
    return {
        secret,
        secret.strip(),
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        secret.translate(IN_A_NAME),
        secret.encode().decode("latin-1"),  # http.client reads UTF-8 in a header like this
        _one_line(secret),
    } - {""}


def _long_lines(secret: str) -> set[str]:
    """The lines of a secret that tell something alone."""
    return {line for it in secret.splitlines() if len(line := it.strip()) >= _SHORTEST_LINE}


def _one_line(text: str) -> str:
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def _found(needles: Iterable[str], text: str) -> bool:
    """Whether a decoded form of `text` contains one of these secrets, with or without the signs between its
    letters. True if the decoding does not end."""
    needles = set(needles)
    if not needles:
        return False
    letters = {bare for needle in needles if len(bare := _letters(needle)) >= _SHORTEST_TELLING}
    try:
        for view in views(text):
            folded = view.casefold()
            if any(needle in folded for needle in needles):
                return True
            squeezed = _letters(folded) if letters else ""
            if any(bare in squeezed for bare in letters):
                return True
    except TooManyViews:
        return True
    return False


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text)
