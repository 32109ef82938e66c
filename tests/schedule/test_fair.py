"""Somebody with many registries in one namespace takes the scheduled checks from nobody else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registries.models import NetworkIncident, ScheduledCredential, ScheduledRegistry, StateChange
from registries.probe.reason import Reason
from registries.schedule.network import call_witnesses
from registries.schedule.rows import claim_next
from registries.schedule.state import HostResult, own_network_fails
from registries.wiring import services
from tests.schedule.registries import World

LASTS, MINUTE = timedelta(minutes=1), timedelta(minutes=1)


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
