"""The use cases that only read, and the check of access that all use cases share. See service.py."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from typing import Protocol

from registries.access import Access, Permission
from registries.changelog import News
from registries.domain import (
    Credential,
    Key,
    RegistrySecret,
)
from registries.errors import ConsoleError, Forbidden, NotFound, Unavailable
from registries.index import Index, visible_namespaces
from registries.listing import Criteria, Listing, ListQuery, Page, Tally
from registries.probe.result import Result
from registries.records import Action, Audit, Checks, Limit, Restraint
from registries.resource import (
    Resource,
    public,
    to_domain,
)
from registries.selectors import Selector
from registries.stores.base import Freshness, Store


class Prober(Protocol):
    def __call__(self, credential: Credential) -> Result: ...


class Reading:
    """`atomic` makes one transaction of a write and its records, where the store shares their database."""

    def __init__(
        self,
        *,
        store: Store,
        index: Index,
        prober: Prober,
        audit: Audit,
        history: Checks,
        limit: Limit,
        restraint: Restraint,
        atomic: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._store = store
        self._index = index
        self._prober = prober
        self._audit = audit
        self._history = history
        self._limit = limit
        self._restraint = restraint
        self._atomic = atomic

    @property
    def manages_namespaces(self) -> bool:
        return self._store.manages_namespaces

    def freshness(self) -> Freshness:
        """Whether what is read is up to date, and anything can be written."""
        return self._index.freshness()

    def begin(self) -> None:
        """Read everything once, before somebody waits for it."""
        with suppress(Unavailable):
            self._index.fresh()

    def missing(self) -> str:
        """Why there is nothing to show yet: a problem's code, or `first_list` while that is on its way. "" once it
        has been read, and from then on, since what is known is shown while the store is away. Does not wait."""
        if self._index.is_filled:
            return ""
        freshness = self._index.freshness()
        if not freshness.known:
            return freshness.problem or "first_list"
        self._index.fresh()
        return ""

    def version(self, *, access: Access, namespace: str = "") -> str:
        """Page.version as it is now."""
        return self._index.version(access, namespace)

    def index_age(self) -> float | None:
        """Seconds since the store was last heard of: what lists show is that old. None when it never was."""
        freshness = self._index.freshness()
        if not freshness.away:
            return 0.0
        return (datetime.now(UTC) - freshness.as_of).total_seconds() if freshness.as_of else None

    def namespaces(self, *, access: Access, permission: Permission = Permission.SEE) -> tuple[str, ...]:
        return visible_namespaces(self._index.fresh(), access, permission)

    def namespace_exists(self, *, access: Access, name: str) -> bool:
        """Whether there is such a namespace for this person."""
        return name in self.namespaces(access=access)

    def page(self, *, access: Access, query: ListQuery) -> Page:
        """One page. NotFound when the query names a namespace that this person may not see, or none has."""
        self._require_namespace(access, query.criteria.namespace)
        return self._index.page(access, query)

    def listing(self, *, access: Access, criteria: Criteria, first: int, count: int) -> Listing:
        """A page of resources as JSON; none past the end. NotFound as for `page`."""
        self._require_namespace(access, criteria.namespace)
        return self._index.listing(access, criteria, first, count)

    def place_of(self, *, version: str) -> int | None:
        """Where in the log of changes a version is; None when that is not known any more."""
        return self._index.place_of(version)

    def changes(self, *, access: Access, namespace: str, after: int, selector: Selector) -> News | None:
        """What of those that are selected changed after a place in the log; None when that is not known any more."""
        return self._index.changes(access, namespace, after, selector)

    def matching(self, *, access: Access, criteria: Criteria) -> tuple[RegistrySecret, ...]:
        self._require_namespace(access, criteria.namespace)
        return self._index.matching(access, criteria)

    def find(self, *, access: Access, key: Key, permission: Permission = Permission.SEE) -> RegistrySecret:
        """One registry as it is now, for somebody who means to use a permission on it. NotFound, Forbidden.

        To look at it, what was last known will do while the store is away.
        """
        try:
            return to_domain(self.resource(access=access, key=key, permission=permission))
        except Unavailable:
            known = self._index.fresh().find(key) if permission is Permission.SEE else None
            if known is None:
                raise
            return known

    def resource(self, *, access: Access, key: Key, permission: Permission = Permission.SEE) -> Resource:
        """The same as a resource, without the password."""
        self._require(access, permission, key, Action.SEE)
        return public(self._store.get(key))

    def by_uid(
        self, *, access: Access, uids: Sequence[str], permission: Permission = Permission.SEE
    ) -> tuple[RegistrySecret, ...]:
        """Those of these uids that exist and for which a permission is held, by namespace and name."""
        snapshot = self._index.fresh()
        keys = {snapshot.keys_by_uid[uid] for uid in uids if uid in snapshot.keys_by_uid}
        found = (snapshot.find(key) for key in sorted(keys) if access.may(permission, key.namespace))
        return tuple(registry for registry in found if registry)

    def selected(
        self, *, access: Access, keys: Sequence[Key], permission: Permission
    ) -> tuple[RegistrySecret | None, ...]:
        """These registries, None for one that is not there or may not be seen. Forbidden when a role is missing."""
        snapshot = self._index.fresh()
        seen = [key if access.may(Permission.SEE, key.namespace) else None for key in keys]
        for key in seen:
            if key is not None:
                self._require(access, permission, key, Action.SEE)
        return tuple(None if key is None else snapshot.find(key) for key in seen)

    def names(self, *, access: Access, namespace: str) -> frozenset[str]:
        """The names that are taken in a namespace; none for one that may not be seen."""
        if not access.may(Permission.SEE, namespace):
            return frozenset()
        return frozenset(it.name for it in self._index.matching(access, Criteria(namespace=namespace)))

    def twins(
        self, *, access: Access, namespace: str, domain: str, username: str
    ) -> tuple[RegistrySecret, ...]:
        """The registries of a namespace that hold a credential for the same address and user name."""
        if not access.may(Permission.SEE, namespace):
            return ()
        criteria = Criteria(namespace=namespace, text=domain)
        same = self._index.matching(access, criteria)
        return tuple(it for it in same if it.domain == domain and it.username == username)

    def tallies(self, *, access: Access) -> dict[str, Tally]:
        """The counts of every namespace that may be seen, empty ones included, by name."""
        return self._index.tallies(access)

    # Access

    @contextmanager
    def _writing(self, access: Access, action: Action, key: Key) -> Iterator[Store]:
        """The store in this person's name, in one transaction where there is one. What it forbids, though it was
        allowed a moment ago, is written down like what is refused here."""
        try:
            with self._atomic():
                yield self._store.acting_as(access.acting)
        except Forbidden as error:
            self._audit.record(access, action, key=key, outcome=error.reason)
            raise

    def _require(self, access: Access, permission: Permission, key: Key, action: Action) -> None:
        try:
            access.require(permission, key.namespace)
        except ConsoleError as error:
            self._audit.record(access, action, key=key, outcome=error.reason)
            raise

    def _require_namespace(self, access: Access, namespace: str) -> None:
        if namespace and not self.namespace_exists(access=access, name=namespace):
            raise NotFound(namespace)
