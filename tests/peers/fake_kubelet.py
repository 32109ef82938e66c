"""The part of a kubelet that pulls: it reads the pull secrets of the Pods on its node, pulls through a real runtime,
and writes the states that a kubelet writes. It runs no container."""

import base64
import binascii
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from registries.cluster.paths import PODS, pods_in, secret
from registries.domain.registry import Key
from registries.pull_secrets.matching import image_name, lookup
from tests.peers.api_server import ApiServer
from tests.peers.cluster import MERGE_PATCH
from tests.peers.containerd import Runtime

SIGNATURE = "SignatureValidationFailed"
EVERY = 0.05
"""Seconds between two lists of Pods."""
Json = dict[str, Any]
Said = tuple[str, str]
"""Reason and message of a waiting container."""


def at_first(image: str, error: str) -> Said:
    return "ErrImagePull", error


def back_off(image: str, error: str) -> Said:
    """Since Kubernetes 1.32. A few causes have a name of their own."""
    named = error if error.startswith(SIGNATURE) else f"ErrImagePull: {error}"
    return "ImagePullBackOff", f'Back-off pulling image "{image}": {named}'


def old_back_off(image: str, error: str) -> Said:
    return "ImagePullBackOff", f'Back-off pulling image "{image}"'


class Waits(Exception):
    """A container does not start. Its arguments are reason and message."""


class FakeKubelet:
    """`says` makes reason and message of an error of the runtime. With `bare_reasons`, an unreadable Secret is the
    reason itself, as since Kubernetes 1.36."""

    def __init__(
        self,
        server: ApiServer,
        node: str,
        runtime: Runtime,
        says: Callable[[str, str], Said] = at_first,
        *,
        bare_reasons: bool = False,
    ) -> None:
        self._server = server
        self._node = node
        self._runtime = runtime
        self._says = says
        self._bare_reasons = bare_reasons
        self._stop = threading.Event()
        self._seen: set[str] = set()

    def run(self) -> None:
        """Pulls once for every new Pod, until it is stopped."""
        while not self._stop.wait(EVERY):
            listed = self._server.call("GET", f"{PODS}?fieldSelector=spec.nodeName={self._node}")
            for pod in listed.body["items"]:
                if pod["metadata"]["uid"] not in self._seen:
                    self._seen.add(pod["metadata"]["uid"])
                    waiting = {"waiting": {"reason": "ContainerCreating"}}
                    containers = pod["spec"]["containers"]
                    self._write(pod, {"containerStatuses": [_status(it, waiting) for it in containers]})
                    self.sync(pod)

    def stop(self) -> None:
        self._stop.set()

    def sync(self, pod: Json) -> None:
        """Starts the containers whose images can be pulled, and ends a deleted Pod."""
        if pod["metadata"].get("deletionTimestamp"):
            self._server.call("DELETE", f"{_path(pod)}?gracePeriodSeconds=0")
            return
        spec, status = pod["spec"], dict[str, Any]()
        ready = True
        if spec.get("initContainers"):
            done = {"terminated": {"exitCode": 0, "reason": "Completed"}}
            states = []
            for it in spec["initContainers"]:
                states.append(self._start(pod, it, done) if ready else _INITIALIZING)
                ready = states[-1] == done
            status["initContainerStatuses"] = list(map(_status, spec["initContainers"], states))
        runs = {"running": {"startedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}}
        states = [self._start(pod, it, runs) if ready else _INITIALIZING for it in spec["containers"]]
        status["containerStatuses"] = list(map(_status, spec["containers"], states))
        status["phase"] = "Running" if all(it == runs for it in states) else "Pending"
        self._write(pod, status)

    def _start(self, pod: Json, container: Json, started: Json) -> Json:
        try:
            self.pull(pod, container)
        except Waits as waits:
            reason, message = waits.args
            return {"waiting": {"reason": reason, "message": message}}
        return started

    def pull(self, pod: Json, container: Json) -> None:
        """The order is the kubelet's: the name, the policy, the Secrets, then every credential that matches. The last
        error counts; without a credential it pulls with none."""
        image = container["image"]
        if image_name(image) is None:
            refused = f'couldn\'t parse image name "{image}": invalid reference format'
            raise Waits("InvalidImageName", f'Failed to apply default image tag "{image}": {refused}')
        if container.get("imagePullPolicy") == "Never":
            message = f'Container image "{image}" is not present with pull policy of Never'
            raise Waits("ErrImageNeverPull", message)
        try:
            auths = list(self._auths(pod))
        except ValueError as error:
            raise Waits(
                *((str(error), "") if self._bare_reasons else self._says(image, str(error)))
            ) from None
        said = ""
        for username, password in lookup(auths, image) or [("", "")]:
            said = self._runtime.pull(image, username, password)
            if not said:
                return
        raise Waits(*self._says(image, said))

    def _auths(self, pod: Json) -> Iterator[dict[str, tuple[str, str]]]:
        """Of each Secret. Missing ones and those of other types are passed over. ValueError, with the kubelet's text,
        for one that cannot be read."""
        for it in pod["spec"].get("imagePullSecrets", ()):
            found = self._server.call("GET", secret(Key(pod["metadata"]["namespace"], it["name"])))
            if found.status != 200:
                continue
            data = found.body.get("data") or {}
            if found.body["type"] == "kubernetes.io/dockerconfigjson":
                auths = json.loads(base64.b64decode(data[".dockerconfigjson"])).get("auths", {})
            elif found.body["type"] == "kubernetes.io/dockercfg":
                auths = json.loads(base64.b64decode(data[".dockercfg"]))
            else:
                continue
            if not isinstance(auths, dict):
                raise ValueError(
                    "json: cannot unmarshal array into Go struct field .auths of type DockerConfig"
                )
            yield {key: _credential(entry) for key, entry in auths.items()}

    def _write(self, pod: Json, status: Json) -> None:
        self._server.call("PATCH", f"{_path(pod)}/status", {"status": status}, kind=MERGE_PATCH)


_INITIALIZING = {"waiting": {"reason": "PodInitializing"}}


def _path(pod: Json) -> str:
    return f"{pods_in(pod['metadata']['namespace'])}/{pod['metadata']['name']}"


def _status(container: Json, state: Json) -> Json:
    named = {"name": container["name"], "image": container["image"], "imageID": ""}
    return {**named, "ready": "running" in state, "restartCount": 0, "state": state}


def _credential(entry: Json) -> tuple[str, str]:
    """User name and password; those in `auth` win. ValueError with the texts of Go."""
    for name in ("username", "password"):
        if not isinstance(entry.get(name, ""), str):
            raise ValueError(
                f"json: cannot unmarshal number into Go struct field DockerConfigEntry.{name} of type string"
            )
    if not entry.get("auth"):
        return entry.get("username", ""), entry.get("password", "")
    try:
        pair = base64.b64decode(entry["auth"], validate=True).decode()
    except binascii.Error:
        raise ValueError("illegal base64 data at input byte 0") from None
    username, colon, password = pair.partition(":")
    if not colon:
        raise ValueError("unable to parse auth field, must be formatted as base64(username:password)")
    return username, password


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
