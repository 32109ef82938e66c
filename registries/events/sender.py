"""Sends what is in the outbox, in threads of this process. Any number of processes may do so."""

import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID, uuid4

from django.db import connections
from django.utils import timezone

from registries.domain.errors import ConsoleError
from registries.events import outbox
from registries.events.change import Change, ChangeKind
from registries.events.channels import opened
from registries.events.message import Message, message
from registries.events.services import SERVICES
from registries.events.services.alertmanager import ALERTS_MAX, REPEAT, Alertmanager
from registries.events.services.base import Config, Outcome, Post, Trouble, network
from registries.metrics import Metrics
from registries.models import Channel
from registries.probe import Policy
from registries.probe.answer import Answer
from registries.probe.fault import Fault
from registries.probe.post import post
from registries.probe.reason import Reason
from registries.stores.sealing import Sealer

EVERY = 2.0
"""Seconds between two looks into the outbox."""
THREADS = 2
REPEATING, KEPT = 20.0, 5.0
"""Seconds for the alerts of one channel that are sent again, and how old the list of failing registries may be. In sum
less than a change is collected: an alert must not be sent again after the message that ends it."""

Part = tuple[str, int]
"""A group, and the number of its first alert."""

log = logging.getLogger(__name__)


class Sender:
    """Sends messages. `policy` gives the rules of the network for a channel of a namespace, or of all ("").

    `url` is the console's address for links, or "". `failing` returns the changes of all registries that fail now,
    for services that forget. `described` adds what is known of the registries now: display name, owner, support
    contact.
    """

    def __init__(
        self,
        sealer: Sealer,
        policy: Callable[[str], Policy],
        metrics: Metrics,
        url: str,
        failing: Callable[[], Sequence[Change]],
        described: Callable[[Change], Change] = lambda change: change,
    ) -> None:
        self._sealer = sealer
        self._policy = policy
        self._metrics = metrics
        self._url = url.rstrip("/")
        self._failing = failing
        self._described = described
        self._turns = outbox.Turns()
        self._failing_at = float("-inf")
        self._failing_now: Sequence[Change] = ()
        self._repeated: dict[UUID, Part] = {}
        """By channel: the alerts that this process tried last."""
        self._stopped = threading.Event()

    def start(self) -> None:
        for number in range(THREADS):
            threading.Thread(target=self._work, name=f"sender-{number}", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                while not self._stopped.is_set() and self._send_and_repeat():
                    pass
            except Exception:  # the next message is sent, whatever happened to this one
                log.exception("the outbox was not sent")
            finally:
                connections.close_all()
            self._stopped.wait(EVERY)

    def _send_and_repeat(self) -> bool:
        sent = self.send_one()
        return self.repeat_one() or sent

    def send_one(self) -> bool:
        """Sends a message that is due; the namespaces take turns. Returns whether there was one."""
        claimed = outbox.claim(self._turns)
        if claimed is None:
            return False
        channel = claimed.channel
        outcome = self.attempt(channel, claimed.changes, str(claimed.id))
        outbox.settle(claimed, outcome)
        return True

    def attempt(self, channel: Channel, changes: Sequence[Change], key: str) -> Outcome:
        """One attempt at a message, whatever happens."""
        try:
            config = opened(self._sealer, channel)
            known = [self._described(change) for change in changes]
            told = message(known, language=channel.language, url=self._url, scope=channel.namespace)
            outcome = self.deliver(channel.service, channel.namespace, config, told, key)
        except Exception as error:  # noqa: BLE001 - a message that cannot be made must not stop the others
            cause = error.reason if isinstance(error, ConsoleError) else type(error).__name__
            log.error("a message was not sent: %s", cause)  # without the text, which may hold a secret
            outcome = Outcome(Trouble.UNSENT, cause[:32])
        self._metrics.delivered(channel.service, outcome.trouble or "")
        return outcome

    def deliver(self, service: str, namespace: str, config: Config, told: Message, key: str) -> Outcome:
        """Sends one message by these fields of a channel."""
        policy = self._policy(namespace)

        def send(request: Post) -> Answer:
            return post(request.url, request.body, request.headers, policy)

        try:
            return SERVICES[service].send(told, config, key=key, now=timezone.now(), post=send)
        except Fault as fault:
            return network(fault.reason)

    def repeat_one(self) -> bool:
        """Sends the alerts of failing registries again, to one channel of a service that forgets. Returns whether there
        was one. It ends with the first alert that does not arrive, and after some time: others wait for their turn.
        The next time begins after the alerts that were tried last."""
        channel = outbox.claim_repeat(Alertmanager.name, REPEAT, self._turns)
        if channel is None:
            return False
        parts = _parts(it for it in self._failing_lately() if channel.namespace in ("", it.namespace))
        order, until = sorted(parts), time.monotonic() + REPEATING
        first = bisect_right(order, self._repeated.get(channel.pk, ("", 0)))
        for part in order[first:] + order[:first]:
            if time.monotonic() > until:
                outbox.note(channel, network(Reason.TIMEOUT))
                break
            self._repeated[channel.pk] = part
            outcome = self.attempt(channel, parts[part], str(uuid4()))
            outbox.note(channel, outcome)
            if outcome.trouble is Trouble.NETWORK:
                break
        return True

    def _failing_lately(self) -> Sequence[Change]:
        if time.monotonic() - self._failing_at > KEPT:
            self._failing_now, self._failing_at = self._failing(), time.monotonic()
        return self._failing_now

    def try_channel(self, service: str, namespace: str, language: str, config: Config, key: str) -> Outcome:
        """Sends a test message by these fields."""
        now = timezone.now()
        change = Change(ChangeKind.TEST, now, now)
        told = message([change], language=language, url=self._url, scope=namespace)
        return self.deliver(service, namespace, config, told, key)


def _parts(changes: Iterable[Change]) -> dict[Part, list[Change]]:
    """The changes of each group, no more in one part than a request may have."""
    groups: dict[str, list[Change]] = {}
    for it in changes:
        groups.setdefault(it.group, []).append(it)
    return {
        (group, first): mine[first : first + ALERTS_MAX]
        for group, mine in groups.items()
        for first in range(0, len(mine), ALERTS_MAX)
    }
