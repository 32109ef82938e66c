"""Pods that cannot pull, on a real API server: found, explained, and only within the rights of the person."""

import re

import pytest

from registries.cluster.personal import Person
from registries.domain.registry import Key
from registries.pull_secrets import pods as pod_reader
from registries.pull_secrets.explain import SecretState
from registries.pull_secrets.failing import FailingPods, Phase
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.cluster.failures_page import READS_SECRETS
from tests.cluster.users import HARBOR, add, make, pod_spec
from tests.peers.cluster import Cluster
from tests.peers.failing_pods import IMAGE, REFUSED, fails, secret

pytest_plugins = ("tests.cluster.users",)


def found(
    store: KubernetesStore, *namespaces: str, phase: Phase = Phase.PENDING, whole: bool = False
) -> FailingPods:
    reader = store.pull_failures()
    assert reader
    return reader.pods(namespaces or ("team-a", "team-b"), phase, all_of_them=whole)


@pytest.mark.parametrize("whole", [True, False])
def test_pods_that_wait_for_an_image_are_found_and_no_others(
    store: KubernetesStore, place: Cluster, whole: bool
) -> None:
    fails(place, "a", secrets=("x",))
    fails(place, "b", namespace="team-b", reason="InvalidImageName")
    fails(place, "crashes", reason="CrashLoopBackOff")
    fails(place, "runs", phase="Running")
    make(place, "Pod", "new", pod_spec(IMAGE))

    pending = found(store, whole=whole)
    one = found(store, "team-b", whole=False)
    running = found(store, phase=Phase.RUNNING, whole=whole)

    assert [(it.namespace, it.name) for it in pending.pods] == [("team-a", "a"), ("team-b", "b")]
    assert pending.pods[0].secrets == ("x",)
    assert [(it.image, it.message) for it in pending.pods[0].waiting] == [(IMAGE, REFUSED)]
    assert [it.name for it in one.pods] == ["b"]
    assert [it.name for it in running.pods] == ["runs"]
    assert (pending.unread, pending.problem, pending.more) == ([], None, False)


PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}


def lists_of_pods(logged: pytest.LogCaptureFixture) -> list[str]:
    found = [re.search(r'"GET (\S*/pods)\?', it) for it in logged.messages]
    logged.clear()
    return [it[1] for it in found if it]


