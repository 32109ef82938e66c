"""Groups of a list: the registries with one cause, one host, or one credential (address and user name)."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from registries.domain.query import Group, GroupHead, Member
from registries.domain.registry import RegistrySecret, VerifyStatus


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
    """The same items with each group together: most failing ones first, then by value. Keeps their order within."""
    value = VALUES[group]
    failed = Counter(map(value, filter(has_failed, items)))
    ranks = {name: (-failed[name], name) for name in set(map(value, items))}
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
