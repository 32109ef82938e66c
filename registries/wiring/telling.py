"""The parts that tell people of changes: channels, and the sender of the outbox."""

from dataclasses import replace

from django.conf import settings

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
            self.sealer, channel_policy, StoredBuckets(), self.metrics, settings.NOTIFY_URL, failing
        )


def channel_policy(namespace: str) -> Policy:
    """The rules of the network for messages. Only channels of administrators may reach loopback addresses."""
    policy = probe_policy()
    return replace(
        policy,
        allow_loopback=policy.allow_loopback and not namespace,
        allow_plain_http=settings.NOTIFY_PLAIN_HTTP,
    )
