"""A new password for a registry and many copies on a cluster: the first one alone, then several at once, each with two
writes and no read; and what stays of it when something goes wrong meanwhile."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from registries.cluster.paths import secret
from registries.domain.registry import Key, RegistrySecret, VerifyStatus
from registries.domain.resource import encode_password
from registries.models import AuditEntry, Rotation, RotationTarget, VerificationRecord
from registries.runs import heartbeat
from registries.runs.execution import Execution
from registries.runs.run import RunState
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.cluster.many_copies import (
    AT_ONCE,
    COPIES,
    OLD,
    THEIRS,
    Hold,
    begin,
    change,
    outcomes,
    over,
    settled,
    state,
    stored,
)
from tests.cluster.test_pages import configured
from tests.cluster.test_rotation import emptied, passwords
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.older_rule import OlderRule, kubelet
from tests.peers.scripted import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def front(cluster: Cluster, server: ApiServer, tmp_path: Path) -> Iterator[OlderRule]:
    with emptied(cluster, server, tmp_path) as found:
        found.refuses = False
        yield found


@pytest.fixture
def people(
    front: OlderRule,
    cluster: Cluster,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    transactional_db: None,
    cast: Cast,
) -> Iterator[Cast]:
    monkeypatch.setattr(heartbeat, "BEAT", 0.05)
    settings.TEST_THREADS = 16
    settings.PULL_SECRETS, settings.KUBE_NAMESPACE = True, "registry-console"
    for _ in configured(cluster, settings, port=front.port, ca_file=front.ca_file):
        services().store.changes(None)
        yield cast


@pytest.fixture
def copies(people: Cast, probing: Probing) -> list[RegistrySecret]:
    """A registry and its copies, with pull secrets that need no look any more."""
    values = {**probing("harbor"), "password": OLD}
    found = [people.add(f"r-{number:02}", **values) for number in range(COPIES + 1)]
    assert wait_for(settled)
    return found


def test_the_copies_are_changed_at_once_with_two_writes_each_and_one_test(
    people: Cast, front: OlderRule, cluster: Cluster, copies: list[RegistrySecret], probing: Probing
) -> None:
    right = probing("harbor")["password"]
    before = VerificationRecord.objects.count()
    front.asked.clear()
    held = Hold(front, AT_ONCE, copies[0].name)

    run = begin(people, copies, right)
    held.wait()
    held.let_go()

    assert over(run, RunState.DONE)
    names = [it.name for it in copies]
    assert list(outcomes(run)) == names, "in the order of the plan"
    assert set(outcomes(run).values()) == {("done", "")}
    assert {stored(cluster, it) for it in names} == {encode_password(right)}
    assert wait_for(settled)
    for name in names[1:]:
        own = [(method, path.split("/")[-2]) for method, path in front.asked if path.endswith(f"/{name}")]
        assert own[:2] == [("GET", "registrysecrets"), ("PATCH", "registrysecrets")]
        writes = [kind for method, kind in own if method != "GET"]
        # The upkeep of pull secrets sees the change as well: on a busy machine it can come before the run.
        assert (writes[:2], set(writes[2:])) in [
            (["registrysecrets", "secrets"], it) for it in (set(), {"secrets"})
        ]
        assert passwords(cluster.server.call("GET", secret(Key("team-a", name))).body) == {right}
    verdicts = {people.find(it).verification for it in names}
    assert len(verdicts) == 1
    assert verdicts.pop().status is VerifyStatus.SUCCESS
    assert VerificationRecord.objects.count() == before + 1
    assert AuditEntry.objects.filter(run=run, action="password", outcome="ok").count() == len(names)
    assert not Rotation.objects.exists()


def test_nothing_is_written_before_the_first_has_connected(
    people: Cast, front: OlderRule, copies: list[RegistrySecret], probing: Probing
) -> None:
    front.asked.clear()

    run = begin(people, copies, probing("harbor")["password"])

    assert over(run, RunState.DONE)
    patched = [path.rpartition("/")[2] for method, path in front.asked if method == "PATCH"]
    first = copies[0].name
    assert patched[:3] == [first] * 3, "password, pull secret, verdict"
    assert first not in patched[3:]


def test_a_first_one_that_does_not_connect_leaves_all_others_alone(
    people: Cast, front: OlderRule, cluster: Cluster, copies: list[RegistrySecret]
) -> None:
    front.writes.clear()
    front.asked.clear()

    run = begin(people, copies, "wrong-password")

    assert over(run, RunState.DONE)
    found = list(outcomes(run).values())
    assert found == [("failed", "rolled_back"), *[("left_alone", "skipped")] * COPIES]
    assert {path.rpartition("/")[2] for method, path in front.asked if method != "GET"} == {copies[0].name}
    assert {stored(cluster, it.name) for it in copies} == {encode_password(OLD)}


@pytest.mark.parametrize("way", ["roll_back", "retry", "leave"])
def test_a_failure_while_several_are_under_way_stops_the_run_and_the_person_decides(
    people: Cast, front: OlderRule, cluster: Cluster, copies: list[RegistrySecret], probing: Probing, way: str
) -> None:
    """Somebody sets the password of the eighth copy when seven others are under way."""
    right, first, other = probing("harbor")["password"], copies[0].name, copies[AT_ONCE].name
    held = Hold(front, AT_ONCE - 1, first, other)

    def asking(method: str, path: str) -> None:
        name, now = path.rpartition("/")[2], stored(cluster, other)
        if (method, name) == ("PATCH", first) and now != encode_password(THEIRS):
            change(cluster, other, THEIRS)
        elif (method, name) == ("GET", other) and now != encode_password(OLD):
            held.wait()

    front.asking = asking
    run = begin(people, copies, right)
    held.wait()
    assert wait_for(lambda: outcomes(run)[other] == ("failed", "changed"))
    front.asking = lambda method, path: None
    held.let_go()

    assert over(run, RunState.CANCELLED)
    done = [it.name for it in copies[:AT_ONCE]]
    waiting = [it.name for it in copies[AT_ONCE + 1 :]]
    assert wait_for(lambda: all(outcomes(run)[it] == ("done", "") for it in done))
    assert wait_for(lambda: RotationTarget.objects.filter(begun=True).count() == AT_ONCE + 1)
    assert {outcomes(run)[it] for it in waiting} == {("waiting", "")}
    assert {stored(cluster, it) for it in done} == {encode_password(right)}
    assert {stored(cluster, it) for it in waiting} == {encode_password(OLD)}

    decide(people, cluster, copies, run, way)
    assert over(run, RunState.DONE)
    assert not Rotation.objects.exists()
    assert stored(cluster, other) == encode_password(right if way == "retry" else THEIRS)
    assert {stored(cluster, it) for it in waiting} == {encode_password(right if way == "retry" else OLD)}
    assert {stored(cluster, it) for it in done} == {encode_password(OLD if way == "roll_back" else right)}


def decide(people: Cast, cluster: Cluster, copies: list[RegistrySecret], run: UUID, way: str) -> None:
    other, nina = copies[AT_ONCE].name, people.access("nina")
    if way == "retry":
        change(cluster, other, OLD)
    getattr(services().rotations, way)(access=nina, run_id=run)
    if way != "roll_back":
        return
    expected = {it.name: ("left_alone", "rolled_back") for it in copies[:AT_ONCE]}
    expected |= {other: ("failed", "changed")}  # not over the password of somebody else
    expected |= {it.name: ("left_alone", "skipped") for it in copies[AT_ONCE + 1 :]}
    assert wait_for(lambda: outcomes(run) == expected and state(run) is RunState.CANCELLED)
    services().rotations.leave(access=nina, run_id=run)


def test_a_stop_while_several_are_under_way_lets_these_end_and_can_be_resumed(
    people: Cast,
    front: OlderRule,
    cluster: Cluster,
    copies: list[RegistrySecret],
    probing: Probing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right, works = probing("harbor")["password"], list[Execution[Any]]()
    work = Execution.work
    monkeypatch.setattr(Execution, "work", lambda it: (works.append(it), work(it))[1])
    held = Hold(front, AT_ONCE, copies[0].name)
    run = begin(people, copies, right)
    held.wait()

    services().rotations.runs.cancel(access=people.access("nina"), run_id=run)
    assert wait_for(lambda: works[-1].stopped)
    held.let_go()

    done = [it.name for it in copies[: AT_ONCE + 1]]
    waiting = [it.name for it in copies[AT_ONCE + 1 :]]
    assert wait_for(lambda: all(outcomes(run)[it] == ("done", "") for it in done))
    assert wait_for(lambda: RotationTarget.objects.filter(begun=True).count() == AT_ONCE + 1)
    assert {outcomes(run)[it] for it in waiting} == {("waiting", "")}
    assert {stored(cluster, it) for it in waiting} == {encode_password(OLD)}
    assert state(run) is RunState.CANCELLED

    services().rotations.retry(access=people.access("nina"), run_id=run)
    assert over(run, RunState.DONE)
    assert {stored(cluster, it.name) for it in copies} == {encode_password(right)}
    assert AuditEntry.objects.filter(run=run, action="password", outcome="ok").count() == len(copies)


def test_where_no_password_may_change_several_are_created_again_at_once(
    people: Cast, front: OlderRule, cluster: Cluster, copies: list[RegistrySecret], probing: Probing
) -> None:
    right = probing("harbor")["password"]
    front.refuses = True
    keys = [it.key for it in copies]
    before = {it: cluster.server.call("GET", secret(it)).body["metadata"]["uid"] for it in keys}
    for it in copies:
        VerificationRecord.objects.create(uid=it.uid, namespace="team-a", name=it.name, person="before")

    with kubelet(cluster.server, "team-a", copies[-1].name) as seen:
        run = begin(people, copies, right)
        assert over(run, RunState.DONE)

    assert set(outcomes(run).values()) == {("done", "")}
    assert set(seen) == {before[keys[-1]]}
    assert {it: cluster.server.call("GET", secret(it)).body["metadata"]["uid"] for it in keys} == before
    now = [people.find(it.name) for it in copies]
    assert not {it.uid for it in now} & {it.uid for it in copies}
    assert {stored(cluster, it.name) for it in copies} == {encode_password(right)}
    assert VerificationRecord.objects.filter(person="before", uid__in=[it.uid for it in now]).count() == len(
        now
    )
    assert {it.verification.status for it in now} == {VerifyStatus.SUCCESS}


def test_an_item_is_done_once_its_pull_secret_is_written(
    people: Cast, front: OlderRule, cluster: Cluster, copies: list[RegistrySecret], probing: Probing
) -> None:
    """The API server fails with some pull secrets for a moment, that of the first registry among them."""
    right, refused = probing("harbor")["password"], list[str]()
    slow = {it.name for it in copies[:3]}
    free = threading.Event()

    def failing(method: str, path: str) -> bool:
        place, _, name = path.rpartition("/")
        fails = method == "PATCH" and place.endswith("/secrets") and name in slow and not free.is_set()
        if fails:
            refused.append(name)
        return fails

    front.failing = failing
    run = begin(people, copies, right)

    assert wait_for(lambda: copies[0].name in refused)
    assert not wait_for(lambda: any(state == "done" for state, _ in outcomes(run).values()), 1.0)
    free.set()
    assert over(run, RunState.DONE)
    done = [it.name for it, (state, _) in zip(copies, outcomes(run).values(), strict=True) if state == "done"]
    assert {it: passwords(cluster.server.call("GET", secret(Key("team-a", it))).body) for it in done} == {
        it.name: {right} for it in copies
    }
    assert AuditEntry.objects.filter(run=run, action="password", outcome="ok").count() == len(copies)
