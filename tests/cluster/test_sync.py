"""Sync across namespaces on a cluster: labels of namespaces, new passwords with kubectl, conflicts, the binding."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries.domain.registry import Key
from registries.domain.resource import encode_password
from registries.models import SyncCopy, SyncRule
from registries.pull_secrets.kinds import PullSecret
from registries.sync.follow import LATER
from registries.sync.rows import Selection
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.test_pages import configured
from tests.peers.api_server import ApiServer
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for
from tests.sync.following import change, keep, password, states, turn

pytestmark = pytest.mark.django_db(transaction=True)
PLACES = ("team-b", "sync-c", "sync-d")


@pytest.fixture
def cast_there(
    server: ApiServer, cluster: Cluster, settings: Any, transactional_db: None, request: pytest.FixtureRequest
) -> Iterator[Cast]:
    cluster.empty("team-a", *PLACES)
    for place in PLACES:
        label(server, place, None)
    for _ in configured(cluster, settings):
        cast = request.getfixturevalue("cast")
        assert wait_for(lambda: set(PLACES) <= services().index.fresh().namespaces)
        yield cast
    cluster.empty("team-a", *PLACES)


def label(server: ApiServer, place: str, value: str | None) -> None:
    body = {"metadata": {"labels": {"sync": value}}}
    assert server.call("PATCH", f"/api/v1/namespaces/{place}", body, kind=MERGE_PATCH).status == 200


def write(cluster: Cluster, key: Key, new: str) -> None:
    """A new password through kubectl, once the console has heard of it."""
    body = {"spec": {"password": encode_password(new)}}
    answer = cluster.server.call("PATCH", cluster.path(key.namespace, key.name), body, kind=MERGE_PATCH)
    version = answer.body["metadata"]["resourceVersion"]

    def heard() -> bool:
        found = services().index.fresh().find(key)
        return found is not None and int(found.resource_version) >= int(version)

    assert wait_for(heard)


def test_labelled_namespaces_have_a_copy_that_follows(
    cast_there: Cast, server: ApiServer, cluster: Cluster
) -> None:
    label(server, "team-b", "yes")
    source = cast_there.add()
    keep(cast_there, source, Selection(labels="sync=yes"))
    assert turn() == {"team-b": "in_step"}
    assert services().store.pull_secret(Key("team-b", "harbor-prod")) is PullSecret.READY

    label(server, "sync-c", "yes")
    assert turn() == {"sync-c": "in_step", "team-b": "in_step"}
    before = services().store.get(Key("sync-c", "harbor-prod"))

    write(cluster, source.key, "another-1")
    services().follower.turn()  # nobody waits for the next look at labels
    assert password(Key("sync-c", "harbor-prod")) == password(Key("team-b", "harbor-prod")) == "another-1"
    assert services().store.get(before.key).uid == before.uid

    write(cluster, Key("team-b", "harbor-prod"), "by-hand-1")
    label(server, "sync-c", "no")
    change(cast_there, source, "another-2")
    assert turn() == {"sync-c": "left", "team-b": "changed"}
    assert password(Key("team-b", "harbor-prod")) == "by-hand-1"
    assert password(Key("sync-c", "harbor-prod")) == "another-1"


def test_what_kubectl_deletes_and_takes_is_a_state(cast_there: Cast, cluster: Cluster) -> None:
    source = cast_there.add()
    keep(cast_there, source, Selection(names=PLACES))
    assert turn() == dict.fromkeys(PLACES, "in_step")
    cluster.delete("sync-c", "harbor-prod")
    cluster.delete("sync-d", "harbor-prod")
    assert cluster.apply("sync-d", "harbor-prod", password=encode_password("x-1")).status == 201
    assert wait_for(lambda: turn() == {"team-b": "in_step", "sync-c": "deleted", "sync-d": "name_taken"})
    theirs = services().store.get(Key("sync-d", "harbor-prod"))

    write(cluster, source.key, "another-1")
    turn()

    assert services().store.get(theirs.key) == theirs
    assert states()["sync-c"] == "deleted"


def bound(server: ApiServer, place: str) -> list[str]:
    found = server.call("GET", f"/api/v1/namespaces/{place}/serviceaccounts/default").body
    return [it["name"] for it in found.get("imagePullSecrets") or ()]


def test_the_default_service_accounts_are_bound(cast_there: Cast, server: ApiServer) -> None:
    source, access = cast_there.add(), cast_there.access("olive")
    accounts = "/api/v1/namespaces/{}/serviceaccounts"
    for place in ("team-b", "sync-c"):
        server.call("DELETE", f"{accounts.format(place)}/default")
        body = {"metadata": {"name": "default"}, "imagePullSecrets": [{"name": "theirs"}]}
        assert server.call("POST", accounts.format(place), body).status == 201
    server.call("DELETE", f"{accounts.format('sync-d')}/default")
    services().sync_rules.set_up(access=access, source=source, selection=Selection(names=PLACES), bind=True)

    assert turn() == dict.fromkeys(PLACES, "in_step")
    assert bound(server, "team-b") == bound(server, "sync-c") == ["theirs", "harbor-prod"]
    assert SyncCopy.objects.get(namespace="sync-d").problem == "no_service_account"

    server.call("POST", accounts.format("sync-d"), {"metadata": {"name": "default"}})
    SyncCopy.objects.update(at=timezone.now() - 2 * LATER)
    turn()
    assert bound(server, "sync-d") == ["harbor-prod"]
    assert not SyncCopy.objects.exclude(problem="").exists()


def test_a_namespace_comes_and_goes(cast_there: Cast, server: ApiServer) -> None:
    source = cast_there.add()
    keep(cast_there, source, Selection(names=("team-b", "sync-comes")))
    assert turn() == {"team-b": "in_step"}
    server.create_namespace("sync-comes")
    assert wait_for(lambda: "sync-comes" in services().index.fresh().namespaces)
    services().follower.turn()
    assert states() == {"team-b": "in_step", "sync-comes": "in_step"}

    server.call("DELETE", "/api/v1/namespaces/sync-comes")
    turn()
    server.call("DELETE", Cluster.path("sync-comes", "harbor-prod"))
    server.finalize_namespace("sync-comes")
    assert wait_for(lambda: "sync-comes" not in services().index.fresh().namespaces)

    assert turn() == {"team-b": "in_step", "sync-comes": "namespace_gone"}
    assert SyncRule.objects.get().state == "active"
    assert CANARY not in str(SyncRule.objects.values())


def test_a_namespace_that_comes_again_before_anybody_looks(cast_there: Cast, server: ApiServer) -> None:
    source, place = cast_there.add(), "sync-again"
    server.create_namespace(place)
    created = datetime.now(UTC)
    keep(cast_there, source, Selection(names=("team-b", place)))
    assert wait_for(lambda: place in services().index.fresh().namespaces)
    assert turn() == {"team-b": "in_step", place: "in_step"}

    server.call("DELETE", f"/api/v1/namespaces/{place}")
    server.call("DELETE", Cluster.path(place, "harbor-prod"))
    assert wait_for(lambda: turn() == {"team-b": "in_step", place: "deleted"})
    server.finalize_namespace(place)
    assert wait_for(lambda: server.call("GET", f"/api/v1/namespaces/{place}").status == 404)
    assert wait_for(lambda: datetime.now(UTC) - created > timedelta(seconds=1)), "they have whole seconds"
    server.create_namespace(place)

    def followed() -> bool:
        services().follower.turn()
        return states() == {"team-b": "in_step", place: "in_step"}

    assert wait_for(followed)


def test_the_preview_says_who_decides_about_labels(cast_there: Cast) -> None:
    cast_there.add()
    client, url = cast_there.client("olive", hx_request="true"), "/registries/team-a/harbor-prod/sync/edit/"

    labelled = client.post(url, {"scope": "labels", "labels": "copies=yes"}).content.decode()
    everywhere = client.post(url, {"scope": "all"}).content.decode()

    assert "有权创建命名空间或修改其标签的人" in labelled
    assert "修改其标签" not in everywhere
