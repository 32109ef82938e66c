"""The demo's registries on loopback, as a real child process and over real sockets."""

import json
import shutil
import subprocess
import time
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from registries.demo.behaviours import BEHAVIOURS, OFFSETS
from registries.demo.catalogue import ACCESS_TOKEN, CLOSED, RENEWED, catalogue
from registries.demo.messages import Request
from registries.demo.tokens import Access, TokenKey
from registries.probe import probe
from tests.peers.demo_client import BY_NAME, ask, basic, login, realm, token_answer
from tests.peers.scripted import HERE


def test_the_table_is_consistent():
    assert len(BY_NAME) == len(BEHAVIOURS)
    assert len(set(OFFSETS.values())) == len(OFFSETS)
    assert all(OFFSETS[behaviour.host] == behaviour.port_offset for behaviour in BEHAVIOURS)
    assert set(catalogue(OFFSETS)) == OFFSETS.keys() - CLOSED
    # One test at a time per registry and user name: a failing test must not block another one.
    assert len({(behaviour.host, behaviour.username, behaviour.scheme) for behaviour in BEHAVIOURS}) == len(
        BEHAVIOURS
    )
    assert "Harbor12345" not in repr(BEHAVIOURS)


@pytest.mark.parametrize("name", ["harbor", "dockerhub", "aliyun", "basic", "insecure-realm"])
def test_the_right_password_logs_in_and_a_wrong_one_does_not(demo, name):
    behaviour = BY_NAME[name]
    assert login(demo, behaviour.host, (behaviour.username, behaviour.password)) == 200
    assert login(demo, behaviour.host, (behaviour.username, "not this")) == 401
    assert login(demo, behaviour.host, ("nobody", behaviour.password)) == 401
    ping = ask(demo, behaviour.host)
    assert ping.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert json.loads(ping.body)["errors"][0]["code"] == "UNAUTHORIZED"


def test_harbor_gives_a_token_for_nobody_to_a_wrong_password_with_a_scope(demo):
    host, wrong = "harbor.localhost", ("admin", "not this")
    refused = token_answer(demo, host, wrong)
    assert (refused.status, refused.body) == (401, b"")
    given = token_answer(demo, host, wrong, scope="repository:library/app:pull")
    assert given.status == 200
    token = json.loads(given.body)["token"]
    answer = ask(demo, host, "/v2/", f"Bearer {token}")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="harbor"')
    assert ask(demo, host, "/v2/library/app/tags/list", f"Bearer {token}").status == 401
    assert token_answer(demo, host).status == 401
    assert ask(demo, host, "/v2/", basic("admin", "Harbor12345")).status == 200
    assert ask(demo, host, "/service/token?service=another").status == 400


def test_docker_hub_gives_tokens_for_nobody_that_open_the_registry_and_asks_for_an_access_token(demo):
    host = "dockerhub.localhost"
    anonymous = json.loads(token_answer(demo, host).body)["token"]
    assert ask(demo, host, "/v2/", f"Bearer {anonymous}").status == 200
    wrong = token_answer(demo, host, ("moby", "not this"))
    assert (wrong.status, json.loads(wrong.body)) == (401, {"details": "incorrect username or password"})
    whaler = BY_NAME["two-factor"]
    refused = token_answer(demo, host, (whaler.username, whaler.password))
    assert (refused.status, b"personal access token is required" in refused.body) == (401, True)
    assert token_answer(demo, host, (whaler.username, "not this")).body == wrong.body
    assert login(demo, host, ACCESS_TOKEN) == 200
    assert login(demo, "harbor.localhost", RENEWED) == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "password", "username": "moby", "password": "whale-4242"}, 200),
        ({"grant_type": "password", "username": "moby", "password": "not this"}, 401),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400),
    ],
)
def test_docker_hub_speaks_oauth(demo, form, status):
    body = urlencode({"service": "registry.docker.io", **form})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = ask(demo, "auth.dockerhub.localhost", "/token", method="POST", body=body, **kind)
    assert answer.status == status
    assert ("access_token" in json.loads(answer.body)) == (status == 200)
    assert ask(demo, "harbor.localhost", "/service/token", method="POST", body=body, **kind).status == 405


