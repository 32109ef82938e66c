"""The parts that tell people of changes: channels, and the sender of the outbox."""

from dataclasses import replace

from django.conf import settings

from registries.domain.errors import Unavailable
from registries.domain.registry import Key
from registries.events.change import Change
from registries.events.channels import Channels
from registries.events.sender import Sender
from registries.limits import Rates, StoredBuckets
from registries.probe import Policy
from registries.schedule.telling import failing
from registries.verification.prober import probe_policy
from registries.wiring.base import Foundation, part

CHANNEL_TESTS_PER_MINUTE = 10


class Telling(Foundation):
    """Channels and the outbox."""

    @part
    def channels(self) -> Channels:
        mail = bool(settings.NOTIFY_MAIL)
        return Channels(self.audit, self.sealer, plain_http=settings.NOTIFY_PLAIN_HTTP, mail=mail)

    @part
    def channel_tests(self) -> Rates:
        """Test messages a minute of one person."""
        return Rates(CHANNEL_TESTS_PER_MINUTE, StoredBuckets())

    @part
    def sender(self) -> Sender:
        return Sender(
            sealer=self.sealer,
            policy=channel_policy,
            metrics=self.metrics,
            url=settings.NOTIFY_URL,
            failing=failing,
            described=self._described,
        )

    def _described(self, change: Change) -> Change:
        """The change with display name, owner and support contact, if the registry is still there and known."""
        try:
            found = self.index.fresh().find(Key(change.namespace, change.name))
        except Unavailable:
            return change
        if found is None or found.uid != change.uid:
            return change
        return replace(
            change, display_name=found.display_name, owner=found.owner, support=found.support_contact
        )


def channel_policy(namespace: str) -> Policy:
    """The rules of the network for messages. Only channels of administrators may reach loopback addresses."""
    policy = probe_policy()
    return replace(
        policy,
        allow_loopback=policy.allow_loopback and not namespace,
        allow_plain_http=settings.NOTIFY_PLAIN_HTTP,
    )
