"""The texts of real runtimes for pulls that fail, as a page explains them: containerd, dockerd, and skopeo for CRI-O.

The registries are scripted, on plain HTTP. One containerd and one dockerd serve all cases.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registries.pull_secrets.explain import Code, Fault, Waiting, explain, fault_of
from registries.words.pull_failures import reason
from tests.peers.containerd import Node, running_containerd
from tests.peers.dockerd import Docker, running_dockerd
from tests.peers.parts import require_part
from tests.peers.scripted import (
    Reply,
    Request,
    basic,
    json_reply,
    registry_ok,
    scripted,
    silent_port,
    unauthorized,
)
from tests.peers.skopeo import skopeo_inspect

USER, PASSWORD = "robot", "correct horse"
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
RUNTIMES = ("containerd", "docker", "skopeo")
Script = Callable[[Request], Reply]


@dataclass
class Runtimes:
    containerd: Node
    docker: Docker
    folder: Path

    def pull(self, name: str, image: str, username: str, password: str) -> str:
        """The text as a kubelet gets it."""
        if name == "containerd":
            return self.containerd.pull(image, username, password)
        if name == "docker":
            said = self.docker.pull(image, username, password)
        else:
            said = skopeo_inspect(image, username, password, self.folder)
        return f"rpc error: code = Unknown desc = {said}"


@pytest.fixture(scope="module")
def runtimes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtimes]:
    require_part("skopeo")
    folder = tmp_path_factory.mktemp("node")
    with (
        running_containerd(folder) as containerd,
        running_dockerd(folder / "docker", containerd.socket) as docker,
    ):
        yield Runtimes(containerd, docker, folder / "skopeo")


def _error(status: int, code: str, message: str) -> Reply:
    return json_reply({"errors": [{"code": code, "message": message}]}, status)


REFUSED = _error(401, "UNAUTHORIZED", "authentication required")


def _basic(answer: Reply) -> Script:
    """A registry with Basic authentication that answers every request for a manifest with `answer`."""

    def script(request: Request) -> Reply:
        if request.authorization != basic(USER, PASSWORD):
            return unauthorized('Basic realm="x"')
        return registry_ok() if request.path == "/v2/" else answer

    return script


def _token(answer: Reply | None, scope_error: bool = False) -> Script:
    """A registry with a token service that gives `answer`, or else tokens that open no repository."""

    def script(request: Request) -> Reply:
        if request.path == "/token":
            return answer or json_reply({"token": "t", "access_token": "t"})
        if request.path == "/v2/" and request.authorization == "Bearer t":
            return registry_ok()
        error = ',error="insufficient_scope"' if request.authorization and scope_error else ""
        reply = _error(401, "DENIED", "requested access to the resource is denied")
        challenge = f'Bearer realm="http://{request.header("host")}/token",service="s"{error}'
        reply.headers.append(("WWW-Authenticate", challenge))
        return reply

    return script


def _all(answer: Reply) -> Script:
    return lambda request: answer


def _foreign_index() -> Reply:
    """An index with an image for s390x only."""
    entry = {
        "mediaType": MANIFEST,
        "digest": f"sha256:{'0' * 64}",
        "size": 2,
        "platform": {"architecture": "s390x", "os": "linux"},
    }
    body = json_reply({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).body
    return Reply(200, [("Content-Type", INDEX)], body)


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _content(kind: str, document: Any, *others: tuple[str, bytes]) -> Script:
    """A registry whose manifest is this document; `others` are manifests and blobs (type, content) by digest."""
    first = (kind, json_reply(document).body)

    def script(request: Request) -> Reply:
        name = request.path.rpartition("/")[2]
        if request.path == "/v2/":
            return registry_ok()
        found = next((it for it in (first, *others) if _digest(it[1]) == name), first)
        header = [("Content-Type", found[0])] if found[0] else []
        return Reply(200, [*header, ("Docker-Content-Digest", _digest(found[1]))], found[1])

    return script


ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
HELM = "application/vnd.cncf.helm.config.v1+json"
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def _part(kind: str, body: bytes, **more: Any) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(body), "size": len(body), **more}


_chart = _content(
    OCI_MANIFEST,
    {"schemaVersion": 2, "config": _part(HELM, b"{}"), "layers": [_part(LAYER, b"x")]},
    (HELM, b"{}"),
    (LAYER, b"x"),
)
_weird_index = _content(
    OCI_INDEX,
    {
        "schemaVersion": 2,
        "manifests": [
            _part("application/vnd.weird+json", b"{}", platform={"os": "linux", "architecture": "amd64"})
        ],
    },
    ("application/vnd.weird+json", b"{}"),
)
PAGE = Reply(200, [("Content-Type", "text/html")], b"<!doctype html><html><title>Log in</title></html>")
NO_RIGHT = _error(403, "DENIED", "requested access to the resource is denied")
TOO_MANY = _error(429, "TOOMANYREQUESTS", "You have reached your pull rate limit.")
TOO_MANY.headers.append(("Retry-After", "0"))  # skopeo tries again five times
CASES: dict[str, tuple[Fault, Script]] = {
    "basic 401": (Fault.CREDENTIAL, _basic(REFUSED)),
    "no challenge": (Fault.CREDENTIAL, _all(Reply(401))),
    "token 401": (Fault.CREDENTIAL, _token(_error(401, "UNAUTHORIZED", "incorrect username or password"))),
    "token 403": (Fault.DENIED, _token(_error(403, "DENIED", "denied"))),
    "token 403 page": (Fault.DENIED, _token(Reply(403, PAGE.headers, PAGE.body))),
    "token of no right": (Fault.DENIED, _token(None)),
    "token of no right, RFC 6750": (Fault.DENIED, _token(None, scope_error=True)),
    "403": (Fault.DENIED, _basic(NO_RIGHT)),
    "403 without words": (Fault.DENIED, _basic(Reply(403))),
    "401 page": (Fault.CREDENTIAL, _basic(Reply(401, PAGE.headers, PAGE.body))),
    "no tag": (Fault.IMAGE_MISSING, _basic(_error(404, "MANIFEST_UNKNOWN", "manifest unknown"))),
    "no repository": (Fault.IMAGE_MISSING, _basic(_error(404, "NAME_UNKNOWN", "repository name not known"))),
    "Harbor's 404": (Fault.IMAGE_MISSING, _basic(_error(404, "NOT_FOUND", "artifact team/app:1 not found"))),
    "no platform": (Fault.PLATFORM_MISSING, _basic(_foreign_index())),
    "artifact": (Fault.NOT_AN_IMAGE, _content(ARTIFACT, {"schemaVersion": 2, "mediaType": ARTIFACT})),
    "unknown kind of index": (Fault.NOT_AN_IMAGE, _content("application/vnd.x+json", {"manifests": []})),
    "JSON": (Fault.NOT_AN_IMAGE, _content("application/json", {"schemaVersion": 2})),
    "no content type": (Fault.NOT_AN_IMAGE, _content("", {"schemaVersion": 2})),
    "Helm chart": (Fault.NOT_AN_IMAGE, _chart),
    "schema 1": (Fault.NOT_AN_IMAGE, _content(SCHEMA_1, {"schemaVersion": 1, "name": "x", "fsLayers": []})),
    "index of an unknown kind of entry": (Fault.NOT_AN_IMAGE, _weird_index),
    "empty index": (Fault.PLATFORM_MISSING, _content(OCI_INDEX, {"schemaVersion": 2, "manifests": []})),
    "429": (Fault.RATE_LIMIT, _basic(TOO_MANY)),
    "token 429": (Fault.RATE_LIMIT, _token(TOO_MANY)),
    "500": (Fault.SERVER, _basic(_error(500, "UNKNOWN", "unknown error"))),
    "502 page": (Fault.SERVER, _all(Reply(502, PAGE.headers, PAGE.body))),
    "503": (Fault.SERVER, _all(Reply(503))),
    "token 500": (Fault.SERVER, _token(Reply(500))),
    "token 504": (Fault.SERVER, _token(Reply(504))),
    "log-in page": (Fault.NOT_A_REGISTRY, _basic(PAGE)),
    "empty": (Fault.NOT_A_REGISTRY, _basic(Reply(200, [("Content-Type", MANIFEST)]))),
    "empty token": (Fault.NOT_A_REGISTRY, _token(Reply(200))),
    "token page": (Fault.NOT_A_REGISTRY, _token(PAGE)),
    "closed": (Fault.NETWORK, _all(Reply(raw=b"", close=True))),
}
OTHERWISE = {
    ("token of no right", "containerd"): Fault.CREDENTIAL,
}
"""Where a runtime says less than the others."""


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["team/app:1", "x509/denied/unauthorized:toomanyrequests"])
def test_the_text_of_a_runtime(case: str, name: str, runtime: str, runtimes: Runtimes) -> None:
    fault, script = CASES[case]
    with scripted(script) as server:
        image = f"{server.netloc}/{name}"
        said = runtimes.pull(runtime, image, USER, PASSWORD)
    print("@@", runtime, case, fault, repr(said))
    assert fault_of(image, "ErrImagePull", said) is OTHERWISE.get((case, runtime), fault), said


def test_texts_that_need_more_than_a_registry() -> None:
    """A node whose proxy asks for a log-in, and one with a full disk."""
    proxy = 'failed to do request: Head "https://reg.io/v2/a/manifests/1": Proxy Authentication Required'
    full = "failed to extract layer sha256:0: write /var/lib/containerd/a: no space left on device: unknown"

    assert fault_of("reg.io/a:1", "ErrImagePull", proxy) is Fault.NETWORK
    assert fault_of("reg.io/a:1", "ErrImagePull", full) is Fault.NODE_SPACE


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_text_for_a_port_where_nobody_listens(runtime: str, runtimes: Runtimes) -> None:
    with silent_port() as port:
        image = f"localhost:{port}/team/app:1"
        said = runtimes.pull(runtime, image, USER, PASSWORD)
    assert fault_of(image, "ErrImagePull", said) is Fault.NETWORK, said


MIRRORED = {
    "401": (Code.MIRROR, _all(unauthorized('Basic realm="mirror"'))),
    "403": (Code.MIRROR, _all(NO_RIGHT)),
    "429": (Code.RATE_LIMIT, _all(TOO_MANY)),
    "500": (Code.SERVER, _all(Reply(500))),
    "closed": (Code.NETWORK, _all(Reply(raw=b"", close=True))),
}


@pytest.mark.parametrize("case", MIRRORED)
def test_the_answer_of_a_mirror_is_not_blamed_on_the_registry(case: str, runtimes: Runtimes) -> None:
    """containerd goes on to the registry, and tells what the mirror said."""
    code, script = MIRRORED[case]
    with scripted(script) as mirror, scripted(_basic(REFUSED)) as server:
        runtimes.containerd.configure(server.netloc, f'[host."http://{mirror.netloc}"]\n')
        image = f"{server.netloc}/team/app:1"
        said = runtimes.pull("containerd", image, USER, PASSWORD)
    found = explain(Waiting("c", image, "ErrImagePull", said), [], [], datetime.now(UTC))

    assert (found.code, found.mirror) == (code, mirror.netloc), said
    assert mirror.netloc in reason(found)
    assert (server.netloc in reason(found)) is (code is Code.MIRROR)
