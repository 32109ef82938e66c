"""The use cases: one method each, keyword-only, no request, no response, no ORM. This room has those that write;
those that read and test, and those around pull secrets, are next door, in reading.py, testing.py and pulling.py.

Access is checked here and there and nowhere else; every change and every refusal goes to the audit log.
May import the domain, access, errors, records, the index, what a store is, and the probe's result.
"""

from collections.abc import Callable, Sequence

from registries.domain.access import Access, Permission
from registries.domain.errors import Cause, Invalid, Unavailable
from registries.domain.metadata import TELLING
from registries.domain.registry import (
    Draft,
    Key,
    Provider,
    RegistrySecret,
    namespace_problem,
)
from registries.domain.resource import (
    Resource,
    information_annotations,
    new_resource,
    public,
    to_domain,
)
from registries.intake.draft import echo_causes, information_causes
from registries.service.pull_secret_use import Pulling
from registries.service.tests import Testing
from registries.verification.records import Action


class RegistryService(Testing, Pulling):
    """All use cases."""

    def require_create(self, *, access: Access, namespace: str) -> None:
        """Whether this person may create in a namespace, before what they send is judged: NotFound, Forbidden."""
        self._require(access, Permission.CREATE, Key(namespace, ""), Action.CREATE)
        self._require_namespace(access, namespace)

    def rehearse_create(self, *, access: Access, draft: Draft) -> Resource:
        """What `create` would store, with its errors, and nothing stored. It has no version yet."""
        self.require_create(access=access, namespace=draft.key.namespace)
        with self._writing(access, Action.CREATE, draft.key, doubt=False) as store:
            return public(store.create(new_resource(draft), dry_run=True))

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
        rehearse: bool = False,
    ) -> RegistrySecret:
        """Change the two fields that may change; or only see what that would give. Conflict when somebody was
        faster; Invalid."""
        self._require(access, Permission.EDIT, key, Action.EDIT)
        causes = information_causes(display_name, description)
        causes += self._echo_causes(access, key, uid, display_name, description)
        if causes:
            raise Invalid(str(key), tuple(causes))
        with self._writing(access, Action.EDIT, key, doubt=not rehearse) as store:
            patch = information_annotations(display_name, description)
            changed = store.annotate(key, patch, uid=uid, resource_version=resource_version, dry_run=rehearse)
            if not rehearse:
                self._audit.record(access, Action.EDIT, key=key, uid=uid)
        return to_domain(changed)

    def _echo_causes(
        self, access: Access, key: Key, uid: str, display_name: str, description: str
    ) -> list[Cause]:
        """Those of the texts that hold the password. Who looks for it in this way is in the journal."""
        if max(len(display_name), len(description)) < TELLING:
            return []
        try:
            causes = echo_causes(display_name, description, self._store.credential(key, uid=uid).password)
        except Unavailable as error:
            if error.problem in ("key_missing", "seal_broken"):
                return []  # what cannot be opened can still be renamed
            raise
        if causes:
            self._audit.record(access, Action.EDIT, key=key, uid=uid, outcome="failed", note="holds_password")
        return causes

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

    def rehearse_delete(self, *, access: Access, key: Key, uid: str) -> None:
        """The errors of `delete`, and nothing deleted."""
        self._require(access, Permission.DELETE, key, Action.DELETE)
        with self._writing(access, Action.DELETE, key, doubt=False) as store:
            store.delete(key, uid=uid, dry_run=True)

    def remove(self, *, access: Access, key: Key, uid: str, again: bool = False) -> None:
        """The deletion alone, for many at once; `record_deletions` belongs to it. The same errors.

        `again` after an answer that did not come: a second one is not written down once more.
        """
        self._require(access, Permission.DELETE, key, Action.DELETE)
        with self._writing(access, Action.DELETE, key, doubt=not again) as store:
            store.delete(key, uid=uid)

    def record_deletions(self, *, access: Access, deleted: Sequence[tuple[Key, str]]) -> None:
        """Write down what `remove` deleted, by key and uid; a few statements, however many."""
        self._history.forget(*(uid for _, uid in deleted))
        self._audit.record_all(access, Action.DELETE, deleted)

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


def suggested_name(provider: Provider, namespace: str, taken: frozenset[str]) -> str:
    """A name by the guide's rule: kind of registry, then environment; numbered when it is taken."""
    environment = namespace.removesuffix("-namespace") if namespace not in ("", "default") else "prod"
    kind = "registry" if provider is Provider.OTHER else provider.value
    stem = f"{kind}-{environment}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
