"""The servers behind the hosts of the table: their behaviour, accounts and certificate."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from registries.demo.behaviours import BEHAVIOURS
from registries.demo.messages import (
    RESET,
    SILENCE,
    Answer,
    Handler,
    Request,
    error,
    json_answer,
    page,
    text_answer,
)
from registries.demo.registries import (
    UNAUTHORIZED,
    Accounts,
    BasicRegistry,
    BearerRegistry,
    fixed,
    open_registry,
    routed,
)
from registries.demo.robots import Robots
from registries.demo.token_services import TokenService
from registries.demo.tokens import TokenKey

# The credentials of the table, by behaviour.
LOGINS = {behaviour.name: (behaviour.username, behaviour.password) for behaviour in BEHAVIOURS}

# Valid credentials for the two accounts of the table that fail: the robot's new secret, and an access token
# for the account with two factors.
RENEWED = ("robot$team-a+deploy", "this-year")
ACCESS_TOKEN = ("whaler", "dckr_pat_harpoon")

PORTAL = page("Sign in", "Please sign in to reach the network.")


@dataclass(frozen=True)
class Service:
    """A server: its handler, and its certificate (a field of Certificates; None means plain HTTP)."""

    handler: Handler
    certificate: Literal["registries", "self_signed", "expired", "wrong_name"] | None = "registries"
    client_certificate: bool = False


# Hosts whose port is bound without listening, so connections are refused.
CLOSED = frozenset({"down.localhost", "auth.headless.localhost"})


def catalogue(ports: Mapping[str, int], robots: Path | None = None) -> dict[str, Service]:
    """All servers of the demo by host. `ports` (host to port) is needed for the realms. `robots` is the file of the
    robot accounts of Harbor."""
    return {**_bearer_services(ports, robots), **_basic_services(), **_obstacles()}


@dataclass(frozen=True)
class _Realm:
    """The address of a token service."""

    host: str
    port: int
    path: str
    scheme: str = "https"

    def __call__(self, request: Request) -> str:
        # A client that uses 127.0.0.1 may not resolve *.localhost. No other name is repeated.
        host = request.host if request.host in ("localhost", "127.0.0.1") else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def _accounts(*logins: tuple[str, str]) -> Accounts:
    return Accounts(frozenset(logins))


def _bearer_services(ports: Mapping[str, int], robots: Path | None) -> dict[str, Service]:
    """The registries with a token service, and these services."""
    return {**_harbors(ports, robots), **_dockerhub(ports), **_aliyun(ports), **_token_troubles(ports)}


def _harbors(ports: Mapping[str, int], file: Path | None) -> dict[str, Service]:
    """A correct Harbor, and one behind https whose external_url still says http."""
    host, careless, realm_host = "harbor.localhost", "insecure.localhost", "auth.insecure.localhost"
    path = "/service/token"
    robots = Robots(LOGINS["harbor"], RENEWED, file)
    accounts = Accounts(frozenset({LOGINS["harbor"]}), more=robots.knows)
    harbor = robots.before(_harbor(_Realm(host, ports[host], path), accounts))
    insecure = _harbor(
        _Realm(realm_host, ports[realm_host], path, "http"), _accounts(LOGINS["insecure-realm"])
    )
    return {
        host: Service(harbor),
        careless: Service(insecure),
        realm_host: Service(insecure, certificate=None),
    }


def _harbor(realm: _Realm, accounts: Accounts) -> Handler:
    """Harbor 2: answers a wrong password with 401 and no body; if a scope is named, with 200 and an anonymous
    token."""
    key = TokenKey("harbor-token-issuer", "harbor-registry")
    refusal = Answer(401)
    tokens = TokenService(realm.path, key, accounts, refusal, anonymous="scoped")
    return routed({realm.path: tokens}, BearerRegistry(realm, key, accounts=accounts))


def _dockerhub(ports: Mapping[str, int]) -> dict[str, Service]:
    """Docker Hub: issues anonymous tokens, which even open /v2/, but no token for a wrong password."""
    key = TokenKey("auth.docker.io", "registry.docker.io")
    host = "auth.dockerhub.localhost"
    second_factor = "a personal access token is required: two-factor authentication is enabled"
    accounts = Accounts(
        frozenset({LOGINS["dockerhub"], ACCESS_TOKEN}),
        {LOGINS["two-factor"]: json_answer(401, {"details": second_factor})},
    )
    refusal = json_answer(401, {"details": "incorrect username or password"})
    tokens = TokenService("/token", key, accounts, refusal, anonymous_actions=("pull",), oauth=True)
    registry = BearerRegistry(_Realm(host, ports[host], "/token"), key, anonymous_ping=True)
    return {"dockerhub.localhost": Service(registry), host: Service(tokens)}


def _aliyun(ports: Mapping[str, int]) -> dict[str, Service]:
    """Aliyun's registry: issues anonymous tokens, which do not open /v2/."""
    key = TokenKey("dockerauth.aliyuncs.com", "registry.aliyuncs.com:cn-hangzhou:26842")
    host = "dockerauth.aliyun.localhost"
    refusal = error(401, *UNAUTHORIZED)
    tokens = TokenService("/auth", key, _accounts(LOGINS["aliyun"]), refusal, anonymous_actions=("pull",))
    registry = BearerRegistry(_Realm(host, ports[host], "/auth"), key)
    return {"aliyun.localhost": Service(registry), host: Service(tokens)}


