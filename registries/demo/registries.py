"""The registries of the demo: how each behaviour answers under /v2/. Thread-safe."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from registries.demo import images
from registries.demo.messages import API_VERSION, Answer, Handler, Request, error, json_answer
from registries.demo.tokens import Access, TokenKey

REPOSITORY = re.compile(
    r"/v2/(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)/(?:manifests|blobs|tags|referrers)/.+", re.ASCII
)
UNAUTHORIZED = ("UNAUTHORIZED", "authentication required")


@dataclass(frozen=True)
class Accounts:
    """`welcome` are accepted pairs of user name and password, `more` says which others are. `refusals` are known pairs
    that are refused, each with its response."""

    welcome: frozenset[tuple[str, str]] = field(repr=False)
    refusals: Mapping[tuple[str, str], Answer] = field(default_factory=dict, repr=False)
    more: Callable[[tuple[str, str]], bool] = field(default=lambda credentials: False, repr=False)

    def knows(self, credentials: tuple[str, str] | None) -> bool:
        return credentials is not None and (credentials in self.welcome or self.more(credentials))

    def refusal(self, credentials: tuple[str, str] | None) -> Answer | None:
        return self.refusals.get(credentials) if credentials else None


@dataclass(frozen=True)
class BasicRegistry:
    """A registry with Basic authentication. Checking a password takes `patience` seconds."""

    accounts: Accounts
    realm: str = "Registry"
    patience: float = 0

    def __call__(self, request: Request) -> Answer:
        if elsewhere := _outside(request):
            return elsewhere
        challenge = ("WWW-Authenticate", f'Basic realm="{self.realm}"')
        if request.basic is None:
            return error(401, *UNAUTHORIZED, challenge)
        time.sleep(self.patience)
        if refused := self.accounts.refusal(request.basic):
            headers = (API_VERSION, challenge) if refused.status == 401 else (API_VERSION,)
            return Answer(refused.status, refused.body, refused.content_type, headers)
        if not self.accounts.knows(request.basic):
            return error(401, *UNAUTHORIZED, challenge)
        return _contents(request)


@dataclass(frozen=True)
class BearerRegistry:
    """A registry with Bearer authentication. It checks signature, service, time and scope of a token.

    `anonymous_ping`: whether an anonymous token opens /v2/, as with distribution and Docker Hub. `accounts`:
    Harbor also accepts a password on /v2/, and offers Basic once a request had an Authorization header.
    """

    realm: Callable[[Request], str]
    key: TokenKey
    anonymous_ping: bool = False
    accounts: Accounts | None = None

    def __call__(self, request: Request) -> Answer:
        if elsewhere := _outside(request):
            return elsewhere
        if self.accounts and self.accounts.knows(request.basic):
            return _contents(request)
        wanted = _wanted(request)
        claims = self.key.check(request.bearer)
        if claims is None:
            return self._challenge(request, wanted, "invalid_token" if request.bearer else "")
        if wanted and not claims.allows(wanted):
            return self._challenge(request, wanted, "insufficient_scope")
        if not wanted and not claims.subject and not self.anonymous_ping:
            return self._challenge(request, None, "invalid_token")
        return _contents(request)

    def _challenge(self, request: Request, wanted: Access | None, problem: str) -> Answer:
        if self.accounts and request.authorization:
            return error(401, "UNAUTHORIZED", "unauthorized", ("WWW-Authenticate", 'Basic realm="harbor"'))
        challenge = f'Bearer realm="{self.realm(request)}",service="{self.key.service}"'
        if wanted:
            challenge += f',scope="{wanted}"'
        if problem:
            challenge += f',error="{problem}"'
        return error(401, *UNAUTHORIZED, ("WWW-Authenticate", challenge))


def open_registry(request: Request) -> Answer:
    """Accepts everybody and ignores passwords."""
    return _outside(request) or _contents(request)


def fixed(answer: Answer) -> Handler:
    """A server that gives the same response to every request."""
    return lambda _request: answer


def routed(routes: Mapping[str, Handler], otherwise: Handler) -> Handler:
    """Several handlers on one origin, by path."""
    return lambda request: routes.get(request.path, otherwise)(request)


def _outside(request: Request) -> Answer | None:
    """The response to a request outside the registry API; None for one inside it."""
    if request.path == "/v2":
        return Answer(301, headers=(("Location", "/v2/"), API_VERSION))
    if not request.path.startswith("/v2/"):
        return Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")
    return None


def _wanted(request: Request) -> Access | None:
    """The access that a request needs, None if any valid token is enough."""
    if request.path == "/v2/_catalog":
        return Access("registry", "catalog", ("*",))
    if match := REPOSITORY.fullmatch(request.path):
        actions = ("pull",) if request.method in ("GET", "HEAD") else ("pull", "push")
        return Access("repository", match["name"], actions)
    return None


def _contents(request: Request) -> Answer:
    """A read-only registry with one repository."""
    if request.method not in ("GET", "HEAD"):
        return error(405, "UNSUPPORTED", "the operation is unsupported", ("Allow", "GET, HEAD"))
    if request.path == "/v2/":
        return json_answer(200, {}, API_VERSION)
    if request.path == "/v2/_catalog":
        return json_answer(200, {"repositories": []}, API_VERSION)
    if request.path.startswith(images.REPOSITORY):
        return images.contents(request)
    return error(404, "NAME_UNKNOWN", "repository name not known to registry")
