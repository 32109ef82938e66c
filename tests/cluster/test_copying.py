"""复制到… on a cluster: the preview is the API server's own word, and the copies have pull secrets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import encode_password
from registries.models import AuditEntry
from registries.probe.result import Reason, Result
from registries.pull_secrets.kinds import PullSecret
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.test_pages import configured
from tests.peers.admission import denied, used_up
from tests.peers.api_server import ApiServer
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for
from tests.runs.histories import PASSWORDS, History
from tests.web.copies import PLAN, password, plan

pytestmark = pytest.mark.django_db(transaction=True)
PLACES = ("team-b", "copies-c", "copies-d")


@pytest.fixture
def cast_there(
    server: ApiServer, cluster: Cluster, settings: Any, transactional_db: None, request: pytest.FixtureRequest
) -> Iterator[Cast]:
    cluster.empty("team-a", *PLACES)
    settings.TEST_THREADS = 8
    for _ in configured(cluster, settings):
        cast = request.getfixturevalue("cast")
        assert wait_for(lambda: set(PLACES) <= services().index.fresh().namespaces)
        yield cast
    cluster.empty("team-a", *PLACES)


def done(client: Client, start: str) -> str:
    client.post(start)
    progress = start.replace("/start/", "/")
    assert wait_for(lambda: "正在复制" not in client.get(progress).content.decode())
    return client.get(progress).content.decode()


def test_copies_have_pull_secrets_and_are_recorded(cast_there: Cast) -> None:
    source = cast_there.add()
    client = cast_there.client("olive", hx_request="true")

    shown, start = plan(client, [source], *PLACES)
    told = done(client, start)

    assert "已创建 3 / 3" in told
    for place in PLACES:
        copy = services().store.get(Key(place, "harbor-prod"))
        assert copy.origin is not None
        assert copy.origin.uid == source.uid
        assert password(copy) == CANARY
        assert services().store.pull_secret(copy.key) is PullSecret.READY
    entries = AuditEntry.objects.filter(action="copy", outcome="ok", note="team-a/harbor-prod")
    assert {it.namespace for it in entries} == set(PLACES)
    assert all(CANARY not in it for it in (shown, told))


def test_copies_made_before_and_after_the_test_of_their_source_have_its_verdict(cast_there: Cast) -> None:
    source, access = cast_there.add(), cast_there.access("olive")
    template = services().copying.template(access=access, uid=source.uid)
    client = cast_there.client("olive", hx_request="true")
    done(client, plan(client, [source], "team-b")[1])
    said: dict[str, Any] = {"access": access, "result": Result(Reason.BAD_CREDENTIALS), "at": timezone.now()}

    services().verdicts.write(registry=source, **said)
    services().verdicts.to_copies(source=source, **said)
    services().copying.put(access=access, template=template, key=Key("copies-c", "harbor-prod"))

    there = [services().store.get(Key(place, "harbor-prod")) for place in ("team-a", "team-b", "copies-c")]
    assert [it.verification.reason for it in there] == ["bad_credentials"] * 3
    assert len({it.verification for it in there}) == 1


def test_the_preview_has_the_word_of_quota_webhook_and_namespace(
    cast_there: Cast, server: ApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    source = cast_there.add()
    client = cast_there.client("olive", hx_request="true")
    server.create_namespace("copies-going")
    assert wait_for(lambda: "copies-going" in services().index.fresh().namespaces)
    server.call("DELETE", "/api/v1/namespaces/copies-going")
    try:
        with denied(server, "copies-c", tmp_path, 403):
            refused, nothing = plan(client, [source], "copies-c")
        with used_up(server, "team-b"):
            shown, start = plan(client, [source], "team-b", "copies-d", "copies-going")
        assert not server.call("GET", cluster.path("copies-d")).body["items"], "a preview writes nothing"
        told = done(client, start)
    finally:
        server.finalize_namespace("copies-going")

    assert "创建 1 个副本" in shown
    assert "配额已用完" in shown
    assert "集群拒绝了这一操作" in refused
    assert not nothing
    assert "命名空间正在被删除" in shown
    assert "已创建 1 / 1" in told
    assert [bool(server.call("GET", cluster.path(it)).body["items"]) for it in PLACES] == [False, False, True]


def test_namespaces_are_chosen_by_label_as_well(cast_there: Cast, server: ApiServer) -> None:
    source = cast_there.add()
    client = cast_there.client("olive", hx_request="true")
    for place in ("copies-c", "copies-d"):
        label = {"metadata": {"labels": {"copies": "yes"}}}
        server.call("PATCH", f"/api/v1/namespaces/{place}", label, kind=MERGE_PATCH)
    assert 'name="labels"' in client.get("/registries/team-a/harbor-prod/copy/").content.decode()

    for labels, made in (
        (" copies = yes", 2),
        ("copies in (yes),copies", 2),
        ("copies=no", 0),
        ("=,", 0),
        ("a b", 0),
    ):
        shown = client.post(PLAN, {"uids": source.uid, "labels": labels}).content.decode()
        assert shown.count("<li>copies-") == made, labels
    nina = cast_there.client("nina", hx_request="true")
    shown = nina.post(PLAN, {"uids": source.uid, "labels": "copies"}).content.decode()
    assert "copies-c" not in shown, "not one of hers"


class OnCluster(History):
    """Another program writes with kubectl, and the index hears of it a little later."""

    def __init__(self, seed: int, cast: Cast, cluster: Cluster) -> None:
        super().__init__(seed, cast.access("olive"), ("team-a", *PLACES))
        self.cluster = cluster

    def write_password(self, it: RegistrySecret, password: str) -> None:
        path, body = (
            self.cluster.path(it.namespace, it.name),
            {"spec": {"password": encode_password(password)}},
        )
        written = self.cluster.server.call("PATCH", path, body, kind=MERGE_PATCH).body["metadata"]
        self.heard(it.key, written)

    def write_anew(self, it: RegistrySecret) -> None:
        self.cluster.delete(it.namespace, it.name)
        password = encode_password(self.random.choice(PASSWORDS))
        written = self.cluster.apply(it.namespace, it.name, password=password).body["metadata"]
        self.heard(it.key, written)

    def heard(self, key: Key, metadata: dict[str, str]) -> None:
        version = (metadata["uid"], metadata["resourceVersion"])
        assert wait_for(lambda: self.state().get(key, ("", "", b""))[:2] == version)


def test_histories_beside_kubectl(cast_there: Cast, cluster: Cluster) -> None:
    history = OnCluster(1, cast_there, cluster)

    history.live(20)
    history.align_everything()

    assert history.made
    assert not history.drifted()
