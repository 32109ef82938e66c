"""Each role on each operation of the API, through a token and through a session; and what does not exist for them."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.test import Client

from registries.domain.access import Role
from tests.api.test_api import ALL, BASE, MERGE, body
from tests.cast import EVERYBODY, Cast, undone

SEES = {"olive": 200, "nina": 200, "omar": 200, "vic": 200, "sam": 404}
EDITS = {**SEES, "vic": 403}
ADMINS = {**EDITS, "omar": 403}
TYPED = {"domain": "127.0.0.1:9", "username": "u", "password": "p"}
Ask = Callable[[Client, str, str], Any]


def secrets(namespace: str, name: str = "") -> str:
    return f"{BASE}/namespaces/{namespace}/registry-secrets{f'/{name}' if name else ''}"


OPERATIONS: dict[str, tuple[dict[str, int], Ask]] = {
    "list": (SEES, lambda it, ns, name: it.get(secrets(ns))),
    "get": (SEES, lambda it, ns, name: it.get(secrets(ns, name))),
    "tests": (SEES, lambda it, ns, name: it.get(f"{secrets(ns, name)}/tests")),
    "images": (EDITS, lambda it, ns, name: it.get(f"{secrets(ns, name)}/images")),
    "images of a host": (EDITS, lambda it, ns, name: it.get(f"{secrets(ns, name)}/images?domain=a.example")),
    "watch": (SEES, lambda it, ns, name: it.get(f"{secrets(ns)}?watch=true&timeoutSeconds=1")),
    "create": (
        {**ADMINS, "olive": 201, "nina": 201},
        lambda it, ns, name: it.post(secrets(ns), body("new"), content_type="application/json"),
    ),
    "rehearse": (
        {**ADMINS, "olive": 201, "nina": 201},
        lambda it, ns, name: it.post(
            f"{secrets(ns)}?dryRun=All", body("new"), content_type="application/json"
        ),
    ),
    "edit": (EDITS, lambda it, ns, name: it.patch(secrets(ns, name), "{}", content_type=MERGE)),
    "password": (
        ADMINS,
        lambda it, ns, name: it.put(
            f"{secrets(ns, name)}/password", {"password": "new"}, content_type="application/json"
        ),
    ),
    "rotate": (
        {**ADMINS, "olive": 201, "nina": 201},
        lambda it, ns, name: it.post(
            f"{secrets(ns, name)}/rotations",
            {"password": "new", "anyway": True},
            content_type="application/json",
        ),
    ),
    "delete": ({**ADMINS, "olive": 204, "nina": 204}, lambda it, ns, name: it.delete(secrets(ns, name))),
    "rule": (dict.fromkeys(SEES, 404), lambda it, ns, name: it.get(f"{secrets(ns, name)}/sync-rule")),
    "keep": (
        {**dict.fromkeys(SEES, 403), "olive": 200, "sam": 404},
        lambda it, ns, name: it.put(
            f"{secrets(ns, name)}/sync-rule", {"all": True}, content_type="application/json"
        ),
    ),
    "solve": (
        {**dict.fromkeys(SEES, 403), "olive": 404, "sam": 404},
        lambda it, ns, name: it.post(
            f"{secrets(ns, name)}/sync-rule/solve",
            {"namespace": "team-b", "solution": "dismiss"},
            content_type="application/json",
        ),
    ),
    "verify": (
        EDITS,
        lambda it, ns, name: it.post(f"{secrets(ns, name)}/verify", "", content_type="text/plain"),
    ),
    "try": (
        EDITS,
        lambda it, ns, name: it.post(f"{secrets(ns, name)}/verify", TYPED, content_type="application/json"),
    ),
}
IN_NAMESPACE = ("list", "watch", "create", "rehearse", "verify", "try", "get", "images", "images of a host")


@pytest.fixture
def stage(cast: Cast) -> Cast:
    for namespace in ("team-a", "team-b"):
        cast.add("harbor-prod", namespace, domain="127.0.0.1:9")
    return cast


def statuses(
    client: Client, operations: Iterable[str] = OPERATIONS, namespace: str = "team-a"
) -> dict[str, int]:
    """What each operation answers, by its name. What one has done is undone before the next."""
    answers = {}
    for operation in operations:
        with undone():
            answers[operation] = OPERATIONS[operation][1](client, namespace, "harbor-prod").status_code
    return answers


def allowed(person: str) -> dict[str, int]:
    return {operation: expected[person] for operation, (expected, _) in OPERATIONS.items()}


@pytest.mark.parametrize("person", [person for person in EVERYBODY if person])
def test_each_person_gets_what_the_role_allows(stage: Cast, person: str) -> None:
    assert statuses(stage.api(person)) == allowed(person)


@pytest.mark.parametrize("person", ["nina", "vic", "sam"])
def test_a_session_may_what_its_person_may(stage: Cast, person: str) -> None:
    assert statuses(stage.client(person)) == allowed(person)


def test_nobody_gets_a_401(stage: Cast) -> None:
    assert statuses(stage.client(None)) == dict.fromkeys(OPERATIONS, 401)


@pytest.mark.parametrize("person", ["nina", "omar", "vic", "sam"])
def test_another_namespace_answers_as_one_that_does_not_exist(stage: Cast, person: str) -> None:
    client = stage.api(person)
    for operation, (_, ask) in OPERATIONS.items():
        with undone():
            there = ask(client, "team-b", "harbor-prod")
            nowhere = ask(client, "team-z", "harbor-prod")

        assert there.status_code == nowhere.status_code == 404, operation
        assert there.content.replace(b"team-b", b"team-z") == nowhere.content, operation


def test_a_namespace_that_does_not_exist_is_a_404_for_everybody(stage: Cast) -> None:
    found = statuses(stage.api("olive"), IN_NAMESPACE, "team-z")

    assert found == dict.fromkeys(IN_NAMESPACE, 404)


def test_a_token_for_another_namespace_sees_nothing_here(stage: Cast) -> None:
    assert statuses(stage.api("olive", "team-b")) == dict.fromkeys(OPERATIONS, 404)


@pytest.mark.parametrize(
    ("role", "person"), [(Role.VIEWER, "vic"), (Role.OPERATOR, "omar"), (Role.ADMIN, "nina")]
)
def test_a_token_may_no_more_than_its_role(stage: Cast, role: Role, person: str) -> None:
    assert statuses(stage.api("olive", "team-a", role=role)) == allowed(person)


def test_a_token_may_no_more_than_its_owner(stage: Cast) -> None:
    client = stage.api("vic", "team-a", "team-b")

    assert statuses(client) == allowed("vic")
    assert statuses(client, namespace="team-b") == dict.fromkeys(OPERATIONS, 404)


def test_a_limited_token_lists_its_namespaces_only(stage: Cast) -> None:
    found = stage.api("olive", "team-b").get(ALL).json()

    assert [it["metadata"]["namespace"] for it in found["items"]] == ["team-b"]
    assert [it["name"] for it in stage.api("olive", "team-b").get(f"{BASE}/namespaces").json()["items"]] == [
        "team-b"
    ]


def test_a_viewers_wrong_body_is_not_judged(stage: Cast) -> None:
    for client, code in ((stage.api("vic"), 403), (stage.api("sam"), 404)):
        for raw in ("{", '{"spec": 1}'):
            assert client.post(secrets("team-a"), raw, content_type="application/json").status_code == code
            one = secrets("team-a", "harbor-prod")
            assert client.patch(one, raw, content_type=MERGE).status_code == code
            assert client.post(f"{one}/verify", raw, content_type="application/json").status_code == code
