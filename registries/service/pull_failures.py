"""Pods that cannot pull, the Secrets that pods use, and the registries that can be made from them. On a cluster with
people of its own, the API server decides what each person may read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from registries.audit.action import IN_DOUBT, OK, Action
from registries.audit.log import AuditLog
from registries.domain.access import Access
from registries.domain.errors import (
    Cause,
    ConsoleError,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    Refused,
    Unavailable,
)
from registries.domain.query import Criteria
from registries.domain.registry import Key, RegistrySecret
from registries.index.search import Index
from registries.pull_secrets.explain import Explanation, Waiting, explain
from registries.pull_secrets.failing import FailingPod, Phase, SecretCredential
from registries.pull_secrets.images import image_hosts
from registries.pull_secrets.kinds import is_object_name
from registries.pull_secrets.scan import Finding, InUse, Scanned, comparable, scan, unused
from registries.stores.base import Store

if TYPE_CHECKING:
    from registries.pull_secrets.pods import PodReader  # it loads the package of clusters

FIELD = "adopted"
"""The field of the causes."""


@dataclass(frozen=True, slots=True)
class Adoptable:
    """What a Secret has for a registry. Without credentials, `problem` is why: `Forbidden`, also for people of the
    console's own accounts, `NotFound` without one that can be used, or why the cluster did not answer."""

    credentials: tuple[SecretCredential, ...] = ()
    problem: Problem | None = None


@dataclass(eq=False)
class Adoption:
    """Secrets are read with the rights of the person, each time, and are not kept."""

    _store: Store
    _index: Index

    def look(self, *, access: Access, secret: Key) -> Adoptable:
        """The credentials of a Secret, without those for a host that no registry has, such as hub.docker.com. NotFound
        for a namespace that this person does not see; Unavailable `session_ended`."""
        self._index.require_namespace(access, secret.namespace)
        reader = self._store.acting_as(access.acting).pull_failures()
        if reader is None or not is_object_name(secret.name):
            return Adoptable(problem=Problem.NOT_FOUND)
        try:
            found = reader.credentials(secret)
        except Forbidden:
            return Adoptable(problem=Problem.FORBIDDEN)
        except ConsoleError as error:
            if error.problem == Problem.SESSION_ENDED:
                raise
            return Adoptable(problem=Problem.NOT_FOUND if isinstance(error, NotFound) else error.code)
        usable = tuple(it for it in found if it.host.lower() in image_hosts(it.host))
        return Adoptable(usable, None if usable else Problem.NOT_FOUND)

    def take(self, *, access: Access, secret: Key, entry: str, address: str) -> SecretCredential:
        """The credential of one key of `auths`, for a registry at `address`.

        Invalid for the field `adopted`: the Secret cannot be read, has no such key any more, or the address is another
        host than that of the key, which must not get its password.
        """
        found = self.look(access=access, secret=secret)
        taken = next((it for it in found.credentials if it.key == entry), None)
        if taken is None:
            raise Invalid(str(secret), [Cause(FIELD, found.problem or Problem.NOT_FOUND)])
        if taken.host.lower() not in image_hosts(address):
            raise Invalid(str(secret), [Cause(FIELD, Problem.IMAGE_ELSEWHERE, part=taken.host)])
        return taken


MOST_NAMESPACES = 20
"""Namespaces that are read one by one. Somebody who may list everywhere gets all of them."""
MOST_FINDINGS = 200
"""Findings, and unused registries, that are given."""
KEPT, KEPT_FOR = 32, 60.0
"""Answers of `unused` that are kept, and for how many seconds."""


@dataclass(slots=True)
class Scan:
    """By namespace and name. `secrets` are those with a finding, of `checked` in all. `unread` are the namespaces and
    kinds that this person may not list. `problem` is why others could not be read now. `more` says that the scan is
    not complete."""

    secrets: list[Scanned] = field(default_factory=list)
    unused: list[RegistrySecret] = field(default_factory=list)
    checked: int = 0
    unread: list[tuple[str, list[str]]] = field(default_factory=list)
    problem: Problem | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Unused:
    """The uids of the registries that nothing uses. `complete` says that every namespace could be read."""

    uids: frozenset[str]
    complete: bool


