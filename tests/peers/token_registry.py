"""A scripted registry with a token service on the same port. Every part of its behaviour can be changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from registries.probe import Policy, Result, probe
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    ScriptedServer,
    basic,
    json_reply,
    registry_ok,
    scripted,
    unauthorized,
)

USER, PASSWORD = "robot$team+ci", "correct horse battery"
TOKEN = "eyJhbGciOi.right.token"
ANONYMOUS = "eyJhbGciOi.anonymous.token"


@dataclass
class TokenRegistry:
    """A registry and its token service in one script. Every field changes one part of their behaviour."""

    token: Reply = field(default_factory=lambda: json_reply({"token": TOKEN}))
    wrong: Reply = field(default_factory=lambda: json_reply({"errors": [{"code": "UNAUTHORIZED"}]}, 401))
    anonymous: Reply = field(default_factory=lambda: Reply(401))
    posted: Reply | None = None
    get_status: int = 200
    opening: tuple[str, ...] = (TOKEN,)
    confirmed: Reply | None = None
    challenge: str = 'Bearer realm="{realm}",service="harbor-registry",scope="placeholder"'
    realm: str = ""

    def __call__(self, request: Request) -> Reply:
        return self._token(request) if request.path == "/service/token" else self._v2(request)

    def _token(self, request: Request) -> Reply:
        if request.method == "POST":
            return self.posted or Reply(404)
        if self.get_status != 200:
            return Reply(self.get_status)
        if request.authorization is None:
            return self.anonymous
        return self.token if request.authorization == basic(USER, PASSWORD) else self.wrong

    def _v2(self, request: Request) -> Reply:
        token = (request.authorization or "").removeprefix("Bearer ")
        if token and self.confirmed is not None:
            return self.confirmed
        if token in self.opening:
            return registry_ok()
        return unauthorized(self.challenge.format(realm=self.realm))


@contextmanager
def serving(registry: TokenRegistry) -> Iterator[ScriptedServer]:
    with scripted(registry) as server:
        registry.realm = registry.realm or server.url("/service/token")
        yield server


def run_probe(
    registry: TokenRegistry, password: str = PASSWORD, policy: Policy = HERE
) -> tuple[Result, ScriptedServer]:
    with serving(registry) as server:
        return probe(server.address, USER, password, policy), server


def query(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.target).query)
