"""The use cases that only read, and the check of access that all use cases share. See service.py."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from typing import Protocol

from registries.domain.access import Access, Permission
from registries.domain.errors import UNCERTAIN, ConsoleError, Forbidden, NotFound, Refused, Unavailable
from registries.domain.query import Criteria, Listing, ListQuery, Page, Tally
from registries.domain.registry import (
    Credential,
    Key,
    RegistrySecret,
)
from registries.domain.resource import (
    Resource,
    public,
    to_domain,
)
from registries.domain.selectors import Selector
from registries.index.snapshot import Index, visible_namespaces
from registries.index.watch_log import News
from registries.probe.result import Result
from registries.stores.base import Freshness, Store
from registries.verification.records import IN_DOUBT, Action, Audit, Checks, Limit, Restraint

_NEEDED = {
    Action.SEE: Permission.SEE,
    Action.EDIT: Permission.EDIT,
    Action.TEST: Permission.TEST,
    Action.DELETE: Permission.DELETE,
}
"""What it takes to do something with a registry that is there."""


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

    def find(self, *, access: Access, key: Key, action: Action = Action.SEE) -> RegistrySecret:
        """One registry as it is now, for somebody who means to do something with it. NotFound, Forbidden.

        To look at it, what was last known will do while the store is away.
        """
        if action is Action.SEE:
            return self.shown(access=access, key=key)[0]
        return to_domain(self.resource(access=access, key=key, action=action))

    def shown(self, *, access: Access, key: Key) -> tuple[RegistrySecret, Resource | None]:
        """One registry to look at, and as a resource. While the store is away it is what was last known, without the
        resource: the store is not asked, since it may take long to say nothing. NotFound."""
        self._require(access, Permission.SEE, key, Action.SEE)
        known = self._index.fresh().find(key) if self.freshness().away else None
        if known is not None:
            return known, None
        try:
            resource = public(self._store.get(key))
        except Unavailable:
            known = self._index.fresh().find(key)
            if known is None:
                raise
            return known, None
        return to_domain(resource), resource

    def known(self, *, access: Access, key: Key) -> RegistrySecret | None:
        """One registry as lists have it, which asks no cluster; None when it is not there or may not be seen."""
        return self._index.fresh().find(key) if access.may(Permission.SEE, key.namespace) else None

    def resource(self, *, access: Access, key: Key, action: Action = Action.SEE) -> Resource:
        """The same as a resource, without the password."""
        self._require(access, _NEEDED[action], key, action)
        return public(self._store.get(key))

    def by_uid(
        self, *, access: Access, uids: Sequence[str], action: Action = Action.SEE
    ) -> tuple[RegistrySecret, ...]:
        """Those of these uids that exist and with which this person may do something, by namespace and name. Those
        that they only see are left out as refused."""
        snapshot = self._index.fresh()
        keys = {snapshot.keys_by_uid[uid] for uid in uids if uid in snapshot.keys_by_uid}
        seen = (snapshot.find(key) for key in sorted(keys) if access.may(Permission.SEE, key.namespace))
        allowed: list[RegistrySecret] = []
        refused: list[RegistrySecret] = []
        for registry in filter(None, seen):
            may = access.may(_NEEDED[action], registry.namespace)
            (allowed if may else refused).append(registry)
        if refused:
            items = [(it.key, it.uid) for it in refused]
            self._audit.record_all(access, action, items, outcome=Forbidden.reason)
        return tuple(allowed)

    def selected(
        self, *, access: Access, keys: Sequence[Key], action: Action
    ) -> tuple[RegistrySecret | None, ...]:
        """These registries, None for one that is not there or may not be seen. Forbidden when a role is missing."""
        snapshot = self._index.fresh()
        seen = [key if access.may(Permission.SEE, key.namespace) else None for key in keys]
        for key in seen:
            if key is not None:
                self._require(access, _NEEDED[action], key, action)
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
    def _writing(self, access: Access, action: Action, key: Key, *, doubt: bool = True) -> Iterator[Store]:
        """The store in this person's name, in one transaction where there is one. What it forbids, though it was
        allowed a moment ago, is written down like what is refused here; so is what may have been done though the
        answer did not come, unless there is no `doubt`: in a rehearsal, or when that has been written down."""
        try:
            with self._atomic():
                yield self._store.acting_as(access.acting)
        except Forbidden as error:
            outcome = "refused" if isinstance(error, Refused) else error.reason
            self._audit.record(access, action, key=key, outcome=outcome)
            raise
        except Unavailable as error:
            if doubt and error.problem == UNCERTAIN:
                self._audit.record(access, action, key=key, outcome=IN_DOUBT)
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
