"""A node pulls all the time while a password changes: no pull fails, on each of three ways of changing it.

A fake kubelet reads the pull secret and pulls through the real containerd from a real docker-registry. Its token
service takes two passwords of one user, until the old one is revoked, as it is asked of people.
"""

import base64
import html
import json
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from registries.cluster.paths import secret
from registries.models import RunItem
from registries.web.registry.rotation import version_of
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.test_rotation import FOUR, KEY, begin, front, outcome, passwords, people
from tests.peers.certificates import Authority
from tests.peers.cluster import Cluster
from tests.peers.containerd import Node, running_containerd
from tests.peers.docker_registry import docker_registry, signing_pair, token_service
from tests.peers.fake_kubelet import FakeKubelet, Waits
from tests.peers.images import push, push_scope, single
from tests.peers.older_rule import OlderRule, collect_garbage
from tests.peers.scripted import Reply, Request, basic, scripted, wait_for

pytest_plugins = ("tests.peers.authorities",)
pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["front", "people"]

OLD, NEW = CANARY, f"{CANARY}-new"
REPOSITORY = "project/app"
PASSWORD = "/registries/team-a/harbor-prod/password/"
APPLY = "application/apply-patch+yaml"


@dataclass
class Place:
    """A registry, the passwords that it takes now, and a node."""

    registry: str
    valid: list[str]
    node: Node


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Place]:
    folder, signer = tmp_path_factory.mktemp("pulls"), signing_pair(authority)
    valid = [OLD, NEW]
    scripts = {it: token_service({"robot": it}, signer) for it in (OLD, NEW)}
    scripts[""] = token_service({}, signer)

    def tokens(request: Request) -> Reply:
        taken = [it for it in valid if request.authorization == basic("robot", it)]
        return scripts[taken[0] if taken else ""](request)

    with ExitStack() as stack:
        realm = stack.enter_context(scripted(tokens)).url("/token")
        registry = stack.enter_context(docker_registry(folder / "registry", token_realm=realm, signer=signer))
        asked = {"service": "test-registry", "scope": push_scope(REPOSITORY)}
        header = {"Authorization": basic("robot", OLD)}
        token = requests.get(realm, params=asked, headers=header, timeout=60).json()["token"]
        push(f"http://{registry}", REPOSITORY, "1", single("linux/amd64"), f"Bearer {token}")
        yield Place(registry, valid, stack.enter_context(running_containerd(folder)))


@contextmanager
def pulling(place: Place, cluster: Cluster, image: str) -> Iterator[list[str]]:
    """Pulls all the time, while garbage is collected. Gives the error of each pull, "" for a success."""
    said: list[str] = []
    over = threading.Event()
    kubelet = FakeKubelet(cluster.server, "edge", place.node)  # type: ignore[arg-type]
    pod = {"metadata": {"namespace": "team-a"}, "spec": {"imagePullSecrets": [{"name": "harbor-prod"}]}}

    def pull() -> None:
        while not over.is_set():
            try:
                kubelet.pull(pod, {"image": image})
            except Waits as waits:
                said.append(str(waits))
            else:
                said.append("")

    def collect() -> None:
        while not over.is_set():
            collect_garbage(cluster.server, "team-a")  # type: ignore[arg-type]

    threads = [threading.Thread(target=it) for it in (pull, collect)]
    for it in threads:
        it.start()
    try:
        yield said
    finally:
        over.set()
        for it in threads:
            it.join()


@pytest.mark.parametrize("way", ["patch", "four steps"])
def test_no_pull_fails_while_the_password_changes(
    people: Cast, front: OlderRule, cluster: Cluster, place: Place, settings: Any, way: str
) -> None:
    settings.PROBE_ALLOW_LOOPBACK = True
    front.refuses = way == "four steps"
    place.valid[:] = [OLD, NEW]
    before = people.add(domain=f"http://{place.registry}", username="robot", password=OLD)
    front.writes.clear()
    with pulling(place, cluster, f"{place.registry}/{REPOSITORY}:1") as said:
        assert wait_for(lambda: len(said) > 3)
        run = begin(people, before, password=NEW)
        assert wait_for(lambda: not RunItem.objects.filter(run=run, state="waiting").exists())
        assert wait_for(lambda: passwords(cluster.server.call("GET", secret(KEY)).body) == {NEW})
        pulled = len(said)
        assert wait_for(lambda: len(said) > pulled + 1)  # the pull under way may still use the old one
        place.valid.remove(OLD)
        revoked = len(said)
        assert wait_for(lambda: len(said) > revoked + 3)

    assert set(said) == {""}, [it for it in said if it]
    assert outcome(run) == ("done", "ok", "")
    written = [it for it in front.writes if it in FOUR]
    assert (FOUR[1] in written) is (way == "four steps")
    assert services().store.credential(before.key, uid=people.find().uid).password == NEW
    assert place.node.pull(f"{place.registry}/{REPOSITORY}:1", "robot", OLD), "the old one is refused"


