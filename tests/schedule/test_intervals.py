"""Intervals that people choose: they hold whatever the console's own setting is, and messages go in any case."""

from datetime import timedelta

import pytest

from registries.models import Channel, CheckInterval, DeliveryItem, ScheduledCredential, ScheduledRegistry
from registries.schedule import claims, silences, telling
from registries.schedule.intervals import Setting, Source, forget_namespace
from registries.schedule.silences import Scope, Window
from registries.wiring import services
from tests.peers.scripted import Reply
from tests.schedule.registries import RIGHT, WRONG, World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LASTS = timedelta(minutes=5)


def told() -> int:
    return DeliveryItem.objects.count()


def test_everything_runs_though_the_console_itself_checks_nothing(world: World) -> None:
    schedule = world.process(None)
    assert {telling.run, schedule.sweep.run, schedule.expiries.run} == set(schedule.upkeep)


def test_without_any_interval_no_password_is_read(world: World) -> None:
    world.add("r", world.registry())
    world.schedule = world.process(None)
    world.run(DAY / HOUR)
    assert not ScheduledRegistry.objects.exists()
    assert not world.log_ins


@pytest.mark.parametrize("of_registry", [False, True])
def test_a_chosen_interval_is_kept_though_the_default_is_off(world: World, of_registry: bool) -> None:
    chosen, other = world.registry(), world.registry()
    uid = world.add("chosen", chosen)
    world.add("other", other, "team-b")
    world.schedule = world.process(None)
    world.run(2)
    where = {"access": world.cast.access("omar"), "namespace": "team-a", "uid": uid if of_registry else ""}
    world.schedule.intervals.choose(**where, interval=HOUR)
    world.run(24)

    assert 20 <= len(chosen.log_ins) <= 27
    assert not other.log_ins
    world.schedule.intervals.reset(**where)
    before = len(chosen.log_ins)
    world.run(24)
    assert len(chosen.log_ins) == before


@pytest.mark.parametrize("chosen_again", [False, True])
def test_a_choice_for_an_earlier_namespace_ends(world: World, chosen_again: bool) -> None:
    uid = world.add("r", world.registry())
    where = {"access": world.cast.access("omar"), "namespace": "team-a"}
    intervals = world.schedule.intervals
    intervals.choose(**where, interval=DAY)
    world.run(1)
    created = world.clock.now
    world.run(1)
    if chosen_again:
        intervals.choose(**where, interval=DAY)
    for _twice in range(2):
        intervals.forget_earlier({"team-a": created, "team-b": created})
    expected = DAY if chosen_again else world.schedule.intervals.default.interval
    assert intervals.of("team-a", uid).interval == expected
    assert timedelta(seconds=world.row(uid).interval or 0) == expected


def test_messages_go_without_any_check(world: World) -> None:
    """The checks are turned off during a silence; a person's tests find the failure."""
    Channel.objects.create(name="all", service="slack", sealed="")
    registry = world.registry()
    world.add("r", registry)
    world.run(6)
    world.schedule = world.process(None)
    window = Window(world.clock.now, world.clock.now + 2 * HOUR)
    silences.add(access=world.cast.access("nina"), scope=Scope("team-a"), window=window, reason="upgrade")
    registry.broken = Reply(503)
    for _ in range(2):
        world.clock.now += 2 * LASTS
        world.test(world.cast.access("nina"), "r")
    assert told() == 0
    world.clock.now += 2 * HOUR
    world.turn()
    assert told() == 1, "the end of the silence"
    world.clock.now += DAY
    world.turn()
    assert told() == 2, "the reminder"


@pytest.mark.parametrize("default", [None, HOUR, 6 * HOUR, 7 * DAY])
@pytest.mark.parametrize("before", [None, HOUR, 6 * HOUR, 7 * DAY])
def test_another_setting_of_the_console_reaches_every_row(
    world: World, before: timedelta | None, default: timedelta | None
) -> None:
    registry = world.registry()
    for name in ("a", "b"):
        world.add(name, registry, username=name)
    world.schedule = world.process(before)
    world.schedule.placing.update(world.clock.now)
    world.clock.now += DAY  # the console is stopped
    world.schedule = world.process(default)
    world.schedule.sweep._free.acquire()  # it looks, and tests nothing
    world.turn()

    for row in ScheduledCredential.objects.all():
        assert row.interval == (default.total_seconds() if default else None)
        assert (row.due_at is None) == (default is None)
        assert not (row.due_at and default) or row.due_at <= world.clock.now + default
    if default is None:
        assert claims.lag(world.clock.now) == (0, 0.0), "nothing is late that is not to be tested"


