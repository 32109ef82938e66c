"""Many tests at once: one at a time per registry, which is left alone once it has refused a user name."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.probe import Job, Lanes, Reason, Schedule, Slot, probe_many, registry_of
from tests.peers.scripted import HERE, Reply, Request, basic, registry_ok, scripted, unauthorized, wait_for


class Registry:
    """Knows `admin` and `other`; notes how many ask at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def __call__(self, request: Request) -> Reply:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.02)
        with self.lock:
            self.inside -= 1
        right = (basic("admin", "secret"), basic("other", "secret"))
        return registry_ok() if request.authorization in right else unauthorized("Basic")


def test_one_registry_is_tested_once_at_a_time_and_several_side_by_side() -> None:
    one, two = Registry(), Registry()
    with scripted(one) as first, scripted(two) as second:
        jobs = [
            Job((server.port, n), server.address, "admin", "secret", HERE)
            for n in range(4)
            for server in (first, second)
        ]
        outcomes = list(probe_many(jobs, workers=4))
    assert {outcome.key for outcome in outcomes} == {job.key for job in jobs}
    assert all(outcome.result and outcome.result.ok for outcome in outcomes)
    assert (one.most, two.most) == (1, 1)


def test_a_registry_is_left_alone_after_it_refused_a_user() -> None:
    with scripted(Registry()) as server:
        jobs = [
            Job(1, server.address, "admin", "wrong", HERE),
            Job(2, f"http://LOCALHOST.:{server.port}/", "admin", "secret", HERE),
            Job(3, server.address, "other", "secret", HERE),
            Job(4, server.address, "admin", "secret", HERE),
        ]
        outcomes = {outcome.key: outcome for outcome in probe_many(jobs)}
    assert outcomes[1].result is not None
    assert outcomes[1].result.reason is Reason.BAD_CREDENTIALS
    assert (outcomes[2].result, outcomes[2].left_alone) == (None, Reason.BAD_CREDENTIALS)
    assert outcomes[3].result is not None
    assert outcomes[3].result.ok
    assert outcomes[4].left_alone is Reason.BAD_CREDENTIALS
    assert server.authorizations().count(basic("admin", "secret")) == 0


def test_a_rate_limit_is_heeded() -> None:
    with scripted(lambda request: Reply(429)) as server:
        jobs = [Job(n, server.address, "admin", "secret", HERE) for n in range(3)]
        outcomes = list(probe_many(jobs))
    assert [outcome.left_alone for outcome in outcomes] == [None, Reason.RATE_LIMITED, Reason.RATE_LIMITED]
    assert len(server.requests) == 1


def test_a_malformed_address_is_an_outcome_like_any_other() -> None:
    (outcome,) = probe_many([Job("x", "not an address", "admin", "secret", HERE)])
    assert outcome.result is not None
    assert outcome.result.reason is Reason.INVALID_DOMAIN


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(probe_many([])) == []


def test_a_batch_can_be_stopped() -> None:
    """While the second test is under way: it has no answer before the batch is stopped."""
    registry, stopped = Registry(), threading.Event()

    def script(request: Request) -> Reply:
        assert len(server.requests) < 3 or stopped.wait(60)
        return registry(request)

    with scripted(script) as server:
        jobs = [Job(n, server.address, "admin", "secret", HERE) for n in range(50)]
        outcomes = probe_many(jobs)
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
        stopped.set()
        assert wait_for(lambda: not any(thread.name == "probe-batch" for thread in threading.enumerate()))
        assert len(server.requests) <= 4


