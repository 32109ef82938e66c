"""The order of many tests: one at a time per registry, none for a user name that the registry has refused."""

import itertools
import time
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.probe import LEAVE_ALONE, Reason, Schedule, Slot, registry_of


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
def test_every_refusal_leaves_a_user_name_alone(reason: Reason) -> None:
    first, same, other, elsewhere = slots(("a:443", "u"), ("a:443", "u"), ("a:443", "v"), ("b:443", "u"))
    schedule = Schedule([first, same, other, elsewhere])
    assert schedule.take() == first
    telling = reason.value in {
        *("bad_credentials", "credentials_expired", "pat_required", "access_denied", "rate_limited"),
        "probe_image_denied",
    }
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
    assert schedule.take() is None, "the test under way goes on, and its registry stays busy"
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
        if reason in LEAVE_ALONE:
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
