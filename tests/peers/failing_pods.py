"""Pods that cannot pull, and their Secrets, as a kubelet and a person leave them on an API server.

No kubelet runs: the status that it writes is written here.
"""

from typing import Any

from registries.cluster.paths import pods_in, secrets_in
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for

HARBOR = "harbor.example.com"
IMAGE = f"{HARBOR}/shop/web:1"
REFUSED = f"pulling from host {HARBOR} failed with status code [manifests 1]: 401 Unauthorized"
CONFIG = "kubernetes.io/dockerconfigjson"
RESTARTER: dict[str, Any] = {
    "metadata": {"name": "restarter-of-workloads"},
    "rules": [
        {"apiGroups": ["apps"], "resources": ["deployments", "daemonsets"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]},
    ],
}
"""What the role edit of a real cluster has of it."""


def fails(
    cluster: Cluster,
    name: str,
    *,
    image: str = IMAGE,
    secrets: tuple[str, ...] = (),
    namespace: str = "team-a",
    message: str = REFUSED,
    reason: str = "ImagePullBackOff",
    phase: str = "Pending",
    **metadata: Any,
) -> str:
    """A pod whose only container waits for its image. Returns its uid."""
    spec: dict[str, Any] = {"containers": [{"name": "c", "image": image}]}
    if secrets:
        spec["imagePullSecrets"] = [{"name": it} for it in secrets]
    body = {"metadata": {"name": name, **metadata}, "spec": spec}
    made = cluster.server.call("POST", pods_in(namespace), body)
    assert made.status == 201, made.body
    waiting = {"reason": reason, "message": message}
    container = {"name": "c", "image": image, "imageID": "", "ready": False, "restartCount": 0}
    status = {"phase": phase, "containerStatuses": [{**container, "state": {"waiting": waiting}}]}
    path = f"{pods_in(namespace)}/{name}"
    patched = cluster.server.call("PATCH", f"{path}/status", {"status": status}, kind=MERGE_PATCH)
    assert patched.status == 200, patched.body
    assert wait_for(
        lambda: cluster.cached(pods_in(namespace)).get(name) == patched.body["metadata"]["resourceVersion"]
    )
    return str(made.body["metadata"]["uid"])


def secret(cluster: Cluster, name: str, config: str, kind: str = CONFIG, namespace: str = "team-a") -> None:
    data = {".dockerconfigjson": config} if kind == CONFIG else {"x": config}
    body: dict[str, Any] = {"metadata": {"name": name}, "type": kind, "stringData": data}
    assert cluster.server.call("POST", secrets_in(namespace), body).status == 201


def leading_to(plural: str, name: str) -> tuple[str, ...]:
    """Names in team-a that a reference may have, since the API server does not check them. As a part of a path they
    lead to the object `name` of team-b, or to something else than an object of that name; `here` exists."""
    there = f"team-b/{plural}/{name}"
    return (
        *(f"../../{there}", f"x/../../../{there}", f"%2e%2e/%2e%2e/{there}", f".%2E/../{there}"),
        *(
            f"../../{there}?x=",
            f"../../{there}#",
            f"..\\..\\team-b\\{plural}\\{name}",
            f"here/../../../{there}",
        ),
        *(
            "here/../here",
            "here?x=y",
            "here#x",
            "here/status",
            "here%20",
            "..",
            ".",
            "../",
            f"../{plural}/here",
        ),
    )
