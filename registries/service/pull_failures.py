"""Pods that cannot pull, each container with an explanation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from registries.audit.action import IN_DOUBT, OK, Action
from registries.audit.log import AuditLog
from registries.domain.access import Access
from registries.domain.errors import Forbidden, NotFound, Problem, Refused, Unavailable
from registries.domain.query import Criteria
from registries.domain.registry import Key
from registries.index.search import Index
from registries.pull_secrets.explain import Explanation, Waiting, explain
from registries.pull_secrets.failing import FailingPod, Phase
from registries.service.adoption import Adoption
from registries.service.secret_scan import SecretScan
from registries.stores.base import Store

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
        return self._store.pull_failures() is not None

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
