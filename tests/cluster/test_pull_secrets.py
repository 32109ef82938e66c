"""Pull secrets: what kubelets use, beside every registry, whoever made it; and who keeps them."""

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from registries.cluster.failures import refusal
from registries.cluster.paths import registry, secret, secrets_in
from registries.domain.errors import Refused
from registries.domain.registry import Key
from registries.domain.resource import LAST_APPLIED
from registries.domain.writer import PASSWORD
from registries.pull_secrets import reconcile
from registries.pull_secrets.kinds import PullSecret
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.cluster.kept_secrets import HOSTS, KEY, auths, make, secret_on
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for

DOCKER_HUB = ["https://index.docker.io/v1/", "docker.io"]


@pytest.fixture
def store(empty: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubernetesStore]:
    monkeypatch.setattr(reconcile, "SWEEP", 0.5)
    monkeypatch.setattr(reconcile, "RENEWAL", 0.3)
    with empty.store(pull_secrets=True) as store:
        store.changes(None)
        yield store


def test_who_creates_a_registry_has_its_pull_secret_at_once(store: KubernetesStore, empty: Cluster) -> None:
    created = store.create(make())

    found = secret_on(empty)

    assert found["type"] == "kubernetes.io/dockerconfigjson"
    pair = base64.b64encode(f"robot$ci:{CANARY}".encode()).decode()
    entry = {"username": "robot$ci", "password": CANARY, "auth": pair}
    assert auths(found) == dict.fromkeys(HOSTS, entry)
    owner = found["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["uid"]) == (
        "RegistrySecret",
        "harbor-prod",
        created.uid,
    )
    assert store.pull_secret(KEY) is PullSecret.READY


@pytest.mark.parametrize(
    ("domain", "keys"),
    [
        ("docker.io", DOCKER_HUB),
        ("registry-1.docker.io", DOCKER_HUB),
        ("https://index.docker.io/v1/", DOCKER_HUB),
        ("harbor.example.com:8443", ["harbor.example.com:8443"]),
        ("HARBOR.example.com:443", ["harbor.example.com:443", "harbor.example.com"]),
        ("http://plain.example.com:5000", ["plain.example.com:5000"]),
        ("http://plain.example.com", ["plain.example.com", "plain.example.com:80"]),
    ],
)
def test_the_keys_are_as_kubelets_look_for_them(
    store: KubernetesStore, empty: Cluster, domain: str, keys: list[str]
) -> None:
    empty.apply("team-a", "applied", domain=domain, password=CANARY)

    assert wait_for(lambda: list(auths(secret_on(empty, Key("team-a", "applied")))) == keys)


@pytest.mark.parametrize(
    ("domain", "before", "keys"),
    [
        ("docker.io", "https://index.docker.io/v1/", DOCKER_HUB),
        ("harbor.example.com", "harbor.example.com", HOSTS),
    ],
)
def test_a_secret_of_an_earlier_version_gets_the_new_keys(
    store: KubernetesStore, empty: Cluster, domain: str, before: str, keys: list[str]
) -> None:
    store.create(make(domain=domain))
    old = json.dumps({"auths": {before: auths(secret_on(empty))[before]}}).encode()
    patch = {"data": {".dockerconfigjson": base64.b64encode(old).decode()}}

    assert list(auths(empty.server.call("PATCH", secret(KEY), patch, kind=MERGE_PATCH).body)) == [before]

    assert wait_for(lambda: list(auths(secret_on(empty))) == keys)


def test_somebody_elses_secret_is_left_alone_and_reported(store: KubernetesStore, empty: Cluster) -> None:
    theirs = {"metadata": {"name": KEY.name}, "data": {"x": "eA=="}}
    empty.server.call("POST", secrets_in("team-a"), theirs)

    store.create(make())

    assert store.pull_secret(KEY) is PullSecret.FOREIGN
    assert secret_on(empty)["data"] == {"x": "eA=="}
    empty.server.call("DELETE", secret(KEY))
    assert wait_for(lambda: bool(auths(secret_on(empty))))


def test_what_is_done_to_a_secret_is_undone(store: KubernetesStore, empty: Cluster) -> None:
    store.create(make())
    wrong = {"data": {".dockerconfigjson": base64.b64encode(b'{"auths":{}}').decode(), "more": "eA=="}}

    broken = empty.server.call("PATCH", secret(KEY), wrong, kind=MERGE_PATCH).body
    assert auths(broken) == {}

    assert wait_for(lambda: list(auths(secret_on(empty))) == HOSTS)
    assert list(secret_on(empty)["data"]) == [".dockerconfigjson"]
    empty.server.call("DELETE", secret(KEY))
    assert wait_for(lambda: bool(auths(secret_on(empty))))


def test_the_secret_of_an_earlier_namesake_is_replaced(store: KubernetesStore, empty: Cluster) -> None:
    old = store.create(make())
    store.delete(KEY, uid=old.uid)  # nothing collects garbage here, so its Secret stays
    assert secret_on(empty)

    new = store.create(make(domain="other.example.com"))

    assert next(iter(auths(secret_on(empty)))) == "other.example.com"
    assert secret_on(empty)["metadata"]["ownerReferences"][0]["uid"] == new.uid


