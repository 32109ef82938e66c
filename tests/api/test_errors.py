"""Whatever goes wrong under /oapis is a Status: wrong bodies, addresses, methods, callers, hosts, our failures."""

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from registries import wiring
from registries.domain.resource import API_VERSION
from registries.models import StoredResource
from tests.api.test_api import ALL, BASE, MERGE, TEAM_A, body, post
from tests.cast import BACKEND, Cast

ONE = f"{TEAM_A}/harbor-prod"


def reason(response: Any, code: int) -> str:
    """The reason of a Status, which it has to be."""
    said = response.json()
    assert response.status_code == code
    assert response["Content-Type"] == "application/json"
    assert (said["kind"], said["apiVersion"], said["status"]) == ("Status", API_VERSION, "Failure")
    assert (said["code"], said["metadata"]) == (code, {})
    assert said["message"]
    return str(said["reason"])


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"",
        b"[]",
        b'"x"',
        b"null",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"metadata": {"name": "\\ud800"}}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b'{"a": ' * 30_000,
        b"9" * 10_000,
    ],
)
def test_malformed_json_is_a_400(cast: Cast, raw: bytes) -> None:
    response = cast.api("nina").post(TEAM_A, raw, content_type="application/json")

    assert reason(response, 400) == "BadRequest"


def test_a_malformed_body_is_not_quoted(cast: Cast) -> None:
    raw = b'{"spec": {"password": "hush-hush-1"'

    response = cast.api("nina").post(TEAM_A, raw, content_type="application/json")

    assert b"hush" not in response.content


@pytest.mark.parametrize(
    "path",
    [
        "/oapis",
        "/oapis/",
        "/oapis/nothing",
        f"{BASE}/",
        f"{TEAM_A}/",
        f"{ONE}/",
        f"{ONE}/nothing",
        f"{BASE}/namespaces/team-a",
        f"{BASE}/namespaces/_all_/registry-secrets/harbor-prod",
        f"{BASE}/namespaces/TEAM/registry-secrets",
        f"{TEAM_A}/%00",
        f"{BASE}/namespaces/%00/registry-secrets",
        f"{TEAM_A}/{'x' * 300}",
        f"{TEAM_A}/a%2Fb",
        f"{TEAM_A}/%ff",
    ],
)
def test_an_unknown_address_is_a_404_and_no_redirect(cast: Cast, path: str) -> None:
    cast.add()

    assert reason(cast.api("olive").get(path), 404) == "NotFound"


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (TEAM_A, "put", "GET, POST, HEAD"),
        (TEAM_A, "delete", "GET, POST, HEAD"),
        (TEAM_A, "options", "GET, POST, HEAD"),
        (TEAM_A, "trace", "GET, POST, HEAD"),
        (ALL, "post", "GET, HEAD"),
        (ONE, "post", "GET, PATCH, DELETE, HEAD"),
        (ONE, "put", "GET, PATCH, DELETE, HEAD"),
        (f"{ONE}/verify", "get", "POST"),
    ],
)
def test_a_wrong_method_is_a_405(cast: Cast, path: str, method: str, allowed: str) -> None:
    response = getattr(cast.api("olive"), method)(path)

    assert reason(response, 405) == "MethodNotAllowed"
    assert response["Allow"] == allowed


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "", "application/x-www-form-urlencoded"]
)
def test_a_wrong_content_type_is_a_415(cast: Cast, kind: str) -> None:
    raw = json.dumps(body()).encode()

    assert reason(cast.api("nina").post(TEAM_A, raw, content_type=kind), 415) == "UnsupportedMediaType"


def test_a_json_patch_is_a_415(cast: Cast) -> None:
    cast.add()
    response = cast.api("nina").patch(ONE, "[]", content_type="application/json-patch+json")

    assert reason(response, 415) == "UnsupportedMediaType"


@pytest.mark.parametrize("size", [1_100_000, 4_000_000])
def test_a_body_that_is_too_large_is_a_413(cast: Cast, size: int) -> None:
    response = post(cast.api("nina"), TEAM_A, body(password="x" * size))

    assert reason(response, 413) == "RequestEntityTooLarge"


@pytest.mark.parametrize(
    "given",
    [
        "Bearer nothing",
        "Bearer ",
        "Bearer",
        "",
        "Basic b2xpdmU6ZGVtbw==",
        "Bearer " + "x" * 9000,
        "Bearer \xff",
    ],
)
def test_a_wrong_token_is_a_401(cast: Cast, given: str) -> None:
    response = Client(headers={"authorization": given}).get(TEAM_A)

    assert reason(response, 401) == "Unauthorized"
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_nobody_is_a_401_and_no_redirect(cast: Cast) -> None:
    for path in (TEAM_A, ONE, f"{BASE}/nothing"):
        assert reason(Client().get(path), 401) == "Unauthorized"
    assert reason(Client().post(TEAM_A, body(), content_type="application/json"), 401) == "Unauthorized"


