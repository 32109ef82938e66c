"""Where nodes with containerd judge otherwise: it sends a credential to the token service by POST first."""

from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from registries.probe import RealmMemory, Reason, Result, probe
from registries.probe.node_view import NodeView
from registries.probe.remarks import NODE_VIEWS
from tests.peers.scripted import HERE, Reply, Request, basic, json_reply, scripted, unauthorized
from tests.peers.token_registry import PASSWORD, TOKEN, USER, TokenRegistry, query, run_probe, serving

REFUSED, NO_TOKEN = NodeView.POST_REFUSED, NodeView.NO_ACCESS_TOKEN


def test_every_view_has_its_sentence() -> None:
    assert set(NODE_VIEWS) == set(NodeView)


@pytest.mark.parametrize(
    ("posted", "node"),
    [
        *((Reply(status), None) for status in (400, 401, 404, 405)),
        *((Reply(status), REFUSED) for status in (403, 406, 410, 415, 500, 501, 502, 503)),
        *((Reply(status), None) for status in (408, 429)),
        *((Reply(status, [("Location", "/other")]), None) for status in (301, 302, 303)),
        (json_reply({"access_token": TOKEN}), None),
        (json_reply({"access_token": TOKEN, "token": TOKEN}), None),
        (json_reply({"token": TOKEN}), NO_TOKEN),
        (json_reply({"token": TOKEN, "access_token": ""}), NO_TOKEN),
        (json_reply({"token": TOKEN, "access_token": 7}), NO_TOKEN),
        (json_reply([TOKEN]), NO_TOKEN),
        (Reply(200, [], b"<html>"), NO_TOKEN),
        (Reply(raw=b"", close=True), None),
        (Reply(raw=b"SSH-2.0-OpenSSH\r\n"), None),
    ],
)
def test_a_post_is_judged_as_containerd_does(posted: Reply, node: NodeView | None) -> None:
    result, server = run_probe(TokenRegistry(posted=posted))
    assert (result.reason, result.node) == (Reason.OK, node)
    assert [request.method for request in server.requests] == ["GET", "GET", "GET", "GET", "POST"]
    assert parse_qs(server.requests[4].body.decode())["grant_type"] == ["password"]
    assert bool(result.node_message("en")) is bool(result.node_message("zh")) is bool(node)
    if node is REFUSED:
        assert f"HTTP {posted.status} " in result.node_message("en")


@pytest.mark.parametrize("status", [401, 403, 400, 429, 500])
def test_a_credential_that_was_refused_is_not_sent_again(status: int) -> None:
    result, server = run_probe(TokenRegistry(wrong=Reply(status), posted=Reply(403)), "wrong")
    assert (result.ok, result.node, len(server.requests)) == (False, None, 2)


@pytest.mark.parametrize(
    ("posted", "node"),
    [(json_reply({"access_token": TOKEN}), None), (json_reply({"token": TOKEN}), NO_TOKEN)],
)
def test_a_service_without_get_was_asked_by_post_already(posted: Reply, node: NodeView | None) -> None:
    result, server = run_probe(TokenRegistry(get_status=405, posted=posted))
    assert (result.ok, result.node) == (True, node)
    own = [it for it in server.requests if b"username=robot" in it.body]
    assert len(own) == 1


def test_a_service_that_agrees_is_not_asked_again_for_a_day() -> None:
    now = [0.0]
    policy = replace(HERE, memory=RealmMemory(clock=lambda: now[0]))
    registry = TokenRegistry(posted=json_reply({"access_token": TOKEN}))
    with serving(registry) as server:
        methods = []
        for now[0] in (0.0, 1.0, 86_402.0):
            server.requests.clear()
            assert probe(server.address, USER, PASSWORD, policy).node is None
            methods.append("POST" in [request.method for request in server.requests])
    assert methods == [True, False, True]


