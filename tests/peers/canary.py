"""Secrets of a probe, the forms in which servers repeat them, and a search for them in everything that a caller can
see."""

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
    """Texts that must not be found anywhere: every form, and a large part of the plain one."""
    found = {form(secret) for name, form in FORMS.items() if name != "numeric entities"}
    return {text.strip('"') for text in found} | {secret[:12], secret[-8:]}


def leaks(text: str, *secrets: str) -> list[str]:
    folded = text.casefold()
    return [s for secret in secrets for s in spellings(secret) if s.casefold() in folded]


def shown(result: Result) -> str:
    """Everything of a result that a caller can see."""
    parts = [repr(result), str(result)]
    for language in ("zh", "en"):
        parts += [json.dumps(result.to_json(language), ensure_ascii=False)]
        parts += [result.message(language), result.hint(language)]
    return "\n".join(parts)


@pytest.fixture(autouse=True)
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every logger at DEBUG. The log is searched after each test of the module, tracebacks included."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "registries"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    records = caplog.get_records("call")  # caplog.records would be those of the teardown
    lines = [record.getMessage() + str(record.__dict__) for record in records]
    lines += ["".join(traceback.format_exception(*r.exc_info)) for r in records if r.exc_info]
    assert not leaks("\n".join(lines), CANARY, TOKEN)


def run_probe(server: ScriptedServer, password: str = CANARY, policy: Policy = HERE) -> Result:
    """A probe whose result and URLs are searched for secrets."""
    result = probe(server.address, USER, password, policy)
    assert not leaks(shown(result), password, TOKEN)
    for request in server.requests:
        assert not leaks(request.target + unquote_plus(request.target), password, TOKEN)
        assert not leaks(request.header("host") or "", password, TOKEN)
    return result


def echoing(answer: Callable[[str], Reply], challenge: str = "Basic") -> Callable[[Request], Reply]:
    """A registry that responds to a password with `answer(password)`."""

    def script(request: Request) -> Reply:
        if request.authorization is None:
            return unauthorized(challenge)
        pair = base64.b64decode(request.authorization.removeprefix("Basic ")).decode()
        return answer(pair.partition(":")[2])

    return script