def test_the_console_reads_many_namespaces_with_one_list(
    store: KubernetesStore,
    place: Cluster,
    person: Person,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pods of other namespaces are no reason to leave one out."""
    caplog.set_level("DEBUG", "urllib3.connectionpool")
    others = [f"gone-{number}" for number in range(pod_reader.MANY)]
    for name in ("b1", "b2", "b3"):
        fails(place, name, namespace="team-b")
    fails(place, "a")
    caplog.clear()

    once = found(store, "team-a", *others)
    assert lists_of_pods(caplog) == ["/api/v1/pods"]
    monkeypatch.setattr(pod_reader, "MOST_SCANNED", 2)
    cut = found(store, "team-a", *others)
    assert len(lists_of_pods(caplog)) == 1 + 1 + len(others)
    refused = found(store.acting_as(person), "team-a", *others)
    asked = lists_of_pods(caplog)
    assert (asked[0], len(asked)) == ("/api/v1/pods", 1 + 1 + len(others)), (
        "a person without the right everywhere"
    )
    assert (refused.pods, "team-a" in refused.unread) == ([], True)
    monkeypatch.undo()
    caplog.set_level("DEBUG", "urllib3.connectionpool")
    role = {"metadata": {"name": "lists-pods"}, "rules": [PODS]}
    place.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    place.bind("team-a-admin", "lists-pods")
    try:
        lists_of_pods(caplog)
        seen = found(store.acting_as(person), "team-a", *others)
        assert lists_of_pods(caplog) == ["/api/v1/pods"]
        assert ([it.name for it in seen.pods], seen.unread) == (["a"], []), (
            "of all pods, those of these namespaces"
        )
    finally:
        place.unbind("team-a-admin", "lists-pods")

    for it in (once, cut):
        assert [pod.name for pod in it.pods] == ["a"]
        assert (it.unread, it.problem, it.more) == ([], None, False)


def test_a_person_sees_the_pods_that_the_cluster_lets_them_list(
    store: KubernetesStore, place: Cluster, person: Person, admin: Person
) -> None:
    fails(place, "a")
    fails(place, "b", namespace="team-b")

    seen = found(store.acting_as(admin), whole=True)

    assert [it.name for it in seen.pods] == ["a"]
    assert seen.unread == ["team-b"]


def test_a_person_without_the_right_sees_no_pod(
    store: KubernetesStore, place: Cluster, person: Person
) -> None:
    fails(place, "a")

    seen = found(store.acting_as(person), "team-a", whole=True)

    assert (seen.pods, seen.unread) == ([], ["team-a"])


@pytest.fixture
def secrets(store: KubernetesStore, place: Cluster) -> tuple[str, ...]:
    add(store)
    secret(place, "theirs", f'{{"auths":{{"{HARBOR}:443":{{"username":"u","password":"{CANARY}"}}}}}}')
    secret(place, "broken", '{"auths":{"x":{"auth":"no"}}}')
    secret(place, "opaque", "x", "Opaque")
    names = ("harbor-prod", "theirs", "broken", "opaque", "gone")
    fails(place, "a", secrets=names)
    return names


def states(store: KubernetesStore) -> dict[str, tuple[SecretState, tuple[str, ...]]]:
    reader = store.pull_failures()
    assert reader
    pods = reader.pods(["team-a"], Phase.PENDING, all_of_them=False).pods
    key = Key("team-a", "harbor-prod")
    read = reader.secrets(
        (Key("team-a", name) for pod in pods for name in pod.secrets), {key: store.get(key)}
    )
    assert CANARY not in repr(read)
    return {key.name: (it.state, it.keys) for key, it in read.items()}


OWN = (SecretState.READABLE, (HARBOR, f"{HARBOR}:443"))


def test_for_its_own_accounts_the_console_reads_no_content_of_foreign_secrets(
    store: KubernetesStore, secrets: tuple[str, ...]
) -> None:
    assert states(store) == {
        "harbor-prod": OWN,
        "theirs": (SecretState.UNREAD, ()),
        "broken": (SecretState.UNREAD, ()),
        "opaque": (SecretState.WRONG_TYPE, ()),
        "gone": (SecretState.MISSING, ()),
    }


def test_a_person_reads_secrets_only_with_the_right(
    store: KubernetesStore, place: Cluster, secrets: tuple[str, ...], admin: Person
) -> None:
    without = states(store.acting_as(admin))
    place.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", READS_SECRETS)
    place.bind("team-a-admin", "reader-of-secrets", "team-a")
    try:
        allowed = states(store.acting_as(admin))
    finally:
        place.unbind("team-a-admin", "reader-of-secrets", "team-a")

    assert without == {name: OWN if name == "harbor-prod" else (SecretState.UNREAD, ()) for name in secrets}
    assert allowed == {
        "harbor-prod": OWN,
        "theirs": (SecretState.READABLE, (f"{HARBOR}:443",)),
        "broken": (SecretState.BROKEN, ()),
        "opaque": (SecretState.WRONG_TYPE, ()),
        "gone": (SecretState.MISSING, ()),
    }


def test_there_is_an_end_to_what_is_read(
    store: KubernetesStore, place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        fails(place, name)
    with monkeypatch.context() as containers:
        containers.setattr(pod_reader, "MOST_CONTAINERS", 1)
        little = found(store)
        everywhere = found(store, "team-a", *(f"gone-{it}" for it in range(pod_reader.MANY)))
    monkeypatch.setattr(pod_reader, "MOST_PODS", 2)

    few = found(store)
    monkeypatch.setattr(pod_reader, "MOST_SCANNED", 1)
    one = found(store)
    monkeypatch.setattr(pod_reader, "PATIENCE", -1.0)
    late = found(store)

    assert (len(little.pods), little.more) == (2, True), "a pod is whole"
    assert (len(everywhere.pods), everywhere.more) == (2, True)
    assert (len(few.pods), few.more) == (2, True)
    assert (len(one.pods), one.more) == (1, True)
    assert (late.pods, late.problem) == ([], "cluster_timeout")