def test_a_token_is_checked_for_scope_signature_and_registry(demo):
    host, credentials, path = "aliyun.localhost", BY_NAME["aliyun"], "/v2/team/app/manifests/1"
    credentials = (credentials.username, credentials.password)
    plain = json.loads(token_answer(demo, host, credentials).body)["token"]
    challenge = ask(demo, host, path, f"Bearer {plain}").headers["WWW-Authenticate"]
    assert 'scope="repository:team/app:pull",error="insufficient_scope"' in challenge
    scoped = token_answer(demo, host, credentials, scope="repository:team/app:pull")
    answer = ask(demo, host, path, f"Bearer {json.loads(scoped.body)['token']}")
    assert (answer.status, json.loads(answer.body)["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
    head, claims, signature = plain.split(".")
    nobody = json.loads(token_answer(demo, host).body)["token"]
    forged = f"{head}.{claims}.{signature[:-2]}{'AA' if signature[-2:] != 'AA' else 'BB'}"
    for bad in (nobody, forged, f"{head}.{claims}.", "é", "x" * 20000, ".."):
        assert ask(demo, host, "/v2/", f"Bearer {bad}").status == 401
    assert ask(demo, "dockerhub.localhost", "/v2/", f"Bearer {plain}").status == 401


def test_a_token_ends_and_belongs_to_one_service():
    key = TokenKey("issuer", "registry")
    access = Access.parse("repository:host:5000/app:pull,push")
    assert str(access) == "repository:host:5000/app:pull,push"
    assert key.check(key.issue("me", [access])).allows(Access("repository", "host:5000/app", ("pull",)))
    assert key.check(key.issue("me", lifetime=0)) is None
    for other in (TokenKey("issuer", "other", key.secret), TokenKey("issuer", "registry")):
        assert key.check(other.issue("me")) is None


def test_the_realm_follows_a_client_by_address_and_repeats_no_other_name(demo):
    for given, shown in {"127.0.0.1:1": "127.0.0.1", "localhost": "localhost", "evil.example": "x"}.items():
        url, _ = realm(ask(demo, "dockerhub.localhost", Host=given))
        assert url.hostname == (shown if shown != "x" else "auth.dockerhub.localhost")
        assert url.port == demo.ports["auth.dockerhub.localhost"]


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("open", 200, "{}"),
        ("expired-credentials", 401, "token has expired"),
        ("access-denied", 403, "DENIED"),
        ("rate-limited", 429, "TOOMANYREQUESTS"),
        ("server-error", 503, "UNAVAILABLE"),
        ("login-page", 200, "<!doctype html>"),
        ("redirecting", 307, ""),
        ("bad-challenge", 401, "UNAUTHORIZED"),
        ("negotiate", 401, "UNAUTHORIZED"),
    ],
)
def test_what_the_others_answer(demo, name, status, text):
    behaviour = BY_NAME[name]
    answer = ask(demo, behaviour.host, "/v2/", basic(behaviour.username, behaviour.password))
    assert (answer.status, text in answer.body.decode()) == (status, True)
    assert answer.headers["Retry-After"] == ("120" if status == 429 else None)
    assert (answer.headers["Docker-Distribution-Api-Version"] is None) == (
        name in ("login-page", "redirecting")
    )


def test_token_services_in_trouble(demo):
    assert token_answer(demo, "stumbling.localhost", ("admin", "x")).status == 500
    assert b"<h1>" in token_answer(demo, "gateway.localhost", ("admin", "x")).body
    assert login(demo, "drifting.localhost", ("admin", "mind-the-clock")) == 401
    assert token_answer(demo, "drifting.localhost", ("admin", "mind-the-clock")).status == 200
    assert realm(ask(demo, "insecure.localhost"))[0].scheme == "http"
    with pytest.raises(ConnectionRefusedError):
        token_answer(demo, "headless.localhost")


def test_slow_takes_three_seconds_for_a_password(demo):
    began = time.monotonic()
    assert ask(demo, "slow.localhost", "/v2/", basic("snail", "no-hurry-3")).status == 200
    assert time.monotonic() - began >= 3


def test_slow_takes_three_seconds_for_a_password_and_none_for_a_question(monkeypatch):
    """The intended delay; a slow machine may add to it."""
    slept = []
    monkeypatch.setattr("registries.demo.registries.time", SimpleNamespace(sleep=slept.append))
    slow = catalogue(OFFSETS)["slow.localhost"].handler
    for headers, status, seconds in (
        ({}, 401, []),
        ({"Authorization": basic("snail", "no-hurry-3")}, 200, [3]),
    ):
        assert slow(Request.read("GET", "/v2/", headers, b"")).status == status
        assert slept == seconds


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is absent: apt-get install skopeo")
@pytest.mark.parametrize("name", ["basic", "harbor"])
def test_skopeo_logs_in_with_the_right_password_only(demo, tmp_path, name):
    behaviour = BY_NAME[name]
    shutil.copy(demo.ca_file, tmp_path / "ca.crt")
    trust = ["--tls-verify=false"] if behaviour.scheme == "http" else ["--cert-dir", str(tmp_path)]
    command = ["skopeo", "login", *trust, "--authfile", str(tmp_path / "auth.json"), "-u", behaviour.username]
    command += ["--password-stdin", f"127.0.0.1:{demo.ports[behaviour.host]}"]
    for password, code in {behaviour.password: 0, "not this": 1}.items():
        done = subprocess.run(command, input=password.encode(), capture_output=True, timeout=60, check=False)
        assert done.returncode == code, done.stderr
        assert (b"invalid username/password" in done.stderr) == bool(code)


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.name)
def test_the_connection_test_finds_the_behaviour(demo, behaviour):
    limit = 2 if behaviour.expect == "timeout" else HERE.total_timeout
    policy = replace(HERE, ca_file=str(demo.ca_file), total_timeout=limit)
    result = probe(demo.address(behaviour), behaviour.username, behaviour.password, policy)
    assert result.reason == behaviour.expect
    assert result.ok == (behaviour.expect in ("ok", "ok_unverified"))
    failed = [step.name for step in result.steps if not step.ok]
    assert failed == ([] if result.ok else [result.steps[-1].name])
