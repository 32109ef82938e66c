"""When a message may go: the rates of services, the turns of channels and namespaces, a clock that was wrong."""

from datetime import timedelta

import pytest

from registries.events import outbox
from registries.events.sender import Sender
from tests.events.conftest import Add, Move, change, drain
from tests.peers.robots import coded, robot
from tests.peers.scripted import Reply, scripted


def test_the_rate_of_a_service_is_obeyed_without_losing_a_message(
    add_channel: Add, sender: Sender, clock: Move
) -> None:
    """A robot of DingTalk is blocked for ten minutes after 20 messages in any minute, not only in the first one."""
    with robot("dingtalk") as running:
        add_channel("dingtalk", url=running.url)
        outbox.tell([change(f"r{n}", host=f"h{n}.example.com") for n in range(50)])
        clock(timedelta(seconds=31))
        counts = []
        for _ in range(200):
            sender.send_one()
            counts.append(len(running.received))
            clock(timedelta(seconds=1))
    assert counts[-1] == 50
    assert max(later - before for before, later in zip(counts, counts[59:], strict=False)) == 20


@pytest.mark.parametrize(
    ("service", "busy", "minutes"),
    [
        ("dingtalk", coded(errcode=130101, errmsg="send too fast"), 10),
        ("wecom", coded(errcode=45009, errmsg="api freq out of limit"), 1),
        ("slack", Reply(429, [("Retry-After", "30")]), 1),
    ],
)
def test_a_service_that_is_asked_too_often_is_left_alone_by_all_messages(
    add_channel: Add, sender: Sender, clock: Move, service: str, busy: Reply, minutes: int
) -> None:
    """A robot of DingTalk takes nothing for ten minutes then, and others may have written to it."""
    with robot(service) as running:
        add_channel(service, url=running.url)
        outbox.tell([change(f"r{n}", host=f"h{n}.example.com") for n in range(5)])
        clock(timedelta(seconds=31))
        running.answers.append(busy)
        assert sender.send_one()
        for _ in range(minutes * 3):
            assert not sender.send_one()
            clock(timedelta(seconds=19))
        clock(timedelta(minutes=minutes / 2))
        drain(sender, clock)
        clock(timedelta(minutes=5))
        drain(sender, clock)
        assert (len(running.received), len(running.server.requests)) == (5, 6)


@pytest.mark.parametrize(("ahead", "arrive"), [(timedelta(days=400), 4), (timedelta(hours=12), 2)])
def test_a_clock_that_was_ahead_for_a_while_holds_up_no_message(
    add_channel: Add, sender: Sender, clock: Move, ahead: timedelta, arrive: int
) -> None:
    """One message was sent, one waits for another try, one is claimed by a process that died, one waits for its group.

    The next try of a message may be a day away with a right clock, too."""
    with robot("slack") as running, scripted(lambda _request: Reply(200)) as repeated:
        add_channel("slack", url=running.url)
        add_channel("alertmanager", "team-b", url=repeated.url())
        clock(ahead)
        assert sender.repeat_one()
        running.answers.append(Reply(500))
        outbox.tell([change(f"r{n}", host=f"h{n}.example.com") for n in range(3)])
        clock(timedelta(seconds=31))
        for _ in range(2):
            sender.send_one()
            clock(timedelta(seconds=2))
        assert outbox.claim(outbox.Turns())
        outbox.tell([change("last", host="other.example.com")])
        clock(-ahead)
        drain(sender, clock)
        assert sender.repeat_one()
        assert len(running.received) == arrive


def test_a_channel_that_rests_keeps_nobody_waiting(add_channel: Add, sender: Sender, clock: Move) -> None:
    with robot("dingtalk") as busy, robot("slack") as other:
        add_channel("dingtalk", url=busy.url)
        outbox.tell([change(f"r{n}", host=f"h{n}.example.com") for n in range(20)])
        clock(timedelta(seconds=1))
        add_channel("slack", "team-b", url=other.url)
        outbox.tell([change("b", "team-b")])
        clock(timedelta(seconds=31))
        assert [sender.send_one() for _ in range(3)] == [True, True, False]
        assert (len(busy.received), len(other.received)) == (1, 1)


def test_a_namespace_with_many_channels_keeps_no_other_one_waiting(
    add_channel: Add, sender: Sender, clock: Move
) -> None:
    """Each of them may take as long as an attempt may."""
    with scripted(lambda _request: Reply(200)) as many, robot("wecom") as other:
        for service in ("slack", "webhook", "alertmanager"):
            add_channel(service, "team-a", url=many.url(), secret=f"whsec_{'A' * 32}", token="t")
        outbox.tell([change(f"r{n}", host=f"h{n}.example.com") for n in range(20)])
        clock(timedelta(seconds=1))
        add_channel("wecom", "team-b", url=other.url)
        outbox.tell([change("b", "team-b"), change("b", "team-b", host="other.example.com")])
        clock(timedelta(seconds=31))
        for turns in (2, 4):
            for _ in range(2):
                sender.send_one()
                clock(timedelta(seconds=3))
            assert len(other.received) == turns // 2, f"after {turns} turns"