def shown(cast: Cast, page: str) -> str:
    """The command on a page."""
    text = cast.htmx().get(page).content.decode()
    found = re.findall(r'data-copy="(\(printf &#x27;Password: [^"]+)"', text)
    assert len(set(found)) == 1, text
    return html.unescape(found[0])


def kubectl(cluster: Cluster, command: str, password: str) -> None:
    """What kubectl does for the command: `create secret generic` makes the manifest, `apply --server-side` sends it as
    one patch."""
    write, create, apply = command.rsplit(" | ", 2)
    assert apply == "kubectl apply --server-side -f -"
    words = shlex.split(create)
    name, (flag, namespace) = words[4], words[5:7]
    assert [*words[:4], flag] == ["kubectl", "create", "secret", "generic", "-n"]
    assert words[7:] == [
        "--type=kubernetes.io/dockerconfigjson",
        "--from-file=.dockerconfigjson=/dev/stdin",
        *("--dry-run=client", "-o", "yaml"),
    ]
    typed = f"{password}\n".encode()
    data = subprocess.run(["bash", "-c", write], input=typed, capture_output=True, check=True).stdout
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(data).decode()},
    }
    path = f"{secret(KEY)}?fieldManager=kubectl"
    answer = cluster.server.call("PATCH", path, manifest, kind=APPLY)  # JSON is YAML
    assert answer.status in (200, 201), answer.body


@pytest.fixture
def exported(cast: Cast, cluster: Cluster, place: Place, settings: Any, transactional_db: None) -> Any:
    """A registry of the console's own store, whose pull secret is on a cluster."""
    settings.PROBE_ALLOW_LOOPBACK = True
    place.valid[:] = [OLD, NEW]
    cluster.empty("team-a")
    cluster.server.call("DELETE", secret(KEY))
    cast.add(domain=f"http://{place.registry}", username="robot", password=OLD)
    kubectl(cluster, shown(cast, "/registries/team-a/harbor-prod/"), OLD)
    yield cast
    cluster.server.call("DELETE", secret(KEY))


def change(cast: Cast) -> None:
    """In the dialog, by a person."""
    registry = cast.find()
    form = {"uid": registry.uid, "version": version_of(registry), "password": NEW, "anyway": "1"}
    response = cast.htmx().post(PASSWORD, form)
    assert response.status_code == 204, response.content.decode()
    assert "先在集群中重新应用，再吊销旧密码" in str(json.loads(response["HX-Trigger"]))


def test_no_pull_fails_with_a_secret_that_is_exported_again(
    exported: Cast, cluster: Cluster, place: Place
) -> None:
    """The console's own store: the command of the page is run again before the old password is revoked."""
    uid = cluster.server.call("GET", secret(KEY)).body["metadata"]["uid"]
    with pulling(place, cluster, f"{place.registry}/{REPOSITORY}:1") as said:
        assert wait_for(lambda: len(said) > 3)
        command = shown(exported, PASSWORD)
        change(exported)
        kubectl(cluster, command, NEW)
        pulled = len(said)
        assert wait_for(lambda: len(said) > pulled + 1)  # the pull under way may still use the old one
        place.valid.remove(OLD)
        revoked = len(said)
        assert wait_for(lambda: len(said) > revoked + 3)

    assert set(said) == {""}, [it for it in said if it]
    found = cluster.server.call("GET", secret(KEY)).body
    assert found["metadata"]["uid"] == uid, "it was changed in place"
    assert passwords(found) == {NEW}
    assert place.node.pull(f"{place.registry}/{REPOSITORY}:1", "robot", OLD), "the old one is refused"
    assert CANARY not in command
