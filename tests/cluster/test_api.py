"""The contract on a cluster: the same operations and errors, what kubectl does in a watch, and the cluster away."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from registries import wiring
from registries.api import watch
from registries.domain.errors import NotFound
from registries.domain.metadata import ANNOTATIONS_MAX
from registries.domain.resource import PREFIX, VERIFY_GENERATION
from registries.models import AuditEntry
from registries.wiring import services
from tests.api.test_api import ALL, MERGE, TEAM_A, body, notes, patch, post
from tests.api.test_document import problems
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.test_pages import configured
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for


@pytest.fixture
def people(cluster: Cluster, settings: Any, request: pytest.FixtureRequest, db: None) -> Iterator[Cast]:
    """The cast, on a cluster that is empty."""
    cluster.empty("team-a", "team-b")
    for _ in configured(cluster, settings):
        yield request.getfixturevalue("cast")


def test_the_operations_in_their_order(people: Cast) -> None:
    client = people.api("nina")

    made = post(client, TEAM_A, body())
    assert made.status_code == 201
    assert "password" not in made.json()["spec"]
    assert post(client, TEAM_A, body()).json()["reason"] == "AlreadyExists"
    assert post(client, f"{TEAM_A}?dryRun=All", body("other")).status_code == 201
    one = f"{TEAM_A}/harbor-prod"
    assert client.get(one).json()["metadata"]["uid"] == made.json()["metadata"]["uid"]
    [listed] = client.get(ALL).json()["items"]
    assert listed == client.get(one).json()
    edited = patch(client, one, notes(display_name="生产"))
    assert edited.json()["metadata"]["annotations"][PREFIX + "display-name"] == "生产"
    assert client.get(f"{ALL}?search=生产").json()["totalItems"] == 1
    assert patch(client, one, {"resourceVersion": "1", **notes(display_name="x")}).status_code == 409
    assert client.patch(one, {"spec": {"domain": "x"}}, content_type=MERGE).status_code == 422
    verdict = client.post(f"{one}/verify", "", content_type="application/json")
    assert (verdict.status_code, verdict.json()["success"]) == (200, False)
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404
    assert client.get(ALL).json()["totalItems"] == 0


def test_what_may_not_be_seen_does_not_exist(people: Cast) -> None:
    people.add("hidden", "team-b")
    client = people.api("nina")

    for namespace in ("team-b", "team-z"):
        path = TEAM_A.replace("team-a", namespace)
        assert client.get(path).status_code == client.get(f"{path}/hidden").status_code == 404
        assert post(client, path, body()).status_code == 404


def test_what_kubectl_does_is_told_in_a_watch(
    people: Cast, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK", 0.05)
    client = people.api("nina")
    people.add("there")
    answer = client.get(f"{TEAM_A}?watch=true&timeoutSeconds=300")
    events = told(answer)

    first = next(events)
    cluster.apply("team-a", "applied", password=CANARY)
    second = next(events)
    cluster.server.call("DELETE", cluster.path("team-a", "there"))
    third = next(events)

    seen = [(it["type"], it["object"]["metadata"]["name"]) for it in (first, second, third)]
    assert seen == [("ADDED", "there"), ("ADDED", "applied"), ("DELETED", "there")]
    assert CANARY not in json.dumps([first, second, third], ensure_ascii=False)


def test_a_watch_goes_on_from_a_list(people: Cast, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK", 0.05)
    client = people.api("nina")
    people.add("there")
    version = client.get(TEAM_A).json()["metadata"]["resourceVersion"]
    cluster.apply("team-a", "applied", password=CANARY)
    assert wait_for(lambda: client.get(TEAM_A).json()["totalItems"] == 2)

    events = told(client.get(f"{TEAM_A}?watch=true&resourceVersion={version}&timeoutSeconds=300"))
    first = next(events)
    cluster.apply("team-a", "later", password=CANARY)
    second = next(events)

    assert [it["object"]["metadata"]["name"] for it in (first, second)] == ["applied", "later"]


def told(answer: Any) -> Iterator[dict[str, Any]]:
    """The events of a watch, as they come."""
    return (json.loads(line) for piece in answer.streaming_content for line in piece.decode().splitlines())


def test_a_cluster_that_was_never_there_is_a_503(cast: Cast, settings: Any, tmp_path: Any) -> None:
    settings.STORE = "kubernetes"
    settings.KUBECONFIG = str(tmp_path / "config")
    (tmp_path / "config").write_text(NOWHERE)
    client = cast.api("nina")
    wiring.reset()

    response = client.get(TEAM_A)

    assert response.status_code == 503
    assert response.json()["reason"] == "ServiceUnavailable"
    services().store.stop()
    wiring.reset()


NOWHERE = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


class TestDryRun:
    def test_create_is_judged_by_the_api_server_and_leaves_nothing(
        self, people: Cast, cluster: Cluster
    ) -> None:
        client = people.api("nina")
        before = client.get(TEAM_A).json()

        answer = post(client, f"{TEAM_A}?dryRun=All", body("rehearsed"))

        assert answer.status_code == 201
        assert answer.json()["metadata"]["creationTimestamp"], "the server's own answer"
        assert "password" not in answer.json()["spec"]
        for path in (cluster.path("team-a", "rehearsed"), "/api/v1/namespaces/team-a/secrets/rehearsed"):
            assert cluster.server.call("GET", path).status == 404
        assert client.get(TEAM_A).json() == before
        assert client.get(f"{TEAM_A}/rehearsed").status_code == 404
        assert not AuditEntry.objects.filter(action="create").exists()

    def test_admission_has_the_last_word(self, people: Cast, cluster: Cluster) -> None:
        """A namespace that is being deleted takes nothing new, which only the server knows in time."""
        name = f"leaving-{uuid4().hex[:8]}"
        cluster.server.create_namespace(name)
        path, client = TEAM_A.replace("team-a", name), people.api("olive")
        assert wait_for(lambda: post(client, f"{path}?dryRun=All", body()).status_code == 201)

        cluster.server.call("DELETE", f"/api/v1/namespaces/{name}")

        real = post(client, path, body())
        assert real.status_code == 403
        assert problems("Status", real.json()) == []
        assert real.json()["reason"] == "Forbidden"
        assert "is forbidden: This namespace is being deleted" in real.json()["message"]
        [cause] = real.json()["details"]["causes"]
        assert (cause["reason"], cause["field"]) == ("NamespaceTerminating", "metadata.namespace")
        assert post(client, f"{path}?dryRun=All", body()).json() == real.json()
        cluster.server.finalize_namespace(name)  # type: ignore[union-attr]

    def test_delete_and_edit_are_as_well(self, people: Cast, cluster: Cluster) -> None:
        client, one = people.api("nina"), f"{TEAM_A}/there"
        people.add("there")
        before = cluster.server.call("GET", cluster.path("team-a", "there")).body["metadata"]

        assert client.delete(f"{one}?dryRun=All").status_code == 204
        assert client.delete(one, {"dryRun": ["All"]}, content_type="application/json").status_code == 204
        edited = client.patch(f"{one}?dryRun=All", {"metadata": notes(display_name="x")}, content_type=MERGE)

        assert edited.json()["metadata"]["annotations"][PREFIX + "display-name"] == "x"
        assert cluster.server.call("GET", cluster.path("team-a", "there")).body["metadata"] == before
        assert client.get(TEAM_A).json()["totalItems"] == 1
        assert not AuditEntry.objects.filter(action__in=["delete", "edit"]).exists()

    def test_what_is_gone_already_is_said_by_the_server(
        self, people: Cast, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It was there a moment ago, when the console looked."""
        registry = people.add("there")
        cluster.delete("team-a", "there")

        with pytest.raises(NotFound):
            services().registries.rehearse_delete(
                access=people.access("nina"), key=registry.key, uid=registry.uid
            )