def test_one_that_lost_its_owner_is_taken_back(store: KubernetesStore, empty: Cluster) -> None:
    store.create(make())
    orphaned = {"metadata": {"ownerReferences": None}}
    empty.server.call("PATCH", secret(KEY), orphaned, kind=MERGE_PATCH)
    empty.delete("team-a", KEY.name)

    new = store.create(make(domain="other.example.com"))

    assert store.pull_secret(KEY) is PullSecret.READY
    assert next(iter(auths(secret_on(empty)))) == "other.example.com"
    assert secret_on(empty)["metadata"]["ownerReferences"][0]["uid"] == new.uid


OURS = {"app.kubernetes.io/managed-by": "registry-console"}
THEIR_OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "theirs", "uid": "u"}
PULLS = "kubernetes.io/dockerconfigjson"


@pytest.mark.parametrize(
    ("type_", "metadata"),
    [
        (PULLS, {}),
        (PULLS, {"labels": {"app.kubernetes.io/managed-by": "Helm"}}),
        ("Opaque", {"labels": OURS}),
        (PULLS, {"labels": OURS, "ownerReferences": [THEIR_OWNER]}),
    ],
    ids=["no label", "another label", "another type", "another owner"],
)
def test_what_is_not_surely_ours_is_left_alone(
    store: KubernetesStore, empty: Cluster, type_: str, metadata: dict[str, Any]
) -> None:
    theirs = {
        "type": type_,
        "metadata": {"name": KEY.name, **metadata},
        "data": {".dockerconfigjson": base64.b64encode(b'{"auths":{}}').decode()},
    }
    made = empty.server.call("POST", secrets_in("team-a"), theirs)

    store.create(make())

    assert store.pull_secret(KEY) is PullSecret.FOREIGN
    assert secret_on(empty)["metadata"]["uid"] == made.body["metadata"]["uid"]
    assert auths(secret_on(empty)) == {}


def test_a_verdict_on_the_registry_is_no_reason_to_look(store: KubernetesStore, empty: Cluster) -> None:
    created = store.create(make())
    assert wait_for(lambda: bool(auths(secret_on(empty))))
    before = secret_on(empty)["metadata"]["resourceVersion"]

    for number in range(5):
        store.annotate(KEY, {"x": str(number)}, uid=created.uid)

    assert secret_on(empty)["metadata"]["resourceVersion"] == before


def test_a_new_password_changes_the_secret_in_place(store: KubernetesStore, empty: Cluster) -> None:
    """A kubelet asks for it at any moment, and from 1.35 on it compares the uid of the Secret."""
    created = store.create(make())
    first, seen = secret_on(empty), list[dict[str, Any]]()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(secret_on(empty))

    kubelet = threading.Thread(target=watch)
    kubelet.start()
    for number in range(10):
        store.set_password(KEY, f"password-{number}", uid=created.uid)
        entry = next(iter(auths(secret_on(empty)).values()))
        assert entry["password"] == f"password-{number}"  # before the call returned
        asked = len(seen)
        assert wait_for(lambda asked=asked: len(seen) > asked)
    done.set()
    kubelet.join()

    assert {it.get("metadata", {}).get("uid") for it in seen} == {first["metadata"]["uid"]}
    assert secret_on(empty)["metadata"]["ownerReferences"] == first["metadata"]["ownerReferences"]
    assert store.pull_secret(KEY) is PullSecret.READY


def test_kubectls_copy_of_the_old_password_goes(store: KubernetesStore, empty: Cluster) -> None:
    created = store.create(make())
    note = {LAST_APPLIED: json.dumps({"spec": {"password": "old"}}), "theirs": "stays"}
    patch = {"metadata": {"annotations": note}}
    empty.server.call("PATCH", registry(KEY), patch, kind=MERGE_PATCH)

    store.set_password(KEY, "new", uid=created.uid)

    notes = empty.server.call("GET", registry(KEY)).body["metadata"]["annotations"]
    assert (notes.get(LAST_APPLIED), notes["theirs"]) == (None, "stays")


def test_who_wrote_the_password_and_may_write_it_again_is_known(
    store: KubernetesStore, empty: Cluster
) -> None:
    created = store.create(make())
    by_console = store.writer(KEY, PASSWORD)
    annotated = {"metadata": {"annotations": {"x": "y"}}}
    empty.server.call("PATCH", registry(KEY), annotated, kind=MERGE_PATCH)
    still_by_console = store.writer(KEY, PASSWORD)
    empty.server.call("PATCH", registry(KEY), {"spec": {"password": "bmV3"}}, kind=MERGE_PATCH)
    by_another = store.writer(KEY, PASSWORD)
    store.set_password(KEY, "newer", uid=created.uid)

    assert (by_console, still_by_console) == (None, None)
    assert by_another
    assert by_another.program.startswith("python")
    assert store.writer(KEY, PASSWORD) is None


def test_an_older_definition_that_allows_no_new_password_is_told() -> None:
    """What a server of 1.25 or later answers under the rule `self == oldSelf`."""
    cause = {"reason": "FieldValueInvalid", "message": 'Invalid value: "object": no', "field": "spec"}
    document = {"kind": "Status", "reason": "Invalid", "details": {"causes": [cause]}}

    error = refusal(422, json.dumps(document).encode(), {}, str(KEY))

    assert isinstance(error, Refused)
    assert error.problem == "password_fixed"


def test_without_pull_secrets_there_are_none(empty: Cluster) -> None:
    with empty.store() as store:
        store.create(make())

        assert store.pull_secret(KEY) is PullSecret.NONE
        assert secret_on(empty) == {}
