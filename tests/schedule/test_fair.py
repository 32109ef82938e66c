"""Somebody with many registries in one namespace takes the scheduled checks from nobody else."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registries.models import NetworkIncident, ScheduledCredential, ScheduledRegistry, StateChange
from registries.probe.reason import Reason
from registries.probe.result import Result
from registries.schedule.claims import claim_next, release
from registries.schedule.network import WITNESSES, call_witnesses
from registries.schedule.rows import record
from registries.schedule.state import HostResult, own_network_fails
from registries.wiring import services
from tests.peers.scripted import Reply
from tests.schedule.registries import World

LASTS, MINUTE, HOUR = timedelta(minutes=1), timedelta(minutes=1), timedelta(hours=1)


def due(namespace: str, host: str, minutes: int, state: str = "ok", number: int = 0) -> ScheduledCredential:
    """A credential in one namespace that has been due for some minutes."""
    at = timezone.now() - minutes * MINUTE
    digest = f"d-{namespace}-{host}-{number}"
    row = ScheduledCredential.objects.create(
        digest=digest, host=host, due_at=at, state=state, settled=state, interval=3600, tested_at=at
    )
    ScheduledRegistry.objects.create(
        uid=digest[:36], namespace=namespace, name=host, fingerprint="f", credential=row
    )
    return row


@pytest.mark.django_db
def test_a_namespace_with_many_due_checks_lets_others_come_in_between() -> None:
    for number in range(50):
        due("team-b", f"slow-{number}", 60)
    mine = due("team-a", "mine", 1)

    claims = [claim_next(timezone.now(), "p", LASTS) for _ in range(4)]

    assert mine.pk in {it.id for it in claims[:2] if it}
    assert all(claims), "and the others have the rest"


@pytest.mark.django_db
def test_a_credential_in_many_namespaces_waits_only_while_all_of_them_are_served() -> None:
    due("team-b", "slow", 60)
    shared = due("team-b", "shared", 1)
    ScheduledRegistry.objects.create(
        uid="u-2", namespace="team-c", name="shared", fingerprint="f", credential=shared
    )
    due("team-b", "another", 50)

    claims = [claim_next(timezone.now(), "p", LASTS) for _ in range(2)]

    assert claims[1]
    assert claims[1].id == shared.pk


@pytest.mark.django_db
@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("number", [20, 50])
def test_a_credential_of_all_namespaces_is_held_and_the_others_are_served_in_turn(
    *, number: int, writes: bool
) -> None:
    shared = due("team-a", "hub", 90)
    places = ("team-b", *(f"n-{it}" for it in range(300)))
    ScheduledRegistry.objects.bulk_create(
        ScheduledRegistry(uid=f"u-{it}", namespace=it, name="hub", fingerprint="f", credential=shared)
        for it in places
    )
    for it in range(number):
        due("team-b", f"slow-{it}", 60)
    mine = due("team-a", "mine", 1)
    claim = claim_next(timezone.now(), "p", LASTS)
    assert claim
    assert claim.id == shared.pk
    if writes:
        record(claim, Result(Reason.OK), timezone.now())

    with CaptureQueriesContext(connection) as queries:
        claims = [claim_next(timezone.now(), "p", LASTS) for _ in range(3)]

    assert mine.pk in {it.id for it in claims[:2] if it}
    assert all(claims)
    assert max(len(it["sql"]) for it in queries) < 5000, "no list of all namespaces"


def test_many_hosts_of_one_namespace_are_not_the_network_of_the_console() -> None:
    theirs = [HostResult(f"b-{it}", Reason.TIMEOUT, False, frozenset({"team-b"})) for it in range(50)]
    mine = [HostResult("a", Reason.OK, False, frozenset({"team-a"}))]
    both = [HostResult("a", Reason.TIMEOUT, False, frozenset({"team-a"}))]

    assert not own_network_fails(theirs + mine)
    assert own_network_fails(theirs), "no other namespace says otherwise"
    assert own_network_fails(theirs + both)


@pytest.mark.django_db
def test_witnesses_are_of_other_namespaces() -> None:
    """Though fifty hosts of this namespace would have been asked first."""
    now = timezone.now()
    for number in range(50):
        due("team-b", f"b-{number}", 300)
    mine = due("team-a", "mine", 200)
    ScheduledCredential.objects.update(due_at=now + timedelta(hours=1))
    ScheduledCredential.objects.filter(host="b-0").update(tested_at=now, tested_reason=Reason.TIMEOUT)

    call_witnesses("b-0", now)

    mine.refresh_from_db()
    assert mine.due_at
    assert mine.due_at <= now


@pytest.mark.django_db
def test_witnesses_that_are_due_already_are_not_called_twice() -> None:
    now = timezone.now()
    for number in range(30):
        due(f"n-{number}", f"h-{number}", 300, number=number)
    ScheduledCredential.objects.update(due_at=now + timedelta(hours=1))
    for number in range(3):
        failed = ScheduledCredential.objects.filter(host=f"h-{number}")
        failed.update(tested_at=now, tested_reason=Reason.TIMEOUT, state="suspect")
        call_witnesses(f"h-{number}", now)

    assert ScheduledCredential.objects.filter(due_at__lte=now).count() == WITNESSES


@pytest.mark.django_db
def test_witnesses_are_of_several_hosts() -> None:
    """Though each namespace has its own credential of one and the same host."""
    now = timezone.now()
    for number in range(20):
        due(f"n-{number}", "hub", 300, number=number)
    for number in range(20):
        due("team-b", f"h-{number}", 200, number=number)
    ScheduledCredential.objects.update(due_at=now + timedelta(hours=1))

    call_witnesses("h-0", now)

    called = ScheduledCredential.objects.filter(due_at__lte=now).values_list("host", flat=True)
    assert "hub" in called
    assert len(set(called)) == len(called) == WITNESSES


@pytest.mark.django_db
@pytest.mark.parametrize("namespaces", [1, 3, 150])
def test_an_outage_of_all_hosts_is_seen_with_the_second_test_of_the_first(namespaces: int) -> None:
    """Four tests at once, each of which takes ten seconds. The second test of a host comes a minute after the first."""
    begin = at = timezone.now()
    for number in range(150):
        due(f"n-{number % namespaces}", f"h-{number}", 180, number=number)
    ScheduledCredential.objects.exclude(host="h-75").update(due_at=begin + timedelta(hours=3))
    tests = 0
    while not NetworkIncident.objects.exists() and at < begin + timedelta(hours=1):
        claims = [it for _ in range(4) if (it := claim_next(at, "p", LASTS))]
        at += timedelta(seconds=10)
        for it in claims:
            record(it, Result(Reason.TIMEOUT), at)
            release(it)
        tests += len(claims)

    assert NetworkIncident.objects.exists()
    assert at - begin <= timedelta(seconds=90)
    assert tests <= 2 * (WITNESSES + 1)
    assert not StateChange.objects.exists()


def test_a_flood_of_dead_hosts_hides_no_failure_of_others(world: World) -> None:
    theirs = [world.registry() for _ in range(6)]
    for number, it in enumerate(theirs):
        world.add(f"b-{number}", it, "team-b")
    for name in ("team-c", "team-d"):
        services().registries.create_namespace(access=world.cast.access("olive"), name=name)
    mine = [world.registry() for _ in range(3)]
    for number, (it, namespace) in enumerate(zip(mine, ("team-a", "team-c", "team-d"), strict=True)):
        world.add(f"a-{number}", it, namespace)
    world.run(6.1)
    for it in (*theirs, mine[0]):
        it.server.stop()

    world.run(7)

    assert not NetworkIncident.objects.exists()
    assert StateChange.objects.filter(namespace="team-a", after="failing").exists()


@pytest.mark.parametrize(("namespace", "asked"), [("team-b", 1), ("team-a", 0)])
def test_a_new_registry_of_another_namespace_does_not_inherit_a_pause(
    world: World, namespace: str, asked: int
) -> None:
    """With the same credential. It learns of a busy registry by its own first test, as with any other credential."""
    registry = world.registry()
    uid = world.add("r", registry)
    registry.broken = Reply(429, [("Retry-After", str(8 * 3600))])
    world.run(6)
    registry.broken = None
    assert world.due(uid) - world.clock.now > HOUR

    world.add("new", registry, namespace)
    world.run(0.1)

    assert [it.ok for it in registry.log_ins] == [True] * asked
    assert world.cast.find("new", namespace).verification.reason == ("ok" if asked else "")


def test_a_pause_of_one_namespace_does_not_stop_the_check_that_another_shares(world: World) -> None:
    registry = world.registry()
    for namespace in ("team-a", "team-b"):
        world.add("r", registry, namespace)
    services().pauses.note("team-a", registry.server.netloc, "robot", 3600)
    world.schedule.placing.update(world.clock.now)
    ScheduledCredential.objects.update(due_at=world.clock.now)
    world.schedule.sweep.turn()

    assert len(registry.log_ins) == 1
    services().pauses.note("team-b", registry.server.netloc, "robot", 600)
    ScheduledCredential.objects.update(due_at=world.clock.now)
    world.schedule.sweep.turn()
    assert len(registry.log_ins) == 1, "both wait"
    left = ScheduledCredential.objects.get().due_at
    assert left
    assert left - world.clock.now <= 10 * MINUTE, "for the first end of the two"
