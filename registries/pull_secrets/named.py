"""The Secrets that one object names, and the kinds of objects that are looked at.

Image builders have a pull secret in a volume or in the environment (kaniko), or in `secrets` of their account
(Tekton). The platform's own `Repository` objects name one in `spec.dockerConfigSecretRef`; not every cluster has their
definition.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from registries.cluster import paths
from registries.cluster.connection import Connection, Json
from registries.cluster.personal import Caller
from registries.domain.errors import ConsoleError, NotFound, Problem, Unavailable, shortened
from registries.domain.metadata import NAME_MAX
from registries.pull_secrets.images import image_host
from registries.pull_secrets.kinds import ACCOUNT, IMAGE_MAX

POD = "Pod"
REPOSITORY = "Repository"
DEFAULT = "default"
COLLECTIONS = {
    ACCOUNT: ("/api/v1", "serviceaccounts"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "ReplicationController": ("/api/v1", "replicationcontrollers"),
    "CronJob": ("/apis/batch/v1", "cronjobs"),
    "Job": ("/apis/batch/v1", "jobs"),
    POD: ("/api/v1", "pods"),
}
"""The API group and the plural of each kind that every cluster has, in the order of the page."""
LISTED = {**COLLECTIONS, REPOSITORY: (paths.GROUP_PATH, "repositories")}
WITHOUT_PODS = (ACCOUNT, REPOSITORY)
EARLIER = {"/apis/batch/v1": "/apis/batch/v1beta1"}
"""The group of cron jobs before Kubernetes 1.21."""
MOST_OBJECTS = 20_000
"""Objects that are looked at, and names in them that are kept for a scan, per list."""


class Enough(Exception):
    """The rest of a list is not read. Its text is for logs."""


@dataclass(frozen=True, slots=True)
class Named:
    """What an object names. Nothing else is kept, since an environment may contain secrets."""

    name: str
    secrets: frozenset[str]
    """The names in `imagePullSecrets`."""
    others: frozenset[str]
    """The Secrets named in other places."""
    account: str
    hosts: frozenset[str]
    part_of_another: bool
    """Whether a workload owns it. Only the owner is shown then."""
    over: bool
    namespace: str


def named_by(kind: str, item: Json) -> Named:
    metadata = item.get("metadata") or {}
    spec = item if kind in WITHOUT_PODS else _pod_spec(kind, item)
    owners = metadata.get("ownerReferences") or ()
    return Named(
        name=str(metadata.get("name")),
        secrets=frozenset(filter(_is_short, names_in(spec))),
        others=frozenset(filter(_is_short, _OTHERS.get(kind, _read_inside)(spec))),
        account=str(spec.get("serviceAccountName") or DEFAULT),
        hosts=frozenset(_hosts(spec)),
        part_of_another=kind != POD and any(it.get("kind") in COLLECTIONS for it in owners),
        over=(item.get("status") or {}).get("phase") in ("Succeeded", "Failed"),
        namespace=str(metadata.get("namespace")),
    )


def _is_short(name: str) -> bool:
    """Whether a Secret can have this name. The API server does not limit it in a reference."""
    return len(name) <= NAME_MAX


def _pod_spec(kind: str, item: Json) -> Json:
    spec = item.get("spec") or {}
    if kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    if kind != POD:
        spec = (spec.get("template") or {}).get("spec") or {}
    return dict(spec)


def names_in(spec: Json) -> Iterator[str]:
    return (str(it.get("name")) for it in spec.get("imagePullSecrets") or ())


def _of_account(account: Json) -> Iterator[str]:
    return (str(it.get("name")) for it in account.get("secrets") or ())


def _of_repository(repository: Json) -> Iterator[str]:
    """The reference is a name or an object with one."""
    found = (repository.get("spec") or {}).get("dockerConfigSecretRef")
    yield str((found.get("name") if isinstance(found, dict) else found) or "")


def _read_inside(spec: Json) -> Iterator[str]:
    """The Secrets in volumes and in the environment of containers."""
    for volume in spec.get("volumes") or ():
        yield _at(volume, "secret", "secretName")
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield _at(source, "secret", "name")
    for container in _containers(spec):
        for variable in container.get("env") or ():
            yield _at(variable, "valueFrom", "secretKeyRef", "name")
        for source in container.get("envFrom") or ():
            yield _at(source, "secretRef", "name")


_OTHERS: Mapping[str, Callable[[Json], Iterator[str]]] = {ACCOUNT: _of_account, REPOSITORY: _of_repository}


def _at(value: Json, *path: str) -> str:
    """The text at the end of a path; "" when the path does not exist or is null."""
    found: Any = value
    for name in path:
        found = (found or {}).get(name)
    return str(found or "")


def _containers(spec: Json) -> Iterator[Json]:
    for group in ("containers", "initContainers", "ephemeralContainers"):
        yield from spec.get(group) or ()


def _hosts(spec: Json) -> Iterator[str]:
    return (image_host(str(it.get("image") or "")[:IMAGE_MAX]) for it in _containers(spec))


def has_repositories(reader: Caller, until: float) -> bool:
    """Whether the cluster defines Repository objects. True if it does not answer, or refuses."""
    try:
        served = reader.call(
            "GET", paths.GROUP_PATH, subject=paths.GROUP_PATH, read=max(0.1, until - time.monotonic())
        )
    except ConsoleError:
        return True
    return any(it.get("name") == "repositories" for it in served.get("resources") or ())


def limited(take: Callable[[Json], object], until: float, most: int) -> Callable[[Json], None]:
    """Gives items to `take`. Raises Enough after the moment `until`, and for more than `most` items."""
    numbers = count(1)

    def give(item: Json) -> None:
        if next(numbers) > most:
            raise Enough(f"more than {most} objects")
        if time.monotonic() > until:
            raise Enough("no time left")
        take(item)

    return give


def list_kind(
    reader: Connection, namespace: str, kind: str, until: float, most: int, take: Callable[[Json], object]
) -> ConsoleError | None:
    """Gives each object of one kind to `take`, item by item, from the cache of the server: those of a namespace, or all
    (""). Returns why there may be more: `cluster_timeout` after the moment `until`, for more than `most` objects, and
    when `take` raises Enough; NotFound where the cluster has no such kind; or another error."""
    group, plural = LISTED[kind]
    counted = limited(take, until, most)
    for base in (group, EARLIER.get(group)):
        left = until - time.monotonic()
        if base is None or left <= 0:
            return NotFound(namespace) if left > 0 else Unavailable(namespace, Problem.CLUSTER_TIMEOUT)
        path = f"{base}/namespaces/{namespace}/{plural}" if namespace else f"{base}/{plural}"
        query = {"resourceVersion": "0"}
        try:
            reader.list_all(path, subject=namespace, query=query, take=counted, read=max(0.1, left))
            return None
        except Enough as enough:
            cut = Unavailable(namespace, Problem.CLUSTER_TIMEOUT)
            cut.__cause__ = enough
            return cut
        except ConsoleError as error:
            if isinstance(error, NotFound) or error.problem == Problem.CRD_MISSING:
                continue
            missing = kind == REPOSITORY and not has_repositories(reader, until)
            return NotFound(namespace) if missing else error
    return NotFound(namespace)


def told(error: ConsoleError) -> str:
    """An error with its cause, for the log."""
    cause = error.__cause__ or error.__context__
    return shortened(f"{error} ({type(cause).__name__}: {cause})" if cause else str(error))
