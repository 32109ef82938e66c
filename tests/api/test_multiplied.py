"""A short request gets a short answer, whatever it repeats: causes and paths are capped while they are collected."""

import tracemalloc
from typing import Any

import pytest

from registries.domain.errors import CAUSES_MAX, FIELD_MAX, Cause, Causes, Invalid, Problem
from tests.api.test_api import MERGE, TEAM_A, body, notes, post
from tests.cast import Cast

LONGEST = 128 * 1024
"""Bytes of an answer."""
MEMORY = 32 * 1024 * 1024
LONG = "n" * 40_000


def deep(levels: int, inside: Any) -> Any:
    for _ in range(levels):
        inside = {"o": inside}
    return inside


MANY = {f"k{number}": number for number in range(10_000)}
PATCHES = {
    "a long name above many values": ({LONG: MANY}, 10_000),
    "a long name in spec above many values": ({"spec": {LONG: MANY}}, 10_000),
    "a long annotation": ({"metadata": {"annotations": {LONG: MANY}}}, 10_000),
    "many values": ({"spec": MANY}, 10_000),
    "many labels": ({"metadata": {"labels": MANY}}, 10_000),
    "many annotations": ({"metadata": {"annotations": MANY}}, 10_000),
    "many empty objects": ({"spec": {name: {} for name in MANY}}, 10_000),
    "many long names": ({f"{number}{LONG[:900]}": 1 for number in range(1_000)}, 1_000),
    "many values far down": (deep(400, MANY), 10_000),
    "a long name at each level": ({LONG: {LONG: {LONG: MANY}}}, 10_000),
}


def refused(response: Any) -> tuple[list[dict[str, str]], str]:
    assert response.status_code == 422, response.content[:300]
    assert len(response.content) < LONGEST
    said = response.json()
    causes = said["details"]["causes"]
    assert 0 < len(causes) <= CAUSES_MAX
    assert max(len(it["field"]) for it in causes) <= FIELD_MAX + 1
    return causes, said["message"]


@pytest.mark.parametrize("kind", PATCHES)
def test_a_patch(cast: Cast, kind: str) -> None:
    cast.add()
    client, (change, wrong) = cast.api("omar"), PATCHES[kind]

    tracemalloc.start()
    response = client.patch(f"{TEAM_A}/harbor-prod", change, content_type=MERGE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    causes, message = refused(response)
    assert peak < MEMORY
    assert wrong >= len(causes)
    if len(causes) == CAUSES_MAX:
        assert message.endswith(f"; and {wrong - CAUSES_MAX} more")


def test_paths_that_are_equal_once_cut_are_one_cause(cast: Cast) -> None:
    cast.add()

    change = {LONG: {"a": 1, "b": 2}}
    causes, _ = refused(cast.api("omar").patch(f"{TEAM_A}/harbor-prod", change, content_type=MERGE))

    assert [it["field"] for it in causes] == ["n" * FIELD_MAX + "…"]


RESOURCES = {
    "label values": ({"labels": {f"k{it}": "not valid!" for it in range(20_000)}}, {}, 20_000),
    "label keys": ({"labels": {f"not valid {it}": "" for it in range(20_000)}}, {}, 1),
    "labels of another type": ({"labels": dict.fromkeys(map("k{}".format, range(20_000)), 1)}, {}, 20_000),
    "long label keys": ({"labels": {f"{'p' * 200}/k{it}": "!" for it in range(3_000)}}, {}, 3_000),
    "annotations of another type": ({"annotations": dict.fromkeys(map("k{}".format, range(20_000)), 1)}, {}, 20_000),
    "a name": ({"name": LONG * 20}, {}, 1),
    "a namespace in the address": ({}, {"domain": "http://" + "x" * 2000 + "_.example"}, 1),
    "an address": ({}, {"domain": LONG * 20}, 1),
    "a scheme": ({}, {"domain": "s" * 2000 + "://host"}, 1),
    "a user name": ({}, {"username": LONG * 20}, 1),
    "a provider": ({}, {"provider": LONG * 20}, 1),
}  # fmt: skip


@pytest.mark.parametrize("kind", RESOURCES)
def test_a_resource(cast: Cast, kind: str) -> None:
    metadata, spec, wrong = RESOURCES[kind]
    asked = body("harbor-new", **spec)
    asked["metadata"] |= metadata

    causes, message = refused(post(cast.api("nina"), TEAM_A, asked))

    assert len(causes) == min(wrong, CAUSES_MAX)
    assert (f"; and {wrong - CAUSES_MAX} more" in message) is (wrong > CAUSES_MAX)


@pytest.mark.parametrize(
    ("items", "wrong"),
    [
        ([{}] * 1000, 1000),
        ([LONG[:900]] * 1000, 1000),
        ([{"namespace": "team-a", "name": f"none-{it}"} for it in range(1000)], 1000),
        ([{"namespace": LONG[:900], "name": f"none-{it}"} for it in range(1000)], 1000),
    ],
)
def test_the_items_of_a_run(cast: Cast, items: Any, wrong: int) -> None:
    response = cast.api("nina").post(
        "/oapis/image.theriseunion.io/v1alpha1/runs",
        {"type": "verify", "items": items},
        content_type="application/json",
    )

    causes, message = refused(response)
    assert len(causes) == CAUSES_MAX
    assert message.endswith(f"; and {wrong - CAUSES_MAX} more")


def test_what_a_resource_has_may_still_be_sent_along(cast: Cast) -> None:
    """Also an annotation with the longest key that there is."""
    key, client = f"{'.'.join(['p' * 61] * 4)}/{'n' * 63}", cast.api("nina")
    asked = body("harbor-new")
    asked["metadata"] |= {"annotations": {key: "x"}}
    made = post(client, TEAM_A, asked)
    assert made.status_code == 201, made.content

    metadata = {"annotations": {key: "x", **notes(display_name="neu")["annotations"]}}
    response = client.patch(f"{TEAM_A}/harbor-new", {"metadata": metadata}, content_type=MERGE)

    assert response.status_code == 200, response.content


def test_any_error_of_values_is_capped() -> None:
    error = Invalid(LONG, tuple(Cause(f"{it}{LONG}", Problem.BAD_LABEL, part=LONG) for it in range(1000)))

    assert (len(error.causes), error.further) == (CAUSES_MAX, 1000 - CAUSES_MAX)
    assert len(str(error)) < 50_000
    assert all(len(it.field) + len(it.part) < 600 for it in error.causes)


def test_included_causes_keep_their_count() -> None:
    first, second = (Causes(Cause(f"{name}{it}", Problem.REQUIRED) for it in range(60)) for name in "ab")

    first.include(second)

    assert (len(list(first)), first.further) == (CAUSES_MAX, 70)