def test_what_is_turned_off_while_it_waits_is_not_tested_again_and_again(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(6)
    ScheduledCredential.objects.update(due_at=world.clock.now)
    claim = claims.claim_next(world.clock.now, "me", LASTS)
    assert claim
    world.schedule.intervals.choose(access=world.cast.access("nina"), namespace="team-a", interval=None)
    claims.release(claim, due_at=world.clock.now)
    assert world.row(uid).due_at is None
    before = registry.asked
    world.run(24)
    assert registry.asked == before


def test_a_refused_password_keeps_its_back_off(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry, password=WRONG)
    world.run(6)
    tested, access = world.row(uid).tested_at, world.cast.access("nina")
    assert tested
    for interval in (None, HOUR, 6 * HOUR, None, 6 * HOUR):
        world.schedule.intervals.choose(access=access, namespace="team-a", interval=interval)
        back_off = 2 * interval if interval else timedelta()
        assert not interval or world.due(uid) >= tested + back_off


def test_a_failure_of_the_network_is_looked_at_as_soon_as_the_new_interval_says(world: World) -> None:
    registry = world.registry()
    registry.broken = Reply(503)
    uid = world.add("r", registry)
    world.schedule = world.process(7 * DAY)
    world.run(8 * DAY / HOUR)
    assert world.due(uid) > world.clock.now + DAY
    world.schedule.intervals.choose(access=world.cast.access("nina"), namespace="team-a", interval=HOUR)
    assert world.due(uid) <= world.clock.now + HOUR


def test_the_narrower_choice_counts_and_says_so(world: World) -> None:
    uid = world.add("r", world.registry())
    intervals, access = services().schedule.intervals, world.cast.access("nina")
    assert intervals.of("team-a", uid) == Setting(6 * HOUR, Source.CONSOLE)
    intervals.choose(access=access, namespace="team-a", interval=None)
    assert intervals.of("team-a", uid) == Setting(None, Source.NAMESPACE)
    intervals.choose(access=access, namespace="team-a", uid=uid, interval=DAY)
    assert intervals.of("team-a", uid) == Setting(DAY, Source.REGISTRY)
    assert intervals.of("team-a") == Setting(None, Source.NAMESPACE)
    assert intervals.of("team-b", uid) == Setting(6 * HOUR, Source.CONSOLE), "a uid of another namespace"
    assert intervals.of_namespaces() == {"team-a": Setting(None, Source.NAMESPACE)}
    intervals.reset(access=access, namespace="team-a", uid=uid)
    assert intervals.of("team-a", uid) == Setting(None, Source.NAMESPACE)
    forget_namespace("team-a")
    assert not CheckInterval.objects.exists()


@pytest.mark.parametrize("right", [RIGHT, "another-1"])
def test_a_clock_that_was_ahead_for_a_while_stops_nothing(world: World, right: str) -> None:
    """Good or refused, it is tested, written to the resource and told within a day and a fifth of it again."""
    registry = world.registry()
    registry.right = right
    uid = world.add("r", registry)
    world.run(7)
    world.clock.now += timedelta(days=400)
    world.run(25)
    assert world.row(uid).tested_at
    world.clock.now -= timedelta(days=401)
    ScheduledCredential.objects.update(claimed_until=world.clock.now + timedelta(days=400))
    begun, before = world.clock.now, len(registry.log_ins)
    registry.broken = Reply(503)
    world.run(0.2)
    assert world.due(uid) <= begun + timedelta(hours=29)
    world.run(30)
    assert registry.asked > before
    row = world.row(uid)
    assert row.tested_at
    assert row.since
    assert row.tested_at <= world.clock.now
    assert row.since <= world.clock.now
    assert (row.settled, row.reason) == ("failing", "server_error")
    assert world.cast.find("r").verification.reason == "server_error"
