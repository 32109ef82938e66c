"""The default service account of a namespace, bound to a pull secret and unbound: nothing else in it is lost."""

from typing import Any

import pytest

from registries.cluster.paths import default_account
from registries.cluster.personal import Person
from registries.domain.errors import Conflict, Forbidden
from registries.pull_secrets.kinds import Binding
from registries.pull_secrets.usage import Users
from registries.stores.cluster.store import KubernetesStore
from tests.cluster.users import (
    ACCOUNTS,
    KEY,
    account,
    add,
    named,
)
from tests.peers.cluster import MERGE_PATCH, Cluster

pytest_plugins = ("tests.cluster.users",)


@pytest.mark.parametrize("before", [None, (), ("other",)], ids=["no list", "empty list", "another"])
def test_it_is_bound_and_unbound_whatever_else_it_names(
    store: KubernetesStore, place: Cluster, before: tuple[str, ...] | None
) -> None:
    add(store)
    account(place, secrets=before)
    found = store.pull_secret_users()
    assert found
    assert found.binding(KEY) is Binding.UNBOUND

    found.bind(KEY, bound=True)
    found.bind(KEY, bound=True)

    assert sorted(named(place) or ()) == sorted((*(before or ()), "harbor-prod"))
    assert found.binding(KEY) is Binding.BOUND
    found.bind(KEY, bound=False)
    found.bind(KEY, bound=False)
    assert (named(place) or []) == list(before or ())
    assert found.binding(KEY) is Binding.UNBOUND


def test_what_somebody_else_binds_meanwhile_is_not_lost(store: KubernetesStore, place: Cluster) -> None:
    class Slow:
        """Somebody is faster, twice."""

        faster = 0

        def call(self, method: str, *arguments: Any, **values: Any) -> Any:
            if method == "PATCH" and self.faster < 2:
                self.faster += 1
                account(place, secrets=tuple(f"other-{number}" for number in range(self.faster)))
            return place_connection.call(method, *arguments, **values)

    place_connection, slow = place.connection("console"), Slow()
    Users(place_connection, slow, lambda key: False).bind(KEY, bound=True)

    assert named(place) == ["other-0", "other-1", "harbor-prod"]
    Users(place_connection, slow, lambda key: False).bind(KEY, bound=False)
    assert named(place) == ["other-0", "other-1"]


def test_what_else_is_in_the_account_is_left_as_it_is(store: KubernetesStore, place: Cluster) -> None:
    add(store)
    theirs = {"metadata": {"annotations": {"a": "b"}}, "secrets": [{"name": "token"}]}
    place.server.call("PATCH", default_account("team-a"), theirs, kind=MERGE_PATCH)
    found = store.pull_secret_users()
    assert found

    found.bind(KEY, bound=True)

    stored = place.server.call("GET", default_account("team-a")).body
    assert stored["metadata"]["annotations"] == {"a": "b"}
    assert stored["secrets"] == [{"name": "token"}]


def test_where_there_is_none_yet_it_says_so(store: KubernetesStore, place: Cluster) -> None:
    add(store)
    place.server.call("DELETE", default_account("team-a"))
    found = store.pull_secret_users()
    assert found

    assert found.binding(KEY) is Binding.ABSENT
    with pytest.raises(Conflict, match="no_service_account"):
        found.bind(KEY, bound=True)


def test_without_pull_secrets_nobody_uses_any(place: Cluster) -> None:
    with place.store() as store:
        assert store.pull_secret_users() is None


def test_the_cluster_has_the_last_word_about_a_persons_service_accounts(
    store: KubernetesStore, place: Cluster, person: Person
) -> None:
    add(store)
    found = store.acting_as(person).pull_secret_users()
    assert found

    assert found.binding(KEY) is Binding.UNKNOWN, "may not be read"
    with pytest.raises(Forbidden, match="serviceaccounts_forbidden"):
        found.bind(KEY, bound=True)
    assert named(place) is None


def test_an_image_admin_binds_the_default_service_account_and_no_other(
    store: KubernetesStore, place: Cluster, admin: Person
) -> None:
    add(store)
    account(place, name="builder")
    found = store.acting_as(admin).pull_secret_users()
    assert found

    found.bind(KEY, bound=True)

    assert named(place) == ["harbor-prod"]
    assert found.binding(KEY) is Binding.BOUND
    patched = place.server.call("PATCH", f"{ACCOUNTS}/builder", {}, kind=MERGE_PATCH, user="team-a-admin")
    assert patched.status == 403
