"""Selectors, as an API server reads them, in lists and in watches; one that is not understood selects nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from registries.domain.registry import RegistrySecret
from registries.domain.selectors import SelectorError, read_selector
from tests.api.test_api import ALL, TEAM_A, body, post
from tests.api.watching import clock, events, told
from tests.cast import Cast
from tests.index.test_watch_log import changed, log_of, registry

LABELS: dict[str, dict[str, str]] = {
    "a": {"app": "web", "tier": "front"},
    "b": {"app": "web", "example.com/tier": "back"},
    "c": {"app": ""},
    "d": {},
}
__all__ = ["clock"]
"""A watch rests here, too, without any time passing."""


@pytest.fixture
def api(cast: Cast) -> Client:
    client = cast.api("olive")
    for name, labels in LABELS.items():
        resource = body(name)
        resource["metadata"]["labels"] = labels
        assert post(client, TEAM_A, resource).status_code == 201
    return client


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("", "abcd"),
        (" ", "abcd"),
        ("app", "abc"),
        ("!app", "d"),
        ("! app", "d"),
        ("app=web", "ab"),
        (" app == web ", "ab"),
        ("app=", "c"),
        ("app!=web", "cd"),
        ("app in (web, x)", "ab"),
        ("app in (,web)", "abc"),
        ("app notin (web)", "cd"),
        ("app=web,tier", "a"),
        ("app in (web,x),example.com/tier notin (x,y),!tier", "b"),
        ("nope=x", ""),
    ],
)
def test_labels_select(api: Client, selector: str, names: str) -> None:
    for query in ({}, {"search": "."}):
        answer = api.get(TEAM_A, {"labelSelector": selector, **query}).json()

        assert [it["metadata"]["name"] for it in answer["items"]] == list(names)
        assert answer["totalItems"] == len(names)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("metadata.name=b", "b"),
        ("metadata.name!=b,metadata.namespace==team-a", "acd"),
        ("metadata.namespace=team-b", ""),
    ],
)
def test_fields_select(api: Client, selector: str, names: str) -> None:
    items = api.get(ALL, {"fieldSelector": selector}).json()["items"]

    assert [it["metadata"]["name"] for it in items] == list(names)


@pytest.mark.parametrize("watch", ["false", "true"])
@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        *(
            ("labelSelector", it)
            for it in ("a,", ",", "=x", "a b", "a>1", "a in ()", "a in (b", "a=b=c", "!a=b")
        ),
        *(("labelSelector", it) for it in ("a/b/c=d", "-a", "a=-b", "a in (b,/)", "a=é", "a is (b)", "!")),
        *(("fieldSelector", it) for it in ("metadata.name", "spec.domain=x", "metadata.name in (a)", "x")),
    ],
)
def test_what_is_not_understood_is_a_400(cast: Cast, parameter: str, text: str, watch: str) -> None:
    answer = cast.api("vic").get(TEAM_A, {parameter: text, "watch": watch, "timeoutSeconds": "1"})

    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")
    assert answer.json()["message"].startswith(f"{parameter}: ")


def test_a_long_one_is_read_at_once() -> None:
    for text in ("(" * 4000, "a in (" + "," * 4000, "a" + " " * 4000 + "=", "," * 4000):
        with pytest.raises(SelectorError):
            read_selector(text + "<", "")


def watching(client: Client, **query: str) -> Any:
    return events(client.get(TEAM_A, {"watch": "true", "timeoutSeconds": "20", **query}))


def test_a_watch_tells_of_what_is_selected(api: Client) -> None:
    following = watching(api, labelSelector="app=web")
    assert [told(next(following)) for _ in range(2)] == [("ADDED", "a"), ("ADDED", "b")]
    one = body("new")
    one["metadata"]["labels"] = {"app": "x"}
    post(api, TEAM_A, one)
    one = body("other")
    one["metadata"]["labels"] = {"app": "web"}
    post(api, TEAM_A, one)

    assert told(next(following)) == ("ADDED", "other")
    api.delete(f"{TEAM_A}/d")
    api.delete(f"{TEAM_A}/b")
    assert told(next(following)) == ("DELETED", "b")


def test_a_watch_by_name(api: Client) -> None:
    following = watching(api, fieldSelector="metadata.name=b")
    assert told(next(following)) == ("ADDED", "b")

    api.delete(f"{TEAM_A}/a")
    api.delete(f"{TEAM_A}/b")

    assert told(next(following)) == ("DELETED", "b")


def test_a_search_is_not_for_a_watch(cast: Cast) -> None:
    answer = cast.api("vic").get(TEAM_A, {"watch": "true", "search": "x", "timeoutSeconds": "1"})

    assert answer.status_code == 400
    assert "search" in answer.json()["message"]


def labelled(version: int, **labels: str) -> RegistrySecret:
    return replace(registry("a", "u", version), labels=labels)


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [("web", "web", "MODIFIED"), ("x", "web", "ADDED"), ("web", "x", "DELETED"), ("x", "y", "")],
)
def test_who_leaves_what_is_selected_is_deleted_and_who_enters_is_added(
    before: str, after: str, seen: str
) -> None:
    old, new = labelled(4, app=before), labelled(7, app=after)
    log = log_of(old)
    log.append([changed(new)])
    news = log.after(log.place - 1)
    assert news
    [change] = news.changes

    found = change.seen_through(read_selector("app=web", ""))

    assert (found.type.value if found else "") == seen
    assert found is None or json.loads(found.document)["metadata"]["resourceVersion"] == "7"
