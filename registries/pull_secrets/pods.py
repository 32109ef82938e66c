"""Pods whose containers wait for an image, and the Secrets that they name, read when a person asks.

The lists come from the cache of the API server. It ignores `limit` there, so they are read item by item and left where
there is enough. Nothing is kept: of a pod only names and messages, of a Secret only the keys of `auths`.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain, islice

from registries.cluster import paths
from registries.cluster.connection import Connection, Json
from registries.cluster.personal import Caller
from registries.domain.errors import ConsoleError, Forbidden, NotFound, Problem, Unavailable
from registries.domain.registry import Key, RegistrySecret
from registries.pull_secrets.content import CONFIG_TYPES
from registries.pull_secrets.explain import PodSecret, SecretState
from registries.pull_secrets.failing import (
    FailingPod,
    FailingPods,
    Phase,
    SecretCredential,
    controller_of,
    credentials_in,
    failing_pod,
    images_of,
    node_platform,
    read_secret,
)
from registries.pull_secrets.images import auths_keys, image_host
from registries.pull_secrets.in_use import of_everywhere, read_everywhere, read_in_use
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.matching import read_image
from registries.pull_secrets.named import COLLECTIONS, LISTED, Enough, limited
from registries.pull_secrets.node_test import is_test
from registries.pull_secrets.restart import restart, target
from registries.pull_secrets.scan import MANY, MOST_SECRETS, InUse

AT_ONCE = 8
PATIENCE = 8.0
"""Seconds for all answers together: a person waits for the page."""
MOST_PODS = 500
"""Failing pods that are read at most."""
MOST_CONTAINERS = 2_000
"""The same for their waiting containers, each with some thousand characters. A pod may have 50 of them."""
MOST_SCANNED = 50_000
"""Pods that are looked at, per list."""
MOST_IMAGES = 50
MOST_JOBS = 50
"""Jobs whose CronJob is read. Each takes a call to the cluster."""
JOBS = COLLECTIONS["Job"]


class PodReader:
    """Pods and their Secrets. Reading raises no error and takes some seconds at most.

    `reader` reads as a person, or as the console for the people of its own accounts.

    `state` reads the pull secret of a registry as the console. `person` makes calls that a person must be allowed: it
    restarts pods, and the content of other Secrets is read only with it. Thread-safe when its arguments are.
    """

    def __init__(
        self,
        reader: Connection,
        state: Callable[[Key], PullSecret],
        *,
        person: Caller | None,
        cluster_wide: bool,
    ) -> None:
        self._reader = reader
        self._state = state
        self._person = person
        self._cluster_wide = cluster_wide

    @property
    def restarts(self) -> bool:
        """Whether `restart` is possible: only as a person of the cluster."""
        return self._person is not None

    def restart_target(self, pod: Key, *, uid: str) -> tuple[str, str, int]:
        if self._person is None:
            raise Forbidden(str(pod), problem=Problem.WORKLOADS_FORBIDDEN)
        return target(self._person, pod, uid)

    def restart(self, pod: Key, *, uid: str, at: datetime) -> tuple[str, str]:
        if self._person is None:
            raise Forbidden(str(pod), problem=Problem.WORKLOADS_FORBIDDEN)
        return restart(self._person, pod, uid, at)

    def pods(self, namespaces: Sequence[str], phase: Phase, *, all_of_them: bool) -> FailingPods:
        """The failing pods of these namespaces, by namespace and name. Raises no error.

        One list for the cluster if `all_of_them` says that the person sees every namespace, and where there are many of
        them. A server takes as long to search one namespace as the cluster. It refuses that list to a person without
        the right: each namespace is then asked by itself.
        """
        until = time.monotonic() + PATIENCE
        found = FailingPods()
        together = self._cluster_wide and (all_of_them or len(namespaces) > MANY)
        if not (together and self._everywhere(frozenset(namespaces), phase, found, until)):
            with ThreadPoolExecutor(AT_ONCE, "pods") as threads:
                list(threads.map(lambda it: self._in(it, phase, found, until), namespaces))
        found.pods.sort(key=lambda it: (it.namespace, it.name))
        found.unread.sort()
        found.more = found.more or len(found.pods) > MOST_PODS
        del found.pods[MOST_PODS:]
        return found

    def cron_jobs(self, pods: Iterable[FailingPod]) -> dict[Key, str]:
        """The CronJobs of the first MOST_JOBS Jobs of these pods, by namespace and name of the Job. What cannot be read
        is left out."""
        until = time.monotonic() + PATIENCE / 2
        jobs = dict.fromkeys(Key(it.namespace, it.owner[1]) for it in pods if it.owner[0] == "Job")

        def above(job: Key) -> str:
            path = f"{JOBS[0]}/namespaces/{job.namespace}/{JOBS[1]}"
            query = {"fieldSelector": f"metadata.name={job.name}"}
            left = until - time.monotonic()
            try:
                found = self._reader.call("GET", path, subject=str(job), query=query, read=max(0.1, left))
            except ConsoleError:
                return ""
            owners = (controller_of(it.get("metadata") or {}) for it in found.get("items") or ())
            return next((str(it["name"]) for it in owners if it and it.get("kind") == "CronJob"), "")

        wanted = list(islice(jobs, MOST_JOBS))
        if not wanted:
            return {}
        with ThreadPoolExecutor(AT_ONCE, "jobs") as threads:
            return {job: name for job, name in zip(wanted, threads.map(above, wanted), strict=True) if name}

    def _everywhere(
        self, namespaces: Collection[str], phase: Phase, found: FailingPods, until: float
    ) -> bool:
        """False when pods cannot be listed everywhere, or too many pods of other namespaces start: each namespace is
        then asked by itself."""
        problem = self._list(paths.PODS, phase, found, until, namespaces)
        if problem == Problem.CLUSTER_FORBIDDEN:
            return False
        if found.more and not _is_full(found) and time.monotonic() < until:
            found.pods.clear()
            found.containers, found.more = 0, False
            return False
        found.problem = problem
        return True

    def _in(self, namespace: str, phase: Phase, found: FailingPods, until: float) -> None:
        if _is_full(found):
            found.more = True
            return
        problem = self._list(paths.pods_in(namespace), phase, found, until, (namespace,))
        if problem == Problem.CLUSTER_FORBIDDEN:
            found.unread.append(namespace)
        elif problem is not None:
            found.problem = problem

    def _list(
        self, path: str, phase: Phase, found: FailingPods, until: float, namespaces: Collection[str]
    ) -> Problem | None:
        """Adds the failing pods of one list. Why it could not be read."""

        def take(item: Json) -> None:
            if _is_full(found):
                raise Enough
            pod = failing_pod(item)
            if pod is not None and pod.namespace in namespaces:
                found.pods.append(pod)
                found.containers += len(pod.waiting)

        if time.monotonic() > until:
            return Problem.CLUSTER_TIMEOUT
        query = {"resourceVersion": "0", "fieldSelector": f"status.phase={phase}"}
        try:
            left = max(0.1, until - time.monotonic())
            give = limited(take, until, MOST_SCANNED)
            self._reader.list_all(path, subject=path, query=query, take=give, read=left)
        except Enough:
            found.more = True
        except NotFound:
            pass  # the namespace is gone
        except ConsoleError as error:
            return error.code or Problem.CLUSTER_FAILED
        return None

    def images(self, namespace: str, hosts: Collection[str]) -> tuple[str, ...] | None:
        """The images from these hosts that pods of a namespace run, by name, MOST_IMAGES of each host. None if pods
        cannot be listed. Pods of tests are left out."""
        found: dict[str, set[str]] = {it: set() for it in hosts}

        def take(item: Json) -> None:
            if is_test(item):
                return
            for image in images_of(item):
                of_host = found.get(image_host(image))
                if of_host is not None and len(of_host) < MOST_IMAGES and read_image(image):
                    of_host.add(image)
            if all(len(it) >= MOST_IMAGES for it in found.values()):
                raise Enough

        listed = self._all(paths.pods_in(namespace), take)
        return tuple(sorted(chain.from_iterable(found.values()))) if listed else None

    def node_platforms(self) -> dict[str, int] | None:
        """The number of nodes per platform, as os/architecture[/variant]. None if they cannot be listed."""
        counts: Counter[str] = Counter()

        def take(item: Json) -> None:
            counts.update(filter(None, [node_platform(item)]))

        return dict(counts) if self._all(paths.NODES, take) else None

    def _all(self, path: str, take: Callable[[Json], None]) -> bool:
        """Reads a list from the cache of the API server, for some seconds at most. False if it could not be read."""
        give = limited(take, time.monotonic() + PATIENCE / 2, MOST_SCANNED)
        try:
            query = {"resourceVersion": "0"}
            self._reader.list_all(path, subject=path, query=query, take=give, read=PATIENCE / 2)
        except Enough:
            pass
        except ConsoleError:
            return False
        return True

    def credentials(self, key: Key) -> tuple[SecretCredential, ...]:
        """The credentials of a Secret with their passwords, read as the person, whatever the console itself may read;
        () for one that kubelets cannot read. NotFound; Forbidden, also for people of the console's own accounts;
        Unavailable."""
        if self._person is None:
            raise Forbidden(str(key))
        try:
            return credentials_in(self._person.call("GET", paths.secret(key), subject=str(key)))
        except Unavailable as error:
            if error.problem == Problem.CLUSTER_FORBIDDEN:
                raise Forbidden(str(key)) from None
            raise

    def in_use(
        self, namespaces: Sequence[str], *, all_of_them: bool = False, most: int | None = None
    ) -> tuple[dict[str, InUse], Problem | None]:
        """The Secrets that pods, workloads and service accounts name, per namespace, and why a list could not be read
        to its end. One list for each kind where `all_of_them` says so, and the person may. The other kinds take one
        list in each namespace, as far as `read_in_use` gets, which has MOST_SECRETS as `enough`. `most` is the number
        of namespaces in which all kinds can be listed: more of them where fewer kinds are left."""
        begun = time.monotonic()
        everywhere = all_of_them and self._cluster_wide and len(namespaces) > 1
        known = read_everywhere(self._reader) if everywhere else {}
        if left := len(LISTED) - len(known):
            most = most and most * len(LISTED) // left
            spent = time.monotonic() - begun
            return read_in_use(self._reader, namespaces[:most], MOST_SECRETS, known, spent)
        return of_everywhere(known, namespaces)

    def secrets(self, keys: Iterable[Key], registries: Mapping[Key, RegistrySecret]) -> dict[Key, PodSecret]:
        """The first MOST_SECRETS of these Secrets. Raises no error: one that cannot be read is UNREAD."""
        until = time.monotonic() + PATIENCE
        wanted = list(islice(dict.fromkeys(keys), MOST_SECRETS))
        with ThreadPoolExecutor(AT_ONCE, "secrets") as threads:
            read = threads.map(lambda key: self._secret(key, registries.get(key), until), wanted)
            return dict(zip(wanted, read, strict=True))

    def _secret(self, key: Key, registry: RegistrySecret | None, until: float) -> PodSecret:
        left = until - time.monotonic()
        if left <= 0:
            return PodSecret(key.name, SecretState.UNREAD)
        try:
            if self._person is not None:
                try:
                    return read_secret(
                        key.name, self._reader.call("GET", paths.secret(key), subject=str(key), read=left)
                    )
                except ConsoleError:
                    if registry is None:
                        raise
            if registry is not None:
                return self._own(key, registry)
            cells = self._reader.cells(paths.secret(key), subject=str(key), read=left)
            ignored = cells.get("Type") not in CONFIG_TYPES
            return PodSecret(key.name, SecretState.WRONG_TYPE if ignored else SecretState.UNREAD)
        except NotFound:
            return PodSecret(key.name, SecretState.MISSING)
        except ConsoleError:
            return PodSecret(key.name, SecretState.UNREAD)

    def _own(self, key: Key, registry: RegistrySecret) -> PodSecret:
        """The pull secret of a registry: its keys follow from the address."""
        state = self._state(key)
        if state is PullSecret.READY:
            keys = auths_keys(registry.address)
            return PodSecret(key.name, SecretState.READABLE, keys, (registry.username,) * len(keys))
        return PodSecret(key.name, SecretState.MISSING if state is PullSecret.MISSING else SecretState.UNREAD)


def _is_full(found: FailingPods) -> bool:
    return len(found.pods) > MOST_PODS or found.containers > MOST_CONTAINERS
