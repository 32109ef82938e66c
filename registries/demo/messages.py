"""Requests to the demo's servers and their responses, as values. Errors follow the distribution specification."""

import base64
import binascii
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qs, unquote, urlsplit

MAX_FIELDS = 64

# The distribution specification requires it in every response under /v2/.
API_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")


@dataclass(frozen=True)
class Request:
    """One request with a decoded path. `host` is the name in its Host header, without the port."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    form: Mapping[str, list[str]]
    host: str
    authorization: str = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def read(cls, method: str, target: str, headers: "Message[str, str]", body: bytes) -> "Request":
        """ValueError for a target or a form that cannot be read."""
        parts = urlsplit(target)
        form: dict[str, list[str]] = {}
        if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            form = parse_qs(body.decode(), max_num_fields=MAX_FIELDS)
        return cls(
            method=method,
            path=unquote(parts.path),
            query=parse_qs(parts.query, max_num_fields=MAX_FIELDS),
            form=form,
            host=(urlsplit(f"//{headers.get('Host', '')}").hostname or "").rstrip("."),
            authorization=headers.get("Authorization", ""),
            body=body,
        )

    @property
    def basic(self) -> tuple[str, str] | None:
        """User name and password, or None if there are none or they cannot be read."""
        try:
            decoded = base64.b64decode(self._credentials("basic"), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        username, colon, password = decoded.partition(":")
        return (username, password) if colon else None

    @property
    def bearer(self) -> str:
        return self._credentials("bearer")

    def _credentials(self, scheme: str) -> str:
        given, _, credentials = self.authorization.partition(" ")
        return credentials.strip() if given.lower() == scheme else ""


@dataclass(frozen=True)
class Answer:
    """One response. The server adds the length, and omits the body for HEAD."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False


Handler = Callable[[Request], Answer]

# No response: the connection stays open without data, or is reset.
SILENCE = Answer(status=0)
RESET = Answer(status=-1)


def json_answer(status: int, value: object, *headers: tuple[str, str]) -> Answer:
    return Answer(status, json.dumps(value).encode(), headers=headers)


def text_answer(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, f"{text}\n".encode(), "text/plain; charset=utf-8", headers)


def page(title: str, text: str, *, status: int = 200) -> Answer:
    """An HTML page, as a portal or a gateway sends it."""
    title, text = html.escape(title), html.escape(text)
    markup = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
    return Answer(status, f"<!doctype html>\n{markup}\n".encode(), "text/html; charset=utf-8")


def error(status: int, code: str, message: str, *headers: tuple[str, str]) -> Answer:
    """An error under /v2/, as in the distribution specification."""
    body = {"errors": [{"code": code, "message": message, "detail": None}]}
    return json_answer(status, body, API_VERSION, *headers)
