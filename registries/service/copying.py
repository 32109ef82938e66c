"""Copies a registry, with its password, into other namespaces. The password goes from store to store and to no caller.

A copy has the address, trust settings, user name, password, texts and verdict of its source, and names it. Labels and
other annotations stay behind: they may belong to a program that manages the source.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access, Permission
from registries.domain.errors import (
    AlreadyExists,
    Conflict,
    ConsoleError,
    NotFound,
    Problem,
    TooManyRequests,
    Unavailable,
)
from registries.domain.registry import Draft, Key, Origin, RegistrySecret, Verification
from registries.domain.selectors import read_selector
from registries.domain.shown import NOT_VALID
from registries.index.search import Index
from registries.service.copies import Likeness
from registries.service.guard import Guard, require_present
from registries.service.origins import Origins
from registries.service.verdicts import Verdicts
from registries.stores.base import Store

NEEDED_AT_SOURCE = (Permission.CREATE, Permission.TEST)
"""A copy gives the password to those who read Secrets elsewhere: as much as image-admin may do with it."""

PLACES = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """A registry that a copy creates. `problem` is why it will not be created, or None."""

    source: RegistrySecret
    key: Key
    problem: Problem | None = None

    @property
    def namespace(self) -> str:
        return self.key.namespace

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def uid(self) -> str:
        """The uid of the source."""
        return self.source.uid


@dataclass(eq=False)
class Copying:
    """`at_once` is the number of dry runs at the same time; 1 makes them in the caller's thread."""

    _store: Store
    _index: Index
    _guard: Guard
    _audit: AuditLog
    _likeness: Likeness
    _verdicts: Verdicts
    _origins: Origins
    _at_once: int
    _places: dict[str, Key] = field(default_factory=dict)
    """Where sources were found last, by uid."""

    def plan(
        self, *, access: Access, sources: Sequence[RegistrySecret], namespaces: Sequence[str]
    ) -> tuple[Target, ...]:
        """What a copy of each source into each namespace would do, by namespace and name, from dry runs.

        The namespace of a source is left out. Unavailable `session_ended`.
        """
        templates: dict[str, Draft] = {}
        targets: list[Target] = []
        for source in sources:
            problem = self._read(access, source, templates)
            for namespace in namespaces:
                if namespace != source.namespace:
                    target = Target(source, Key(namespace, source.name), problem)
                    targets.append(target if problem else self._planned(access, target))
        first: dict[Key, Target] = {}
        for it in targets:
            first.setdefault(it.key, it)
        waiting = [it for it in first.values() if it.problem is None]
        first |= {it.key: it for it in self._all_rehearsed(access, templates, waiting)}
        taken = (replace(it, problem=Problem.NAME_TAKEN) for it in targets if first[it.key].uid != it.uid)
        return tuple(sorted((*first.values(), *taken), key=lambda it: (it.key, it.source.key)))

    def refused(
        self, *, access: Access, source: RegistrySecret, keys: Sequence[Key]
    ) -> dict[Key, Problem | None]:
        """Why copies of a source cannot be created at some of these keys, from dry runs. Unavailable
        `session_ended`."""
        templates: dict[str, Draft] = {}
        problem = self._read(access, source, templates) if keys else None
        targets = [Target(source, it, problem) for it in keys]
        if problem is None:
            targets = self._all_rehearsed(access, templates, targets)
        return {it.key: it.problem for it in targets if it.problem}

    def labelled(self, *, access: Access, labels: str) -> tuple[str, ...] | None:
        """The namespaces that a label selector selects and where this person may create; None where namespaces have
        no labels. SelectorError; Unavailable."""
        read_selector(labels, "")
        found = self._store.namespaces_with(labels)
        if found is None:
            return None
        return tuple(it for it in self._index.namespaces(access, Permission.CREATE) if it in found)

    def template(self, *, access: Access, uid: str) -> Draft:
        """The values of a source for its copies, with its verdict if that is on this password. NotFound, Forbidden,
        Unavailable; Conflict, also `source_unusable` without a valid address or certificate, or without a password."""
        source = self._source(access, uid)
        with self._guard.writing(access, Action.COPY, source.key, doubt=False) as store:
            credential = store.credential(source.key, uid=uid)
        shown = (source.domain, source.ca_bundle, source.username)
        if source.address_problem or NOT_VALID in shown or not credential.password:
            raise Conflict(str(source.key), Problem.SOURCE_UNUSABLE)
        texts: dict[str, Any] = {
            name: "" if it == NOT_VALID else it for name, it in source.information.items()
        }
        same = credential.generation == source.generation  # else the index does not know this password yet
        return Draft(
            key=source.key,
            domain=source.domain,
            username=credential.username,
            provider=source.provider,
            password=credential.password,
            plain_http=source.plain_http,
            ca_bundle=credential.ca_bundle,
            skip_tls_verify=credential.skip_tls_verify,
            origin=Origin(source.key, source.uid),
            verification=source.verification if same else Verification(),
            certificate_ends=source.certificate_ends,
            **texts,
        )

    def placed(self, template: Draft, key: Key) -> Draft:
        """What creates a copy at a key."""
        return self._origins.placed(template, key)

    def copy(
        self, *, access: Access, key: Key, uid: str, and_then: Callable[[], object] = lambda: None
    ) -> bool:
        """Creates one copy of the source with this uid, and records it. False if the same registry is there already.

        AlreadyExists `name_taken` when another registry is there; the errors of `template` and of a creation.
        `and_then` runs in the same transaction, where the store has transactions.
        """
        template = self.template(access=access, uid=uid)
        self._guard.require(access, Permission.CREATE, key, Action.COPY)  # a refusal stays recorded
        try:
            with self._guard.atomic():
                created = self._created(access, self.placed(template, key))
                and_then()
        except AlreadyExists:
            self._require_same(access, key, uid)
            return False
        self.with_verdict(access=access, copy=created, template=template)
        return True

    def create(self, *, access: Access, draft: Draft) -> RegistrySecret:
        """Creates a copy from a template with another key, and records it. The errors of a creation."""
        return self.with_verdict(access=access, copy=self._created(access, draft), template=draft)

    def _created(self, access: Access, draft: Draft) -> RegistrySecret:
        self._guard.require(access, Permission.CREATE, draft.key, Action.COPY)
        with self._guard.writing(access, Action.COPY, draft.key) as store:
            created = store.create(draft)
            source = draft.origin.key if draft.origin else draft.key
            self.record(access=access, source=source, copies=[(draft.key, created.uid)])
        return created

    def put(self, *, access: Access, template: Draft, key: Key, again: bool = False) -> str:
        """Creates one of many copies, without records; call `record` afterwards. Returns its uid, or "" if the same
        registry is there already. The errors of `copy`.

        Set `again` on a retry after a missing answer: a copy of this source then counts as created.
        """
        uid = template.origin.uid if template.origin else ""
        self._source(access, uid)
        self._guard.require(access, Permission.CREATE, key, Action.COPY)
        try:
            with self._guard.writing(access, Action.COPY, key, doubt=not again) as store:
                created = store.create(self.placed(template, key))
        except AlreadyExists:
            present = self._require_same(access, key, uid)
            return present.uid if again and present.origin == template.origin else ""
        return self.with_verdict(access=access, copy=created, template=template).uid

    def with_verdict(self, *, access: Access, copy: RegistrySecret, template: Draft) -> RegistrySecret:
        """Gives a copy the verdict of its source, since it has the same credential now. No error stops that."""
        return self._verdicts.of_source(access=access, copy=copy, template=template)

    def record(self, *, access: Access, source: Key, copies: Sequence[tuple[Key, str]]) -> None:
        """Records copies of one source, by key and uid."""
        self._audit.record_all(access, Action.COPY, copies, note=str(source))

    def current_version(self, uid: str) -> str:
        """The resource version of a registry in the index; "" for none."""
        found = self._find(uid)
        return found.resource_version if found else ""

    def _find(self, uid: str) -> RegistrySecret | None:
        """From the index. Where it was before is looked at first: each copy makes a new snapshot, and a search by uid
        goes through all of it."""
        snapshot = self._index.fresh()
        key = self._places.get(uid)
        found = snapshot.find(key) if key else None
        if found is None or found.uid != uid:
            found = snapshot.with_uid(uid)
            if found is not None:
                if len(self._places) >= PLACES:
                    self._places.clear()
                self._places[uid] = found.key
        return found

    def _source(self, access: Access, uid: str) -> RegistrySecret:
        found = self._find(uid)
        if found is None:
            raise NotFound(uid)
        for permission in NEEDED_AT_SOURCE:
            self._guard.require(access, permission, found.key, Action.COPY)
        return require_present(found)

    def _read(self, access: Access, source: RegistrySecret, templates: dict[str, Draft]) -> Problem | None:
        """Adds the template of a source, or returns why it cannot be copied."""
        try:
            templates[source.uid] = self.template(access=access, uid=source.uid)
        except NotFound:
            return Problem.GONE
        except ConsoleError as error:
            if error.problem is Problem.SESSION_ENDED:
                raise
            return error.code
        return None

    def _planned(self, access: Access, it: Target) -> Target:
        """A target with the problem that the index shows."""
        snapshot = self._index.fresh()
        present = snapshot.find(it.key)
        problem: Problem | None = None
        if not (it.namespace in snapshot.namespaces and access.may(Permission.SEE, it.namespace)):
            problem = Problem.NOT_FOUND
        elif not access.may(Permission.CREATE, it.namespace):
            problem = Problem.FORBIDDEN
        elif present is not None and present.deleting:
            problem = Problem.BEING_DELETED
        elif present is not None:
            problem = Problem.COPY_PRESENT if self._same(access, it.source, present) else Problem.NAME_TAKEN
        return replace(it, problem=problem)

    def _all_rehearsed(
        self, access: Access, templates: dict[str, Draft], targets: Sequence[Target]
    ) -> list[Target]:
        rehearse = partial(self._rehearsed, access, templates)
        if self._at_once <= 1:
            return [rehearse(it) for it in targets]
        with ThreadPoolExecutor(self._at_once) as threads:
            return list(threads.map(rehearse, targets))

    def _rehearsed(self, access: Access, templates: dict[str, Draft], target: Target) -> Target:
        """The target after a dry run. Uses no database where `at_once` is more than 1."""
        try:
            store = self._store.acting_as(access.acting)
            store.create(replace(templates[target.uid], key=target.key), dry_run=True)
        except ConsoleError as error:
            if error.problem is Problem.SESSION_ENDED:
                raise
            return replace(target, problem=error.code)
        return target

    def _require_same(self, access: Access, key: Key, uid: str) -> RegistrySecret:
        """The registry at a key, which is like the source. AlreadyExists."""
        present = self._store.get(key)
        if present.deleting:
            raise AlreadyExists(str(key), Problem.BEING_DELETED)
        if not self._same(access, self._source(access, uid), present):
            raise AlreadyExists(str(key), Problem.NAME_TAKEN)
        return present

    def _same(self, access: Access, source: RegistrySecret, present: RegistrySecret) -> bool:
        """Whether two registries are alike. A comparison of passwords counts as a guess at both."""
        try:
            return self._likeness.alike(access.owner, source, present, source.key, present.key)
        except (TooManyRequests, Unavailable):
            return False
