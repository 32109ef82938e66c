"""A registry with one image for tests that change its answers, and the question whether the image can be pulled."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from registries.probe import Reason, Result, probe
from registries.probe.image import ImageQuery, ImageResult
from tests.peers.images import Image, index, single
from tests.peers.scripted import (
    HERE,
    V2,
    Reply,
    Request,
    ScriptedServer,
    basic,
    json_reply,
    registry_ok,
    scripted,
    unauthorized,
)

USER, PASSWORD = "robot", "correct horse battery"
RIGHT = basic(USER, PASSWORD)
QUERY = ImageQuery("registry/team/app:1", "team/app", "1", {"linux/amd64": 2, "linux/arm64": 1})
INDEX, ONE = index(("linux/amd64", "linux/arm64")), single("linux/amd64")


@dataclass
class Registry:
    """A registry with Basic and one image. `changed` replaces the answers to paths below /v2/team/app/."""

    image: Image
    changed: dict[str, Reply | Callable[[Request], Reply]] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)
    opens: Callable[[Request], bool] = lambda request: request.authorization == RIGHT

    def __call__(self, request: Request) -> Reply:
        if not self.opens(request):
            return unauthorized('Basic realm="x"')
        if request.path == "/v2/":
            return registry_ok()
        path = request.path.removeprefix("/v2/team/app/")
        reply = self.changed.get(path) or self.changed.get(f"{request.method} {path}")
        if reply is not None:
            return reply(request) if callable(reply) else reply
        return self._stored(request, path)

    def _stored(self, request: Request, path: str) -> Reply:
        known = {it.digest: it for it in (self.image.top, *self.image.manifests, *self.image.blobs)}
        blob = self.image.top if path == "manifests/1" else known.get(path.partition("/")[2])
        if blob is None:
            return json_reply({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, 404)
        headers = [*V2, ("Content-Type", blob.kind), ("Docker-Content-Digest", blob.digest), *self.headers]
        if request.method == "HEAD":
            return Reply(200, [*headers, ("Content-Length", str(len(blob.body)))])
        return Reply(200, headers, blob.body)


def look(registry: Callable[[Request], Reply], **changes: Any) -> tuple[Result, ScriptedServer]:
    with scripted(registry) as server:
        policy = changes.pop("policy", HERE)
        return probe(server.address, USER, PASSWORD, policy, replace(QUERY, **changes)), server


def image_of(result: Result) -> ImageResult:
    assert result.reason is Reason.OK, result
    assert result.image is not None
    return result.image
