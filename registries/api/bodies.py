"""Reads the JSON body and the query parameters of a request."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from typing import Any, NoReturn

from django.http import HttpRequest

from registries.api.status import JSON, ApiError, bad_request
from registries.domain.registry import Key
from registries.domain.selectors import Selector, SelectorError, read_selector

MERGE_PATCH = "application/merge-patch+json"
LONGEST = 1024 * 1024
"""Maximum bytes of a body. The largest valid resource has a quarter of this."""
_NUMBER = re.compile(r"[0-9]+\Z")
_DIGITS = 18
_LONGEST_CONTINUE = 512


def read_object(
    request: HttpRequest, types: Collection[str] = (JSON,), *, empty: bool = False
) -> dict[str, Any]:
    """The body as an object; `{}` for no body if `empty`.

    ApiError 413 for a body that is too long, 415 for a wrong type, 400 for anything but a JSON object.
    """
    raw = _read(request)
    if not raw.strip() and empty:
        return {}
    given = request.headers.get("Content-Type", JSON).partition(";")[0].strip().lower()
    if given not in types or request.headers.get("Content-Encoding", "identity") != "identity":
        raise ApiError(
            415, f"the body of the request was in an unknown format - accepted types: {', '.join(types)}"
        )
    body = _parsed(raw)
    if not isinstance(body, dict):
        raise bad_request("the body must be a JSON object")
    return body


def number(request: HttpRequest, name: str, default: int, least: int = 1) -> int:
    """A parameter as a whole number of at least `least`, which is 0 or 1."""
    text = request.GET.get(name)
    if text is None:
        return default
    digits = text.lstrip("0") or "0"
    if not _NUMBER.match(text) or int(digits[:1]) < least:
        raise bad_request(f"{name} must be a whole number from {least}")
    return int(digits) if len(digits) <= _DIGITS else 10**_DIGITS


def flag(request: HttpRequest, name: str) -> bool:
    """A boolean parameter, with the spellings of Kubernetes."""
    text = request.GET.get(name, "false")
    if text not in ("true", "1", "false", "0", ""):
        raise bad_request(f"{name} must be true or false")
    return text in ("true", "1")


def selector(request: HttpRequest) -> Selector | None:
    """The Selector of `labelSelector` and `fieldSelector`, if there is one."""
    try:
        return (
            read_selector(request.GET.get("labelSelector", ""), request.GET.get("fieldSelector", "")) or None
        )
    except SelectorError as error:
        raise bad_request(str(error)) from error


def continuation(key: Key) -> str:
    """The `continue` of a list that goes on after a key."""
    return urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def continued(request: HttpRequest) -> Key | None:
    """The key after which a list goes on, or None without `continue`. ApiError 400 for a text of nobody's making."""
    given = request.GET.get("continue", "")
    if not given:
        return None
    try:
        namespace, slash, name = urlsafe_b64decode(given[:_LONGEST_CONTINUE] + "==").decode().partition("/")
    except ValueError:
        slash = ""
    if not slash or continuation(Key(namespace, name)) != given:
        raise bad_request("the value of continue is not valid: list again without it")
    return Key(namespace, name)


def dry_run(request: HttpRequest) -> bool:
    """Whether the request has `dryRun=All`. ApiError 400 for any other value."""
    given = request.GET.getlist("dryRun")
    if any(value != "All" for value in given):
        raise bad_request('dryRun: the only value is "All"')
    return bool(given)


def _read(request: HttpRequest) -> bytes:
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if declared.isdigit() and int(declared) > LONGEST:
        raise ApiError(413, f"the request is too large: at most {LONGEST} bytes")
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        # Without Content-Length, Django reads nothing. gunicorn marks the end of the stream.
        raw = bytes(request.META["wsgi.input"].read(LONGEST + 1))
        if len(raw) > LONGEST:
            raise ApiError(413, f"the request is too large: at most {LONGEST} bytes")
        return raw
    return request.body


def _parsed(raw: bytes) -> Any:
    try:
        body = json.loads(raw.decode(), parse_constant=_refuse, object_pairs_hook=_object)
        # JSON may contain a lone surrogate, which UTF-8 cannot encode.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        # The parser's message quotes the body, which may contain a password.
        raise bad_request("the body is not valid JSON") from None
    return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found
