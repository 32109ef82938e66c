"""Undo for people of the cluster: each reads and creates as this person, with the rights that the API server grants."""

from typing import Any

import pytest

from registries.domain.errors import Forbidden, NotFound
from registries.domain.registry import Key
from registries.models import DeletedRegistry
from registries.wiring import services
from tests.canary import CANARY
from tests.cluster.people import CAST, access_of
from tests.peers.cluster import Cluster

pytest_plugins = ("tests.cluster.people",)
KEY = Key("team-a", "harbor-prod")


def stored(people: Cluster) -> Any:
    return people.server.call("GET", people.path("team-a", KEY.name))


def delete(user: str) -> bool:
    registry = services().store.get(KEY)
    return services().registries.delete(access=access_of(user), key=KEY, uid=registry.uid)


@pytest.mark.parametrize("name", CAST)
def test_the_cast(people: Cluster, name: str) -> None:
    expected = {"omar": Forbidden, "vic": Forbidden, "sam": NotFound}.get(name)
    people.apply("team-a", KEY.name, password=CANARY)
    assert delete("olive")

    if expected:
        with pytest.raises(expected):
            services().undo.restore(access=access_of(CAST[name]), key=KEY)
        assert DeletedRegistry.objects.exists()
        assert stored(people).status == 404
    else:
        services().undo.restore(access=access_of(CAST[name]), key=KEY)
        assert stored(people).body["spec"]["password"] == CANARY


def test_who_may_delete_and_not_read_deletes_without_an_undo(people: Cluster) -> None:
    """The console's own account may read the password; the person may not, and must not use the console for it."""
    role = {
        "metadata": {"name": "only-deletes"},
        "rules": [
            {
                "apiGroups": ["image.theriseunion.io"],
                "resources": ["registrysecrets"],
                "verbs": ["list", "delete", "create"],
            }
        ],
    }
    people.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    people.bind("stranger", "only-deletes", "team-a")
    try:
        people.apply("team-a", KEY.name, password=CANARY)

        assert not delete("stranger")

        assert stored(people).status == 404
        assert not DeletedRegistry.objects.exists()
    finally:
        people.unbind("stranger", "only-deletes", "team-a")
