"""A network that is down: that of the console is one incident, that of a few hosts their own fault."""

import pytest

from registries.models import NetworkIncident, ScheduledCredential, StateChange
from tests.schedule.registries import DOWN, HOUR, World, fill, verdict


def test_the_consoles_own_network_is_one_incident_and_nothing_turns_red(world: World) -> None:
    registries = fill(world, 8)
    for it in registries:
        it.broken = DOWN
    while not NetworkIncident.objects.exists():
        world.run(0.05)
    world.run(1)

    incident = NetworkIncident.objects.get()
    assert incident.open
    assert incident.hosts >= 5
    assert set(ScheduledCredential.objects.values_list("settled", flat=True)) == {"ok"}
    assert not StateChange.objects.exclude(after="ok").exists()
    assert {verdict(world, f"r-{number}") for number in range(8)} == {"ok"}

    for it in registries:
        it.broken = None
    world.run(7)
    incident.refresh_from_db()
    assert not incident.open
    assert NetworkIncident.objects.count() == 1
    assert incident.ended_at
    assert world.clock.now - incident.ended_at <= 7 * HOUR, "it ended with the first round that was well"
    assert not StateChange.objects.exclude(after="ok").exists()


@pytest.mark.parametrize("broken", [1, 3])
def test_few_broken_hosts_are_their_own_fault(world: World, broken: int) -> None:
    registries = fill(world, 8)
    for it in registries[:broken]:
        it.broken = DOWN
    world.run(7)

    assert not NetworkIncident.objects.exists()
    assert StateChange.objects.filter(after="failing").count() == broken
