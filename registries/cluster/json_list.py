"""A list of Kubernetes objects, read item by item while it arrives: 10,000 of them as JSON are 60 MB, which a process
does not give back."""

import codecs
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")

_WHITE = " \t\r\n"
_decoder = json.JSONDecoder()


def read_list(pieces: Iterable[bytes], take: Callable[[Json], T]) -> tuple[list[T], Json]:
    """What `take` makes of each item, and everything else of the list. ValueError when it is no JSON object, or ends
    too early."""
    text = _Text(pieces)
    taken: list[T] = []
    rest: Json = {}
    text.expect("{")
    if text.peek() == "}":
        return taken, rest
    separator = ","
    while separator == ",":
        name = str(text.value())
        text.expect(":")
        if name == "items" and text.peek() == "[":
            taken.extend(_items(text, take))
        else:
            rest[name] = text.value()
        separator = text.one_of(",}")
    text.finish()
    return taken, rest


def _items(text: "_Text", take: Callable[[Json], T]) -> Iterable[T]:
    text.expect("[")
    if text.peek() == "]":
        text.expect("]")
        return
    separator = ","
    while separator == ",":
        yield take(text.value())
        separator = text.one_of(",]")


class _Text:
    """JSON of which only the part in hand is in memory."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(codecs.iterdecode(pieces, "utf-8"))
        self._text, self._at = "", 0

    def peek(self) -> str:
        """The next character that is not white."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _WHITE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                raise ValueError("the text ends too early")

    def one_of(self, characters: str) -> str:
        found = self.peek()
        if found not in characters:
            raise ValueError(f"{found} where one of {characters} should be")
        self._at += 1
        return found

    def expect(self, character: str) -> None:
        self.one_of(character)

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except ValueError:
                if not self._more():
                    raise
                continue
            if end < len(self._text) or not self._more():  # a number may go on in the next piece
                self._at = end
                return value

    def finish(self) -> None:
        """Read to the end, so that the connection can be used again."""
        while self._at < len(self._text) or self._more():
            if self._text[self._at :].strip(_WHITE):
                raise ValueError("the text goes on after its end")
            self._at = len(self._text)

    def _more(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._text, self._at = self._text[self._at :] + piece, 0
        return True
