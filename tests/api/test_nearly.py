"""Bodies that are nearly right: one thing of a good one is changed, and the answer is 201 or names what is wrong."""

import copy
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registries import wiring
from registries.domain.registry import Key
from registries.domain.resource import PREFIX
from registries.wiring import services
from tests import examples
from tests.api.test_api import BASE, MERGE, TEAM_A, body
from tests.cast import Cast

PLACES = (
    ("metadata",),
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("metadata", "annotations"),
    ("metadata", "annotations", "example.com/note"),
    ("metadata", "labels"),
    ("metadata", "labels", "app"),
    *(
        ("metadata", "annotations", PREFIX + name)
        for name in ("display-name", "description", "ca-bundle", "plain-http", "skip-tls-verify", "domain")
    ),
    ("spec",),
    *(("spec", name) for name in ("domain", "username", "password", "provider")),
    ("kind",),
    ("apiVersion",),
    ("other",),
)
TEXT = st.text(max_size=300) | st.text("ab.-:/@%\0\n\u202e　é鸟", max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
OFTEN = settings(
    max_examples=examples.of(400),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def changed(place: tuple[str, ...], value: Any) -> dict[str, Any]:
    whole = copy.deepcopy(body("nearly"))
    whole["metadata"] |= {"annotations": {}, "labels": {}}
    inner = whole
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return whole


@pytest.fixture
def api(cast: Cast, settings: Any) -> Client:
    settings.API_RATE = settings.TESTS_PER_MINUTE = 0
    wiring.reset()
    cast.add("there")
    return cast.api("olive")


def well_said(response: Any, *codes: int) -> None:
    said = response.json()
    assert response.status_code in codes, said
    if response.status_code >= 400:
        assert said["kind"] == "Status"
    if response.status_code == 422:
        assert all(cause["field"] and cause["message"] for cause in said["details"]["causes"])


@given(place=st.sampled_from(PLACES), value=VALUES)
@OFTEN
def test_create(api: Client, place: tuple[str, ...], value: Any) -> None:
    response = api.post(TEAM_A, changed(place, value), content_type="application/json")

    well_said(response, 201, 400, 409, 422)
    if response.status_code == 201:
        made = response.json()
        assert "password" not in made["spec"]
        key = Key("team-a", made["metadata"]["name"])
        assert api.get(f"{TEAM_A}/{key.name}").json() == made
        services().store.delete(key, uid=made["metadata"]["uid"])


@given(place=st.sampled_from(PLACES), value=VALUES)
@OFTEN
def test_edit(api: Client, place: tuple[str, ...], value: Any) -> None:
    """Whatever it is, a patch that answers 200 changed nothing but the two texts."""
    before = api.get(f"{TEAM_A}/there").json()
    inner: Any = value
    for name in reversed(place):
        inner = {name: inner}

    response = api.patch(f"{TEAM_A}/there", inner, content_type=MERGE)

    well_said(response, 200, 400, 409, 422)
    after = api.get(f"{TEAM_A}/there").json()
    if response.status_code != 200:
        assert after == before
    for text in ("display-name", "description"):
        for resource in (before, after):
            resource["metadata"]["annotations"].pop(PREFIX + text, None)
    for resource in (before, after):
        del resource["metadata"]["resourceVersion"]
    assert after == before


@given(name=st.sampled_from(["domain", "username", "password", "caBundle", "skipTlsVerify"]), value=VALUES)
@OFTEN
def test_verify(api: Client, name: str, value: Any) -> None:
    """The address is none that leads anywhere: what is judged here is the body."""
    typed = {"domain": "not a host", "username": "u", "password": "p", name: value}
    if name == "domain" and isinstance(value, str):
        typed["domain"] = f" {value} b"

    response = api.post(f"{TEAM_A}/there/verify", typed, content_type="application/json")

    well_said(response, 200, 400, 422)


@given(page=TEXT, limit=TEXT, search=TEXT)
@OFTEN
def test_list(api: Client, page: str, limit: str, search: str) -> None:
    response = api.get(
        f"{BASE}/namespaces/_all_/registry-secrets", {"page": page, "limit": limit, "search": search}
    )

    well_said(response, 200, 400)
    assert api.get(TEAM_A, {"search": search}).status_code == 200
