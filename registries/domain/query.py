"""What somebody asks of a list, and what they get: frozen values between views, API and index."""

from dataclasses import dataclass, field
from enum import StrEnum

from registries.domain.registry import Provider, RegistrySecret
from registries.domain.selectors import EVERYTHING, Selector


class Filter(StrEnum):
    """What the status filter takes: the three states, and two remarks that overlap them."""

    SUCCESS = "success"
    FAILED = "failed"
    UNTESTED = "untested"
    UNPROVEN = "unproven"
    STALE = "stale"


class Sort(StrEnum):
    NAMESPACE = "namespace"
    NAME = "name"
    DOMAIN = "domain"
    STATUS = "status"
    TESTED = "tested"


PAGE_SIZES = (10, 20, 50, 100)
DEFAULT_PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which registries. An empty value means all; `text` matches name, display name and domain."""

    namespace: str = ""
    text: str = ""
    status: Filter | None = None
    provider: Provider | None = None
    selector: Selector = EVERYTHING

    @property
    def narrows(self) -> bool:
        """Whether some in the namespaces may be left out, whatever their status."""
        return bool(self.provider or self.text or self.selector)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which registries, in what order, which page of them (from 1)."""

    criteria: Criteria = field(default_factory=Criteria)
    sort: Sort = Sort.NAMESPACE
    descending: bool = False
    page: int = 1
    size: int = DEFAULT_PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are of each, under all criteria but the status. Total = success + failed + untested."""

    success: int = 0
    failed: int = 0
    untested: int = 0
    unproven: int = 0
    stale: int = 0

    @property
    def total(self) -> int:
        return self.success + self.failed + self.untested

    def of(self, status: Filter | None) -> int:
        return self.total if status is None else int(getattr(self, status.value))


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `number` is the page really shown: one past the end becomes the last."""

    items: tuple[RegistrySecret, ...]
    total: int
    number: int
    size: int
    tally: Tally
    version: str
    """Another one when anything changed that could be on it."""

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
    """Resources as JSON, as they may be shown; `total` is how many there are. `version` is the newest of
    anything, deletions included, `place` where in the log of changes this is."""

    items: tuple[bytes, ...]
    total: int
    version: str
    place: int
