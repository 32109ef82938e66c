"""Pull secrets that somebody damages, and how soon they are right again."""

import base64
import time
from collections.abc import Callable
from typing import Any

from registries.cluster.paths import secret, secrets_in
from registries.domain.registry import Draft, Key, Provider
from registries.pull_secrets.replacing import REPLACING
from registries.pull_secrets.secret import MANAGED_BY, TYPE
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.cluster.kept_secrets import auths, secret_on
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for

SOON = 5.0
"""Seconds that are promised (docs/clusters.md)."""
EMPTY = base64.b64encode(b'{"auths":{}}').decode()
WRONG = {"data": {".dockerconfigjson": EMPTY}}


def is_watching(store: KubernetesStore) -> bool:
    reconciler = store._follower.here()._reconciler
    assert reconciler
    return any(it._seen for it in reconciler._watching)  # type: ignore[attr-defined]


def add(store: KubernetesStore, name: str) -> Key:
    key = Key("team-a", name)
    store.create(Draft(key, "harbor.example.com", "robot$ci", Provider.OTHER, CANARY))
    return key


Damage = Callable[[Cluster, Key], None]


def patched(**change: Any) -> Damage:
    def damage(cluster: Cluster, key: Key) -> None:
        assert cluster.server.call("PATCH", secret(key), change, kind=MERGE_PATCH).status == 200

    return damage


def disowned(cluster: Cluster, key: Key) -> None:
    patched(metadata={"ownerReferences": None})(cluster, key)


def owned_by_another_too(cluster: Cluster, key: Key) -> None:
    """Which would keep the password when the registry is deleted."""
    owners = secret_on(cluster, key)["metadata"]["ownerReferences"]
    another = {"apiVersion": "v1", "kind": "ConfigMap", "name": "theirs", "uid": "u"}
    patched(metadata={"ownerReferences": [*owners, another]})(cluster, key)


def unlabelled_first(cluster: Cluster, key: Key) -> None:
    """Without the label it is in no watch: what is done to it next must not stay."""
    patched(metadata={"labels": None})(cluster, key)
    patched(**WRONG)(cluster, key)


def deleted(cluster: Cluster, key: Key) -> None:
    assert cluster.server.call("DELETE", secret(key)).status == 200


def flickering(cluster: Cluster, key: Key) -> None:
    for number in range(20):
        patched(data={f"x{number}": "eA=="})(cluster, key)


def of_another_type(cluster: Cluster, key: Key) -> None:
    """Its type cannot be changed in place: deleted and made again, with the owner that it had."""
    found = secret_on(cluster, key)
    deleted(cluster, key)
    metadata = {it: found["metadata"][it] for it in ("name", "labels", "ownerReferences")}
    cluster.server.call("POST", secrets_in(key.namespace), {"metadata": metadata, "data": {"x": "eA=="}})


def marked(cluster: Cluster, key: Key) -> None:
    """As one whose registry is being replaced, which the upkeep leaves alone."""
    owner = secret_on(cluster, key)["metadata"]["ownerReferences"][0]["uid"]
    mark = f"{owner} 2999-01-01T00:00:00Z"
    patched(metadata={"annotations": {REPLACING: mark}}, **WRONG)(cluster, key)


DAMAGES: dict[str, Damage] = {
    "emptied": patched(**WRONG),
    "no-data": patched(**{"data": {".dockerconfigjson": base64.b64encode(b"{}").decode()}}),
    "more-data": patched(data={"more": "eA=="}),
    "other-label": patched(metadata={"labels": {"app.kubernetes.io/managed-by": "Helm"}}),
    "no-label": patched(metadata={"labels": None}),
    "no-label-first": unlabelled_first,
    "disowned": disowned,
    "two-owners": owned_by_another_too,
    "immutable": patched(immutable=True),
    "immutable-wrong": patched(immutable=True, **WRONG),
    "immutable-no-label": patched(immutable=True, metadata={"labels": None}),
    "immutable-disowned": patched(immutable=True, metadata={"ownerReferences": None}),
    "deleted": deleted,
    "other-type": of_another_type,
    "flickering": flickering,
    "marked": marked,
}


def is_right(cluster: Cluster, key: Key, address: str = "harbor.example.com") -> bool:
    found = secret_on(cluster, key)
    if list(auths(found))[:1] != [address] or list(found["data"]) != [".dockerconfigjson"]:
        return False
    owners, labels = found["metadata"].get("ownerReferences") or [], found["metadata"].get("labels") or {}
    return (
        [it["kind"] for it in owners] == ["RegistrySecret"]
        and labels.items() >= MANAGED_BY.items()
        and not found.get("immutable")
        and found["type"] == TYPE
    )


def repaired_in(cluster: Cluster, keys: list[Key]) -> float:
    """Seconds until all of them are right."""
    begun = time.monotonic()
    for key in keys:
        assert wait_for(lambda: is_right(cluster, key), SOON), key  # noqa: B023
    return time.monotonic() - begun
