"""The outbox: told at least once, to whom it concerns, in groups, within limits."""

import json
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from registries.domain.access import Access, Permission
from registries.events import outbox
from registries.events import sender as sending
from registries.events.change import ChangeKind
from registries.events.channels import ChannelView
from registries.events.sender import Sender
from registries.events.services.alertmanager import ALERTS_MAX
from registries.events.services.base import Outcome, Trouble
from registries.models import Channel, Delivery, DeliveryItem
from registries.wiring import services
from tests import canary
from tests.cast import Cast
from tests.events.conftest import change
from tests.peers.robots import Robot, coded, robot
from tests.peers.scripted import Reply, Request, scripted

Add = Callable[..., ChannelView]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Moves the time of the console."""
    real, ahead = timezone.now, [timedelta()]
    monkeypatch.setattr(timezone, "now", lambda: real() + ahead[0])

    def move(by: timedelta) -> None:
        ahead[0] += by

    return move


Move = Callable[[timedelta], None]
WAITING = (outbox.COLLECTING, outbox.DUE)


def drain(sender: Sender, clock: Move) -> int:
    """Sends what is due, with the rests that the services ask for. Returns the number of attempts."""
    attempts = 0
    while (
        sender.send_one() or Delivery.objects.filter(due_at__lte=timezone.now(), state__in=WAITING).exists()
    ):
        attempts += 1
        clock(timedelta(seconds=3))
    return attempts


def test_changes_of_one_host_are_collected_and_sent_as_one_message(
    add_channel: Add, sender: Sender, clock: Move
) -> None:
    with robot("wecom") as running:
        add_channel("wecom", url=running.url)
        for n in range(12):
            outbox.tell([change(f"r{n}", f"team-{n % 7}")])
        assert drain(sender, clock) == 0, "sent before the others of the group could come"
        clock(timedelta(seconds=31))
        assert drain(sender, clock) == 1
        assert drain(sender, clock) == 0
    [body] = running.received
    assert "harbor.example.com 上 12 个镜像源连接失败" in str(body)


def test_another_host_reason_or_kind_is_another_message(
    add_channel: Add, sender: Sender, clock: Move
) -> None:
    with robot("slack") as running:
        add_channel("slack", url=running.url)
        outbox.tell([change(), change("b", host="other.example.com"), change("c", reason="timeout")])
        outbox.tell([change(kind=ChangeKind.RECOVERED)])
        clock(timedelta(seconds=31))
        assert drain(sender, clock) == 4


def test_a_channel_of_a_namespace_hears_of_nothing_else(
    add_channel: Add, sender: Sender, clock: Move
) -> None:
    with robot("feishu") as mine, robot("dingtalk") as everything:
        add_channel("feishu", "team-a", url=mine.url)
        add_channel("dingtalk", url=everything.url)
        outbox.tell(
            [change("a"), change("secret-b", "team-b"), change("", "", kind=ChangeKind.NETWORK, host="")]
        )
        clock(timedelta(seconds=31))
        drain(sender, clock)
    assert "team-a/a" in mine.texts()
    assert "team-b" not in mine.texts()
    assert "secret-b" not in mine.texts()
    assert len(mine.received) == 1
    assert "team-b" in everything.texts()
    assert len(everything.received) == 2


def test_what_is_rolled_back_is_not_told(add_channel: Add, sender: Sender, clock: Move) -> None:
    add_channel("wecom", url="http://127.0.0.1:9/")

    with transaction.atomic():
        outbox.tell([change()])
        transaction.set_rollback(True)
    assert outbox.waiting() == 0
    assert DeliveryItem.objects.count() == 0


class TestFailing:
    def failing(self, running: Robot, sender: Sender, clock: Move, times: int) -> list[float]:
        """The waits in seconds between attempts that fail, until none is left."""
        waits = []
        for _ in range(times):
            running.answers.append(Reply(500))
            before = Delivery.objects.get()
            assert sender.send_one()
            after = Delivery.objects.get()
            assert after.id == before.id, "another message"
            if after.state != outbox.DUE:
                break
            waits.append(round((after.due_at - timezone.now()).total_seconds()))
            clock(after.due_at - timezone.now() + timedelta(seconds=1))
        return waits

    def test_is_tried_again_by_the_schedule_and_then_given_up(
        self, add_channel: Add, sender: Sender, clock: Move
    ) -> None:
        with robot("wecom") as running:
            add_channel("wecom", url=running.url)
            outbox.tell([change()])
            clock(timedelta(seconds=31))
            waits = self.failing(running, sender, clock, 12)
            assert [it for it in waits if it < 60 * 60 * 24 + 1] == [
                5,
                300,
                1800,
                7200,
                18000,
                36000,
                50400,
                72000,
                86400,
            ]
            assert Delivery.objects.get().state == outbox.GIVEN_UP
            assert len(running.server.requests) == 10
        channel = Channel.objects.get()
        assert (channel.trouble, channel.code) == (Trouble.STATUS, "500")

    def test_a_later_success_clears_the_trouble(self, add_channel: Add, sender: Sender, clock: Move) -> None:
        with robot("dingtalk") as running:
            add_channel("dingtalk", url=running.url)
            outbox.tell([change()])
            clock(timedelta(seconds=31))
            running.answers.append(coded(errcode=310000, errmsg="keywords not in content"))
            sender.send_one()
            assert Channel.objects.get().trouble == Trouble.SIGNATURE
            clock(timedelta(seconds=6))
            sender.send_one()
        assert len(running.received) == 1
        assert (Channel.objects.get().trouble, Delivery.objects.get().state) == ("", outbox.SENT)

    def test_retry_after_is_respected(self, add_channel: Add, sender: Sender, clock: Move) -> None:
        with robot("slack") as running:
            add_channel("slack", url=running.url)
            outbox.tell([change()])
            clock(timedelta(seconds=31))
            running.answers.append(Reply(429, [("Retry-After", "120")]))
            sender.send_one()
            clock(timedelta(seconds=100))
            assert drain(sender, clock) == 0
            clock(timedelta(seconds=21))
            assert drain(sender, clock) == 1

    def test_410_turns_the_channel_off(self, add_channel: Add, sender: Sender, clock: Move) -> None:
        with robot("wecom") as running:
            add_channel("wecom", url=running.url)
            outbox.tell([change()])
            clock(timedelta(seconds=31))
            running.answers.append(Reply(410))
            sender.send_one()
        assert not Channel.objects.get().enabled
        assert outbox.tell([change()]) == 0

    def test_a_seal_that_no_key_opens_stops_nobody_else(
        self, add_channel: Add, sender: Sender, clock: Move
    ) -> None:
        with robot("wecom") as running:
            broken = add_channel("wecom", url=running.url)
            add_channel("wecom", "team-a", url=running.url)
            Channel.objects.filter(pk=broken.id).update(sealed="gAAAAA")
            outbox.tell([change()])
            clock(timedelta(seconds=31))
            assert [sender.send_one() for _ in range(2)] == [True, True]
        assert len(running.received) == 1
        assert Channel.objects.get(pk=broken.id).trouble == Trouble.UNSENT

    def test_a_channel_moved_to_another_namespace_in_the_database_does_not_open(
        self, add_channel: Add, sender: Sender, clock: Move
    ) -> None:
        with robot("wecom") as running:
            moved = add_channel("wecom", "team-a", url=running.url)
            Channel.objects.filter(pk=moved.id).update(namespace="team-b")
            outbox.tell([change("b", "team-b")])
            clock(timedelta(seconds=31))
            drain(sender, clock)
        assert not running.received


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


class TestRepeats:
    @pytest.fixture
    def repeating(self, sender: Sender) -> Sender:
        """A sender for which five hosts of each of two namespaces fail."""
        spaces = ("team-a", "team-b")
        sender._failing = lambda: [
            change(f"r{n}", it, host=f"h{n}.example") for it in spaces for n in range(5)
        ]
        return sender

    def test_a_channel_that_another_thread_was_faster_to_claim_is_left_to_it(self, add_channel: Add) -> None:
        """The thread asked for the same list again and again, with a whole processor, for ever."""

        class Late(outbox.Turns):
            asked = 0

            def next(self, namespaces: Iterable[str]) -> str:
                self.asked += 1
                assert self.asked == 1, "it is claimed by now"
                assert outbox.claim_repeat("alertmanager", timedelta(minutes=5), outbox.Turns())
                return super().next(namespaces)

        add_channel("alertmanager", url="http://127.0.0.1:1/")

        assert outbox.claim_repeat("alertmanager", timedelta(minutes=5), Late()) is None

    def test_many_dead_channels_of_one_namespace_keep_no_other_one_waiting(
        self, add_channel: Add, repeating: Sender
    ) -> None:
        """An alert that is not repeated ends, as if the registry worked again."""
        with scripted(lambda _request: Reply(200)) as good, scripted(lambda _request: Reply(raw=b"")) as dead:
            for n in range(3):
                services().channels.create(
                    access=Access("olive", everywhere=frozenset(Permission)),
                    namespace="team-a",
                    name=f"dead-{n}",
                    service="alertmanager",
                    language="en",
                    config={"url": dead.url()},
                )
            add_channel("alertmanager", "team-b", url=good.url())
            assert [repeating.repeat_one() for _ in range(2)] == [True, True]
            assert len(good.requests) == 5
            assert len(dead.requests) == 1, "the first alert that does not arrive is the last"
            assert [repeating.repeat_one() for _ in range(3)] == [True, True, False]
        assert len(good.requests) == 5

    def test_a_channel_that_answers_slowly_has_limited_time(
        self, add_channel: Add, repeating: Sender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sending, "REPEATING", 0.15)
        with scripted(lambda _request: Reply(200, delay=0.1)) as slow:
            add_channel("alertmanager", "team-a", url=slow.url())
            assert repeating.repeat_one()
            assert 1 <= len(slow.requests) <= 2
        row = Channel.objects.get()
        assert (row.trouble, row.code) == (Trouble.NETWORK, "timeout")

    @pytest.mark.parametrize("first", [Reply(200, delay=0.1), Reply(raw=b"")], ids=["slow", "lost"])
    def test_the_next_turn_begins_where_the_last_one_ended(
        self, add_channel: Add, repeating: Sender, monkeypatch: pytest.MonkeyPatch, first: Reply
    ) -> None:
        """Otherwise the later alerts would end each time, as if their registries worked again."""
        monkeypatch.setattr(sending, "REPEATING", 0.05)

        def answer(request: Request) -> Reply:
            return first if b"h0.example" in request.body or first.delay else Reply(200)

        with scripted(answer) as alerts:
            add_channel("alertmanager", "team-a", url=alerts.url())
            for _ in range(6):
                Channel.objects.update(repeat_at=None)
                assert repeating.repeat_one()
            told = [json.loads(it.body)[0]["labels"]["host"] for it in alerts.requests]
        assert {f"h{n}.example" for n in range(5)} == set(told)

    def test_more_alerts_of_one_reason_than_fit_into_a_request_are_all_repeated(
        self, add_channel: Add, sender: Sender
    ) -> None:
        sender._failing = lambda: [change(f"r{n:04}") for n in range(ALERTS_MAX + 1)]
        with scripted(lambda _request: Reply(200)) as alerts:
            add_channel("alertmanager", "team-a", url=alerts.url())
            assert sender.repeat_one()
            told = [it["labels"]["registry_name"] for one in alerts.requests for it in json.loads(one.body)]
        assert told == [f"r{n:04}" for n in range(ALERTS_MAX + 1)]


def test_messages_about_one_host_keep_their_order(add_channel: Add, sender: Sender, clock: Move) -> None:
    """A failure that was refused, and is told after the recovery, would be the last word."""
    with robot("wecom") as running:
        add_channel("wecom", language="en", url=running.url)
        outbox.tell([change()])
        clock(timedelta(seconds=31))
        running.answers += [Reply(500), Reply(500)]
        sender.send_one()
        clock(timedelta(seconds=6))
        sender.send_one()
        outbox.tell([change(kind=ChangeKind.RECOVERED), change("c", host="other.example.com")])
        clock(timedelta(seconds=31))
        drain(sender, clock)
    titles = [str(it["text"]) for it in running.received if "team-a/c" not in str(it)]
    assert ["fails" in titles[0], "works again" in titles[1]] == [True, True]
    assert len(running.received) == 3, "the other host is told, too"


def test_a_refused_message_holds_up_no_newer_one_for_long(
    add_channel: Add, sender: Sender, clock: Move
) -> None:
    with robot("wecom") as running:
        add_channel("wecom", url=running.url)
        outbox.tell([change()])
        clock(timedelta(seconds=31))
        running.answers += [Reply(503)] * 30
        for _ in range(400):
            sender.send_one()
            outbox.tell([change(kind=ChangeKind.RECOVERED)])
            clock(timedelta(hours=1))
    first = Delivery.objects.order_by("created_at").first()
    assert first
    assert first.state == outbox.GIVEN_UP
    assert "恢复" in str(running.received[0])


def test_what_waits_for_a_channel_that_is_turned_off_is_dropped(
    cast: Cast, add_channel: Add, sender: Sender, clock: Move
) -> None:
    with robot("wecom") as running:
        channel = add_channel("wecom", url=running.url)
        outbox.tell([change()])
        for enabled in (False, True):
            services().channels.edit(
                access=cast.access("olive"),
                channel=channel.id,
                name=channel.name,
                language="zh",
                enabled=enabled,
                config={},
            )
            clock(timedelta(days=3))
        assert drain(sender, clock) == 0, "old news"
    assert outbox.waiting() == 0


class TestClaims:
    def test_one_message_is_claimed_by_one_of_many(
        self, transactional_db: None, add_channel: Add, clock: Move
    ) -> None:
        add_channel("wecom", url="http://localhost:9/")
        outbox.tell([change()])
        clock(timedelta(seconds=31))
        claims: list[Any] = []
        barrier = threading.Barrier(4)

        def work() -> None:
            barrier.wait()
            claims.append(outbox.claim(outbox.Turns()))
            connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([it for it in claims if it]) == 1

    def test_of_a_process_that_died_another_sends_the_same_message(
        self, add_channel: Add, sender: Sender, clock: Move
    ) -> None:
        add_channel("wecom", url="http://localhost:9/")
        outbox.tell([change()])
        clock(timedelta(seconds=31))
        dead = outbox.claim(outbox.Turns())
        assert dead
        assert outbox.claim(outbox.Turns()) is None
        clock(outbox.CLAIM + timedelta(seconds=1))
        second = outbox.claim(outbox.Turns())
        assert second
        assert second.id == dead.id
        outbox.settle(dead, Outcome(Trouble.STATUS, "500"))  # it was only slow: too late
        assert Delivery.objects.get().claimed_until is not None

    def test_what_comes_while_a_message_is_sent_is_another_message(
        self, add_channel: Add, sender: Sender, clock: Move
    ) -> None:
        with robot("wecom") as running:
            add_channel("wecom", url=running.url)
            outbox.tell([change("a")])
            clock(timedelta(seconds=31))
            claimed = outbox.claim(outbox.Turns())
            assert claimed
            outbox.tell([change("b")])
            outbox.settle(claimed, Outcome())
            clock(timedelta(seconds=31))
            drain(sender, clock)
        assert "team-a/b" in running.texts()


def test_ended_messages_are_deleted_after_thirty_days(add_channel: Add, sender: Sender, clock: Move) -> None:
    with robot("wecom") as running:
        add_channel("wecom", url=running.url)
        outbox.tell([change()])
        clock(timedelta(seconds=31))
        drain(sender, clock)
        outbox.tell([change("waits")])
    clock(timedelta(days=29))
    outbox.prune()
    assert Delivery.objects.filter(state=outbox.SENT).count() == 1
    clock(timedelta(days=2))
    outbox.prune()
    assert [it.state for it in Delivery.objects.all()] == [outbox.COLLECTING]


def test_secrets_of_channels_are_in_no_database_in_clear(add_channel: Add) -> None:
    add_channel("dingtalk", url=f"https://oapi.dingtalk.com/robot/send?access_token={canary.CANARY}")
    canary.watch_database()
    assert not canary.leaks
