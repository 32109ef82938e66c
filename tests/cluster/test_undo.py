"""Undo on a cluster: labels, annotations, the pull secret and its binding; as a person; and a process that dies."""

import pytest

from registries.domain.errors import AlreadyExists, Problem, Refused
from registries.domain.resource import encode_password
from registries.models import AuditEntry, DeletedRegistry
from registries.stores.room import Room
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.test_pages import on_cluster as on_cluster
from tests.cluster.undone import KEY, content, delete, restore, stored
from tests.cluster.undone import cast_on_cluster as cast_on_cluster
from tests.cluster.undone import silence as silence
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for


def test_labels_annotations_and_the_password_come_back(cast_on_cluster: Cast, on_cluster: Cluster) -> None:
    cast_on_cluster.add(display_name="生产")
    notes = {"example.com/theirs": "kept", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    body = {"metadata": {"labels": {"app": "web"}, "annotations": notes}}
    on_cluster.server.call("PATCH", on_cluster.path("team-a", KEY.name), body, kind=MERGE_PATCH)
    before = stored(on_cluster)

    assert delete(cast_on_cluster)
    restored = restore(cast_on_cluster)

    after = stored(on_cluster)
    del before["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert content(after) == content(before)
    assert after["spec"]["password"] == encode_password(CANARY)
    assert after["metadata"]["uid"] == restored.uid != before["metadata"]["uid"]


def test_the_pull_secret_and_its_binding_heal_by_themselves(
    cast_on_cluster: Cast, on_cluster: Cluster
) -> None:
    server, secret = on_cluster.server, "/api/v1/namespaces/team-a/secrets/harbor-prod"
    account = "/api/v1/namespaces/team-a/serviceaccounts/default"
    cast_on_cluster.add()
    first = server.call("GET", secret).body
    server.call("POST", account.rpartition("/")[0], {"metadata": {"name": "default"}})
    bound = {"imagePullSecrets": [{"name": KEY.name}]}
    assert server.call("PATCH", account, bound, kind=MERGE_PATCH).status == 200
    delete(cast_on_cluster)
    server.call("DELETE", secret)  # the garbage collector of a real cluster does so

    restored = restore(cast_on_cluster)

    assert wait_for(lambda: server.call("GET", secret).status == 200)
    second = server.call("GET", secret).body
    assert second["data"] == first["data"]
    assert [it["uid"] for it in second["metadata"]["ownerReferences"]] == [restored.uid]
    assert server.call("GET", account).body["imagePullSecrets"] == bound["imagePullSecrets"]


def test_the_old_secret_may_be_there_still(cast_on_cluster: Cast, on_cluster: Cluster) -> None:
    """The garbage collector was slow, and finds the new owner."""
    cast_on_cluster.add()
    delete(cast_on_cluster)

    restored = restore(cast_on_cluster)

    secret = on_cluster.server.call("GET", "/api/v1/namespaces/team-a/secrets/harbor-prod").body
    assert [it["uid"] for it in secret["metadata"]["ownerReferences"]] == [restored.uid]


def test_a_name_that_kubectl_took_is_a_conflict(cast_on_cluster: Cast, on_cluster: Cluster) -> None:
    cast_on_cluster.add()
    delete(cast_on_cluster)
    other = {
        "apiVersion": "image.theriseunion.io/v1alpha1",
        "kind": "RegistrySecret",
        "metadata": {"name": KEY.name, "namespace": "team-a"},
        "spec": {"domain": "o.example.com", "username": "u", "password": "cA==", "provider": "other"},
    }
    assert on_cluster.server.call("POST", on_cluster.path("team-a"), other).status == 201

    for _ in range(2):  # the second attempt knows no more than the first
        with pytest.raises(AlreadyExists, match=Problem.UNDO_TAKEN):
            restore(cast_on_cluster)

    assert stored(on_cluster)["spec"]["domain"] == "o.example.com"
    on_cluster.server.call("DELETE", on_cluster.path("team-a", KEY.name))
    assert wait_for(lambda: on_cluster.server.call("GET", on_cluster.path("team-a", KEY.name)).status == 404)
    assert restore(cast_on_cluster).domain == "harbor.example.com"


def test_in_a_full_namespace_it_is_refused_and_begins_anew(cast_on_cluster: Cast) -> None:
    """A restoration that was refused did not begin: the same credential, added later, is not compared with it."""
    cast_on_cluster.add()
    cast_on_cluster.add("other")
    delete(cast_on_cluster)
    kept = services().store._cache()._kept  # type: ignore[attr-defined]
    kept._room = Room(registries=1)

    with pytest.raises(Refused, match=Problem.NAMESPACE_FULL):
        restore(cast_on_cluster)

    kept._room = Room()
    again = cast_on_cluster.add()
    with pytest.raises(AlreadyExists, match=Problem.UNDO_TAKEN):
        restore(cast_on_cluster)
    services().registries.delete(access=cast_on_cluster.access("nina"), key=KEY, uid=again.uid)
    assert restore(cast_on_cluster).key == KEY


def test_the_same_credential_added_again_is_no_restored_one(cast_on_cluster: Cast) -> None:
    """Else a guessed password could be compared with the deleted one."""
    cast_on_cluster.add()
    delete(cast_on_cluster)
    cast_on_cluster.add()

    for _ in range(2):
        with pytest.raises(AlreadyExists):
            restore(cast_on_cluster)
    assert DeletedRegistry.objects.exists()


RUN = 150


def test_a_run_of_deletions_is_undone_as_a_run(cast_on_cluster: Cast, on_cluster: Cluster) -> None:
    registries = [cast_on_cluster.add(f"r-{number:03}") for number in range(RUN)]
    access = cast_on_cluster.access("nina")
    on_cluster.server.call("DELETE", on_cluster.path("team-a", "r-007"))  # by kubectl
    deletion, undo = services().runs["delete"], services().runs["undo"]
    run = deletion.propose(access=access, registries=registries)
    deletion.work(access=access, run_id=run, access_now=lambda it: it)
    assert deletion.view(access=access, run_id=run).succeeded == RUN - 1
    uids = AuditEntry.objects.filter(run=run, action="delete", outcome="ok").values_list("uid", flat=True)
    cast_on_cluster.add("r-013", domain="other.example.com")

    offered = services().undo.offered(access=access, uids=uids)
    assert len(offered) == RUN - 1
    chosen = services().undo.selected(access=access, keys=list(offered.values()), uids=list(offered))
    undoing = undo.propose(access=access, registries=[it for it in chosen if it])
    undo.work(access=access, run_id=undoing, access_now=lambda it: it)

    view = undo.view(access=access, run_id=undoing)
    assert (view.succeeded, view.failed) == (RUN - 2, 1)
    assert [it.problem for it in undo.failed(access=access, run_id=undoing)] == [Problem.UNDO_TAKEN]
    items = on_cluster.server.call("GET", on_cluster.path("team-a")).body["items"]
    assert {it["metadata"]["name"] for it in items} == {f"r-{it:03}" for it in range(RUN)} - {"r-007"}


def test_a_run_keeps_nothing_of_what_is_to_be_forgotten(cast_on_cluster: Cast) -> None:
    registries, access = [cast_on_cluster.add(f"r-{it}") for it in range(5)], cast_on_cluster.access("nina")
    deletion = services().runs["delete"]
    run = deletion.propose(access=access, registries=registries)

    deletion.start(access=access, run_id=run, forget=True)

    assert wait_for(lambda: deletion.view(access=access, run_id=run).succeeded == 5)
    assert not DeletedRegistry.objects.exists()
