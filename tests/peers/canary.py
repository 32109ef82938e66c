"""Secrets of a test, the forms in which servers echo them, and a search for them in all that a caller can see.
Standard library, pytest and the probe."""

import base64
import html
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote_plus

import pytest

from registries.probe import Policy, Result, probe
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    ScriptedServer,
    basic,
    unauthorized,
)

USER = "robot$ci"
CANARY = 'Canary/pass+word "7f3a"&<é>'
TOKEN = "token.canary-9b2e.signature"

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 url": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    "basic": lambda secret: basic(USER, secret),
    "quoted": lambda secret: quote(secret, safe=""),
    "quoted plus": quote_plus,
    "json": json.dumps,
    "json utf-8": lambda secret: json.dumps(secret, ensure_ascii=False),
    "html": html.escape,
    "numeric entities": lambda secret: "".join(f"&#{ord(c)};" for c in secret),
}


def spellings(secret: str) -> set[str]:
    """What must be found nowhere: every form, and a good part of the plain one."""
    found = {form(secret) for name, form in FORMS.items() if name != "numeric entities"}
    return {text.strip('"') for text in found} | {secret[:12], secret[-8:]}


def leaks(text: str, *secrets: str) -> list[str]:
    folded = text.casefold()
    return [s for secret in secrets for s in spellings(secret) if s.casefold() in folded]


def shown(result: Result) -> str:
    """All that a caller can get to see of a result."""
    parts = [repr(result), str(result)]
    for language in ("zh", "en"):
        parts += [json.dumps(result.to_json(language), ensure_ascii=False)]
        parts += [result.message(language), result.hint(language)]
    return "\n".join(parts)


@pytest.fixture(autouse=True)
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every logger at DEBUG, searched after each test of this module, tracebacks included."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "registries"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    records = caplog.get_records("call")  # caplog.records would be those of this teardown
    lines = [record.getMessage() + str(record.__dict__) for record in records]
    lines += ["".join(traceback.format_exception(*r.exc_info)) for r in records if r.exc_info]
    assert not leaks("\n".join(lines), CANARY, TOKEN)


def run_probe(server: ScriptedServer, password: str = CANARY, policy: Policy = HERE) -> Result:
    """A test whose result, and whose URLs as the server saw them, are searched."""
    result = probe(server.address, USER, password, policy)
    assert not leaks(shown(result), password, TOKEN)
    for request in server.requests:
        assert not leaks(request.target + unquote_plus(request.target), password, TOKEN)
        assert not leaks(request.header("host") or "", password, TOKEN)
    return result


def echoing(answer: Callable[[str], Reply], challenge: str = "Basic") -> Callable[[Request], Reply]:
    """A registry that answers a password with `answer(password)`."""

    def script(request: Request) -> Reply:
        if request.authorization is None:
            return unauthorized(challenge)
        pair = base64.b64decode(request.authorization.removeprefix("Basic ")).decode()
        return answer(pair.partition(":")[2])

    return script
