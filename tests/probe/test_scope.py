"""A token without a needed scope: one new token, one more try."""

from urllib.parse import parse_qs

import pytest

from registries.probe import Reason, probe
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    ScriptedServer,
    json_reply,
    registry_ok,
    scripted,
    unauthorized,
)
from tests.peers.token_registry import PASSWORD, TOKEN, USER, TokenRegistry, query, run_probe


def _scoped(registry: TokenRegistry, answers: dict[str, str]) -> ScriptedServer:
    """A registry that accepts only the token for one scope. `answers` maps a scope to a token."""

    def script(request: Request) -> Reply:
        if request.path == "/service/token" and request.authorization:
            scope = query(request).get("scope", [""])[0]
            return json_reply({"token": answers.get(scope, TOKEN)})
        if request.authorization == "Bearer scoped":
            return registry_ok()
        if (request.authorization or "").startswith("Bearer "):
            return unauthorized(
                'Bearer realm="http://evil.example/",error="insufficient_scope",scope="registry:x:*"'
            )
        return registry(request)

    return ScriptedServer(script)


def test_a_missing_scope_is_asked_for_once(request: pytest.FixtureRequest) -> None:
    registry = TokenRegistry()
    server = _scoped(registry, {"registry:x:*": "scoped"})
    request.addfinalizer(server.stop)
    registry.realm = server.url("/service/token")
    result = probe(server.address, USER, PASSWORD, HERE)
    assert result.reason is Reason.OK
    assert query(server.requests[3])["scope"] == ["registry:x:*"]
    as_node = server.requests[-1]
    assert (as_node.method, parse_qs(as_node.body.decode())["scope"]) == ("POST", ["registry:x:*"])
    assert result.token_host == server.netloc, "the second challenge's realm is not followed"


def test_a_scope_that_does_not_help_is_access_denied(request: pytest.FixtureRequest) -> None:
    registry = TokenRegistry()
    server = _scoped(registry, {})
    request.addfinalizer(server.stop)
    registry.realm = server.url("/service/token")
    result = probe(server.address, USER, PASSWORD, HERE)
    assert result.reason is Reason.ACCESS_DENIED
    assert len(server.requests) == 5


def test_insufficient_scope_without_a_scope_is_access_denied() -> None:
    refused = unauthorized('Bearer realm="x",error="insufficient_scope"')
    assert run_probe(TokenRegistry(confirmed=refused))[0].reason is Reason.ACCESS_DENIED


@pytest.mark.parametrize("status", [401, 403])
def test_it_may_be_said_with_a_403(status: int) -> None:
    """RFC 6750, section 3.1, uses 403 for insufficient_scope; distribution uses 401."""
    registry = TokenRegistry()

    def script(request: Request) -> Reply:
        if request.path == "/service/token" and request.authorization:
            return json_reply({"token": "scoped" if "scope" in query(request) else TOKEN})
        if request.authorization == "Bearer scoped":
            return registry_ok()
        if request.authorization == f"Bearer {TOKEN}":
            challenge = 'Bearer realm="x",error="insufficient_scope",scope="registry:catalog:*"'
            return Reply(status, [("WWW-Authenticate", challenge)])
        return registry(request)

    with scripted(script) as server:
        registry.realm = server.url("/service/token")
        result = probe(server.address, USER, PASSWORD, HERE)
    assert result.reason is Reason.OK
    assert [query(request).get("scope") for request in server.requests[1:4:2]] == [
        None,
        ["registry:catalog:*"],
    ]


def test_a_403_without_that_word_is_access_denied_at_once() -> None:
    denied = Reply(403, [("WWW-Authenticate", 'Bearer realm="x",scope="registry:catalog:*"')])
    result, server = run_probe(TokenRegistry(confirmed=denied))
    assert result.reason is Reason.ACCESS_DENIED
    assert len(server.requests) == 3