def _token_troubles(ports: Mapping[str, int]) -> dict[str, Service]:
    """Correct registries with a faulty token service: absent, failing, behind a portal, or with another key."""
    key = TokenKey("issuer", "registry")
    absent = "auth.headless.localhost"
    services = {"headless.localhost": Service(BearerRegistry(_Realm(absent, ports[absent], "/token"), key))}
    other_key = TokenKey(key.issuer, key.service)
    accounts = _accounts(LOGINS["token-rejected"])
    token_services: dict[str, Handler] = {
        "stumbling.localhost": fixed(text_answer(500, "internal server error")),
        "gateway.localhost": fixed(PORTAL),
        "drifting.localhost": TokenService("/token", other_key, accounts, error(401, *UNAUTHORIZED)),
    }
    for host, tokens in token_services.items():
        registry = BearerRegistry(_Realm(host, ports[host], "/token"), key)
        services[host] = Service(routed({"/token": tokens}, registry))
    return services


def _basic_services() -> dict[str, Service]:
    """The registries with Basic authentication."""

    def basic(name: str, patience: float = 0) -> Handler:
        return BasicRegistry(_accounts(LOGINS[name]), patience=patience)

    def refusing(name: str, answer: Answer) -> Handler:
        return BasicRegistry(Accounts(frozenset(), {LOGINS[name]: answer}))

    denied = error(403, "DENIED", "the account is disabled, or this address is not on the access list")
    over = text_answer(
        401, "Your authorization token has expired. Please run 'aws ecr get-login-password' for a new one."
    )
    return {
        "basic.localhost": Service(basic("basic"), certificate=None),
        "plain.localhost": Service(basic("plain-http"), certificate=None),
        "open.localhost": Service(open_registry, certificate=None),
        # Answers quickly, checks passwords slowly, as with a distant directory server.
        "slow.localhost": Service(basic("slow", patience=3)),
        "self-signed.localhost": Service(basic("self-signed"), "self_signed"),
        "expired.localhost": Service(basic("expired-certificate"), "expired"),
        "renamed.localhost": Service(basic("wrong-name"), "wrong_name"),
        "mutual.localhost": Service(basic("client-certificate"), client_certificate=True),
        "ecr.localhost": Service(refusing("expired-credentials", over)),
        "denied.localhost": Service(refusing("access-denied", denied)),
    }


def _obstacles() -> dict[str, Service]:
    """The servers that answer every request in the same way, or not at all."""
    moved = ("Location", "https://registry.example.com/v2/")
    negotiate = ("WWW-Authenticate", "Negotiate")
    return {
        "busy.localhost": Service(
            fixed(error(429, "TOOMANYREQUESTS", "too many requests", ("Retry-After", "120")))
        ),
        "broken.localhost": Service(fixed(error(503, "UNAVAILABLE", "the storage is being moved"))),
        "portal.localhost": Service(fixed(PORTAL)),
        "moved.localhost": Service(fixed(Answer(307, headers=(moved,)))),
        "mute.localhost": Service(fixed(error(401, *UNAUTHORIZED))),
        "kerberos.localhost": Service(fixed(error(401, *UNAUTHORIZED, negotiate))),
        "hanging.localhost": Service(fixed(SILENCE)),
        "resetting.localhost": Service(fixed(RESET)),
    }
