"""Limits that a cluster's administrator sets for new registries: an exhausted quota, and a webhook that denies
them. The API server enforces both. Each is active inside its context."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers.api_server import ApiServer
from tests.peers.certificates import Authority
from tests.peers.scripted import Reply, Request, json_reply, scripted, wait_for

WORDS = "words-of-the-webhook"
_COUNTED = {"count/registrysecrets.image.theriseunion.io": "0"}
_HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@contextmanager
def used_up(server: ApiServer, namespace: str) -> Iterator[None]:
    """A quota that allows no further registry. The test fills in the status of the quota, since no controller runs
    here."""
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    quota: dict[str, Any] = {"metadata": {"name": "none-more"}, "spec": {"hard": _COUNTED}}
    made = server.call("POST", quotas, quota).body
    server.call("PUT", f"{quotas}/none-more/status", {**made, "status": {"hard": _COUNTED, "used": _COUNTED}})
    try:
        assert wait_for(lambda: "exceeded quota" in _tried(server, namespace))
        yield
    finally:
        server.call("DELETE", f"{quotas}/none-more")
        assert wait_for(lambda: not _tried(server, namespace))


@contextmanager
def denied(server: ApiServer, namespace: str, folder: Path, code: int) -> Iterator[None]:
    """A webhook that denies every new registry with the given status."""
    authority = Authority(folder)
    pair = authority.issue("127.0.0.1")

    def deny(request: Request) -> Reply:
        review = json.loads(request.body)
        status = {"code": code, "message": WORDS}
        response = {"uid": review["request"]["uid"], "allowed": False, "status": status}
        return json_reply({**review, "response": response})

    with scripted(deny, tls=authority.server_context(pair)) as hook:
        server.call("POST", _HOOKS, _configuration(f"https://127.0.0.1:{hook.port}/", authority))
        try:
            assert wait_for(lambda: WORDS in _tried(server, namespace))
            yield
        finally:
            server.call("DELETE", f"{_HOOKS}/says-no")
            assert wait_for(lambda: not _tried(server, namespace))


def _configuration(url: str, authority: Authority) -> dict[str, Any]:
    rule = {"apiGroups": ["image.theriseunion.io"], "apiVersions": ["*"], "resources": ["registrysecrets"]}
    bundle = base64.b64encode(authority.root.certificate_file.read_bytes()).decode()
    hook = {
        "name": "says-no.example.com",
        "clientConfig": {"url": url, "caBundle": bundle},
        "rules": [{**rule, "operations": ["CREATE"]}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {"metadata": {"name": "says-no"}, "webhooks": [hook]}


def _tried(server: ApiServer, namespace: str) -> str:
    """The error for a new registry. "" if it was created; then it is deleted again."""
    path = f"/apis/image.theriseunion.io/v1alpha1/namespaces/{namespace}/registrysecrets"
    spec = {"domain": "h.example.com", "username": "u", "password": "p", "provider": "harbor"}
    registry = {
        "apiVersion": "image.theriseunion.io/v1alpha1",
        "kind": "RegistrySecret",
        "metadata": {"name": "tried"},
        "spec": spec,
    }
    answer = server.call("POST", path, registry)
    if answer.status != 201:
        return str(answer.body["message"])
    server.call("DELETE", f"{path}/tried")
    return ""


_MUTATING = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


@contextmanager
def mirrored(
    server: ApiServer, namespace: str, folder: Path, mirror: str, *, exempt: str = ""
) -> Iterator[None]:
    """A webhook that puts the host of a mirror before the images of new Pods, but for those with the label `exempt`."""
    authority = Authority(folder)

    def change(request: Request) -> Reply:
        review = json.loads(request.body)
        [container] = review["request"]["object"]["spec"]["containers"]
        patch = [
            {"op": "replace", "path": "/spec/containers/0/image", "value": f"{mirror}/{container['image']}"}
        ]
        response = {
            "uid": review["request"]["uid"],
            "allowed": True,
            "patchType": "JSONPatch",
            "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
        }
        return json_reply({**review, "response": response})

    with scripted(change, tls=authority.server_context(authority.issue("127.0.0.1"))) as hook:
        body = _configuration(f"https://127.0.0.1:{hook.port}/", authority)
        [rule] = body["webhooks"][0]["rules"]
        rule |= {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
        if exempt:
            expression = {"key": exempt, "operator": "DoesNotExist"}
            body["webhooks"][0]["objectSelector"] = {"matchExpressions": [expression]}
        server.call("POST", _MUTATING, body)
        try:
            assert wait_for(lambda: _image_of_a_pod(server, namespace).startswith(mirror))
            yield
        finally:
            server.call("DELETE", f"{_MUTATING}/says-no")
            assert wait_for(lambda: not _image_of_a_pod(server, namespace).startswith(mirror))


def _image_of_a_pod(server: ApiServer, namespace: str) -> str:
    """The image of a new Pod that asked for `app`. It is not created."""
    pod = {"metadata": {"name": "tried"}, "spec": {"containers": [{"name": "c", "image": "app"}]}}
    made = server.call("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod).body
    return str(made["spec"]["containers"][0]["image"])
