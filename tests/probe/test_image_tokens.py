"""Images behind a token service: the scope, a refused repository, and what an image says of a password that the log-in
does not prove."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from registries.probe import Reason, Result, probe
from registries.probe.image import ImageQuery, ImageResult
from registries.probe.reason import ImageReason
from tests.peers.images import index
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
from tests.peers.token_registry import query as asked

USER, PASSWORD = "robot", "correct horse battery"
QUERY = ImageQuery("registry/team/app:1", "team/app", "1")
SCOPE = "repository:team/app:pull"
IMAGE = index(("linux/amd64", "linux/arm64"))
OWN, NOBODY = "of-the-account", "of-nobody"


@dataclass
class Harbor:
    """As Harbor answers: without a scope it checks the password; with one it gives everybody a token, which opens
    public repositories. `lenient`: it does not check at all. `may` says whether the account may pull."""

    public: bool = False
    may: bool = True
    lenient: bool = True
    scoped: Reply | None = None
    open_ping: bool = False
    realm: str = ""

    def __call__(self, request: Request) -> Reply:
        if request.path == "/token":
            return self._token(request)
        given = (request.authorization or "").removeprefix("Bearer ")
        if request.path == "/v2/" and (given in (OWN, NOBODY) or self.open_ping):
            return registry_ok()
        opens = (given == OWN and self.may) or (self.public and given in (OWN, NOBODY))
        return self._stored(request) if opens else unauthorized(f'Bearer realm="{self.realm}",service="h"')

    def _token(self, request: Request) -> Reply:
        if request.method == "POST":
            return Reply(404)
        right = request.authorization == basic(USER, PASSWORD)
        if "scope" in asked(request) and self.scoped is not None and right:
            return self.scoped
        if right or self.lenient or "scope" in asked(request):
            return json_reply({"token": OWN if right else NOBODY})
        return Reply(401)

    def _stored(self, request: Request) -> Reply:
        known = {it.digest: it for it in (IMAGE.top, *IMAGE.manifests, *IMAGE.blobs)}
        reference = request.path.rpartition("/")[2]
        blob = IMAGE.top if reference == "1" else known[reference]
        headers = [*V2, ("Content-Type", blob.kind), ("Docker-Content-Digest", blob.digest)]
        length = [("Content-Length", str(len(blob.body)))] if request.method == "HEAD" else []
        return Reply(200, [*headers, *length], b"" if length else blob.body)


def look(harbor: Harbor, password: str = PASSWORD, *, decides: bool = False) -> tuple[Result, ScriptedServer]:
    with scripted(harbor) as server:
        harbor.realm = server.url("/token")
        return probe(server.address, USER, password, HERE, replace(QUERY, decides=decides)), server


def image_of(result: Result) -> ImageResult:
    assert result.image is not None, result
    return result.image


def test_the_token_is_for_this_repository_only() -> None:
    result, server = look(Harbor(lenient=False))

    assert (result.reason, image_of(result).reason) == (Reason.OK, ImageReason.PULLABLE)
    scopes = [asked(it).get("scope") for it in server.requests if it.path == "/token" and it.method == "GET"]
    assert scopes[0] is None
    assert [it for it in scopes if it] == [[SCOPE]]
    assert all(PASSWORD not in it.target for it in server.requests)


REFUSALS: dict[str, Callable[[], Harbor]] = {
    "at the registry": lambda: Harbor(may=False, lenient=False),
    "at the token service, 401": lambda: Harbor(scoped=Reply(401), lenient=False),
    "at the token service, 403": lambda: Harbor(scoped=Reply(403), lenient=False),
}


@pytest.mark.parametrize("harbor", REFUSALS.values(), ids=REFUSALS)
def test_a_log_in_that_works_is_no_right_to_pull(harbor: Callable[[], Harbor]) -> None:
    result, _ = look(harbor())

    assert (result.reason, image_of(result).reason) == (Reason.OK, ImageReason.DENIED)


def test_a_token_service_that_is_busy() -> None:
    result, _ = look(Harbor(scoped=Reply(429, [("Retry-After", "55")]), lenient=False))

    assert (image_of(result).reason, image_of(result).retry_after) == (ImageReason.RATE_LIMITED, 55)


def test_a_registry_with_an_open_ping_wants_a_token_for_images() -> None:
    result, server = look(Harbor(open_ping=True))

    assert image_of(result).reason is ImageReason.PULLABLE
    assert result.reason is Reason.OK  # a random user is refused
    assert [asked(it)["scope"] for it in server.requests if it.path == "/token"] == [[SCOPE], [SCOPE]]


UNPROVEN = {
    # public, may pull, right password: the verdict
    (True, True, True): (Reason.OK_UNVERIFIED, ImageReason.PULLABLE),
    (True, True, False): (Reason.OK_UNVERIFIED, ImageReason.PULLABLE),
    (False, True, True): (Reason.OK, ImageReason.PULLABLE),
    (False, True, False): (Reason.PROBE_IMAGE_DENIED, ImageReason.DENIED),
    (False, False, True): (Reason.PROBE_IMAGE_DENIED, ImageReason.DENIED),
    (False, False, False): (Reason.PROBE_IMAGE_DENIED, ImageReason.DENIED),
}


@pytest.mark.parametrize("decides", [True, False])
@pytest.mark.parametrize(("case", "wanted"), UNPROVEN.items())
def test_an_image_decides_where_a_log_in_proves_nothing(
    case: tuple[bool, bool, bool], wanted: tuple[Reason, ImageReason], decides: bool
) -> None:
    """Without `decides`, somebody's typed image does not make the credential of a registry wrong."""
    public, may, right = case
    result, _ = look(Harbor(public=public, may=may), PASSWORD if right else "wrong", decides=decides)

    reason = Reason.OK_UNVERIFIED if wanted[0] is Reason.PROBE_IMAGE_DENIED and not decides else wanted[0]
    assert (result.reason, image_of(result).reason) == (reason, wanted[1])
    assert result.ok is (reason is not Reason.PROBE_IMAGE_DENIED)


def test_a_proven_log_in_spares_the_saved_image() -> None:
    result, _ = look(Harbor(lenient=False), decides=True)

    assert (result.reason, result.image) == (Reason.OK, None)


def test_a_failed_log_in_asks_for_no_image() -> None:
    result, server = look(Harbor(lenient=False), "wrong")

    assert (result.reason, result.image) == (Reason.BAD_CREDENTIALS, None)
    assert not [it for it in server.requests if "/manifests/" in it.target]
