"""Real registries (connection-test.md, "Real registries"), each imitated from the challenge to the refusal: with
the right password, with a wrong one, and with its special behaviour."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from registries.probe import Reason, Result, probe
from tests.peers.scripted import HERE, Reply, Request, ScriptedServer, json_reply, registry_ok, scripted
from tests.peers.token_registry import query

RIGHT, WRONG = "right password", "wrong password"
HUB_2FA = (
    "unauthorized: your account must log in with a Personal Access Token (PAT) - learn more at "
    "docs.docker.com/go/access-tokens"
)


@dataclass
class Habit:
    """`challenge` contains {at} for the registry's URL. `refusal` is the response to a wrong password.
    `open_to_nobody`: an anonymous token opens /v2/. `basic`: there is no token service, or it is optional."""

    challenge: str
    username: str = "admin"
    refusal: Reply = field(default_factory=lambda: Reply(401))
    reason: Reason = Reason.BAD_CREDENTIALS
    open_to_nobody: bool = False
    basic: bool = False
    key: str = "token"
    service: str | None = None


def errors(code: str, message: str, status: int = 401) -> Reply:
    return json_reply({"errors": [{"code": code, "message": message}]}, status)


HABITS = {
    "Harbor": Habit(
        'Bearer realm="{at}/service/token",service="harbor-registry"',
        "robot$team+ci",
        service="harbor-registry",
    ),
    "Docker Hub": Habit(
        'Bearer realm="{at}/token",service="registry.docker.io"',
        refusal=json_reply({"details": "incorrect username or password"}, 401),
        open_to_nobody=True,
        service="registry.docker.io",
    ),
    "Docker Hub with 2FA": Habit(
        'Bearer realm="{at}/token",service="registry.docker.io"',
        refusal=json_reply({"details": HUB_2FA}, 401),
        reason=Reason.PAT_REQUIRED,
        open_to_nobody=True,
        service="registry.docker.io",
    ),
    "Docker Hub, locked": Habit(
        'Bearer realm="{at}/token",service="registry.docker.io"',
        refusal=Reply(429, [("X-Retry-After", "900")]),
        reason=Reason.RATE_LIMITED,
        service="registry.docker.io",
    ),
    "Aliyun": Habit(
        'Bearer realm="{at}/auth",service="registry.aliyuncs.com:cn-zhangjiakou:26842"',
        "team@1234567890",
        service="registry.aliyuncs.com:cn-zhangjiakou:26842",
    ),
    "distribution": Habit('Basic realm="Registry Realm"', basic=True),
    "GHCR": Habit(
        'Bearer realm="{at}/token",service="ghcr.io",scope="repository:user/image:pull"',
        refusal=errors("DENIED", "denied", 403),
        reason=Reason.ACCESS_DENIED,
        open_to_nobody=True,
        service="ghcr.io",
    ),
    "Quay": Habit(
        'Bearer realm="{at}/v2/auth",service="quay.io"',
        "team+ci",
        refusal=json_reply({"message": "Could not find robot with specified username"}, 401),
        service="quay.io",
    ),
    "GitLab": Habit(
        'Bearer realm="{at}/jwt/auth",service="container_registry",error="invalid_token"',
        refusal=errors("UNAUTHORIZED", "HTTP Basic: Access denied"),
        service="container_registry",
    ),
    "ECR": Habit(
        'Basic realm="https://1234.dkr.ecr.cn-north-1.amazonaws.com.cn/",service="ecr.amazonaws.com"',
        "AWS",
        refusal=Reply(401, [], b"Not Authorized\n"),
        basic=True,
    ),
    "ECR, expired": Habit(
        'Basic realm="https://1234.dkr.ecr.cn-north-1.amazonaws.com.cn/",service="ecr.amazonaws.com"',
        "AWS",
        refusal=Reply(403, [], b"Your authorization token has expired. Reauthenticate and try again.\n"),
        reason=Reason.CREDENTIALS_EXPIRED,
        basic=True,
    ),
    "GAR": Habit('Bearer realm="{at}/v2/token"', "_json_key"),
    "Azure": Habit(
        'Bearer realm="{at}/oauth2/token",service="x.azurecr.io",Basic realm="x.azurecr.io"',
        refusal=errors("UNAUTHORIZED", "authentication required"),
        key="access_token",
        service="x.azurecr.io",
    ),
    "Tencent": Habit(
        'Bearer realm="{at}/service/token",service="harbor-registry"', "tcr$ci", service="harbor-registry"
    ),
    "Huawei": Habit(
        'Bearer realm="{at}/swr/auth/v2/registry/auth/",service="dockyard"',
        "cn-north-4@AK",
        service="dockyard",
    ),
    "Artifactory": Habit('Bearer realm="{at}/v2/token",service="artifactory:443"', service="artifactory:443"),
    "Nexus": Habit('BASIC realm="Sonatype Nexus Repository Manager"', basic=True),
    "Gitea": Habit(
        'Bearer realm="{at}/v2/token",service="container_registry",scope="*"', service="container_registry"
    ),
    "zot": Habit('Basic realm="Authorization required"', basic=True),
}


def registry(habit: Habit, server: Callable[[], ScriptedServer]) -> Callable[[Request], Reply]:
    def known(request: Request) -> bool:
        pair = base64.b64encode(f"{habit.username}:{RIGHT}".encode()).decode()
        return request.authorization == f"Basic {pair}"

    def script(request: Request) -> Reply:
        if request.path != "/v2/":
            if known(request) or (request.authorization is None and habit.open_to_nobody):
                return json_reply({habit.key: "right" if known(request) else "nobody", "expires_in": 300})
            return Reply(401) if request.authorization is None else habit.refusal
        if request.authorization in ("Bearer right", "Bearer nobody") or (habit.basic and known(request)):
            return registry_ok()
        if habit.basic and request.authorization:
            return habit.refusal
        challenge = habit.challenge.format(at=server().url().rstrip("/"))
        return Reply(401, [("Www-Authenticate", challenge)], b'{"errors":[{"code":"UNAUTHORIZED"}]}')

    return script


def run_probe(habit: Habit, password: str) -> tuple[Result, ScriptedServer]:
    servers: list[ScriptedServer] = []
    with scripted(registry(habit, lambda: servers[0])) as server:
        servers.append(server)
        return probe(server.address, habit.username, password, HERE), server


@pytest.mark.parametrize("name", HABITS)
def test_the_right_password_is_proven(name: str) -> None:
    habit = HABITS[name]
    result, server = run_probe(habit, RIGHT)
    assert (result.reason, result.proven) == (Reason.OK, True)
    if habit.basic:
        assert result.requests == 2
        return
    asked = query(server.requests[1])
    assert asked.get("service", [None])[0] == habit.service
    assert "scope" not in asked
    assert not any((a or "").startswith("Basic") for a in server.authorizations("/v2/"))


@pytest.mark.parametrize("name", HABITS)
def test_a_wrong_password_is_told_from_everything_else(name: str) -> None:
    habit = HABITS[name]
    result, server = run_probe(habit, WRONG)
    assert result.reason is habit.reason
    assert len(server.requests) == 2, "a password is tried once"
    assert result.retry_after == (900 if habit.reason is Reason.RATE_LIMITED else None)


def test_harbor_with_a_forgotten_external_url_sends_nobody_the_password() -> None:
    """Its realm is http, or an internal address."""
    for realm in ("http://169.254.10.1/service/token", "http://harbor-core:80\\token", "/service/token"):
        habit = Habit(f'Bearer realm="{realm}",service="harbor-registry"')
        result, server = run_probe(habit, RIGHT)
        assert result.reason in (Reason.REALM_BLOCKED, Reason.BAD_CHALLENGE)
        assert server.authorizations() == [None]


def test_gitea_with_a_ghost_user_is_not_proven() -> None:
    """It gives a token to every user name and accepts it."""

    def script(request: Request) -> Reply:
        if request.path == "/v2/token":
            return json_reply({"token": "ghost"})
        if request.authorization == "Bearer ghost":
            return registry_ok()
        challenge = f'Bearer realm="{server.url("/v2/token")}",service="container_registry",scope="*"'
        return Reply(401, [("WWW-Authenticate", challenge)])

    with scripted(script) as server:
        result = probe(server.address, "admin", RIGHT, HERE)
    assert (result.reason, result.proven) == (Reason.OK_UNVERIFIED, False)


def test_a_login_page_in_between_is_no_registry_to_anybody() -> None:
    page = Reply(200, [("Content-Type", "text/html")], b"<html><title>Sign in</title></html>")
    with scripted(lambda request: page) as server:
        result = probe(server.address, "admin", RIGHT, HERE)
    assert result.reason is Reason.NOT_A_REGISTRY
    assert result.detail == "HTTP 200 (text/html)", "the page's own words are not shown"
    assert server.authorizations() == [None]
