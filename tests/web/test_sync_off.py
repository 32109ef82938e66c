"""The end of a sync rule, and what becomes of its copies."""

from typing import Any

import pytest

from registries.domain.registry import Key
from registries.models import SyncRule
from tests.canary import CANARY
from tests.cast import Cast
from tests.sync.following import change, create_namespace, keep, password, turn
from tests.web.copies import stored
from tests.web.sync_pages import URL, values


def off(cast: Cast, choice: str) -> Any:
    shown = cast.htmx().get(f"{URL}off/").content.decode()
    return cast.htmx().post(f"{URL}off/", {**values(shown), "copies": choice})


@pytest.mark.parametrize("choice", ["keep", "delete", ""])
def test_switching_it_off_asks_what_becomes_of_the_copies(cast: Cast, choice: str) -> None:
    for name in ("team-c", "team-d"):
        create_namespace(cast, name)
    source, theirs = cast.add(), cast.add(namespace="team-d", username="robot")
    keep(cast, source)
    turn()
    changed = change(cast, cast.find(namespace="team-c"), "by-hand-1")
    asked = cast.htmx().get(f"{URL}off/").content.decode()
    assert "1 个由规则保持同步的副本" in asked
    assert 'name="unbind"' not in asked, "the embedded store binds nothing"

    assert off(cast, choice).status_code == 200

    left = stored(cast)
    assert not SyncRule.objects.exists()
    assert ("team-b/harbor-prod" in left) == (choice != "delete")
    assert left["team-c/harbor-prod"] == changed, "what somebody changed stays"
    assert left["team-d/harbor-prod"] == theirs
    assert left["team-a/harbor-prod"].uid == source.uid
    change(cast, source, "another-1")
    turn()
    assert "team-b/harbor-prod" not in left or password(Key("team-b", "harbor-prod")) == CANARY


def test_only_copies_that_were_shown_are_deleted(cast: Cast) -> None:
    keep(cast, cast.add())
    turn()
    shown = cast.htmx().get(f"{URL}off/").content.decode()
    assert "<li>team-b/<wbr>harbor-prod</li>" in shown
    create_namespace(cast, "team-c")
    turn()

    cast.htmx().post(f"{URL}off/", {**values(shown), "copies": "delete"})

    assert list(stored(cast)) == ["team-a/harbor-prod", "team-c/harbor-prod"]


@pytest.mark.parametrize("choice", ["keep", "delete"])
def test_deleting_the_source_asks_as_well(cast: Cast, choice: str) -> None:
    source = cast.add()
    keep(cast, source)
    turn()
    delete = "/registries/team-a/harbor-prod/delete/"
    client = cast.htmx()
    asked = client.get(delete).content.decode()
    assert "1 个由规则保持同步的副本" in asked
    assert "<li>team-b/<wbr>harbor-prod</li>" in asked, "it names what may go"
    create_namespace(cast, "team-c")
    turn()

    response = client.post(delete, {**values(asked), "confirm": "harbor-prod", "copies": choice})

    assert response.status_code in (200, 204)
    kept = [] if choice == "delete" else ["team-b/harbor-prod"]
    assert list(stored(cast)) == [*kept, "team-c/harbor-prod"], "it was not shown"
    turn()
    assert list(stored(cast)) == [*kept, "team-c/harbor-prod"]


def test_a_namesake_of_the_source_is_not_deleted_with_its_copies(cast: Cast) -> None:
    source = cast.add()
    keep(cast, source)
    turn()
    form = {"uid": "another", "confirm": "harbor-prod", "copies": "delete"}
    cast.htmx().post("/registries/team-a/harbor-prod/delete/", form)

    assert list(stored(cast)) == ["team-a/harbor-prod", "team-b/harbor-prod"]
    assert SyncRule.objects.exists()
