"""The outbox: told at least once, to whom it concerns, in groups."""

import threading
from datetime import timedelta
from typing import Any

from django.db import connections, transaction

from registries.events import outbox
from registries.events.change import ChangeKind
from registries.events.sender import Sender
from registries.events.services.base import Outcome, Trouble
from registries.models import Delivery, DeliveryItem
from registries.wiring import services
from tests import canary
from tests.cast import Cast
from tests.events.conftest import Add, Move, change, drain
from tests.peers.robots import robot
from tests.peers.scripted import Reply


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
            if running.received:
                break
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
