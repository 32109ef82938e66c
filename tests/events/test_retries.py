"""A message that does not arrive: when it is tried again, and what ends the attempts."""

from datetime import timedelta

from django.utils import timezone

from registries.events import outbox
from registries.events.sender import Sender
from registries.events.services.base import Trouble
from registries.models import Channel, Delivery
from tests.events.conftest import Add, Move, change, drain
from tests.peers.robots import Robot, coded, robot
from tests.peers.scripted import Reply


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
