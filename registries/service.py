"""The use cases: one method each, keyword-only, no request, no response, no ORM.

Access is checked here and nowhere else; every change and every refusal goes to the audit log.
May import the domain, access, errors, records, the index, what a store is, and the probe's result.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from registries.access import Access, Permission
from registries.domain import (
    Credential,
    Draft,
    Key,
    RegistrySecret,
    Verification,
    VerifyStatus,
    namespace_problem,
)
from registries.drafts import information_causes
from registries.errors import Cause, Conflict, ConsoleError, Forbidden, Invalid, NotFound, Unavailable
from registries.index import Index, visible_namespaces
from registries.listing import Criteria, ListQuery, Page, Tally
from registries.outcome import Outcome
from registries.probe.result import Reason, Result
from registries.probe.schedule import registry_of
from registries.records import Action, Audit, Check, Checks, Limit, Restraint
from registries.resource import (
    Resource,
    information_annotations,
    new_resource,
    public,
    to_domain,
    verification_annotations,
)
from registries.stores.base import Freshness, PullSecret, Store

STORED_LANGUAGE = "zh"
"""verify-message is kept in Chinese, whatever the reader's language (connection-test.md)."""

RATE_LIMIT_PAUSE = 60
"""Seconds that a registry is left alone which is too busy and does not say for how long."""


class Prober(Protocol):
    def __call__(self, credential: Credential) -> Result: ...


