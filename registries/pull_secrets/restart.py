"""Makes a failing pod again: a restart of its workload, or its deletion.

A pod keeps the pull secrets that it got at creation, so a new binding counts for new pods only.
"""

from datetime import datetime

from registries.cluster import paths
from registries.cluster.connection import MERGE_PATCH, Json
from registries.cluster.personal import Caller
from registries.domain.errors import Conflict, ConsoleError, Forbidden, NotFound, Problem, Refused
from registries.domain.registry import Key
from registries.pull_secrets.failing import NODE, ROLLED_OUT, controller_of, failing_pod, is_mirror

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""What `kubectl rollout restart` sets on the pod template."""
APPS = "/apis/apps/v1"


def target(caller: Caller, pod: Key, uid: str) -> tuple[str, str, int]:
    """Kind and name of what `restart` restarts (Deployment or DaemonSet) or deletes (Pod), and the number of its pods;
    0: not known. The errors of `restart`."""
    owner = _owner(caller, pod, uid)
    if not _is_rolled_out(owner):
        return "Pod", pod.name, 1
    kind, name = str(owner.get("kind")), str(owner.get("name"))
    return kind, name, _pods_of(caller, pod.namespace, kind, name)


def _pods_of(caller: Caller, namespace: str, kind: str, name: str) -> int:
    """How many pods a workload wants; 0 if it cannot be read."""
    try:
        it = _one(caller, f"{APPS}/namespaces/{namespace}/{ROLLED_OUT[kind]}", namespace, name)
    except ConsoleError:
        return 0
    if kind == "DaemonSet":
        return int(it.get("status", {}).get("desiredNumberScheduled") or 0)
    return int(it.get("spec", {}).get("replicas") or 0)


def restart(caller: Caller, pod: Key, uid: str, at: datetime) -> tuple[str, str]:
    """Kind and name of what was restarted (Deployment or DaemonSet) or deleted (Pod).

    NotFound; Conflict `changed` for another uid, for a pod that no longer waits and for one that nothing makes again;
    Forbidden `workloads_forbidden`.
    """
    try:
        owner = _owner(caller, pod, uid)
        if _is_rolled_out(owner):
            kind, name = str(owner.get("kind")), str(owner.get("name"))
            path = paths.one(f"{APPS}/namespaces/{pod.namespace}/{ROLLED_OUT[kind]}", name)
            caller.call(
                "PATCH", path, subject=str(pod), body=_patch(str(owner.get("uid")), at), kind=MERGE_PATCH
            )
            return kind, name
        path = paths.one(paths.pods_in(pod.namespace), pod.name)
        caller.call("DELETE", path, subject=str(pod), body={"preconditions": {"uid": uid}})
    except Refused:
        raise
    except Forbidden:
        raise Forbidden(str(pod), problem=Problem.WORKLOADS_FORBIDDEN) from None
    return "Pod", pod.name


def _owner(caller: Caller, pod: Key, uid: str) -> Json:
    """The workload of a failing pod."""
    item = _one(caller, paths.pods_in(pod.namespace), pod.namespace, pod.name)
    if item["metadata"].get("uid") != uid or failing_pod(item) is None:
        raise Conflict(str(pod), Problem.CHANGED)
    owner = _workload(caller, pod.namespace, controller_of(item["metadata"]))
    if owner is None or owner.get("kind") == NODE or is_mirror(item["metadata"]):
        raise Conflict(str(pod), Problem.CHANGED)
    return owner


def _is_rolled_out(owner: Json) -> bool:
    return owner.get("kind") in ROLLED_OUT and str(owner.get("apiVersion")).startswith("apps/")


def _patch(uid: str, at: datetime) -> Json:
    """The patch of a workload with this uid: the server refuses it for another one."""
    template = {"metadata": {"annotations": {RESTARTED_AT: at.isoformat(timespec="seconds")}}}
    return {"metadata": {"uid": uid}, "spec": {"template": template}}


def _one(caller: Caller, collection: str, subject: str, name: str) -> Json:
    """An object, read with the permission `list` that the page needs already. NotFound."""
    query = {"fieldSelector": f"metadata.name={name}"}
    found = caller.call("GET", collection, subject=subject, query=query).get("items") or ()
    if not found:
        raise NotFound(f"{subject}/{name}")
    return dict(found[0])


def _workload(caller: Caller, namespace: str, owner: Json | None) -> Json | None:
    """The controller of a pod; the Deployment behind its ReplicaSet."""
    if owner is None or owner.get("kind") != "ReplicaSet":
        return owner
    replicas = f"{APPS}/namespaces/{namespace}/replicasets"
    above = controller_of(_one(caller, replicas, namespace, str(owner.get("name")))["metadata"])
    return above if above is not None and above.get("kind") == "Deployment" else owner
