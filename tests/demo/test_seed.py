"""The initial content of the demo: its history is consistent."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

from django.utils import timezone

from registries.demo.process import DemoRegistries
from registries.demo.seed import SEEDS, seed
from registries.domain.registry import Key, RegistrySecret
from registries.models import (
    AuditEntry,
    NetworkIncident,
    ScheduledCredential,
    StateChange,
    StoredResource,
    VerificationRecord,
)
from registries.probe import Reason
from registries.schedule import days
from registries.schedule.recent import turns
from registries.schedule.state import State
from registries.verification.history import SCHEDULED
from registries.wiring import services


def test_everything_was_made_before_it_was_tested(
    db: None, demo_registries: DemoRegistries, probing: Callable[[str], dict[str, str]]
) -> None:
    seed(demo_registries)

    snapshot = services().index.fresh()
    listed = [snapshot.find(Key(entry.namespace, entry.name)) for entry in SEEDS]
    for it in listed:
        assert it
        [row] = StoredResource.objects.filter(uid=it.uid)
        made = datetime.fromisoformat(json.loads(row.body)["metadata"]["creationTimestamp"])
        entry, *tested = AuditEntry.objects.filter(uid=it.uid).order_by("at")
        tests = list(VerificationRecord.objects.filter(uid=it.uid).order_by("started_at"))
        assert made == it.created_at, "the list knows"
        assert made <= entry.at < made + timedelta(seconds=1)
        by_a_person = [(test.person, test.started_at) for test in tests if test.person != SCHEDULED]
        assert [(test.person, test.at) for test in tested] == by_a_person, "a person's test is an event"
        moments = [made, *(test.started_at for test in tests), datetime.now(UTC)]
        assert all(before < after for before, after in pairwise(moments)), it.key
    namespaces = AuditEntry.objects.filter(action="namespace").latest("at")
    assert namespaces.at < min(it.created_at for it in listed if it)


def test_days_states_and_changes_follow_from_the_tests(
    db: None, demo_registries: DemoRegistries, probing: Callable[[str], dict[str, str]]
) -> None:
    seed(demo_registries)

    now = timezone.now()
    for it in _tested():
        tests = [
            test
            for test in VerificationRecord.objects.filter(uid=it.uid)
            if "rate_limited" not in test.outcome
        ]
        tests.sort(key=lambda test: test.started_at)
        good = [Reason(json.loads(test.outcome)["reason"]).ok for test in tests]
        records = days.of(it.uid, timezone.localdate(tests[0].started_at))
        counted = Counter(
            (timezone.localdate(test.started_at), ok) for test, ok in zip(tests, good, strict=True)
        )
        assert (
            Counter({(day.day, True): day.ok for day in records if day.ok})
            + Counter({(day.day, False): day.failed for day in records if day.failed})
            == counted
        ), it.key

        row = ScheduledCredential.objects.get(registries__uid=it.uid)
        changes = list(StateChange.objects.filter(uid=it.uid).order_by("at"))
        if not changes:
            assert all(good), "it joined a good credential"
            assert row.settled == State.OK
            assert StateChange.objects.filter(uid__in=row.registries.values("uid")).count() == 1
            continue
        assert row.state == row.settled == changes[-1].after == (State.OK if good[-1] else State.FAILING), (
            it.key
        )
        if row.registries.count() == 1:
            assert row.since == changes[-1].at, it.key
        begins = [change.at for change in changes]
        assert [change.after == State.OK for change in changes] == [ok for ok, _ in groupby(good)], it.key
        assert set(begins) <= {test.started_at for test in tests}, it.key

        ends = [*begins[1:], row.tested_at]
        failing = sum(
            (end - change.at).total_seconds()
            for change, end in zip(changes, ends, strict=True)
            if change.after == State.FAILING
        )
        assert abs(sum(day.down for day in records) - failing) < len(records) + 1, it.key
        share = days.availability(
            days.of(it.uid, timezone.localdate(now) - timedelta(days=2)),
            now,
            timedelta(days=1),
            row.tested_at if row.settled == State.FAILING else None,
        )
        fails_for_a_day = not good[-1] and now - row.since > timedelta(days=1)
        assert share is None or (share < 0.01) == fails_for_a_day, it.key


def test_the_overview_of_a_new_demo_has_news(
    db: None, demo_registries: DemoRegistries, probing: Callable[[str], dict[str, str]]
) -> None:
    seed(demo_registries)

    by_uid = {it.uid: it for it in _tested()}
    found, _cut = turns(timezone.now() - timedelta(days=1), by_uid.get, None)
    states = {it.name: turn.state for turn in found for it in turn.registries}
    lately = {it.name for it in SEEDS if it.fine_before and it.tested is not None and it.tested < 0.9}
    assert states == {
        **dict.fromkeys(lately - {"dockerhub-test"}, State.FAILING),
        "registry-team-a": State.OK,
    }
    snapshot = services().index.fresh()
    never = [
        uid
        for uid, key in snapshot.keys_by_uid.items()
        if (it := snapshot.find(key)) and not it.verification.at
    ]
    assert never
    assert not StateChange.objects.filter(uid__in=never).exists()
    assert not NetworkIncident.objects.exists()
    assert not ScheduledCredential.objects.filter(due_at__lt=timezone.now()).exists(), "nothing is late"


def _tested() -> list[RegistrySecret]:
    """The registries with a verdict that says something about the credential."""
    snapshot = services().index.fresh()
    found = (snapshot.find(Key(entry.namespace, entry.name)) for entry in SEEDS)
    return [it for it in found if it and it.verification.at]
