"""Days of the schedule against registries that count, on a moved clock: what must never happen."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from registries.domain.errors import Forbidden, NotFound
from registries.models import DayRecord, ScheduledCredential, StateChange
from registries.wiring import services
from tests.peers.scripted import Reply
from tests.schedule.registries import DOWN, HOUR, MINUTE, RIGHT, WRONG, World, fill, verdict

SIX = 6 * HOUR


def changes(uid: str) -> list[tuple[str, str, str]]:
    found = StateChange.objects.filter(uid=uid).order_by("pk")
    return [(it.before, it.after, it.reason) for it in found]


def test_a_day_of_many_credentials(world: World) -> None:
    """Good and bad passwords, of the same users, on three hosts; one breaks and is repaired in the day."""
    hosts = [world.registry() for _ in range(3)]
    for number, host in enumerate(hosts):
        for user in ("ann", "bob"):
            for copy in range(3):
                world.add(f"good-{number}-{user}-{copy}", host, username=user)
            world.add(f"bad-{number}-{user}", host, username=user, password=f"{WRONG}-{user}")
            world.add(f"worse-{number}-{user}", host, username=user, password=f"{WRONG}-{user}-2")
    begin = world.clock.now
    world.run(10)
    hosts[0].broken = Reply(503)
    world.run(8)
    hosts[0].broken = None
    world.run(30)

    assert ScheduledCredential.objects.count() == 3 * 2 * 3
    good = Counter((it.host, it.username) for it in world.log_ins if it.ok)
    assert len(good) == 6
    assert max(good.values()) <= 48 / 5.4 + 8, "three copies are one log-in"
    for host in hosts:
        for user in ("ann", "bob"):
            mine = [it for it in host.log_ins if it.username == user]
            refused = [it.at for it in mine if not it.ok and it.at < mine[-1].at]
            assert refused
            assert all(later - earlier >= 0.9 * 2 * SIX for earlier, later in pairwise(refused)), "back-off"
            passed = [it.at for it in mine if it.ok]
            late = [later - earlier for earlier, later in pairwise(passed) if later - earlier > 1.2 * SIX]
            assert host is hosts[0] or not late
            limit = SIX + 2 * 1.1 * 2 * SIX
            assert host is hosts[0] or passed[0] - begin <= limit, (
                "two wrong passwords of this user were first, at most"
            )
    assert {it.state for it in ScheduledCredential.objects.filter(settled="ok")} == {"ok"}
    broke = StateChange.objects.filter(reason="server_error").values_list("uid", flat=True)
    assert len(set(broke)) >= 6, "the copies of two credentials"


def test_a_failure_that_passes_is_told_to_nobody(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(6)
    registry.broken = Reply(503)
    asked = registry.asked
    while registry.asked == asked:
        world.run(0.01)
    registry.broken = None
    assert (world.row(uid).state, verdict(world, "r")) == ("suspect", "ok"), (
        "not written before it is confirmed"
    )
    world.run(0.02)
    assert world.row(uid).state == "ok"
    assert changes(uid) == [("new", "ok", "ok")]


def test_a_failure_is_confirmed_and_so_is_the_recovery(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(6)
    registry.broken = Reply(503)
    world.run(7)
    assert (world.row(uid).state, verdict(world, "r")) == ("failing", "server_error")
    registry.broken = None
    world.run(7)
    assert (world.row(uid).state, verdict(world, "r")) == ("ok", "ok")
    assert [it[:2] for it in changes(uid)] == [("new", "ok"), ("ok", "failing"), ("failing", "ok")]

    days = DayRecord.objects.filter(uid=uid)
    failing, well = StateChange.objects.filter(uid=uid).order_by("pk")[1:]
    down = sum(it.down for it in days)
    assert abs(down - (well.at - failing.at).total_seconds()) <= len(days), "seconds down, over midnight"
    assert sum(it.ok for it in days) + sum(it.failed for it in days) == registry.asked - len(registry.log_ins)


def test_a_password_that_is_changed_at_the_registry_is_confirmed_once(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(6)
    registry.right = "another-7p1q"
    world.run(7)

    refused = [it.at for it in registry.log_ins if not it.ok]
    assert len(refused) == 2
    assert timedelta(seconds=2) <= refused[1] - refused[0] <= MINUTE
    assert changes(uid)[-1] == ("ok", "failing", "bad_credentials")
    assert world.due(uid) - refused[1] >= 0.9 * 2 * SIX


def run_to_test(world: World, uid: str) -> None:
    """Runs until the next test of a credential, and no further."""
    world.clock.now = world.due(uid)
    world.turn()


@pytest.mark.parametrize("right", [True, False])
def test_a_busy_registry_puts_off_the_confirming_test_and_no_longer(world: World, right: bool) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(6)
    registry.right = "another-7p1q"
    run_to_test(world, uid)
    assert world.row(uid).state == "suspect"
    registry.broken = Reply(429, [("Retry-After", "600")])
    run_to_test(world, uid)
    busy = world.clock.now
    registry.broken = None
    registry.right = RIGHT if right else "another-7p1q"
    world.run(0.2)

    assert world.row(uid).state == ("ok" if right else "failing")
    last = registry.log_ins[-1]
    assert last.ok is right
    assert timedelta(seconds=500) <= last.at - busy <= timedelta(seconds=660)
    assert changes(uid)[1:] == ([] if right else [("ok", "failing", "bad_credentials")])


def test_a_refused_password_is_tested_at_once_when_the_registry_is_made_again(world: World) -> None:
    registry = world.registry()
    world.add("r", registry, password=WRONG)
    world.run(6)
    world.delete("r")
    uid = world.add("r", registry, password=RIGHT)
    world.run(0.1)

    assert world.row(uid).state == "ok"
    assert ScheduledCredential.objects.count() == 1, "the old one has no registry left"


def test_a_busy_registry_is_left_alone_for_as_long_as_it_says(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(6)
    registry.broken = Reply(429, [("Retry-After", str(8 * 3600))])
    while registry.broken is not None:
        asked = registry.asked
        world.run(0.1)
        if registry.asked > asked:
            registry.broken, begun = None, world.clock.now
    asked = registry.asked
    world.run(7.8)
    assert registry.asked == asked
    world.run(0.8)
    assert registry.asked > asked, begun
    assert changes(uid) == [("new", "ok", "ok")], "a limit is no failure of the credential"
    assert verdict(world, "r") == "ok"


def test_a_result_that_another_version_wrote_stops_no_test(world: World) -> None:
    registries = fill(world, 3)
    ScheduledCredential.objects.filter(host=registries[0].server.netloc).update(
        tested_reason="reason_of_2031", tested_at=world.clock.now
    )
    registries[1].broken = DOWN
    world.test(world.cast.access("nina"), "r-1")

    assert verdict(world, "r-1") == "connection_reset"


def test_a_change_of_many_copies_is_seen_by_one_test_of_a_person(world: World) -> None:
    registry = world.registry()
    uids = [world.add(f"r-{number}", registry) for number in range(5)]
    world.run(6)
    registry.right = "another-7p1q"
    asked = len(registry.log_ins)
    access = world.cast.access("nina")
    for key in ("r-0", "r-0"):
        world.clock.now += 2 * MINUTE
        world.test(access, key)
    world.run(0.01)

    assert len(registry.log_ins) == asked + 2, "the schedule does not test again"
    assert {verdict(world, f"r-{number}") for number in range(5)} == {"bad_credentials"}
    assert all(changes(uid)[-1][1] == "failing" for uid in uids)
    assert world.due(uids[0]) - world.clock.now > SIX


def test_an_unchanged_verdict_is_written_once_an_hour(world: World) -> None:
    registry = world.registry()
    world.add("r", registry)
    world.run(6)
    written = world.cast.find("r").resource_version
    row = ScheduledCredential.objects.get()
    assert row.tested_at
    begin = row.tested_at
    for minutes in (20, 40, 55):
        world.clock.now = begin + minutes * MINUTE
        ScheduledCredential.objects.update(due_at=world.clock.now)
        world.schedule.sweep.turn()
        row.refresh_from_db()
        assert row.tested_at == world.clock.now
    assert world.cast.find("r").resource_version == written, "55 minutes"
    world.clock.now += 6 * MINUTE
    ScheduledCredential.objects.update(due_at=world.clock.now)
    world.schedule.sweep.turn()
    assert world.cast.find("r").resource_version != written


def test_what_a_dead_process_had_claimed_is_due_again(world: World) -> None:
    registry = world.registry()
    uid = world.add("r", registry)
    world.schedule.sweep.turn()
    until = world.clock.now + 2 * MINUTE
    ScheduledCredential.objects.update(
        due_at=world.clock.now, claimed_until=until, claimed_by="dead", fence=7
    )
    world.schedule.sweep.turn()
    assert not registry.log_ins
    world.clock.now = until
    world.schedule.sweep.turn()
    assert len(registry.log_ins) == 1
    assert (world.row(uid).state, world.row(uid).fence) == ("ok", 8)


def test_a_namespace_and_a_registry_have_intervals_of_their_own(world: World) -> None:
    hosts = [world.registry() for _ in range(3)]
    uids = [
        world.add(f"r-{number}", it, ("team-a", "team-b", "team-a")[number])
        for number, it in enumerate(hosts)
    ]
    world.schedule.placing.update(world.clock.now)
    nina, choose = world.cast.access("nina"), world.schedule.intervals.choose
    choose(access=nina, namespace="team-a", interval=None)
    choose(access=nina, namespace="team-a", uid=uids[2], interval=HOUR)
    world.run(24)

    counts = [len(it.log_ins) for it in hosts]
    assert counts[0] == 0
    assert 3 <= counts[1] <= 5
    assert 20 <= counts[2] <= 27
    world.schedule.intervals.reset(access=nina, namespace="team-a")
    world.run(7)
    assert hosts[0].log_ins


@pytest.mark.parametrize(("person", "error"), [("vic", Forbidden), ("sam", NotFound)])
def test_an_interval_takes_the_right_to_edit(world: World, person: str, error: type[Exception]) -> None:
    access, intervals = world.cast.access(person), world.schedule.intervals
    for _ in range(2):
        with pytest.raises(error):
            intervals.choose(access=access, namespace="team-a", interval=None)
        with pytest.raises(error):
            intervals.reset(access=access, namespace="team-a")


@pytest.mark.parametrize(("namespace", "asked"), [("team-a", 0), ("team-b", 1)])
def test_a_pause_that_a_person_met_holds_for_the_schedule(world: World, namespace: str, asked: int) -> None:
    registry = world.registry()
    world.add("r", registry)
    services().pauses.note(namespace, registry.server.netloc, "robot", 3600)
    world.schedule.placing.update(world.clock.now)
    ScheduledCredential.objects.update(due_at=world.clock.now)
    world.schedule.sweep.turn()
    assert len(registry.log_ins) == asked, "a pause of another namespace is not felt"
    world.run(1.1)
    assert len(registry.log_ins) >= 1