class SecretScan:
    """Objects and Secrets are read when a person asks, and are not kept. Only which registries are unused is kept for a
    moment, since a list with many pages and tests is read again and again."""

    def __init__(self, store: Store, index: Index) -> None:
        self._store = store
        self._index = index
        self._known: dict[tuple[str, tuple[str, ...]], tuple[float, Unused]] = {}

    def find(self, *, access: Access, namespace: str = "") -> Scan:
        """The scan of the namespaces that this person sees, or of one of them. NotFound for another namespace;
        Unavailable `session_ended`.

        On a cluster with people of its own, the API server decides what this person may list and read.
        """
        self._index.require_namespace(access, namespace)
        problem = self._index.freshness().problem
        reader = None if problem else self._store.acting_as(access.acting).pull_failures()
        if reader is None:
            return Scan(problem=problem)
        found, namespaces = Scan(), self._namespaces(access, namespace)
        in_use, found.problem = self._in_use(reader, access, namespace)
        found.more = len(in_use) < len(namespaces)
        known = {place: self._index.matching(access, Criteria(place)) for place in in_use}
        keys = [Key(place, name) for place, names in in_use.items() for name in sorted(names.users)]
        registries = {it.key: it for place in known.values() for it in place}
        read = comparable(reader.secrets(keys, registries))
        for place, names in in_use.items():
            secrets = {key.name: it for key, it in read.items() if key.namespace == place}
            found.secrets += [it for it in scan(place, names, secrets, known[place]) if it.findings]
            found.unused += unused(names, known[place])
            if names.forbidden:
                found.unread.append((place, names.forbidden))
        found.checked = sum(key in read for key in keys)
        found.more |= found.checked < len(keys) or max(len(found.secrets), len(found.unused)) > MOST_FINDINGS
        found.secrets.sort(key=_rank)
        del found.secrets[MOST_FINDINGS:], found.unused[MOST_FINDINGS:]
        return found

    def unused(self, *, access: Access, namespace: str = "") -> Unused | None:
        """The registries whose pull secret nothing names, in these namespaces. None without a cluster, or while it does
        not answer. The errors are those of `find`."""
        self._index.require_namespace(access, namespace)
        namespaces, now = self._namespaces(access, namespace), monotonic()
        place = access.owner, namespaces
        at, known = self._known.get(place, (0.0, None))
        if known is not None and now - at < KEPT_FOR:
            return known
        problem = self._index.freshness().problem
        reader = None if problem else self._store.acting_as(access.acting).pull_failures()
        if reader is None:
            return None
        in_use, _problem = self._in_use(reader, access, namespace)
        found = (
            it.uid
            for where, names in in_use.items()
            for it in unused(names, self._index.matching(access, Criteria(where)))
        )
        complete = len(in_use) == len(namespaces) and not any(it.unread for it in in_use.values())
        result = Unused(frozenset(found), complete)
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[place] = now, result
        return result

    def _namespaces(self, access: Access, namespace: str) -> tuple[str, ...]:
        return (namespace,) if namespace else self._index.namespaces(access)

    def _in_use(
        self, reader: "PodReader", access: Access, namespace: str
    ) -> tuple[dict[str, InUse], Problem | None]:
        everything = access.sees_everything and not namespace
        namespaces = self._namespaces(access, namespace)
        return reader.in_use(namespaces, all_of_them=everything, most=MOST_NAMESPACES)


def _rank(scanned: Scanned) -> tuple[int, Key]:
    """The worst findings first."""
    order = list(Finding)
    return min(map(order.index, scanned.findings)), scanned.key


