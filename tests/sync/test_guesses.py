"""A rule compares its source with registries of others: each comparison is a guess of its owner, and few are told."""

import math
import time
from collections import Counter
from collections.abc import Callable

import pytest

from registries.domain.errors import TooManyRequests
from registries.domain.registry import Key
from registries.models import SyncCopy, SyncRule
from registries.service.copies import GUESSES_PER_MINUTE, Guesses
from registries.wiring import services
from tests.api.test_sync_rules import put
from tests.canary import CANARY
from tests.cast import Cast
from tests.sync.following import ALL, change, create_namespace, in_b, keep, turn

TELLING = {"name_taken", "present", "in_step", "changed", "waiting"}
"""States that tell whether the passwords are equal."""


def by_api(cast: Cast) -> str:
    answer = put(cast.api("olive"), {"all": True}, "?dryRun=All")
    return str(answer.json()["copies"][0]["state"])


def by_dialog(cast: Cast) -> str:
    form = {"scope": "all", "step": "preview"}
    answer = cast.client("olive").post("/registries/team-a/harbor-prod/sync/edit/", form)
    assert answer.status_code == 200
    return "present" if "已有相同的镜像源" in answer.content.decode() else "name_taken"


def by_rule(cast: Cast) -> str:
    keep(cast, cast.find())
    state = turn()["team-b"]
    if state == "failed":
        assert SyncCopy.objects.get().problem == TooManyRequests.reason
        SyncCopy.objects.all().delete()  # a failure waits for a minute
    return state


WAYS = {"API": by_api, "dialog": by_dialog, "rule": by_rule}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_guesses_at_the_registry_of_somebody_else_end_soon(
    cast: Cast, way: Callable[[Cast], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.add(namespace="team-b")
    source, begun, told = cast.add(password="guess-0"), time.monotonic(), Counter[str]()
    guesses = services().guesses

    def wait(person: str, registry: str) -> int:
        found = Guesses.wait(guesses, person, registry)
        told[registry] += found == 0
        return found

    monkeypatch.setattr(guesses, "wait", wait)
    for number in range(3 * GUESSES_PER_MINUTE):
        change(cast, source, f"guess-{number}")
        assert way(cast) in ("name_taken", "failed")

    refilled = math.ceil((time.monotonic() - begun) * GUESSES_PER_MINUTE / 60)
    assert 0 < told["team-b/harbor-prod"] <= GUESSES_PER_MINUTE + refilled
    assert Guesses.wait(guesses, cast.access("nina").owner, "team-b/harbor-prod") == 0, "of one person"


@pytest.mark.parametrize("way", [by_api, by_dialog])
def test_a_preview_without_a_guess_left_tells_nothing(
    cast: Cast, way: Callable[[Cast], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.add(namespace="team-b")
    cast.add()
    with monkeypatch.context() as patch:
        patch.setattr(services().guesses, "wait", lambda person, registry: 7)
        assert way(cast) == "name_taken"

    assert way(cast) == "present"


def test_guesses_at_the_source_from_many_namespaces_end_soon(cast: Cast) -> None:
    """Whoever adds a registry with another password in each namespace guesses at that of the source."""
    source, number = cast.add(), 3 * GUESSES_PER_MINUTE
    for it in range(number):
        create_namespace(cast, f"guess-{it}")
        cast.add(namespace=f"guess-{it}", password=f"guess-{it}")
    keep(cast, source)
    begun, found = time.monotonic(), turn()

    refilled = math.ceil((time.monotonic() - begun) * GUESSES_PER_MINUTE / 60)
    told = sum(found[f"guess-{it}"] == "name_taken" for it in range(number))
    assert 0 < told <= GUESSES_PER_MINUTE + refilled
    assert set(found.values()) == {"in_step", "name_taken", "failed"}


def test_guesses_at_a_copy_that_somebody_changed_end_soon(cast: Cast) -> None:
    source = cast.add()
    keep(cast, source)
    turn()
    change(cast, in_b(cast), "by-hand-1")
    begun, told = time.monotonic(), 0

    for number in range(3 * GUESSES_PER_MINUTE):
        change(cast, source, f"guess-{number}")
        told += turn()["team-b"] in TELLING
        SyncCopy.objects.update(state="in_step")  # looked at again at once

    refilled = math.ceil((time.monotonic() - begun) * GUESSES_PER_MINUTE / 60)
    assert 0 < told <= GUESSES_PER_MINUTE + refilled


def test_own_copies_follow_without_a_guess(cast: Cast) -> None:
    source = cast.add()
    keep(cast, source)
    for number in range(3 * GUESSES_PER_MINUTE):
        change(cast, source, f"another-{number}")
        assert turn() == {"team-b": "in_step"}
    assert services().guesses.wait(cast.access("olive").owner, "team-b/harbor-prod") == 0


def test_looking_again_is_no_other_guess(cast: Cast) -> None:
    cast.add(namespace="team-b", password="another-1")
    source = cast.add()
    for _ in range(3 * GUESSES_PER_MINUTE):
        [(_, state, _)] = services().sync_rules.preview(
            access=cast.access("olive"), source=source, selection=ALL
        )
        assert state == "name_taken"


def test_who_ran_out_of_guesses_can_look_again_later(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.add(namespace="team-b")
    keep(cast, cast.add())
    with monkeypatch.context() as patch:
        patch.setattr(services().guesses, "wait", lambda person, registry: 7)
        assert turn() == {"team-b": "failed"}
    SyncCopy.objects.update(at="2026-01-01T00:00Z")

    assert turn() == {"team-b": "present"}
    assert SyncRule.objects.get().state == "active"
    key = Key("team-b", "harbor-prod")
    assert services().store.credential(key, uid=in_b(cast).uid).password == CANARY
