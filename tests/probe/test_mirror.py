"""The look at a mirror: what it answers, its digest of an image, and that it never gets a credential."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from registries.probe import Reason
from registries.probe.mirror import Found, look_at_mirror
from tests.peers.certificates import Authority
from tests.peers.docker_registry import docker_registry, signing_pair, token_service
from tests.peers.images import index, push, single
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    json_reply,
    registry_ok,
    scripted,
    silent_port,
    unauthorized,
)

pytest_plugins = ("tests.peers.authorities",)

REPOSITORY = "library/busybox"
DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
V2 = [("Docker-Distribution-Api-Version", "registry/2.0")]
BODY_DIGEST = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
"""Of `{}`."""
Answered = tuple[Reason, Found, str]


def with_digest(digest: str) -> Reply:
    return Reply(200, [*V2, ("Docker-Content-Digest", digest)])


def answering(
    manifest: Reply | Callable[[Request], Reply], v2: Reply | None = None
) -> Callable[[Request], Reply]:
    def script(request: Request) -> Reply:
        if request.path == "/v2/":
            return v2 or registry_ok()
        return manifest(request) if callable(manifest) else manifest

    return script


def only_get(request: Request) -> Reply:
    return Reply(405) if request.method == "HEAD" else Reply(200, V2, b"{}")


def moved(request: Request) -> Reply:
    here = f"/v2/{REPOSITORY}/manifests/real"
    return with_digest(DIGEST) if request.path == here else Reply(307, [("Location", here)])


MANIFESTS: dict[str, tuple[Callable[[Request], Reply], Answered]] = {
    "digest": (answering(with_digest(DIGEST)), (Reason.OK, Found.DIGEST, DIGEST)),
    "only GET": (answering(only_get), (Reason.OK, Found.DIGEST, BODY_DIGEST)),
    "no digest": (
        answering(lambda it: Reply(200, V2, b"{}")),
        (Reason.OK, Found.DIGEST, BODY_DIGEST),
    ),
    "a text for a digest": (
        answering(lambda it: Reply(200, [("Docker-Content-Digest", "<b>")], b"{}")),
        (Reason.OK, Found.DIGEST, BODY_DIGEST),
    ),
    "redirect": (answering(moved), (Reason.OK, Found.DIGEST, DIGEST)),
    "redirect elsewhere": (
        answering(Reply(307, [("Location", "http://169.254.169.254/v2/x")])),
        (Reason.REDIRECT_BLOCKED, Found.NOTHING, ""),
    ),
    "missing": (answering(Reply(404)), (Reason.OK, Found.MISSING, "")),
    "forbidden": (answering(Reply(403)), (Reason.OK, Found.REFUSED, "")),
    "basic": (answering(unauthorized("Basic")), (Reason.OK, Found.REFUSED, "")),
    "no challenge": (answering(Reply(401)), (Reason.OK, Found.REFUSED, "")),
    "closed": (
        answering(unauthorized("Basic"), unauthorized("Basic")),
        (Reason.OK, Found.REFUSED, ""),
    ),
    "token service on the inside": (
        answering(unauthorized('Bearer realm="http://169.254.169.254/token"')),
        (Reason.REALM_BLOCKED, Found.NOTHING, ""),
    ),
    "rate limited": (answering(Reply(429)), (Reason.RATE_LIMITED, Found.NOTHING, "")),
    "broken": (answering(Reply(500)), (Reason.SERVER_ERROR, Found.NOTHING, "")),
    "a website": (
        lambda it: Reply(200, [("Content-Type", "text/html")], b"<html>"),
        (Reason.NOT_A_REGISTRY, Found.NOTHING, ""),
    ),
    "other JSON": (lambda it: json_reply({"code": 404}), (Reason.NOT_A_REGISTRY, Found.NOTHING, "")),
    "nothing is found": (lambda it: Reply(404), (Reason.NOT_A_REGISTRY, Found.NOTHING, "")),
    "endless": (
        answering(lambda it: Reply(200, V2, b"x" * 2_000_000) if it.method == "GET" else Reply(405)),
        (Reason.OK, Found.NOTHING, ""),
    ),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_what_a_mirror_answers(name: str) -> None:
    script, expected = MANIFESTS[name]
    with scripted(script) as server:
        found = look_at_mirror(server.address, HERE, REPOSITORY, "latest", "docker.io")

    assert (found.reason, found.found, found.digest) == expected
    assert not any((it or "").startswith("Basic") for it in server.authorizations())
    assert all(it.method in ("GET", "HEAD") and not it.body for it in server.requests)
    asked = [it for it in server.requests if "/manifests/latest" in it.path]
    assert all(parse_qs(urlsplit(it.target).query) == {"ns": ["docker.io"]} for it in asked)
    if expected[0] is Reason.OK:
        assert asked
        assert asked[0].method == "HEAD"


def test_without_an_image_only_the_registry_is_asked_for() -> None:
    with scripted(answering(Reply(500))) as server:
        assert look_at_mirror(server.address, HERE).reason is Reason.OK
    assert {it.path for it in server.requests} == {"/v2/"}


def test_the_upstream_is_asked_without_a_namespace() -> None:
    with scripted(answering(with_digest(DIGEST))) as server:
        assert look_at_mirror(server.address, HERE, REPOSITORY, DIGEST).digest == DIGEST
    assert server.requests[-1].target == f"/v2/{REPOSITORY}/manifests/{DIGEST}"


GUARDED = {
    "loopback": ("http://127.0.0.1:9", replace(HERE, allow_loopback=False), Reason.BLOCKED_ADDRESS),
    "link local": ("http://169.254.169.254", HERE, Reason.BLOCKED_ADDRESS),
    "metadata in IPv6": ("http://[fd00:ec2::254]", HERE, Reason.BLOCKED_ADDRESS),
    "private": ("http://10.0.0.1", replace(HERE, allow_private=False), Reason.BLOCKED_ADDRESS),
    "plain": ("http://localhost:9", replace(HERE, allow_plain_http=False), Reason.PLAIN_HTTP_FORBIDDEN),
    "no address": ("https://user:pw@mirror", HERE, Reason.INVALID_DOMAIN),
    "no host": ("", HERE, Reason.INVALID_DOMAIN),
}


@pytest.mark.parametrize("name", GUARDED)
def test_the_rules_of_the_probe_hold(name: str) -> None:
    address, policy, reason = GUARDED[name]
    assert look_at_mirror(address, policy, REPOSITORY, "latest").reason is reason


def test_a_closed_port_is_a_failure() -> None:
    with silent_port() as port:
        assert look_at_mirror(f"http://localhost:{port}", HERE).reason is Reason.CONNECTION_REFUSED


@pytest.mark.parametrize("anonymous", [True, False])
def test_real_registries_with_a_token_service(tmp_path: Path, authority: Authority, anonymous: bool) -> None:
    """With anonymous tokens a public image is found; without them it takes a log-in."""
    signer = signing_pair(authority)
    with scripted(token_service({"admin": "pw"}, signer, anonymous=anonymous)) as tokens:
        realm = tokens.url("/token")
        with docker_registry(tmp_path, token_realm=realm, signer=signer) as host:
            found = look_at_mirror(f"http://{host}", HERE, "demo/app", "1.0", "docker.io")

    assert (found.reason, found.found) == (Reason.OK, Found.REFUSED)  # an anonymous token here opens nothing
    scopes = [parse_qs(urlsplit(it.target).query)["scope"] for it in tokens.requests]
    assert scopes == [["repository:demo/app:pull"]]
    assert tokens.authorizations() == [None]


def test_a_real_open_registry_has_the_digest_of_what_was_pushed(tmp_path: Path) -> None:
    images = {"one": single("linux/arm64"), "many": index(["linux/amd64", "linux/arm64"], attested=True)}
    with docker_registry(tmp_path) as host:
        for tag, image in images.items():
            push(f"http://{host}", "demo/app", tag, image)
        for tag, image in images.items():
            for reference in (tag, image.top.digest):
                found = look_at_mirror(f"http://{host}", HERE, "demo/app", reference, "docker.io")
                assert (found.found, found.digest) == (Found.DIGEST, image.top.digest)
        assert look_at_mirror(f"http://{host}", HERE, "demo/app", "none").found is Found.MISSING
        assert look_at_mirror(f"http://{host}", HERE, "no/such", "one").found is Found.MISSING
