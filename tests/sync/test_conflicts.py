"""Copies that somebody else made, changed or created again: conflicts, which a rule never overwrites by itself."""

from dataclasses import replace

import pytest

from registries.domain.errors import Conflict
from registries.domain.registry import Key, RegistrySecret
from registries.wiring import services
from registries.wiring.base import replaced
from tests.canary import CANARY
from tests.cast import Cast
from tests.sync.following import change, correct, followed, in_b, keep, password, turn
from tests.web.test_trust import certificate

FOREIGN: dict[str, tuple[dict[str, str], str]] = {
    "same": ({}, "present"),
    "another password": ({"password": "another-1"}, "name_taken"),
    "another user": ({"username": "robot"}, "name_taken"),
    "another address": ({"domain": "other.example.com"}, "name_taken"),
    "another trust": ({"tls": "skip"}, "name_taken"),
}


@pytest.mark.parametrize("theirs", FOREIGN)
def test_a_registry_of_somebody_else_is_never_touched(cast: Cast, theirs: str) -> None:
    values, state = FOREIGN[theirs]
    source, other = cast.add(), cast.add(namespace="team-b", **values)
    keep(cast, source)

    assert turn() == {"team-b": state}
    change(cast, source, "another-2")
    assert turn() == {"team-b": "name_taken"}
    correct(cast, source, domain="elsewhere.example.com")
    assert turn() == {"team-b": "name_taken"}
    assert in_b(cast) == other
    assert password(other.key) == values.get("password", CANARY)


def test_a_copy_that_a_person_made_is_somebody_elses(cast: Cast) -> None:
    source = cast.add()
    services().copying.copy(access=cast.access("olive"), key=Key("team-b", "harbor-prod"), uid=source.uid)
    before = in_b(cast)
    keep(cast, source)

    assert turn() == {"team-b": "present"}
    change(cast, source, "another-1")
    assert turn() == {"team-b": "name_taken"}
    assert in_b(cast) == before


def test_a_copy_changed_by_hand_is_a_conflict_and_is_not_overwritten(cast: Cast) -> None:
    source = followed(cast)
    change(cast, in_b(cast), "by-hand-1")
    theirs = in_b(cast)

    assert turn() == {"team-b": "changed"}
    change(cast, source, "another-1")
    assert turn() == {"team-b": "changed"}
    correct(cast, cast.find(), username="robot")
    assert turn() == {"team-b": "changed"}
    assert in_b(cast) == theirs
    assert password(theirs.key) == "by-hand-1"


def create_again(cast: Cast, registry: RegistrySecret, new: str) -> RegistrySecret:
    """Another password by the four steps, as on a cluster whose definition lets no password change."""
    access, store = cast.access("olive"), services().store
    old = services().replacement.before(access=access, key=registry.key, uid=registry.uid)
    store.delete(registry.key, uid=registry.uid)
    created = store.create(replace(old, password=new))
    replaced(registry.uid, created.uid)
    return created


def test_a_source_created_again_with_another_password_is_followed(cast: Cast) -> None:
    source = followed(cast)

    create_again(cast, source, "another-1")

    assert turn() == {"team-b": "in_step"}
    assert password(in_b(cast).key) == "another-1"


def test_a_copy_created_again_with_another_password_is_a_conflict(cast: Cast) -> None:
    source = followed(cast)
    copy = create_again(cast, in_b(cast), "by-hand-1")

    assert turn() == {"team-b": "changed"}
    change(cast, source, "another-1")
    assert turn() == {"team-b": "changed"}
    assert password(copy.key) == "by-hand-1"


def test_a_copy_created_again_alike_is_followed(cast: Cast) -> None:
    source = followed(cast)
    create_again(cast, in_b(cast), CANARY)

    assert turn() == {"team-b": "in_step"}
    change(cast, source, "another-1")
    turn()
    assert password(in_b(cast).key) == "another-1"


def test_a_copy_whose_ca_somebody_changed_is_a_conflict(cast: Cast) -> None:
    source = followed(cast, tls="ca", ca_bundle=certificate()[0])
    notes = {"theriseunion.io/ca-bundle": certificate("Another CA")[0]}
    services().store.annotate(in_b(cast).key, notes, uid=in_b(cast).uid)
    assert in_b(cast).ca_bundle != source.ca_bundle

    assert turn() == {"team-b": "changed"}


def test_a_copy_and_its_source_changed_alike_stay_in_step(cast: Cast) -> None:
    source = followed(cast)
    change(cast, in_b(cast), "another-1")
    change(cast, source, "another-1")

    assert turn() == {"team-b": "in_step"}
    change(cast, source, "another-2")
    turn()
    assert password(in_b(cast).key) == "another-2"


def test_a_test_or_a_text_of_a_copy_is_no_change(cast: Cast) -> None:
    followed(cast)
    notes = {"theriseunion.io/verify-status": "failed", "theriseunion.io/description": "theirs"}
    services().store.annotate(in_b(cast).key, notes, uid=in_b(cast).uid)
    before = in_b(cast)

    assert turn() == {"team-b": "in_step"}
    assert in_b(cast) == before


SOLVED = {"changed": "by-hand-1", "present": CANARY}


@pytest.mark.parametrize("state", SOLVED)
def test_a_person_lets_the_rule_write_a_conflict(cast: Cast, state: str) -> None:
    source = cast.add()
    if state == "present":
        cast.add(namespace="team-b")
    keep(cast, source)
    turn()
    if state == "changed":
        change(cast, in_b(cast), "by-hand-1")
    assert turn() == {"team-b": state}
    rules = services().sync_rules
    with pytest.raises(Conflict):
        rules.solve(access=cast.access("olive"), source=source, namespace="team-b", uid="another")

    rules.solve(access=cast.access("olive"), source=source, namespace="team-b", uid=in_b(cast).uid)
    assert turn() == {"team-b": "in_step"}
    change(cast, source, "another-1")
    turn()
    assert password(in_b(cast).key) == "another-1"