def test_two_batches_share_their_lanes() -> None:
    registry, lanes = Registry(), Lanes()
    with scripted(registry) as server:
        jobs = [Job(n, server.address, "admin", "secret", HERE) for n in range(4)]
        threads = [threading.Thread(target=lambda: list(probe_many(jobs, lanes=lanes))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert registry.most == 1
    assert wait_for(lambda: len(lanes) == 0), "no lane is kept for a registry that nobody tests"


def test_a_defect_reaches_the_reader_instead_of_a_hung_batch() -> None:
    broken = Job("x", "registry.example", "admin", "secret", replace(HERE, total_timeout=None))  # type: ignore[arg-type]
    failure = None
    try:
        list(probe_many([broken]))
    except TypeError as error:
        failure = error
    assert failure is not None


def slots(*pairs: tuple[str, str]) -> list[Slot]:
    return [Slot(n, registry, username) for n, (registry, username) in enumerate(pairs)]


def test_a_schedule_gives_each_registry_to_one_at_a_time() -> None:
    first, second, other = slots(("a:443", "u"), ("a:443", "u"), ("b:443", "u"))
    schedule = Schedule([first, second, other])
    assert (schedule.take(), schedule.take(), schedule.take()) == (first, other, None)
    assert schedule.waiting == 1
    assert schedule.ended(other, Reason.OK) == ()
    assert schedule.take() is None, "its registry is still busy"
    assert schedule.ended(first, Reason.SERVER_ERROR) == ()
    assert schedule.take() == second
    assert schedule.waiting == 0
    assert schedule.ended(second, None) == ()
    assert schedule.take() is None


def test_registries_take_turns() -> None:
    schedule = Schedule(slots(("a:443", "u"), ("a:443", "v"), ("b:443", "u"), ("b:443", "v")))
    taken = []
    while slot := schedule.take():
        taken.append(slot.registry)
        schedule.ended(slot, Reason.OK)
    assert taken == ["a:443", "b:443", "a:443", "b:443"]


@pytest.mark.parametrize("reason", list(Reason))
def test_only_two_reasons_leave_a_user_name_alone(reason: Reason) -> None:
    first, same, other, elsewhere = slots(("a:443", "u"), ("a:443", "u"), ("a:443", "v"), ("b:443", "u"))
    schedule = Schedule([first, same, other, elsewhere])
    assert schedule.take() == first
    telling = reason in {Reason.BAD_CREDENTIALS, Reason.RATE_LIMITED}
    assert schedule.ended(first, reason) == (((same, reason),) if telling else ())
    assert schedule.waiting == (2 if telling else 3)
    left = []
    while slot := schedule.take():
        left.append(slot)
        schedule.ended(slot, Reason.OK)
    assert set(left) == ({other, elsewhere} if telling else {same, other, elsewhere})


def test_a_refusal_may_come_from_outside() -> None:
    first, same, other = slots(("a:443", "u"), ("a:443", "u"), ("a:443", "v"))
    schedule = Schedule([first, same, other])
    assert schedule.take() == first
    assert schedule.refuse("a:443", "u", Reason.RATE_LIMITED) == ((same, Reason.RATE_LIMITED),)
    assert schedule.refuse("a:443", "u", Reason.RATE_LIMITED) == ()
    assert schedule.refuse("c:443", "u", Reason.RATE_LIMITED) == ()
    assert schedule.take() is None, "the one under way is not called back, nor its registry given away"
    assert schedule.ended(first, Reason.BAD_CREDENTIALS) == ()
    assert schedule.take() == other


def test_everything_may_be_refused_before_it_began() -> None:
    schedule = Schedule(slots(("a:443", "u"), ("a:443", "u")))
    assert len(schedule.refuse("a:443", "u", Reason.BAD_CREDENTIALS)) == 2
    assert (schedule.take(), schedule.waiting) == (None, 0)


def test_what_is_not_under_way_cannot_end() -> None:
    (slot,) = slots(("a:443", "u"))
    schedule = Schedule([slot])
    with pytest.raises(ValueError, match="not under way"):
        schedule.ended(slot, Reason.OK)
    schedule.take()
    schedule.ended(slot, Reason.OK)
    with pytest.raises(ValueError, match="not under way"):
        schedule.ended(slot, Reason.OK)


@given(
    pairs=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("uvw")), max_size=40),
    reasons=st.lists(st.sampled_from([*Reason, None]), min_size=1),
    workers=st.integers(1, 5),
)
def test_every_slot_is_tested_or_left_alone_exactly_once(
    pairs: list[tuple[str, str]], reasons: list[Reason | None], workers: int
) -> None:
    given_slots = slots(*pairs)
    schedule = Schedule(given_slots)
    endings = itertools.cycle(reasons)
    done: list[Slot] = []
    refused: set[tuple[str, str]] = set()
    under_way: deque[Slot] = deque()
    while True:
        while len(under_way) < workers and (slot := schedule.take()):
            assert slot.registry not in {other.registry for other in under_way}
            assert (slot.registry, slot.username) not in refused
            under_way.append(slot)
        if not under_way:
            break
        slot, reason = under_way.popleft(), next(endings)
        alone = schedule.ended(slot, reason)
        if reason in {Reason.BAD_CREDENTIALS, Reason.RATE_LIMITED}:
            refused.add((slot.registry, slot.username))
        assert all(why is reason for _, why in alone)
        done += [slot, *(other for other, _ in alone)]
        assert schedule.waiting == len(given_slots) - len(done) - len(under_way)
    assert sorted(done, key=given_slots.index) == given_slots


@pytest.mark.parametrize(
    ("registry", "username"),
    [
        (lambda n: "a:443", lambda n: "u"),
        (lambda n: "a:443", lambda n: f"u{n}"),
        (lambda n: f"h{n}:443", lambda n: "u"),
    ],
    ids=["one-account", "one-registry", "many-registries"],
)
@pytest.mark.parametrize("reason", [Reason.OK, Reason.BAD_CREDENTIALS])
def test_ten_thousand_slots_cost_next_to_nothing(
    registry: Callable[[int], str], username: Callable[[int], str], reason: Reason
) -> None:
    schedule = Schedule(Slot(n, registry(n), username(n)) for n in range(10_000))
    began = time.thread_time()
    while slot := schedule.take():
        schedule.ended(slot, reason)
    assert schedule.waiting == 0
    assert time.thread_time() - began < 2.0


def test_two_spellings_of_a_registry_are_one() -> None:
    assert registry_of("https://Harbor.Example.") == registry_of("harbor.example:443/v2/")
    assert registry_of("docker.io") == registry_of("index.docker.io") == "registry-1.docker.io:443"
    assert registry_of("http://harbor.example") == "harbor.example:80"
    assert registry_of("[::1]:5000") == "[::1]:5000"
    assert registry_of("not an address") == "not an address"


def test_a_lane_is_not_awaited_for_longer_than_asked() -> None:
    lanes = Lanes()
    assert lanes.enter("a:443")
    assert not lanes.enter("a:443", timeout=0.01)
    assert lanes.enter("b:443", timeout=0.01)
    lanes.leave("b:443")
    lanes.leave("a:443")
    assert lanes.enter("a:443", timeout=0.01), "giving up has not left the lane shut"
    lanes.leave("a:443")
    assert len(lanes) == 0


def test_a_batch_that_waits_for_a_lane_can_be_stopped() -> None:
    lanes = Lanes()
    with scripted(Registry()) as one, scripted(Registry()) as two:
        lanes.enter(registry_of(one.address))
        jobs = [Job(server.port, server.address, "admin", "secret", HERE) for server in (one, two)]
        outcomes = probe_many(jobs, lanes=lanes)
        assert next(outcomes).key == two.port
        outcomes.close()  # type: ignore[attr-defined]
        assert wait_for(lambda: len(lanes) == 1), "the waiting thread has given up"
        lanes.leave(registry_of(one.address))
        assert one.requests == []
