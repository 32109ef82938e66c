"""The Pods of a test from a node, on the API server, with the credential of one person."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

from registries.cluster import paths
from registries.cluster.connection import Connection, Json
from registries.cluster.reviews import may_pods
from registries.domain.errors import ConsoleError, Forbidden, NotFound, Problem, Refused, Unavailable
from registries.domain.metadata import NAME_MAX
from registries.domain.registry import RegistrySecret
from registries.domain.resource import API_VERSION, KIND
from registries.probe.manifest import platform_of
from registries.pull_secrets.explain import MESSAGE_MAX
from registries.pull_secrets.kinds import IMAGE_MAX
from registries.pull_secrets.node_test import (
    CONTROL,
    DEADLINE,
    LABEL,
    Node,
    NodePod,
    is_test,
    pod_name,
    secret_of,
)

VERBS = ("create", "list", "delete")
ARCHITECTURE = "kubernetes.io/arch"
"""The label of a node that has not reported yet."""
MOST_NODES = 5_000
NAMES_MAX = 50
"""Pull secrets of one Pod that are read."""
MOST_PODS = 100
"""Pods that are read at once. Each may be as large as the cluster allows."""


class _Enough(Exception):
    """The rest of the list is not read."""


class NodePods:
    """Makes, reads and deletes the Pods of tests with the credential of one person. Thread-safe when its connection is.
    Raises Forbidden `pods_forbidden`, Refused and Unavailable."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def allowed(self, namespace: str) -> bool:
        """Whether the person may make, list and delete Pods there. False when the cluster does not answer."""
        try:
            return all(may_pods(self._connection, verb, namespace) for verb in VERBS)
        except Unavailable:
            return False

    def nodes(self, group_labels: Sequence[str]) -> tuple[Node, ...]:
        """The nodes of the cluster by name; () if the person may not list them. The group of a node is the value of the
        first of these labels that it has.

        Read item by item from the cache of the API server: a node is some 10 KB of JSON.
        """
        found: list[Node] = []

        def take(item: Json) -> None:
            if len(found) == MOST_NODES:
                raise _Enough
            found.append(_node(item, group_labels))

        query = {"resourceVersion": "0"}
        try:
            self._connection.list_all(paths.NODES, subject=paths.NODES, query=query, take=take)
        except _Enough:
            pass
        except ConsoleError:
            return ()
        return tuple(sorted(found, key=lambda it: it.name))

    def create(self, registry: RegistrySecret, test: str, node: str, image: str) -> None:
        """Creates both Pods of a test, or none. They ask for little; where a LimitRange of the namespace wants more, it
        chooses for them."""
        try:
            self._create(registry, test, node, image, small=True)
        except Refused as refused:
            if refused.problem != Problem.CLUSTER_REFUSED:
                raise
            try:
                self._create(registry, test, node, image, small=False)
            except Refused:
                raise refused from None

    def _create(self, registry: RegistrySecret, test: str, node: str, image: str, *, small: bool) -> None:
        path = paths.pods_in(registry.namespace)
        with _as_person(str(registry.key)):
            try:
                for control in (True, False):
                    body = pod(registry, test, node, image, control=control, small=small)
                    self._connection.call("POST", path, subject=str(registry.key), body=body)
            except ConsoleError:
                with suppress(ConsoleError):
                    self.delete(registry.namespace, self.find(registry.namespace, test))
                raise

    def find(self, namespace: str, test: str = "") -> list[NodePod]:
        """The Pods of one test, or of all tests in a namespace."""
        query = {"labelSelector": f"{LABEL}={test}" if test else LABEL, "limit": str(MOST_PODS)}
        path = paths.pods_in(namespace)
        with _as_person(namespace):
            found, _ = self._connection.list_all(
                path, subject=namespace, query=query, take=_read, read=self._connection.timeouts.read
            )
        return [it for it in found if it]

    def delete(self, namespace: str, pods: Sequence[NodePod]) -> None:
        """Deletes Pods at once, without their nodes. Those that are gone are ignored.

        Without a grace period: an API server waits for the kubelet otherwise, which may be away.
        """
        for it in pods:
            options: Json = {"gracePeriodSeconds": 0, "preconditions": {"uid": it.uid}}
            path = paths.one(paths.pods_in(namespace), it.name)
            with _as_person(namespace), suppress(NotFound):
                self._connection.call("DELETE", path, subject=namespace, body=options)