def test_a_wrong_token_is_not_helped_by_a_session(cast: Cast) -> None:
    client = cast.client("olive", authorization="Bearer nothing")

    assert reason(client.get(TEAM_A), 401) == "Unauthorized"


def test_a_session_reads(cast: Cast) -> None:
    cast.add()

    assert cast.client("vic").get(ONE).status_code == 200


def test_a_session_writes_with_csrf_only(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users["nina"], backend=BACKEND)
    assert reason(post(client, TEAM_A, body()), 403) == "Forbidden"
    assert not StoredResource.objects.filter(kind="RegistrySecret").exists()

    client.get("/registries/-/add/")
    token = client.cookies["csrftoken"].value
    response = client.post(TEAM_A, body(), content_type="application/json", headers={"x-csrftoken": token})

    assert response.status_code == 201


def test_a_session_without_csrf_is_refused_whatever_the_form(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users["nina"], backend=BACKEND)
    for kind in (
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ):
        assert client.post(TEAM_A, b"x", content_type=kind).status_code in (400, 403)


def test_a_bearer_needs_no_csrf(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {cast.token('nina')}"})

    assert post(client, TEAM_A, body()).status_code == 201


def test_a_wrong_host_is_a_400(cast: Cast) -> None:
    response = cast.api("olive").get(TEAM_A, headers={"host": "evil.example.com"})

    assert reason(response, 400) == "BadRequest"


def test_too_many_requests_say_when_to_come_back(cast: Cast, settings: Any) -> None:
    settings.API_RATE = 3
    wiring.reset()
    client, other = cast.api("vic"), cast.api("omar")

    codes = [client.get(TEAM_A).status_code for _ in range(4)]
    last = client.get(TEAM_A)

    assert codes == [200, 200, 200, 429]
    assert reason(last, 429) == "TooManyRequests"
    assert 1 <= int(last["Retry-After"]) <= 20
    assert last.json()["details"]["retryAfterSeconds"] == int(last["Retry-After"])
    assert other.get(TEAM_A).status_code == 200
    assert cast.client("vic").get(TEAM_A).status_code == 429, "the same person with a session"
    assert cast.api("vic", "team-a").get(TEAM_A).status_code == 429, "and with another token"


def test_our_own_failure_is_a_500_without_its_cause(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = cast.api("vic")
    client.raise_request_exception = False
    StoredResource.objects.create(
        kind="RegistrySecret", namespace="team-a", name="broken", uid="u", resource_version=99, body="{"
    )

    response = client.get(f"{TEAM_A}/broken")

    assert reason(response, 500) == "InternalError"
    assert b"Traceback" not in response.content
    assert b"JSON" not in response.content


def test_a_database_that_does_not_answer_is_a_503(cast: Cast) -> None:
    from django.db import connection

    client = cast.api("vic")

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if "storedresource" in sql:
            raise OperationalError("the database is gone at /secret/place")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        response = client.get(ONE)

    assert reason(response, 503) == "ServiceUnavailable"
    assert b"secret" not in response.content
    assert response["Retry-After"] == "5"


def test_head_is_as_get_without_its_body(cast: Cast) -> None:
    cast.add()

    response = cast.api("vic").head(ONE)

    assert (response.status_code, response.content) == (200, b"")
    assert response["ETag"]


def test_pages_have_errors_of_their_own(cast: Cast) -> None:
    response = cast.client("olive").get("/registries/team-a/nothing/")

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_what_is_said_of_a_field_is_in_the_language_that_is_asked_for(cast: Cast) -> None:
    client = cast.api("nina")

    chinese = client.post(TEAM_A, {}, content_type="application/json")
    english = client.post(TEAM_A, {}, content_type="application/json", headers={"accept-language": "en"})

    assert chinese.json()["details"]["causes"][0]["message"] == "此项必填。"
    assert english.json()["details"]["causes"][0]["message"] == "This field is required."
    assert chinese.json()["message"] == english.json()["message"]


@pytest.mark.parametrize("kind", ["application/merge-patch+json", MERGE + "; charset=utf-8"])
def test_a_charset_is_no_other_type(cast: Cast, kind: str) -> None:
    cast.add()

    assert cast.api("nina").patch(ONE, "{}", content_type=kind).status_code == 200
