"""Redirects of a registry: those within the origin are followed, without the password outside of it."""

from collections.abc import Callable

import pytest

from registries.probe import Reason, probe
from tests.peers.scripted import HERE, Reply, Request, always, registry_ok, scripted, unauthorized


def _redirecting(routes: dict[str, str]) -> Callable[[Request], Reply]:
    """A registry that redirects from the paths in `routes` and asks for Basic on all others."""

    def script(request: Request) -> Reply:
        if request.path in routes:
            return Reply(307, [("Location", routes[request.path])])
        return registry_ok() if request.authorization else unauthorized("Basic")

    return script


@pytest.mark.parametrize(
    ("routes", "last"),
    [
        ({"/v2/": "/registry/v2/"}, "/registry/v2/"),
        ({"/v2/": "/v2"}, "/v2"),
        ({"/v2/": "../a/v2/", "/a/v2/": "/b/v2/", "/b/v2/": "/c/v2/"}, "/c/v2/"),
    ],
)
def test_redirects_within_the_origin_are_followed(routes: dict[str, str], last: str) -> None:
    with scripted(_redirecting(routes)) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert result.reason is Reason.OK
    assert server.requests[-1].path == last
    assert [a is not None for a in server.authorizations()] == [False] * (len(routes) + 1) + [True]


def test_an_absolute_redirect_within_the_origin_is_followed() -> None:
    with scripted(always(Reply())) as server:
        server.script = _redirecting({"/v2/": server.url("/x/v2/")})
        assert probe(server.address, "admin", "secret", HERE).reason is Reason.OK


def test_a_redirect_loop_ends() -> None:
    with scripted(_redirecting({"/v2/": "/a/v2/", "/a/v2/": "/v2/"})) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert result.reason is Reason.REDIRECT_BLOCKED
    assert len(server.requests) == 4, "three redirects at most"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/login?next=/v2/", Reason.NOT_A_REGISTRY),
        ("https://sso.example.com/auth", Reason.NOT_A_REGISTRY),
        ("/v2/auth", Reason.NOT_A_REGISTRY),
        ("/notv2x", Reason.NOT_A_REGISTRY),
        ("https://other.example.com/v2/", Reason.REDIRECT_BLOCKED),
        ("http://localhost:1/v2/", Reason.REDIRECT_BLOCKED),
        ("http://user:x@localhost/v2/", Reason.REDIRECT_BLOCKED),
        ("ftp://localhost/v2/", Reason.REDIRECT_BLOCKED),
        ("http://[::1/v2/", Reason.REDIRECT_BLOCKED),
        ("http://0x7f.1/v2/", Reason.REDIRECT_BLOCKED),
    ],
)
def test_other_redirects_are_not_followed(location: str, reason: Reason) -> None:
    with scripted(always(Reply(301, [("Location", location)]))) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert result.reason is reason
    assert len(server.requests) == 1


def test_another_port_of_the_same_host_is_another_origin() -> None:
    with scripted(always(registry_ok())) as other, scripted(always(Reply())) as server:
        server.script = always(Reply(308, [("Location", other.url("/v2/"))]))
        assert probe(server.address, "admin", "secret", HERE).reason is Reason.REDIRECT_BLOCKED
    assert other.requests == []


@pytest.mark.parametrize("location", ["/elsewhere/v2/", "/login", None])
def test_a_redirect_is_not_followed_with_the_password(location: str | None) -> None:
    def script(request: Request) -> Reply:
        if request.authorization is None:
            return unauthorized("Basic")
        return Reply(302, [("Location", location)] if location else [])

    with scripted(script) as server:
        result = probe(server.address, "admin", "secret", HERE)
    assert not result.ok
    assert len(server.requests) == 2