@contextmanager
def _as_person(subject: str) -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        if error.problem == Problem.CLUSTER_TOKEN:
            raise Unavailable(subject, Problem.SESSION_ENDED) from None
        if error.problem == Problem.CLUSTER_FORBIDDEN:
            raise Forbidden(subject, problem=Problem.PODS_FORBIDDEN) from None
        raise


def pod(registry: RegistrySecret, test: str, node: str, image: str, *, control: bool, small: bool) -> Json:
    """A Pod that fits the strictest profile of Pod Security. `nodeName` needs no scheduler, so cordoned nodes work.
    `small`: with requests and limits of its own."""
    least = {"cpu": "10m", "memory": "16Mi"}
    container: Json = {
        "name": "test",
        "image": image,
        "imagePullPolicy": "Always",
        "resources": {"requests": least, "limits": least} if small else {},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    owner = {"apiVersion": API_VERSION, "kind": KIND, "name": registry.name, "uid": registry.uid}
    return {
        "metadata": {
            "name": pod_name(test, control=control),
            "labels": {LABEL: test, **({CONTROL: "true"} if control else {})},
            "ownerReferences": [owner],
        },
        "spec": {
            "nodeName": node,
            "tolerations": [{"operator": "Exists"}],
            "restartPolicy": "Never",
            "activeDeadlineSeconds": DEADLINE,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "imagePullSecrets": [{"name": secret_of(registry, control=control)}],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }


def _read(item: Json) -> NodePod | None:
    """None for a Pod that only has the label."""
    if not is_test(item):
        return None
    metadata, spec, status = (item.get(it) or {} for it in ("metadata", "spec", "status"))
    containers = status.get("containerStatuses") or [{}]
    said = " ".join(str(status.get(it) or "") for it in ("reason", "message")).strip()
    return NodePod(
        name=str(metadata.get("name")),
        uid=str(metadata.get("uid")),
        owner=next((str(it.get("uid")) for it in metadata.get("ownerReferences") or ()), ""),
        node=str(spec.get("nodeName") or ""),
        image=str((spec.get("containers") or [{}])[0].get("image") or "")[:IMAGE_MAX],
        control=str(metadata.get("name")).endswith("-control"),
        created=datetime.fromisoformat(str(metadata.get("creationTimestamp"))),
        container=containers[0].get("state") or {},
        phase=str(status.get("phase") or ""),
        message=said[:MESSAGE_MAX],
        secrets=tuple(
            str(it.get("name"))[:NAME_MAX] for it in (spec.get("imagePullSecrets") or ())[:NAMES_MAX]
        ),
    )


def _node(item: Json, group_labels: Sequence[str]) -> Node:
    status, metadata = (item.get(it) or {} for it in ("status", "metadata"))
    labels = metadata.get("labels") or {}
    ready = any(
        it.get("type") == "Ready" and it.get("status") == "True" for it in status.get("conditions") or ()
    )
    told = ((status.get("nodeInfo") or {}).get("architecture"), labels.get(ARCHITECTURE))
    architecture = next(filter(None, map(_architecture, told)), "")
    group = next((str(labels[it]) for it in group_labels if labels.get(it)), "")
    return Node(str(metadata.get("name")), ready, architecture, group)


def _architecture(told: object) -> str:
    """A known architecture, or "": a node may report any text of any length."""
    _, _, known = platform_of("linux", told if isinstance(told, str) else "").partition("/")
    return known.partition("/")[0]