MOST_EXPLAINED = 2_000
"""Containers that are explained. Each takes some milliseconds at worst, since registries choose parts of the texts."""


@dataclass(frozen=True, slots=True)
class Failure:
    pod: FailingPod
    waiting: Waiting
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Failures:
    """By namespace, pod and container. `unread`, `problem` and `more`: see FailingPods."""

    items: tuple[Failure, ...] = ()
    unread: tuple[str, ...] = ()
    problem: Problem | None = None
    more: bool = False


class PodFailures:
    """Pods are read when a person asks, and are not kept. `secrets` scans the pull secrets in use, `adoption` takes a
    credential out of one."""

    def __init__(self, store: Store, index: Index, audit: AuditLog, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._index = index
        self._audit = audit
        self._clock = clock
        self.secrets = SecretScan(store, index)
        self.adoption = Adoption(store, index)

    @property
    def available(self) -> bool:
        """Whether the store is a cluster and keeps pull secrets."""
        return self._store.keeps_secrets

    def find(self, *, access: Access, namespace: str = "", phase: Phase = Phase.PENDING) -> Failures:
        """The failures in the namespaces that this person sees, or in one of them. NotFound for another namespace;
        Unavailable `session_ended`.

        On a cluster with people of its own, the API server decides which pods this person may list.
        """
        self._index.require_namespace(access, namespace)
        problem = self._index.freshness().problem
        reader = None if problem else self._store.acting_as(access.acting).pull_failures()
        if reader is None:
            return Failures(problem=problem)
        namespaces = (namespace,) if namespace else self._index.namespaces(access)
        found = reader.pods(namespaces, phase, all_of_them=access.sees_everything and not namespace)
        places = {it.namespace for it in found.pods}
        known = [it for it in self._index.matching(access, Criteria(namespace)) if it.namespace in places]
        names = (Key(pod.namespace, name) for pod in found.pods for name in pod.secrets)
        secrets = reader.secrets(names, {it.key: it for it in known})
        here = {place: [it for it in known if it.namespace == place] for place in places}
        now = self._clock()
        items: list[Failure] = []
        for pod in found.pods:
            if len(items) > MOST_EXPLAINED:
                found.more = True
                break
            named = [secrets[key] for name in pod.secrets if (key := Key(pod.namespace, name)) in secrets]
            items += [Failure(pod, it, explain(it, named, here[pod.namespace], now)) for it in pod.waiting]
        return Failures(tuple(items), tuple(found.unread), found.problem, found.more)

    def may_restart(self, access: Access) -> bool:
        """Whether a restart is offered: to people of the cluster, in whose name it is done."""
        reader = self._store.acting_as(access.acting).pull_failures()
        return reader is not None and reader.restarts

    def restart(self, *, access: Access, pod: Key, uid: str) -> tuple[str, str]:
        """Restarts the workload of a failing pod, or deletes the pod for its controller to make it again. Returns kind
        and name of what was restarted or deleted.

        The cluster decides whether this person may. NotFound; Conflict `changed`; Forbidden; Unavailable.
        """
        self._index.require_namespace(access, pod.namespace)
        reader = self._store.acting_as(access.acting).pull_failures()
        if reader is None:
            raise NotFound(str(pod))
        try:
            kind, name = reader.restart(pod, uid=uid, at=self._clock())
        except (Forbidden, Unavailable) as error:
            if isinstance(error, Forbidden) or error.problem == Problem.CLUSTER_UNCERTAIN:
                outcome = "refused" if isinstance(error, Refused) else error.reason
                outcome = IN_DOUBT if isinstance(error, Unavailable) else outcome
                self._record(access, pod, f"Pod/{pod.name}", outcome)
            raise
        self._record(access, pod, f"{kind}/{name}", OK)
        return kind, name

    def _record(self, access: Access, pod: Key, what: str, outcome: str) -> None:
        note = f"workload {what}"
        self._audit.record(access, Action.RESTART, namespace=pod.namespace, outcome=outcome, note=note)