class RegistryService:
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

    # Reading

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

    def version(self, *, access: Access, namespace: str = "") -> str:
        """Page.version as it is now."""
        return self._index.version(access, namespace)

    def namespaces(self, *, access: Access, permission: Permission = Permission.SEE) -> tuple[str, ...]:
        return visible_namespaces(self._index.fresh(), access, permission)

    def namespace_exists(self, *, access: Access, name: str) -> bool:
        """Whether there is such a namespace for this person."""
        return name in self.namespaces(access=access)

    def page(self, *, access: Access, query: ListQuery) -> Page:
        """One page. NotFound when the query names a namespace that this person may not see, or none has."""
        self._require_namespace(access, query.criteria.namespace)
        return self._index.page(access, query)

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

    def pull_secret(self, *, access: Access, registry: RegistrySecret) -> PullSecret | None:
        """How the Secret stands that kubelets use; None when the store cannot tell now."""
        self._require(access, Permission.SEE, registry.key, Action.SEE)
        try:
            return self._store.pull_secret(registry.key, uid=registry.uid)
        except Unavailable:
            return None

    def by_uid(
        self, *, access: Access, uids: Sequence[str], permission: Permission = Permission.SEE
    ) -> tuple[RegistrySecret, ...]:
        """Those of these uids that exist and for which a permission is held, by namespace and name."""
        snapshot = self._index.fresh()
        keys = {snapshot.keys_by_uid[uid] for uid in uids if uid in snapshot.keys_by_uid}
        found = (snapshot.find(key) for key in sorted(keys) if access.may(permission, key.namespace))
        return tuple(registry for registry in found if registry)

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

    # Writing

    def create(self, *, access: Access, draft: Draft) -> RegistrySecret:
        """AlreadyExists; Forbidden; NotFound for a namespace that does not exist for this person."""
        self._require(access, Permission.CREATE, draft.key, Action.CREATE)
        with self._writing(access, Action.CREATE, draft.key) as store:
            created = to_domain(store.create(new_resource(draft)))
            self._audit.record(access, Action.CREATE, key=created.key, uid=created.uid, note=created.domain)
        return created

    def edit(
        self,
        *,
        access: Access,
        key: Key,
        uid: str,
        resource_version: str,
        display_name: str,
        description: str,
    ) -> RegistrySecret:
        """Change the two fields that may change. Conflict when somebody was faster; Invalid."""
        self._require(access, Permission.EDIT, key, Action.EDIT)
        causes = information_causes(display_name, description)
        if causes:
            raise Invalid(str(key), tuple(causes))
        with self._writing(access, Action.EDIT, key) as store:
            patch = information_annotations(display_name, description)
            changed = store.annotate(key, patch, uid=uid, resource_version=resource_version)
            self._audit.record(access, Action.EDIT, key=key, uid=uid)
        return to_domain(changed)

    def delete(
        self, *, access: Access, key: Key, uid: str, and_then: Callable[[], object] = lambda: None
    ) -> None:
        """NotFound when it is gone; Conflict when a namesake took its place, which is not touched.

        `and_then` is done in the same transaction, where there is one.
        """
        self._require(access, Permission.DELETE, key, Action.DELETE)
        with self._writing(access, Action.DELETE, key) as store:
            store.delete(key, uid=uid)
            self._history.forget(uid)
            self._audit.record(access, Action.DELETE, key=key, uid=uid)
            and_then()

    def remove(self, *, access: Access, key: Key, uid: str) -> None:
        """The deletion alone, for many at once; `record_deletions` belongs to it. The same errors."""
        self._require(access, Permission.DELETE, key, Action.DELETE)
        with self._writing(access, Action.DELETE, key) as store:
            store.delete(key, uid=uid)

    def record_deletions(self, *, access: Access, deleted: Sequence[tuple[Key, str]]) -> None:
        """Write down what `remove` deleted, by key and uid; a few statements, however many."""
        self._history.forget(*(uid for _, uid in deleted))
        self._audit.record_all(access, Action.DELETE, deleted)

    # Testing

    def begin_test(self, *, access: Access, key: Key) -> tuple[Check, bool]:
        """Say that a test is under way; the second value is False when one already was. TooManyRequests."""
        self._require(access, Permission.EDIT, key, Action.TEST)
        self._limit.take(access, key.namespace)
        return self._history.begin(to_domain(self._store.get(key)), access.person)

    def begin_test_of_run(self, *, access: Access, key: Key, uid: str) -> Check:
        """The same for a run, which limits itself. Conflict `recreated` or `under_way`."""
        self._require(access, Permission.EDIT, key, Action.TEST)
        registry = to_domain(self._store.get(key))
        if registry.uid != uid:
            raise Conflict(str(key), "recreated")
        check, new = self._history.begin(registry, access.person)
        if not new:
            raise Conflict(str(key), "under_way")
        return check

    def attempt(self, *, access: Access, check: Check) -> Callable[[], Result]:
        """The probe of a test that was begun, with the credential as it is now; any thread may make the call,
        which touches no storage. NotFound, Conflict, Unavailable, Forbidden."""
        with self._writing(access, Action.TEST, check.key) as store:
            return partial(self._prober, store.credential(check.key, uid=check.uid))

    def record_test(self, *, access: Access, check: Check, result: Result) -> Outcome:
        """Record a verdict on the resource that the test was begun with."""
        outcome = Outcome.of(result)
        try:
            with self._writing(access, Action.TEST, check.key) as store:
                patch = verification_annotations(_verification(result))
                changed = store.annotate(check.key, patch, uid=check.uid)
                self._audit.record(access, Action.TEST, key=check.key, uid=check.uid, note=outcome.reason)
                self._respect(to_domain(changed), result)
                self._history.finish(check, outcome)
        except ConsoleError as error:
            return self.abandon_test(check=check, error=error)
        return outcome

    def abandon_test(self, *, check: Check, error: ConsoleError | None = None) -> Outcome:
        """There is no verdict: the registry is gone, its password cannot be opened, or the test was cut off."""
        problem = error.reason if isinstance(error, Forbidden) else error.problem or "gone" if error else ""
        outcome = Outcome.abandoned(problem or "interrupted")
        self._history.finish(check, outcome)
        return outcome

    def abandon_lost_tests(self, *, access: Access, uids: Sequence[str]) -> None:
        """The process in which this person's tests of these registries were under way is gone."""
        self._history.lose(access.person, uids, Outcome.abandoned("interrupted"))

    def finish_test(self, *, access: Access, check: Check) -> Outcome:
        """Probe with the stored credential and record the verdict on the resource that was begun with."""
        try:
            result = self.attempt(access=access, check=check)()
        except ConsoleError as error:
            return self.abandon_test(check=check, error=error)
        except BaseException:
            self.abandon_test(check=check)
            raise
        return self.record_test(access=access, check=check, result=result)

    def admit_trial(self, *, access: Access, namespace: str) -> None:
        """Whether this person may test typed values in a namespace now: NotFound, Forbidden, TooManyRequests."""
        self._require(access, Permission.EDIT, Key(namespace, ""), Action.TRY)
        self._limit.take(access, namespace)

    def try_connection(self, *, access: Access, namespace: str, credential: Credential) -> Outcome:
        """Probe values that somebody typed and whose test was admitted; nothing is recorded but that it was done."""
        self._require(access, Permission.EDIT, Key(namespace, ""), Action.TRY)
        outcome = Outcome.of(self._prober(credential))
        self._audit.record(access, Action.TRY, namespace=namespace, note=outcome.reason)
        return outcome

    def _respect(self, registry: RegistrySecret, result: Result) -> None:
        if result.reason is Reason.RATE_LIMITED:
            seconds = result.retry_after or RATE_LIMIT_PAUSE
            self._restraint.note(registry_of(registry.address), registry.username, seconds)

    # Namespaces

    def create_namespace(self, *, access: Access, name: str) -> None:
        """AlreadyExists; Invalid."""
        access.require_administration()
        problem = namespace_problem(name)
        if problem:
            raise Invalid(name, (Cause("namespace", problem),))
        with self._atomic():
            self._store.create_namespace(name)
            self._audit.record(access, Action.NAMESPACE, namespace=name, note="create")

    def delete_namespace(self, *, access: Access, name: str) -> None:
        """Conflict `not_empty` while a registry is in it."""
        access.require_administration()
        with self._atomic():
            self._store.delete_namespace(name)
            self._audit.record(access, Action.NAMESPACE, namespace=name, note="delete")

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


def _verification(result: Result) -> Verification:
    return Verification(
        status=VerifyStatus.SUCCESS if result.ok else VerifyStatus.FAILED,
        reason=result.reason.value,
        message=result.message(STORED_LANGUAGE),
        at=datetime.now(UTC),
    )
