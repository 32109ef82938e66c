"""Pods that cannot pull, and the registries that can be made from their Secrets. On a cluster with people of its own,
the API server decides what each person may read.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

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
from registries.domain.registry import Key
from registries.index.search import Index
from registries.pull_secrets.explain import Explanation, Waiting, explain
from registries.pull_secrets.failing import FailingPod, Phase, SecretCredential
from registries.pull_secrets.images import image_hosts
from registries.pull_secrets.kinds import is_object_name
from registries.service.secret_scan import SecretScan
from registries.stores.base import Store

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
        now, cron_jobs = self._clock(), reader.cron_jobs(found.pods)
        items: list[Failure] = []
        for pod in found.pods:
            if cron_job := cron_jobs.get(Key(pod.namespace, pod.owner[1])) if pod.owner[0] == "Job" else None:
                pod = replace(pod, cron_job=cron_job)
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

    def restart_target(self, *, access: Access, pod: Key, uid: str) -> tuple[str, str, int]:
        """Kind and name of what `restart` would restart or delete, and the number of its pods; ("", "", 0) if that
        cannot be read now."""
        reader = self._store.acting_as(access.acting).pull_failures()
        with suppress(ConsoleError):
            return reader.restart_target(pod, uid=uid) if reader else ("", "", 0)
        return "", "", 0

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
