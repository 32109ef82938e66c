"""Alerts that are repeated while a registry fails: each has its turn, in a limited time."""

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest

from registries.domain.access import Access, Permission
from registries.events import outbox
from registries.events import sender as sending
from registries.events.change import ChangeKind
from registries.events.sender import Sender
from registries.events.services.alertmanager import ALERTS_MAX
from registries.events.services.base import Trouble
from registries.models import Channel, Delivery
from registries.wiring import services
from tests.events.conftest import Add, Move, change, drain
from tests.peers.scripted import Reply, Request, scripted


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


def _names(requests: Iterable[Request]) -> list[list[str]]:
    return [[it["labels"]["registry_name"] for it in json.loads(one.body)] for one in requests]


def test_the_first_alerts_of_many_registries_are_sent_at_once(
    add_channel: Add, sender: Sender, clock: Move
) -> None:
    """Those beyond the first 500 came up to five minutes later, and no recovery of theirs was ever sent."""
    names = [f"r{n:04}" for n in range(outbox.ITEMS_MAX + ALERTS_MAX + 1)]
    with scripted(lambda _request: Reply(200)) as alerts:
        add_channel("alertmanager", url=alerts.url())
        outbox.tell([change(it, kind=ChangeKind.RECOVERED, reason="ok") for it in names])
        clock(outbox.COLLECT)
        assert drain(sender, clock) == 2
        told = _names(alerts.requests)
    assert max(map(len, told)) == ALERTS_MAX
    assert sorted(name for one in told for name in one) == names
    assert set(Delivery.objects.values_list("state", flat=True)) == {outbox.SENT}


def test_alerts_that_are_not_taken_halfway_are_sent_again(
    add_channel: Add, sender: Sender, clock: Move
) -> None:
    replies = iter((Reply(200), Reply(503), *(Reply(200) for _ in range(3))))
    with scripted(lambda _request: next(replies)) as alerts:
        add_channel("alertmanager", url=alerts.url())
        outbox.tell([change(f"r{n:04}") for n in range(3 * ALERTS_MAX)])
        clock(outbox.COLLECT)
        assert sender.send_one()
        assert len(alerts.requests) == 2
        clock(timedelta(minutes=5))
        assert sender.send_one()
        told = _names(alerts.requests[2:])
    assert [len(it) for it in told] == [ALERTS_MAX] * 3


def test_a_message_of_too_many_changes_is_followed_by_another_one(
    add_channel: Add, sender: Sender, clock: Move
) -> None:
    """What one message did not take was never told."""
    with scripted(lambda _request: Reply(200, body=b"ok")) as slack:
        add_channel("slack", url=slack.url(), language="en")
        outbox.tell([change(f"r{n:04}") for n in range(outbox.ITEMS_MAX + 7)])
        clock(outbox.COLLECT)
        assert drain(sender, clock) == 2
        first, second = (it.body.decode() for it in slack.requests)
    assert f"{outbox.ITEMS_MAX} registries" in first
    assert "7 registries" in second
