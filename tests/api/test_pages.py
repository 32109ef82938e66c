"""Lists page by page: bounded by bytes as well as by items, and nothing is missed or sent twice."""

from typing import Any

import pytest

from registries.api import registry_secrets
from registries.api.bodies import continuation
from registries.domain.registry import Key
from tests.api.test_api import ALL, TEAM_A, body, post
from tests.cast import Cast

FAT = 240 * 1024


def pages(client: Any, url: str, **query: Any) -> list[dict[str, Any]]:
    found = []
    while True:
        answer = client.get(url, query)
        assert answer.status_code == 200, answer.content[:300]
        found.append(answer.json() | {"bytes": len(answer.content)})
        if "continue" not in found[-1]["metadata"]:
            return found
        query = query | {"continue": found[-1]["metadata"]["continue"]}


def names(found: list[dict[str, Any]]) -> list[str]:
    return [it["metadata"]["name"] for page in found for it in page["items"]]


def test_a_list_of_fat_registries_is_bounded_by_bytes(cast: Cast) -> None:
    client, every = cast.api("olive"), [f"fat-{number:02}" for number in range(40)]
    for name in every:
        sent = body(name)
        sent["metadata"]["annotations"] = {"example.com/note": "x" * FAT}
        assert post(client, TEAM_A, sent).status_code == 201

    found = pages(client, TEAM_A, limit=500)

    assert names(found) == every
    assert max(page["bytes"] for page in found) < registry_secrets.PAGE_BYTES + 1024
    assert len(found) == 3
    assert {page["totalItems"] for page in found} == {40}


@pytest.mark.parametrize(
    "query", [{}, {"search": "r-1"}, {"labelSelector": "app=web"}, {"fieldSelector": "metadata.name!=r-3"}]
)
@pytest.mark.parametrize("limit", [1, 3, 10, 500])
def test_pages_are_the_list(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, query: dict[str, str], limit: int
) -> None:
    client = cast.api("olive")
    for number in range(14):
        sent = body(f"r-{number}")
        sent["metadata"]["labels"] = {"app": "web"} if number % 2 else {}
        path = TEAM_A if number % 3 else TEAM_A.replace("team-a", "team-b")
        assert post(client, path, sent).status_code == 201
    whole = client.get(ALL, query | {"limit": "500"}).json()

    assert "continue" not in whole["metadata"]
    assert [it for page in pages(client, ALL, **query, limit=limit) for it in page["items"]] == whole["items"]
    monkeypatch.setattr(registry_secrets, "PAGE_BYTES", 1)
    alone = pages(client, ALL, **query, limit=limit)
    assert [it for page in alone for it in page["items"]] == whole["items"]
    assert {len(page["items"]) for page in alone} == {1}


def test_a_page_goes_on_after_a_registry_that_is_gone(cast: Cast) -> None:
    client = cast.api("olive")
    for number in range(4):
        cast.add(f"r-{number}")
    first = client.get(TEAM_A, {"limit": 2}).json()
    assert client.delete(f"{TEAM_A}/r-1").status_code == 204

    rest = client.get(TEAM_A, {"limit": 2, "continue": first["metadata"]["continue"]}).json()

    assert names([first, rest]) == ["r-0", "r-1", "r-2", "r-3"]


@pytest.mark.parametrize("text", ["x", "****", "YWJj", "dGVhbS1hL2E", "é", "A" * 9000, "dGVhbS1hL2E=", "/w"])
def test_a_continue_that_nobody_gave(cast: Cast, text: str) -> None:
    cast.add()
    answer = cast.api("olive").get(TEAM_A, {"continue": text})
    assert (answer.status_code, len(answer.content) < 1000) == (200 if text == "dGVhbS1hL2E" else 400, True)


def test_a_continue_opens_no_other_namespace(cast: Cast) -> None:
    cast.add("secret-one", "team-b")
    cast.add("own", "team-a")

    for key in (Key("team-a", "a"), Key("team-b", "a"), Key("", "")):
        found = pages(cast.api("vic"), ALL, **{"continue": continuation(key)})
        assert set(names(found)) <= {"own"}