def test_a_clients_own_labels_and_annotations_are_kept_on_the_cluster(people: Cast, cluster: Cluster) -> None:
    """All that fit, and a verdict and an edit fit beside them."""
    client, labels = people.api("nina"), {"app.kubernetes.io/part-of": "shop", "tier": ""}
    asked = body(domain="127.0.0.1:9")
    asked["metadata"] |= {"labels": labels, "annotations": {"example.com/a": "x" * (ANNOTATIONS_MAX - 13)}}
    one = f"{TEAM_A}/harbor-prod"

    made = post(client, TEAM_A, asked)

    assert made.status_code == 201
    texts = notes(display_name="鸟" * 128, description="鸟" * 1024)
    assert patch(client, one, texts).status_code == 200
    assert post(client, f"{one}/verify").status_code == 200
    shown = client.get(one).json()["metadata"]
    stored = cluster.server.call("GET", cluster.path("team-a", "harbor-prod")).body["metadata"]
    assert shown["labels"] == stored["labels"] == labels
    assert shown["annotations"] | {VERIFY_GENERATION: "1"} == stored["annotations"]
    assert len(shown["annotations"]["example.com/a"]) == ANNOTATIONS_MAX - 13
    assert shown["annotations"][PREFIX + "verify-status"] == "failed"
    assert client.get(ALL).json()["items"][0]["metadata"]["labels"] == labels


def test_what_kubectl_made_is_true_to_the_schema(people: Cast, cluster: Cluster) -> None:
    """Without a single annotation of the console's, and with such as it would never write."""
    odd = {"display-name": "x" * 300, "plain-http": "yes", "skip-tls-verify": "1", "verify-status": "bogus"}
    cluster.apply("team-a", "bare", password=CANARY)
    cluster.apply("team-a", "odd", password=CANARY)
    cluster.annotate("team-a", "odd", notes(**odd, verify_timestamp="abc")["annotations"])
    client = people.api("vic")
    ones = {name: client.get(f"{TEAM_A}/{name}").json() for name in ("bare", "odd")}
    wait_for(lambda: client.get(TEAM_A).json()["items"] == list(ones.values()))

    assert client.get(TEAM_A).json()["items"] == list(ones.values())
    for name, shown in ones.items():
        assert problems("RegistrySecret", shown) == [], name
        assert shown["metadata"]["annotations"][PREFIX + "verify-status"] == "untested"


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"a b": "x"}},
        {"labels": {"Example.com/a": "x"}},
        {"labels": {"a": "x" * 64}},
        {"labels": {"a": "-"}},
        {"labels": {"a/b/c": "x"}},
        {"annotations": {"a_b/x": "x"}},
        {"annotations": {"x" * 64: "x"}},
        {"labels": {"a": "x" * 63, "b.c-d_E": ""}, "annotations": {"Example.com/A": "é\n\t", "x" * 63: ""}},
    ],
)
def test_labels_and_annotations_are_judged_as_by_the_server(
    people: Cast, cluster: Cluster, metadata: dict[str, Any]
) -> None:
    asked = body()
    asked["metadata"] |= metadata
    raw = {**asked, "metadata": {**asked["metadata"], "namespace": "team-a"}}

    theirs = cluster.server.call("POST", f"{cluster.path('team-a')}?dryRun=All", raw)

    assert post(people.api("nina"), TEAM_A, asked).status_code == theirs.status
