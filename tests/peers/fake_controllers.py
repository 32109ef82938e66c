"""The controller that makes the Pod of a workload, one step when a test says so; and the commands of
kubectl that the console shows."""

import hashlib
import json
import re
import shlex
from typing import Any

from registries.cluster.paths import pods_in
from tests.peers.api_server import ApiServer
from tests.peers.cluster import MERGE_PATCH

STRATEGIC = "application/strategic-merge-patch+json"
APPS = "/apis/apps/v1/namespaces"
BATCH = "/apis/batch/v1/namespaces"
PLURALS = {
    "deployment": "deployments",
    "statefulset": "statefulsets",
    "daemonset": "daemonsets",
    "job": "jobs",
}
Json = dict[str, Any]


class FakeController:
    """The controller of one workload, and the admission of Pods, which copies the pull secrets of the service account.

    A Deployment (by a ReplicaSet), DaemonSet, StatefulSet or Job has one Pod; a `Pod` has none. Pods go to `node`.
    """

    def __init__(self, server: ApiServer, kind: str, namespace: str, node: str) -> None:
        self._server = server
        self._kind = kind.lower()
        self._pods = pods_in(namespace)
        self._apps = f"{BATCH if kind == 'Job' else APPS}/{namespace}"
        self._namespace = namespace
        self._node = node

    def reconcile(self) -> None:
        """One round for the workload `web`."""
        if self._kind not in PLURALS:
            return
        workload = self._server.call("GET", f"{self._apps}/{PLURALS[self._kind]}/web").body
        pods = self._server.call("GET", self._pods).body["items"]
        if self._kind == "deployment":
            workload = self._replica_set(workload, pods)
        name = "web-0" if self._kind == "statefulset" else f"web-{_hash(workload)}"
        if all(it["metadata"]["name"] != name for it in pods):
            if self._kind == "daemonset":
                self._delete(pods)
            template = workload["spec"]["template"]
            metadata = {"name": name, "labels": template["metadata"]["labels"]}
            metadata["ownerReferences"] = [_owner(workload)]
            self.create({"metadata": metadata, "spec": template["spec"]})

    def create(self, pod: Json) -> None:
        """A Pod after its admission."""
        spec = {"nodeName": self._node, "serviceAccountName": "default", **pod["spec"]}
        create_pod(self._server, self._namespace, {**pod, "spec": spec})

    def _replica_set(self, workload: Json, pods: list[Json]) -> Json:
        """The one of the template; others go with their Pods."""
        template = workload["spec"]["template"]
        labels = {**template["metadata"]["labels"], "pod-template-hash": _hash(workload)}
        name, collection = f"web-{_hash(workload)}", f"{self._apps}/replicasets"
        others = self._server.call("GET", collection).body["items"]
        own = next((it for it in others if it["metadata"]["name"] == name), None)
        if own is None:
            self._delete(pods)
            for old in others:
                self._server.call("DELETE", f"{collection}/{old['metadata']['name']}")
            metadata = {"name": name, "labels": labels, "ownerReferences": [_owner(workload)]}
            template = {**template, "metadata": {"labels": labels}}
            spec = {"selector": {"matchLabels": labels}, "template": template}
            own = self._server.call("POST", collection, {"metadata": metadata, "spec": spec}).body
        return {"kind": "ReplicaSet", **own}

    def _delete(self, pods: list[Json]) -> None:
        for pod in pods:
            self._server.call("DELETE", f"{self._pods}/{pod['metadata']['name']}?gracePeriodSeconds=0")


def create_pod(server: ApiServer, namespace: str, pod: Json) -> None:
    """Creates a Pod after its admission."""
    spec = dict(pod["spec"])
    if not spec.get("imagePullSecrets"):
        account = f"/api/v1/namespaces/{namespace}/serviceaccounts/{spec['serviceAccountName']}"
        spec["imagePullSecrets"] = server.call("GET", account).body.get("imagePullSecrets") or []
    made = server.call("POST", pods_in(namespace), {**pod, "spec": spec})
    assert made.status == 201, made.body


def kubectl(server: ApiServer, command: str) -> None:
    """Does what a command that the console shows would do. test_shown_commands.py compares it with the real
    kubectl."""
    for line in re.split(r"(?<! &&)\n", command):
        _run(server, line)


