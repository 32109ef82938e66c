"""Queries of a list and their results: frozen values between views, API and index."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from registries.domain.registry import Key, Provider, RegistrySecret
from registries.domain.selectors import Selector


class Filter(StrEnum):
    """The values of the status filter: the three states, and properties that overlap with them."""

    SUCCESS = "success"
    FAILED = "failed"
    UNTESTED = "untested"
    UNPROVEN = "unproven"
    STALE = "stale"
    EXPIRING = "expiring"


class Sort(StrEnum):
    NAMESPACE = "namespace"
    NAME = "name"
    DOMAIN = "domain"
    STATUS = "status"
    TESTED = "tested"
    BROKE = "broke"
    """The failing ones first: the one that broke last, then those before."""


class Group(StrEnum):
    """What the registries of one group of a list have in common."""

    CAUSE = "cause"
    HOST = "host"
    CREDENTIAL = "credential"


class Trait(StrEnum):
    """What deserves a look, whatever the last test said. The values of the filter `has`."""

    AGED = "old-password"
    NOT_VERIFIED = "unverified-certificate"
    PLAIN_HTTP = "plain-http"


PAGE_SIZES = (10, 20, 50, 100)
DEFAULT_PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Member:
    """One group, by the value that its registries share: a reason code or status, host[:port], "host[:port] user"."""

    group: Group
    value: str


@dataclass(frozen=True, slots=True)
class Criteria:
    """The registries to select. An empty value selects all. `text` matches name, display name and domain. `unused` has
    the uids of the registries that nothing uses, to select only these. A password is old if it was set before
    `old_before`."""

    namespace: str = ""
    text: str = ""
    status: Filter | None = None
    provider: Provider | None = None
    selector: Selector | None = None
    member: Member | None = None
    unused: frozenset[str] | None = None
    trait: Trait | None = None
    old_before: datetime | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything but the namespace and the status limits the selection."""
        return self.unused is not None or any(
            (self.provider, self.text, self.selector, self.member, self.trait)
        )

    def shows_trait(self, registry: RegistrySecret) -> bool:
        """Whether a registry has the trait, if one is asked for."""
        match self.trait:
            case Trait.PLAIN_HTTP:
                return registry.plain_http
            case Trait.NOT_VERIFIED:
                return registry.not_verified
            case Trait.AGED:
                return self.old_before is not None and registry.password_set_at < self.old_before
        return True


def usual_sort(criteria: Criteria, group: Group | None) -> Sort:
    """The order of a list that names none."""
    return Sort.BROKE if group or criteria.status is Filter.FAILED else Sort.NAMESPACE


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Criteria, order, and the page (from 1) of a list. `group` puts the registries of a group together, those groups
    first in which most fail."""

    criteria: Criteria = field(default_factory=Criteria)
    sort: Sort = Sort.NAMESPACE
    descending: bool = False
    group: Group | None = None
    page: int = 1
    size: int = DEFAULT_PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Around:
    """The failing registries before and after one in the order of a list; its own number among them, from 1, and 0 if
    it does not fail; and how many fail."""

    before: Key | None
    after: Key | None
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by status, under all criteria except the status. Total = success + failed + untested."""

    success: int = 0
    failed: int = 0
    untested: int = 0
    unproven: int = 0
    stale: int = 0
    expiring: int = 0

    @property
    def total(self) -> int:
        return self.success + self.failed + self.untested

    def of(self, status: Filter | None) -> int:
        return self.total if status is None else int(getattr(self, status.value))


@dataclass(frozen=True, slots=True)
class GroupHead:
    """One group on a page: its rows there, and the counts of all its registries under the criteria. `reasons` are the
    codes of the failing ones with their counts, the most frequent first."""

    member: Member
    rows: int
    continued: bool
    """Whether it begins on a page before."""
    total: int
    namespaces: int
    hosts: int
    failed: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def alone(self) -> bool:
        """Whether its only row says everything that the group has in common."""
        return self.total == 1


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `number` is the page shown: a page past the end becomes the last page."""

    items: tuple[RegistrySecret, ...]
    total: int
    number: int
    size: int
    tally: Tally
    version: str
    """A fingerprint of all visible registries of the namespace. It changes with any of them."""
    groups: tuple[GroupHead, ...] = ()
    """The groups of the items, in their order; empty for a list without groups."""

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last(self) -> int:
        return self.first + len(self.items) - 1 if self.items else 0


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of documents (JSON). `total` counts all pages. `version` is the newest resource version of anything,
    deletions included. `place` is the place in the log of changes. `more` is the key of the last document if
    others follow."""

    items: tuple[bytes, ...]
    total: int
    version: str
    place: int
    more: Key | None = None
