"""Parses WWW-Authenticate (RFC 9110, section 11) and tolerates common mistakes of servers. The cost is linear in
the length of the header."""

from collections.abc import Iterable
from dataclasses import dataclass, field

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_BLANK = " \t\r\n"
_LONGEST = 16_384
# In these schemes `realm=,` is an empty value. In other schemes it would be a token68.
_WITH_PARAMETERS = frozenset({"basic", "bearer", "digest"})


@dataclass(frozen=True, slots=True)
class Challenge:
    """`scheme` is in lower case. `parameters` has lower-case names; the first of two equal names counts. `token68`
    is set for schemes that use it instead of parameters, such as Negotiate."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)
    token68: str | None = None


def parse_challenges(lines: Iterable[str]) -> list[Challenge]:
    """The challenges of a response in order, each header line parsed alone. Never raises.

    Parsing of a line stops at the first error; the challenges before it count. Only the first 16,384 characters are
    read: no timeout can interrupt a parser.
    """
    found: list[Challenge] = []
    left = _LONGEST
    for line in lines:
        found += _Line(line[:left]).challenges()
        left = max(left - len(line), 0)
    return found


class _Line:
    """A cursor over one header line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def challenges(self) -> list[Challenge]:
        found: list[Challenge] = []
        while self._to_next_element():
            word = self._take(_TOKEN)
            if not word:
                break
            self._skip_blanks()
            if self._peek() == "=":
                if not found or not self._parameter(word, found[-1].parameters):
                    break
                continue
            challenge, intact = self._challenge(word.lower())
            found.append(challenge)
            if not intact:
                break
        return found

    def _challenge(self, scheme: str) -> tuple[Challenge, bool]:
        """A scheme and what directly follows it: a token68, a first parameter, or nothing. The second value is
        False when the line cannot be read further."""
        if self._peek() in ("", ","):
            return Challenge(scheme), True
        start = self._at
        token68 = None if scheme in _WITH_PARAMETERS else self._token68()
        if token68 is not None:
            return Challenge(scheme, token68=token68), True
        self._at = start
        challenge = Challenge(scheme)
        name = self._take(_TOKEN)
        self._skip_blanks()
        if not name or self._peek() != "=":
            # `Basic Bearer realm=…` lacks a comma: the second word starts a new challenge.
            self._at = start
            return challenge, bool(name)
        return challenge, self._parameter(name, challenge.parameters)

    def _token68(self) -> str | None:
        """token68 (RFC 9110, 11.2), if nothing else stands before the next comma."""
        start = self._at
        while self._peek() and (self._peek() in _TOKEN or self._peek() == "/"):
            self._at += 1
        if self._at == start:
            return None
        while self._peek() == "=":
            self._at += 1
        value = self._text[start : self._at]
        self._skip_blanks()
        return value if self._peek() in ("", ",") else None

    def _parameter(self, name: str, into: dict[str, str]) -> bool:
        """Reads `= value` at the cursor. False when the line cannot be read further."""
        self._at += 1
        self._skip_blanks()
        if self._peek() == '"':
            value = self._quoted()
            if value is None:
                return False
        else:
            value = self._unquoted()
        into.setdefault(name.lower(), value)
        return True

    def _quoted(self) -> str | None:
        """A quoted string without its escapes; None if it does not end."""
        characters: list[str] = []
        self._at += 1
        while (character := self._peek()) != '"':
            if character == "\\":
                self._at += 1
                character = self._peek()
            if not character:
                return None
            characters.append(character)
            self._at += 1
        self._at += 1
        return "".join(characters)

    def _unquoted(self) -> str:
        """Everything up to the next comma or blank: servers send URLs without quotes, though a token may not
        contain their characters."""
        start = self._at
        while self._peek() and self._peek() not in _BLANK + ",":
            self._at += 1
        return self._text[start : self._at]

    def _to_next_element(self) -> bool:
        while self._peek() and self._peek() in _BLANK + ",":
            self._at += 1
        return bool(self._peek())

    def _skip_blanks(self) -> None:
        while self._peek() and self._peek() in _BLANK:
            self._at += 1

    def _take(self, allowed: frozenset[str]) -> str:
        start = self._at
        while self._peek() in allowed:
            self._at += 1
        return self._text[start : self._at]

    def _peek(self) -> str:
        """The character at the cursor, '' at the end."""
        return self._text[self._at : self._at + 1]
