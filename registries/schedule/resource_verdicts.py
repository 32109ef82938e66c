"""The verdicts on resources whose credential changed: which of them still hold."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from registries.domain.registry import RegistrySecret, Verification, VerifyStatus
from registries.models import ScheduledRegistry
from registries.schedule.digest import fingerprint

ROUNDED = timedelta(seconds=1)
"""A resource has the time of its verdict in milliseconds."""


def with_newer(changed: Sequence[RegistrySecret], before: Mapping[str, ScheduledRegistry]) -> set[str]:
    """The registries with a verdict that is newer than their new credential. It stays on the resource."""
    found = set[str]()
    for it in changed:
        verdict = judged(it, before).verification
        if verdict.at:
            mine = ScheduledRegistry.objects.filter(uid=it.uid)
            mine.update(written_at=verdict.at, written_reason=verdict.reason[:64])
            found.add(it.uid)
    return found


def is_bare(registry: RegistrySecret, before: ScheduledRegistry) -> bool:
    """Whether a change took the verdict away, though it may have left the credential as it was."""
    changed = before.fingerprint != fingerprint(registry)
    return changed and registry.verification.status is VerifyStatus.UNTESTED


def judged(registry: RegistrySecret, before: Mapping[str, ScheduledRegistry]) -> RegistrySecret:
    """The registry, without a verdict that is no newer than a change of its credential: kubectl leaves it in place."""
    earlier, verdict = before.get(registry.uid), registry.verification
    if earlier is None or verdict.at is None:
        return registry
    if earlier.written_at and verdict.at > earlier.written_at + ROUNDED:
        return registry
    return replace(registry, verification=Verification())
