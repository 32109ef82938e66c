"""The platform's Repository objects use pull secrets, on clusters that have their definition."""

from collections.abc import Iterator
from typing import Any

import pytest

from registries.cluster.paths import GROUP_PATH
from registries.cluster.personal import Person
from registries.pull_secrets.kinds import Dependent
from registries.stores.cluster.store import KubernetesStore
from tests.cluster.users import HARBOR, KEY, add, usage_of
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.users",)

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = "repositories.image.theriseunion.io"
SCHEMA = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": NAME},
    "spec": {
        "group": "image.theriseunion.io",
        "names": {"plural": "repositories", "singular": "repository", "kind": "Repository"},
        "scope": "Namespaced",
        "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": SCHEMA}],
    },
}


def served(cluster: Cluster) -> bool:
    """Whether both the discovery and the collection know it, or know it no more."""
    named = {it["name"] for it in cluster.server.call("GET", GROUP_PATH).body.get("resources", ())}
    return "repositories" in named and cluster.server.call("GET", collection()).status == 200


def collection(namespace: str = "team-a") -> str:
    return f"{GROUP_PATH}/namespaces/{namespace}/repositories"


@pytest.fixture
def repositories(place: Cluster) -> Iterator[Cluster]:
    assert place.server.call("POST", DEFINITIONS, DEFINITION).status == 201
    assert wait_for(lambda: served(place))
    yield place
    place.server.call("DELETE", f"{DEFINITIONS}/{NAME}")
    assert wait_for(lambda: place.server.call("GET", f"{DEFINITIONS}/{NAME}").status == 404)
    assert wait_for(lambda: not served(place) and place.server.call("GET", collection()).status == 404)


def make(cluster: Cluster, name: str, reference: object, namespace: str = "team-a") -> None:
    body = {
        "apiVersion": "image.theriseunion.io/v1alpha1",
        "kind": "Repository",
        "metadata": {"name": name},
        "spec": {"dockerConfigSecretRef": reference},
    }
    answer = cluster.server.call("POST", collection(namespace), body)
    assert answer.status == 201, answer.body
    assert wait_for(lambda: name in cluster.cached(collection(namespace)))


def test_a_repository_that_names_it_is_found(store: KubernetesStore, repositories: Cluster) -> None:
    add(store)
    make(repositories, "web", {"name": KEY.name})
    make(repositories, "worker", KEY.name)
    make(repositories, "other", {"name": "other"})
    make(repositories, "none", None)
    make(repositories, "strange", {"name": {"name": KEY.name}})
    make(repositories, "elsewhere", {"name": KEY.name}, namespace="team-b")

    found = usage_of(store)

    assert found == [
        Dependent("team-a", "Repository", name, (KEY.name,), False) for name in ("web", "worker")
    ]


def test_an_image_admin_sees_it_and_who_may_not_list_it_is_told(
    store: KubernetesStore, repositories: Cluster, admin: Person
) -> None:
    add(store)
    make(repositories, "web", {"name": KEY.name})
    found = store.acting_as(admin).pull_secret_users()
    assert found
    assert [it.name for it in found.usage({KEY: HARBOR}).dependents] == ["web"]

    repositories.unbind("team-a-admin", "image-admin", "team-a")
    listing = {"apiGroups": ["image.theriseunion.io"], "resources": ["repositories"], "verbs": ["list"]}
    assert wait_for(lambda: not repositories.allows("team-a-admin", listing, "team-a"))

    seen = found.usage({KEY: HARBOR})
    assert ("team-a", "Repository") in seen.unseen
    assert seen.dependents == ()


def test_without_their_definition_nothing_is_missing(
    store: KubernetesStore, place: Cluster, person: Person
) -> None:
    """The refusal comes before the answer that there is no such collection."""
    add(store)
    found = store.acting_as(person).pull_secret_users()
    assert found

    assert "Repository" not in {kind for _, kind in found.usage({KEY: HARBOR}).unseen}
    assert usage_of(store) == []