def _run(server: ApiServer, line: str) -> None:
    if line.startswith("new=$("):
        _create_again(server, line)
        return
    if "$(" in line:
        _change_account(server, line)
        return
    program, flag, namespace, verb, *words = shlex.split(line)
    assert (program, flag) == ("kubectl", "-n"), line
    if verb == "rollout":
        kind, _, name = words[1].partition("/")
        template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
        path, body = _object(namespace, kind, name), {"spec": {"template": template}}
        answer = server.call("PATCH", path, body, kind=MERGE_PATCH)
    elif verb == "patch":
        kind, name, option, patch = words
        assert option == "-p", line
        answer = server.call("PATCH", _object(namespace, kind, name), json.loads(patch), kind=STRATEGIC)
    else:
        assert verb == "delete", line
        answer = server.call("DELETE", _object(namespace, *words))
    assert answer.status in (200, 202), (line, answer.body)


def _change_account(server: ApiServer, line: str) -> None:
    """The patch of a service account with its whole list, which a Go template writes."""
    patch, _, template = line.partition(" -p ")
    _, _, namespace, verb, kind, name = shlex.split(patch)
    assert (verb, kind) == ("patch", "serviceaccount"), line
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
    account = server.call("GET", path).body
    gone = re.findall(r'ne \.name "([^"]+)"', template)
    added = re.findall(r'{"name":"([^"{]+)"}\]', template)
    kept = [it for it in account.get("imagePullSecrets") or () if it["name"] not in gone]
    body = {
        "metadata": {"resourceVersion": account["metadata"]["resourceVersion"]},
        "imagePullSecrets": [*kept, *({"name": it} for it in added)],
    }
    answer = server.call("PATCH", path, body, kind=STRATEGIC)
    assert answer.status == 200, (line, answer.body)


def _create_again(server: ApiServer, line: str) -> None:
    """`kubectl get | kubectl patch --local`, `kubectl replace --force`, and the garbage collector."""
    made = line.partition(" &&\n")[0].removeprefix("new=$(").removesuffix(")")
    read, change = (shlex.split(it) for it in made.split(" | "))
    _, _, namespace, _, kind, name, *_ = read
    path = _object(namespace, kind, name)
    found = server.call("GET", path).body
    spec = _patched(found["spec"], json.loads(change[change.index("-p") + 1])["spec"])
    assert server.call("DELETE", f"{path}?gracePeriodSeconds=0&propagationPolicy=Background").status in (
        200,
        202,
    )
    metadata = {it: found["metadata"][it] for it in ("name", "labels") if it in found["metadata"]}
    if kind == "pod":
        create_pod(server, namespace, {"metadata": metadata, "spec": spec})
        return
    for pod in server.call("GET", pods_in(namespace)).body["items"]:
        owners = [it["uid"] for it in pod["metadata"].get("ownerReferences", ())]
        if found["metadata"]["uid"] in owners:
            server.call("DELETE", f"{pods_in(namespace)}/{pod['metadata']['name']}?gracePeriodSeconds=0")
    body = {"metadata": metadata, "spec": spec}
    made = server.call("POST", path.rpartition("/")[0], body)
    assert made.status == 201, made.body


def _patched(value: Json, patch: Json) -> Json:
    """A strategic merge patch of the parts that the commands change."""
    result = dict(value)
    for name, part in patch.items():
        if part is None:
            result.pop(name, None)
        elif isinstance(part, list):
            gone = {it["name"] for it in part if "$patch" in it}
            added = [it for it in part if "$patch" not in it]
            kept = [it for it in value.get(name) or () if it["name"] not in gone and it not in added]
            result[name] = [*kept, *added]
        else:
            result[name] = _patched(value.get(name) or {}, part)
    return result


def _object(namespace: str, kind: str, name: str) -> str:
    if kind == "job":
        return f"{BATCH}/{namespace}/jobs/{name}"
    if kind in PLURALS:
        return f"{APPS}/{namespace}/{PLURALS[kind]}/{name}"
    return f"/api/v1/namespaces/{namespace}/{kind}s/{name}"


def _hash(workload: Json) -> str:
    template = json.dumps(workload["spec"]["template"], sort_keys=True)
    return hashlib.sha256(template.encode()).hexdigest()[:8]


def _owner(workload: Json) -> Json:
    metadata = workload["metadata"]
    owner = {
        "apiVersion": "batch/v1" if workload["kind"] == "Job" else "apps/v1",
        "kind": workload["kind"],
        "controller": True,
    }
    return {**owner, "name": metadata["name"], "uid": metadata["uid"]}
