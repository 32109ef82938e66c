"""Namespaces of a sync rule: those that go and come again, and those that are chosen no more."""

from datetime import timedelta

from django.utils import timezone

from registries.domain.registry import Key
from registries.models import SyncRule
from registries.sync import rows
from registries.sync.rows import Selection
from registries.sync.states import CopyState, Known, RuleState
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.sync.following import ALL, change, create_namespace, delete, followed, keep, password, states, turn


def test_a_namespace_that_goes_and_comes_again(cast: Cast) -> None:
    create_namespace(cast, "team-c")
    followed(cast)
    copy = cast.find(namespace="team-c")
    delete(cast, copy)
    services().registries.delete_namespace(access=cast.access("olive"), name="team-c")

    assert turn() == {"team-b": "in_step", "team-c": "namespace_gone"}
    create_namespace(cast, "team-c")
    assert turn() == {"team-b": "in_step", "team-c": "in_step"}


def test_a_namespace_that_comes_again_before_anybody_looks(cast: Cast) -> None:
    """Nobody has deleted the copy of the new one, so nobody is asked."""
    create_namespace(cast, "team-c")
    followed(cast)
    delete(cast, cast.find(namespace="team-c"))
    assert turn() == {"team-b": "in_step", "team-c": "deleted"}
    cast.client("olive").post("/namespaces/team-c/delete/", {"name": "team-c", "confirm": "team-c"})
    assert "team-c" not in services().index.fresh().namespaces
    create_namespace(cast, "team-c")

    services().follower.turn()  # nor waits for the next look at labels

    assert states() == {"team-b": "in_step", "team-c": "in_step"}


def test_a_process_that_looked_before_the_namespace_went_writes_nothing(cast: Cast) -> None:
    create_namespace(cast, "team-c")
    followed(cast)
    SyncRule.objects.update(due_at=timezone.now())
    claimed = rows.claim(rows.rules()[0], "slow", timezone.now() + timedelta(minutes=1))
    assert claimed

    rows.namespace_gone("team-c")

    assert not rows.note(claimed, "team-c", Known(CopyState.DELETED, "copy"))
    assert states() == {"team-b": "in_step", "team-c": "namespace_gone"}
    assert rows.rules()[0].state is RuleState.ACTIVE


def test_only_chosen_namespaces_and_one_that_is_chosen_no_more(cast: Cast) -> None:
    create_namespace(cast, "team-c")
    source = cast.add()
    keep(cast, source, Selection(names=("team-b", "team-c", "not-there")))
    assert turn() == {"team-b": "in_step", "team-c": "in_step"}

    keep(cast, source, Selection(names=("team-c",)))
    change(cast, source, "another-1")

    assert turn() == {"team-b": "left", "team-c": "in_step"}
    assert password(Key("team-b", "harbor-prod")) == CANARY
    keep(cast, source, ALL)
    assert turn() == {"team-b": "in_step", "team-c": "in_step"}
    assert password(Key("team-b", "harbor-prod")) == "another-1"


def test_labels_are_unknown_in_the_embedded_store(cast: Cast) -> None:
    source = cast.add()
    keep(cast, source, Selection(labels="env=prod"))

    assert turn() == {}
    rule = SyncRule.objects.get()
    assert (rule.state, rule.problem) == ("failed", "no_labels")
