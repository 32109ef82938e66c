"""Registries that are kept in sync: new namespaces, changes, conflicts, and what is never touched."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registries.domain.registry import Key
from registries.models import AuditEntry, SyncCopy, SyncRule
from registries.sync import rows
from registries.sync.states import CopyState, Known, RuleState
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.peers.scripted import Reply, scripted
from tests.sync.following import (
    change,
    correct,
    create_namespace,
    delete,
    followed,
    in_b,
    keep,
    password,
    states,
    turn,
)
from tests.web.test_trust import certificate


def test_namespaces_get_a_copy_and_so_does_a_new_one(cast: Cast) -> None:
    keep(cast, cast.add())

    assert turn() == {"team-b": "in_step"}
    assert password(Key("team-b", "harbor-prod")) == CANARY

    create_namespace(cast, "team-c")
    services().follower.turn()  # nobody waits for the next look at labels

    assert states() == {"team-b": "in_step", "team-c": "in_step"}
    assert password(Key("team-c", "harbor-prod")) == CANARY


def test_what_is_left_alone_costs_nothing_while_nothing_changes(cast: Cast) -> None:
    keep(cast, cast.add())
    for number in range(5):
        create_namespace(cast, f"taken-{number}")
        cast.add("harbor-prod", f"taken-{number}", username="somebody")
    turn()
    turn()  # the states are settled by now

    with CaptureQueriesContext(connection) as quiet:
        turn()

    assert len(quiet) < 15, "a fixed number, and not some for each of five"
    theirs = cast.find(namespace="taken-3")
    delete(cast, theirs)
    assert turn()["taken-3"] == "in_step", "a change is seen"


def test_a_new_password_follows(cast: Cast) -> None:
    source = followed(cast)
    before = in_b(cast)

    change(cast, source, "another-1")
    services().follower.turn()

    assert states() == {"team-b": "in_step"}
    assert password(before.key) == "another-1"
    assert in_b(cast).uid == before.uid


@pytest.mark.parametrize(("end", "last"), [("roll_back", CANARY), ("leave", "another-1")])
def test_a_new_password_follows_once_it_is_decided(cast: Cast, settings: Any, end: str, last: str) -> None:
    """A run may take it back. Here it could not be tested: the registry asks for a pause, and the run stops."""
    settings.PROBE_ALLOW_LOOPBACK = True
    busy = Reply(429, [("Retry-After", "600")])
    with scripted(lambda request: busy) as registry:
        source = followed(cast, domain=registry.address)

        rotations, access = services().rotations, cast.access("olive")
        run = rotations.begin(access=access, registries=[source], changes={"password": "another-1"})
        assert rotations.runs.view(access=access, run_id=run).state == "cancelled"
        before = password(source.key), turn(), password(Key("team-b", "harbor-prod"))
        getattr(rotations, end)(access=access, run_id=run)
        after = turn(), password(Key("team-b", "harbor-prod"))

    assert before == ("another-1", {"team-b": "in_step"}, CANARY)
    assert after == ({"team-b": "in_step"}, last)


CHANGES: dict[str, dict[str, Any]] = {
    "address": {"domain": "new.example.com"},
    "plain http": {"plain_http": True},
    "user name": {"username": "robot"},
    "trust": {"skip_tls_verify": True},
    "CA": {"ca_bundle": certificate()[0]},
    "address and password": {"domain": "new.example.com", "password": "another-1"},
}


@pytest.mark.parametrize("changed", CHANGES)
def test_a_source_that_is_corrected_takes_its_copies_along(cast: Cast, changed: str) -> None:
    source = followed(cast)
    note = {"other.io/note": "kept", "theriseunion.io/owner": "Ada"}
    services().store.annotate(in_b(cast).key, note, uid=in_b(cast).uid)

    source = correct(cast, source, **CHANGES[changed])
    services().follower.turn()

    copy = in_b(cast)
    assert states() == {"team-b": "in_step"}
    same = ("address", "username", "ca_bundle", "skip_tls_verify")
    assert all(getattr(copy, name) == getattr(source, name) for name in same)
    assert password(copy.key) == password(source.key)
    assert copy.origin is not None
    assert copy.origin.uid == source.uid
    assert b'"other.io/note": "kept"' in copy.document, "notes of the copy stay"
    assert copy.owner == "Ada"

    change(cast, source, "another-2")
    services().follower.turn()
    assert password(copy.key) == "another-2", "it goes on following"


def test_a_deleted_copy_stays_deleted_until_somebody_wants_it(cast: Cast) -> None:
    source = followed(cast)
    copy = in_b(cast)
    delete(cast, copy)

    assert turn() == {"team-b": "deleted"}
    services().sync_rules.solve(access=cast.access("olive"), source=source, namespace="team-b", uid="")
    assert turn() == {"team-b": "in_step"}


def test_an_undone_deletion_of_a_copy_is_followed_again(cast: Cast) -> None:
    followed(cast)
    copy = in_b(cast)
    delete(cast, copy)
    turn()
    services().undo.restore(access=cast.access("olive"), key=copy.key, uid=copy.uid)

    assert turn() == {"team-b": "in_step"}


def test_a_rule_ends_with_its_source_once_nothing_can_be_undone(cast: Cast) -> None:
    source = followed(cast)
    delete(cast, source)
    turn()
    assert SyncRule.objects.get().state == "source_gone"

    restored = services().undo.restore(access=cast.access("olive"), key=source.key, uid=source.uid)
    change(cast, restored, "another-1")
    assert turn() == {"team-b": "in_step"}
    assert password(in_b(cast).key) == "another-1"

    delete(cast, restored, forget=True)
    turn()
    assert not SyncRule.objects.exists()
    assert password(in_b(cast).key) == "another-1", "the copy stays"


def test_a_rule_that_another_process_claimed_is_left_to_it(cast: Cast) -> None:
    source = cast.add()
    keep(cast, source)
    rule = rows.rules()[0]
    claimed = rows.claim(rule, "another", timezone.now() + timedelta(minutes=1))
    assert claimed is not None
    assert rows.claim(rule, "a third", timezone.now() + timedelta(minutes=1)) is None

    assert turn() == {}
    SyncRule.objects.update(claimed_until=timezone.now())
    assert turn() == {"team-b": "in_step"}
    assert not rows.extend(claimed, timezone.now()), "the first one has lost it"
    assert not rows.note(claimed, "team-b", Known(CopyState.DELETED))
    rows.release(claimed, RuleState.FAILED, timezone.now(), "gone")
    assert SyncRule.objects.get().state == "active"
    assert states() == {"team-b": "in_step"}


def test_a_copy_of_an_attempt_without_an_answer_is_the_rules_own(cast: Cast) -> None:
    """As after a crash on a cluster: the copy was created, and its uid was not written."""
    source = followed(cast)
    SyncCopy.objects.update(uid="", mark="", source_mark="", state="waiting", begun=True)

    assert turn() == {"team-b": "in_step"}
    change(cast, source, "another-1")
    turn()
    assert password(in_b(cast).key) == "another-1"


def test_a_second_look_at_what_is_in_step_compares_and_writes_nothing(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        create_namespace(cast, f"many-{number}")
    keep(cast, cast.add())
    turn()
    before = AuditEntry.objects.count()
    SyncRule.objects.update(due_at=timezone.now())
    with django_assert_max_num_queries(14) as queries:
        assert services().follower.turn() == 1

    assert not [
        it["sql"] for it in queries.captured_queries if "synccopy" in it["sql"] and "SELECT" not in it["sql"]
    ]
    assert AuditEntry.objects.count() == before
    assert services().follower.turn() == 0, "nothing is due"
