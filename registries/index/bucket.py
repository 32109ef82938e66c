"""The registries of one namespace, in memory: their counts, and those that match."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256

from registries.addresses import AddressError, parse_address
from registries.domain.query import Criteria, Filter
from registries.domain.registry import Key, RegistrySecret, VerifyStatus
from registries.index.order import VALUES


def newest_test_first(it: RegistrySecret) -> tuple[float, Key]:
    """A key to sort registries by."""
    return -it.verification.at.timestamp() if it.verification.at else 0.0, it.key


@dataclass(frozen=True)
class Bucket:
    """The registries of one namespace, sorted by name, and their counts."""

    items: tuple[RegistrySecret, ...]

    @cached_property
    def counts(self) -> Counter[str]:
        counts: Counter[str] = Counter(it.verification.status.value for it in self.items)
        counts[Filter.UNPROVEN] = sum(it.verification.unproven for it in self.items)
        return counts

    @cached_property
    def tested_at(self) -> list[datetime]:
        return sorted(it.verification.at for it in self.items if it.verification.at)

    @cached_property
    def by_test(self) -> list[RegistrySecret]:
        """Those that were tested, the newest test first."""
        return sorted((it for it in self.items if it.verification.at), key=newest_test_first)

    @cached_property
    def expires_on(self) -> list[date]:
        return sorted(day for it in self.items for day, _ in it.endings[:1])

    @cached_property
    def failing(self) -> Counter[tuple[str, str]]:
        """The failing registries by domain and reason."""
        return Counter(
            (it.domain, it.verification.reason)
            for it in self.items
            if it.verification.status is VerifyStatus.FAILED
        )

    @cached_property
    def by_age(self) -> list[RegistrySecret]:
        """The oldest password first."""
        return sorted(self.items, key=lambda it: (it.password_set_at, it.key))

    @cached_property
    def by_expiry(self) -> list[RegistrySecret]:
        """Those whose credential or certificate has a last day, the first to expire first."""
        return sorted((it for it in self.items if it.endings), key=lambda it: (it.endings[0][0], it.key))

    @cached_property
    def not_verified(self) -> list[RegistrySecret]:
        return [it for it in self.items if it.not_verified]

    @cached_property
    def plain(self) -> list[RegistrySecret]:
        return [it for it in self.items if it.plain_http]

    @cached_property
    def probed(self) -> list[RegistrySecret]:
        return [it for it in self.items if it.probe_image]

    @cached_property
    def copies(self) -> Mapping[str, list[RegistrySecret]]:
        """The copies by the uid of their source."""
        found: dict[str, list[RegistrySecret]] = {}
        for it in self.items:
            if it.origin:
                found.setdefault(it.origin.uid, []).append(it)
        return found

    @cached_property
    def accounts(self) -> Mapping[tuple[str, str], list[RegistrySecret]]:
        """By address and user name. An address that cannot be parsed is like no other."""
        found: dict[tuple[str, str], list[RegistrySecret]] = {}
        for it in self.items:
            if not it.address_problem:
                found.setdefault((it.address, it.username), []).append(it)
        return found

    @cached_property
    def haystacks(self) -> tuple[str, ...]:
        """The searched text of each item: name, display name and domain, case-folded."""
        return tuple(f"{it.name}\n{it.display_name}\n{it.domain}".casefold() for it in self.items)

    def narrowed(self, criteria: Criteria) -> "Bucket":
        """The items that match everything but the namespace and the status."""
        text, canonical = _searched(criteria.text)
        pairs = zip(self.haystacks, self.items, strict=True)
        found = (it for haystack, it in pairs if text in haystack or canonical in haystack)
        if criteria.provider:
            found = (it for it in found if it.provider is criteria.provider)
        if criteria.trait:
            found = (it for it in found if criteria.shows_trait(it))
        if criteria.unused is not None:
            uids = criteria.unused
            found = (it for it in found if it.uid in uids)
        if criteria.selector:
            found = (it for it in found if criteria.selector.selects(it.key, it.labels))
        if criteria.member:
            value, wanted = VALUES[criteria.member.group], criteria.member.value
            found = (it for it in found if value(it) == wanted)
        return Bucket(tuple(found))

    @cached_property
    def fingerprint(self) -> str:
        """Changes with any item; the same in every process."""
        return sha256(" ".join(f"{it.uid}:{it.resource_version}" for it in self.items).encode()).hexdigest()


def _searched(text: str) -> tuple[str, str]:
    """The text, case-folded, and as a canonical address, which may be written otherwise."""
    folded = text.casefold()
    try:
        return folded, parse_address(text).canonical
    except AddressError:
        return folded, folded
