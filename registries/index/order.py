"""The order of a list, and its groups: the registries with one cause, one host, or one credential (address and user
name)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from types import MappingProxyType

from registries.domain.query import Filter, Group, GroupHead, Member, Sort
from registries.domain.registry import RegistrySecret, VerifyStatus

Since = Mapping[str, datetime]
"""Since when failing registries fail, by uid, as far as it is known."""
NO_TIMES: Since = MappingProxyType({})
_STATUS_ORDER = {VerifyStatus.FAILED: 0, VerifyStatus.UNTESTED: 1, VerifyStatus.SUCCESS: 2}
_SORT_KEYS: Mapping[Sort, Callable[[RegistrySecret], object]] = {
    Sort.NAMESPACE: lambda it: it.key,
    Sort.NAME: lambda it: (it.name, it.namespace),
    Sort.DOMAIN: lambda it: (it.domain, it.key),
    Sort.STATUS: lambda it: (_STATUS_ORDER[it.verification.status], not it.verification.unproven, it.key),
    Sort.TESTED: lambda it: (it.verification.at.timestamp() if it.verification.at else 0.0, it.key),
}


def in_order(items: Iterable[RegistrySecret], sort: Sort, since: Since) -> list[RegistrySecret]:
    def broke(it: RegistrySecret) -> object:
        """The failing ones first, the one that broke last before the others. A failure whose beginning is not known
        began with its last test."""
        status = it.verification.status
        at = since.get(it.uid) or it.verification.at if status is VerifyStatus.FAILED else None
        return _STATUS_ORDER[status], -at.timestamp() if at else 0.0, it.key

    return sorted(items, key=broke if sort is Sort.BROKE else _SORT_KEYS[sort])  # type: ignore[arg-type]


def has_status(registry: RegistrySecret, status: Filter, now: datetime) -> bool:
    verification = registry.verification
    if status is Filter.STALE:
        return verification.is_stale(now)
    if status is Filter.EXPIRING:
        return registry.expires_soon(now.date())
    if status is Filter.UNPROVEN:
        return verification.unproven
    return verification.status.value == status.value


def _cause(registry: RegistrySecret) -> str:
    verification = registry.verification
    if verification.status is VerifyStatus.FAILED or verification.unproven:
        return verification.reason or verification.status.value
    return verification.status.value


VALUES: Mapping[Group, Callable[[RegistrySecret], str]] = {
    Group.CAUSE: _cause,
    Group.HOST: lambda it: it.domain,
    Group.CREDENTIAL: lambda it: f"{it.domain} {it.username}",
}


def has_failed(registry: RegistrySecret) -> bool:
    return registry.verification.status is VerifyStatus.FAILED


def grouped(items: Sequence[RegistrySecret], group: Group) -> tuple[RegistrySecret, ...]:
    """The same items with each group together: most failing ones first, then by value. Keeps their order within.
    Groups of one come last among those with as many failing ones, in the order of the items: they share one head."""
    value = VALUES[group]
    failed, total = Counter(map(value, filter(has_failed, items))), Counter(map(value, items))
    ranks = {it: (-failed[it], count == 1, "" if count == 1 else it) for it, count in total.items()}
    return tuple(sorted(items, key=lambda it: ranks[value(it)]))


def heads(items: Sequence[RegistrySecret], group: Group, first: int, last: int) -> Iterator[GroupHead]:
    """The groups of the items from number `first` to before `last`, among grouped items."""
    value = VALUES[group]
    begin, end = first, last
    while 0 < begin < last and value(items[begin - 1]) == value(items[first]):
        begin -= 1
    while first < end < len(items) and value(items[end]) == value(items[last - 1]):
        end += 1
    place = begin
    for name, found in groupby(items[begin:end], value):
        members = list(found)
        failing = [it for it in members if has_failed(it)]
        reasons = Counter(it.verification.reason for it in failing)
        yield GroupHead(
            member=Member(group, name),
            rows=min(last, place + len(members)) - max(first, place),
            continued=place < first,
            total=len(members),
            namespaces=len({it.namespace for it in members}),
            hosts=len({it.domain for it in members}),
            failed=len(failing),
            reasons=tuple(sorted(reasons.items(), key=lambda it: (-it[1], it[0]))),
        )
        place += len(members)
