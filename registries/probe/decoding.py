"""Decodes a text in every way in which a server may have written a secret, until nothing new is found."""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

MOST_VIEWS = 150
_MOST_CHARACTERS = 100_000

_ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-f]{1,6})\}|u([0-9a-f]{4})|U([0-9a-f]{8})|x([0-9a-f]{2})|(.))", re.I | re.S
)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_OCTAL = re.compile(r"\\([0-7]{3})")
_ENTITY = re.compile(r"&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));?", re.I)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}")
_HEX = re.compile(r"(?:(?:0x|%|\\x)?[0-9a-f]{2}[\s:,-]?){4,}", re.I)
_NOT_HEX = re.compile(r"0x|[^0-9a-f]", re.I)
_DECIMAL = re.compile(r"\b\d{1,3}(?:[\s,]+\d{1,3}){3,}\b")
_HIGH = re.compile(r"[\x80-\xff]+")
_TAG = re.compile(r"<[^<>]*>")


class TooManyViews(Exception):
    """The text has more decoded forms than anybody writes by accident."""


def views(text: str) -> Iterator[str]:
    """The text and all its decoded forms, to a fixpoint: each decoder is applied to each form, in any order.
    TooManyViews if there is no end in sight."""
    seen, waiting, left = {text}, [text], _MOST_CHARACTERS
    while waiting:
        view = waiting.pop(0)
        yield view
        left -= len(view)
        for decode in _DECODERS:
            found = decode(view)
            if found and found not in seen:
                seen.add(found)
                waiting.append(found)
        if len(seen) > MOST_VIEWS or left < 0:
            raise TooManyViews


def _character(code: int) -> str:
    return chr(code) if code <= 0x10FFFF else ""


def _escapes(text: str) -> str:
    """JSON, JavaScript, Go and Python: \\u003c, \\u{3c}, \\x3c, \\n, \\"."""

    def plain(match: re.Match[str]) -> str:
        code = next((group for group in match.groups()[:4] if group), "")
        return _character(int(code, 16)) if code else _LETTERS.get(match[5], match[5])

    if "\\" not in text:
        return text
    # A pair of surrogates is one character.
    return _ESCAPE.sub(plain, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _octal(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8) & 0xFF), text)


def _entities(text: str) -> str:
    """HTML. Numbers first: html.unescape drops some characters."""
    if "&" not in text:
        return text
    numbers = _ENTITY.sub(lambda m: _character(int(m[1], 16) if m[1] else int(m[2])), text)
    return html.unescape(numbers)


def _percent(text: str) -> str:
    return unquote(text)


def _percent_latin(text: str) -> str:
    return unquote(text, "latin-1")


def _plus(text: str) -> str:
    return text.replace("+", " ")


def _latin(text: str) -> str:
    """UTF-8 that was read as Latin-1."""
    return _HIGH.sub(lambda match: match[0].encode("latin-1").decode("utf-8", "replace"), text)


def _without_blanks(text: str) -> str:
    """Joins base64 and hex that stand on several lines."""
    return "".join(text.split())


def _without_tags(text: str) -> str:
    return _TAG.sub("", text)


def _base64(text: str) -> str:
    """Every run of base64, decoded from each of its first four characters: the one before may be a neighbour."""
    found = []
    for match in _BASE64.finditer(text):
        run = match[0].replace("-", "+").replace("_", "/")
        for start in range(4):
            part = run[start:]
            part = part[: len(part) - 1] if len(part) % 4 == 1 else part
            found.append(_bytes(base64.b64decode, part + "=" * (-len(part) % 4)))
    return " ".join(filter(None, found))


def _hex(text: str) -> str:
    found = []
    for match in _HEX.finditer(text):
        run = _NOT_HEX.sub("", match[0])
        found += [_bytes(bytes.fromhex, run[start : start + (len(run) - start) // 2 * 2]) for start in (0, 1)]
    return " ".join(filter(None, found))


def _decimal(text: str) -> str:
    """Bytes as Go prints them: [112 119 100]."""
    runs = ([int(it) for it in match[0].replace(",", " ").split()] for match in _DECIMAL.finditer(text))
    return " ".join(bytes(it for it in run if it < 256).decode("utf-8", "replace") for run in runs)


def _compatible(text: str) -> str:
    """Letters of full width, in circles and the like, as browsers and DNS read them."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _bytes(decode: Callable[[str], bytes], text: str) -> str:
    try:
        return decode(text).decode("utf-8", "replace")
    except (ValueError, binascii.Error):
        return ""


_DECODERS = (
    _escapes,
    _octal,
    _entities,
    _percent,
    _percent_latin,
    _plus,
    _latin,
    _base64,
    _hex,
    _decimal,
    _compatible,
    _without_blanks,
    _without_tags,
)
