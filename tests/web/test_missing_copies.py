"""Copies that are gone: who is told, and making them again with one click."""

import re

import pytest

from registries.domain.access import Role
from registries.domain.registry import RegistrySecret
from registries.people.grants import set_grant
from registries.wiring import services
from tests import canary
from tests.cast import Cast
from tests.web.copies import ALIGN, copied, lines, panel, plan, stored


def by_hand(copy: RegistrySecret) -> None:
    """Deletes as kubectl does: the console has no record of it."""
    services().store.delete(copy.key, uid=copy.uid)


def test_a_copy_that_is_gone_is_named_and_made_again_with_one_click(cast: Cast) -> None:
    source, copy = copied(cast)
    by_hand(copy)
    before = stored(cast)

    shown = panel(cast)
    found = re.search(r'href="(/registries/team-b/harbor-prod/align/\?source=[^"]+)"', shown)
    assert found, shown
    assert ">重新创建</a>" in shown, "there is nothing to align"
    assert lines(shown)[0].startswith("team-b/harbor-prod副本·已不存在")
    client = cast.htmx()
    asked = client.get(found[1]).content.decode()
    assert "可以按来源重新创建" in asked
    assert re.search(r"autofocus>重新创建副本</button>", asked)
    assert stored(cast) == before, "asking changes nothing"
    response = client.post(ALIGN, {"source": source.uid})

    assert response.status_code == 200, response.content.decode()
    made = stored(cast)["team-b/harbor-prod"]
    assert services().store.fingerprint(made) == services().store.fingerprint(source)
    assert made.origin == copy.origin
    assert {key: it for key, it in stored(cast).items() if key != "team-b/harbor-prod"} == before
    assert "已不存在" not in panel(cast)
    assert "密码相同" in panel(cast)
    assert client.post(ALIGN, {"source": source.uid}).status_code == 409, "a second click"
    assert canary.CANARY not in asked + shown


TAKEN: dict[str, tuple[dict[str, str], str]] = {
    "another address": ({"domain": "other.example.com"}, "名称被其他镜像源占用"),
    "another user name": ({"username": "robot"}, "名称被其他镜像源占用"),
    "the same credential": ({}, "密码相同"),
    "another password": ({"password": "another-1"}, "密码不同"),
}


@pytest.mark.parametrize("taken", TAKEN)
def test_a_name_that_is_taken_is_named_and_left_alone(cast: Cast, taken: str) -> None:
    values, text = TAKEN[taken]
    source, copy = copied(cast)
    by_hand(copy)
    other = cast.add(namespace="team-b", **values)

    shown = panel(cast)
    response = cast.htmx().post(ALIGN, {"source": source.uid, "uid": other.uid})

    assert text in shown
    assert len(lines(shown)) == 1
    assert "align/" not in shown
    assert response.status_code == 404
    assert stored(cast)["team-b/harbor-prod"] == other


def test_a_copy_that_a_person_deleted_is_not_missed(cast: Cast) -> None:
    """Until it is copied again, and gone again."""
    source, copy = copied(cast)
    services().registries.delete(access=cast.access("olive"), key=copy.key, uid=copy.uid)
    assert not panel(cast).strip()
    assert cast.htmx().post(ALIGN, {"source": source.uid}).status_code == 409

    client = cast.htmx()
    client.post(plan(client, [source], "team-b")[1])
    by_hand(stored(cast)["team-b/harbor-prod"])

    assert "已不存在" in panel(cast)


@pytest.mark.parametrize(
    ("role", "told", "may"),
    [
        (None, False, False),
        (Role.VIEWER, True, False),
        (Role.OPERATOR, True, False),
        (Role.ADMIN, True, True),
    ],
)
def test_a_gone_copy_is_told_to_those_who_see_its_namespace(
    cast: Cast, role: Role | None, told: bool, may: bool
) -> None:
    source, copy = copied(cast)
    by_hand(copy)
    if role:
        set_grant(cast.users["nina"], "team-b", role)

    shown = panel(cast, "nina")
    response = cast.htmx("nina").post(ALIGN, {"source": source.uid})

    assert ("已不存在" in shown) is told
    assert ("align/" in shown) is may
    assert ("team-b/harbor-prod" in stored(cast)) is may, response.content.decode()
    assert (response.status_code == 200) is may


@pytest.mark.parametrize("uid", ["", "another", "0" * 36])
def test_only_a_missing_copy_is_made_again(cast: Cast, uid: str) -> None:
    _source, copy = copied(cast)
    by_hand(copy)

    assert cast.htmx().post(ALIGN, {"source": uid}).status_code == 409
    assert cast.htmx().get(ALIGN, {"source": uid}).status_code == 404
    assert "team-b/harbor-prod" not in stored(cast)


def test_the_source_decides_which_copies_are_missing(cast: Cast) -> None:
    """A source that was made again misses nothing; a namespace that is gone has no copies."""
    services().registries.create_namespace(access=cast.access("olive"), name="team-c")
    source, client = cast.add(), cast.htmx()
    client.post(plan(client, [source], "team-b", "team-c")[1])
    for name in ("team-b", "team-c"):
        by_hand(stored(cast)[f"{name}/harbor-prod"])
    services().registries.delete_namespace(access=cast.access("olive"), name="team-c")

    assert [it[:6] for it in lines(panel(cast))] == ["team-b"]
    by_hand(source)
    cast.add()
    assert not panel(cast).strip()