def test_a_service_that_disagrees_is_asked_each_time() -> None:
    policy = replace(HERE, memory=RealmMemory())
    registry = TokenRegistry(posted=Reply(403))
    with serving(registry) as server:
        assert [probe(server.address, USER, PASSWORD, policy).node for _ in range(2)] == [REFUSED, REFUSED]
        registry.posted = Reply(405)
        assert probe(server.address, USER, PASSWORD, policy).node is None


def test_basic_authentication_has_no_such_difference() -> None:
    registry = TokenRegistry(challenge='Basic realm="x"', opening=())

    def script(request: Request) -> Reply:
        right = request.authorization == basic(USER, PASSWORD)
        return Reply(200, [], b"{}") if right else registry(request)

    with scripted(script) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert (result.reason, result.node, result.requests) == (Reason.OK, None, 2)


@pytest.mark.parametrize(
    ("at_v2", "at_manifest", "node", "asked"),
    [
        (200, 404, None, 1),
        (401, 404, None, 2),
        (401, 401, NodeView.BASIC_REFUSED, 2),
        (429, 401, None, 1),
        (503, 401, None, 1),
        (403, 401, None, 1),
    ],
)
def test_basic_beside_bearer_is_tried_as_docker_does(
    at_v2: int, at_manifest: int, node: NodeView | None, asked: int
) -> None:
    """At manifests only where /v2/ refuses it. The budget of a test is no reason to leave it out."""
    registry = TokenRegistry(challenge="", posted=json_reply({"access_token": TOKEN}))

    def script(request: Request) -> Reply:
        if request.authorization == basic(USER, PASSWORD) and request.path.startswith("/v2/"):
            return Reply(at_v2 if request.path == "/v2/" else at_manifest)
        if request.path == "/service/token" or request.authorization:
            return registry(request)
        bearer = f'Bearer realm="{server.url("/service/token")}",service="s"'
        return unauthorized('Basic realm="x"', bearer)

    with scripted(script) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    to_registry = [it for it in server.requests if it.path != "/service/token"]
    tried = [it for it in to_registry if it.authorization == basic(USER, PASSWORD)]
    assert (result.reason, result.node, len(tried)) == (Reason.OK, node, asked)


# Redirects of the token service.


def _redirecting(status: int, location: str, password: str = PASSWORD) -> tuple[Result, list[Request]]:
    registry = TokenRegistry(posted=json_reply({"access_token": TOKEN}))

    def script(request: Request) -> Reply:
        if request.path == "/moved":
            tail = request.target.partition("?")[2]
            return Reply(status, [("Location", location.format(port=server.port, tail=tail))])
        return registry(request)

    with scripted(script) as server:
        registry.realm = server.url("/moved")
        return probe(server.address, USER, password, HERE), server.requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["/service/token?{tail}", "http://localhost:{port}/service/token?{tail}"]
)
def test_a_redirect_on_the_same_origin_is_followed_as_docker_does(status: int, location: str) -> None:
    result, requests = _redirecting(status, location)
    assert result.reason is Reason.OK
    moved = [request for request in requests if request.path == "/service/token"]
    assert moved[0].authorization == basic(USER, PASSWORD)
    assert query(moved[0])["account"] == [USER]
    wrong, _ = _redirecting(status, location, "wrong")
    assert wrong.reason is Reason.BAD_CREDENTIALS


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/service/token",
        "https://localhost:{port}/service/token",
        "http://localhost:1/service/token",
        f"/service/token?p={PASSWORD.replace(' ', '%20')}",
        "ftp://localhost/token",
        "http://u:p@localhost:{port}/service/token",
    ],
)
def test_any_other_redirect_is_not_followed(location: str) -> None:
    result, requests = _redirecting(307, location)
    assert result.reason is Reason.TOKEN_SERVICE_ERROR
    assert [request.path for request in requests] == ["/v2/", "/moved"]


def test_a_redirect_in_a_circle_ends() -> None:
    result, requests = _redirecting(307, "/moved")
    assert result.reason is Reason.TOKEN_SERVICE_ERROR
    assert len(requests) == 4
