"""The part of a kubelet that pulls: it reads the pull secrets of the Pods on its node, pulls through a real runtime,
and writes the states that a kubelet writes. It runs no container."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from registries.cluster.paths import PODS, pods_in, secret
from registries.domain.registry import Key
from registries.pull_secrets.matching import lookup
from tests.peers.api_server import ApiServer
from tests.peers.cluster import MERGE_PATCH
from tests.peers.containerd import Runtime

EVERY = 0.05
"""Seconds between two lists of Pods."""


class FakeKubelet:
    def __init__(self, server: ApiServer, node: str, runtime: Runtime) -> None:
        self._server = server
        self._node = node
        self._runtime = runtime
        self._stop = threading.Event()
        self._seen: set[str] = set()

    def run(self) -> None:
        while not self._stop.wait(EVERY):
            listed = self._server.call("GET", f"{PODS}?fieldSelector=spec.nodeName={self._node}")
            for pod in listed.body["items"]:
                if pod["metadata"]["uid"] not in self._seen:
                    self._seen.add(pod["metadata"]["uid"])
                    self._start(pod)

    def stop(self) -> None:
        self._stop.set()

    def _start(self, pod: dict[str, Any]) -> None:
        [container] = pod["spec"]["containers"]
        self._write(pod, {"reason": "ContainerCreating"})
        said = self._pull(pod, container["image"])
        assert said, "nothing has this tag"
        self._write(pod, {"reason": "ErrImagePull", "message": said})

    def _pull(self, pod: dict[str, Any], image: str) -> str:
        """The last error of all credentials that match, as the kubelet tries them; without one, of no credential."""
        namespace = pod["metadata"]["namespace"]
        auths = []
        for it in pod["spec"].get("imagePullSecrets", ()):
            found = self._server.call("GET", secret(Key(namespace, it["name"])))
            if found.status == 200:
                auths.append(json.loads(base64.b64decode(found.body["data"][".dockerconfigjson"]))["auths"])
        said = ""
        for entry in lookup(auths, image) or [{"auth": ""}]:
            user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
            said = self._runtime.pull(image, user, password)
        return said

    def _write(self, pod: dict[str, Any], waiting: dict[str, str]) -> None:
        [container] = pod["spec"]["containers"]
        state = {"name": container["name"], "image": container["image"], "imageID": "", "ready": False}
        status = {**state, "restartCount": 0, "state": {"waiting": waiting}}
        path = f"{pods_in(pod['metadata']['namespace'])}/{pod['metadata']['name']}/status"
        self._server.call("PATCH", path, {"status": {"containerStatuses": [status]}}, kind=MERGE_PATCH)


@contextmanager
def fake_kubelet(server: ApiServer, node: str, runtime: Runtime) -> Iterator[None]:
    kubelet = FakeKubelet(server, node, runtime)
    thread = threading.Thread(target=kubelet.run)
    thread.start()
    try:
        yield
    finally:
        kubelet.stop()
        thread.join(60)
