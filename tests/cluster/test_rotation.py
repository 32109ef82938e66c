"""A new password on a cluster, also where its definition lets no password change: the pull secret is never absent."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from registries.cluster.paths import registry, secret, secrets_in
from registries.domain.errors import Refused
from registries.domain.registry import Key, RegistrySecret, VerifyStatus
from registries.domain.resource import LAST_APPLIED, PREFIX
from registries.models import Rotation, RotationTarget, RunItem, VerificationRecord
from registries.pull_secrets import reconcile
from registries.pull_secrets.replacing import REPLACING
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast, Probing
from tests.cluster.test_pages import configured
from tests.peers.api_server import ApiServer
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.older_rule import OlderRule, kubelet, older_rule
from tests.peers.scripted import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

KEY = Key("team-a", "harbor-prod")
LEASE = "/apis/coordination.k8s.io/v1/namespaces/registry-console/leases/registry-console"
FOUR = [
    ("PATCH", "secrets"),
    ("DELETE", "registrysecrets"),
    ("POST", "registrysecrets"),
    ("PATCH", "secrets"),
]


@contextmanager
def emptied(cluster: Cluster, server: ApiServer, folder: Path) -> Iterator[OlderRule]:
    """A front of the cluster, without registries, pull secrets and lease of earlier tests."""
    cluster.empty("team-a", "team-b")
    for it in server.call("GET", "/api/v1/namespaces/team-a/secrets").body["items"]:
        server.call("DELETE", secret(Key("team-a", it["metadata"]["name"])))
    server.call("DELETE", LEASE)
    with older_rule(server, folder) as found:
        yield found


@pytest.fixture
def front(cluster: Cluster, server: ApiServer, tmp_path: Path) -> Iterator[OlderRule]:
    with emptied(cluster, server, tmp_path) as found:
        yield found


@pytest.fixture
def people(
    front: OlderRule,
    cluster: Cluster,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    transactional_db: None,
    cast: Cast,
) -> Iterator[Cast]:
    """The cast on a cluster with an older definition, with the upkeep of pull secrets at full speed."""
    monkeypatch.setattr(reconcile, "SWEEP", 0.2)
    monkeypatch.setattr(reconcile, "RENEWAL", 0.3)
    settings.PULL_SECRETS, settings.KUBE_NAMESPACE = True, "registry-console"
    for _ in configured(cluster, settings, port=front.port, ca_file=front.ca_file):
        services().store.changes(None)
        yield cast


def begin(people: Cast, it: RegistrySecret, **changes: str) -> UUID:
    return services().rotations.begin(access=people.access("nina"), registries=[it], changes=changes)


def outcome(run: UUID) -> tuple[str, str, str]:
    return RunItem.objects.values_list("state", "reason", "problem").get(run=run)


def passwords(found: dict[str, Any]) -> set[str]:
    raw = base64.b64decode(found["data"][".dockerconfigjson"])
    pairs = (base64.b64decode(it["auth"]).decode() for it in json.loads(raw)["auths"].values())
    return {it.partition(":")[2] for it in pairs}


def test_where_no_password_may_change_the_registry_is_created_again_under_its_secret(
    people: Cast, front: OlderRule, cluster: Cluster, probing: Probing
) -> None:
    right = probing("harbor")["password"]
    before = people.add(**{**probing("harbor"), "password": CANARY}, display_name="Production")
    notes = {"theirs": "stays", LAST_APPLIED: json.dumps({"spec": {"password": "old"}})}
    patch = {"metadata": {"labels": {"team": "shop"}, "annotations": notes}}
    cluster.server.call("PATCH", registry(KEY), patch, kind=MERGE_PATCH)
    first = cluster.server.call("GET", secret(KEY)).body
    front.writes.clear()
    with pytest.raises(Refused, match="password_fixed"):
        services().passwords.change_password(
            access=people.access("nina"), key=KEY, uid=before.uid, password=right
        )

    with kubelet(cluster.server, "team-a", "harbor-prod") as seen:
        run = begin(people, before, password=right)
        assert wait_for(lambda: len(seen) > 20)

    assert outcome(run) == ("done", "ok", "")
    assert set(seen) == {first["metadata"]["uid"]}
    assert [it for it in front.writes if it in FOUR][:4] == FOUR
    resource = cluster.server.call("GET", registry(KEY)).body
    assert resource["metadata"]["uid"] != before.uid
    assert resource["metadata"]["labels"] == {"team": "shop"}
    stored = resource["metadata"]["annotations"]
    assert (stored["theirs"], stored[PREFIX + "display-name"]) == ("stays", "Production")
    assert LAST_APPLIED not in stored
    after = cluster.server.call("GET", secret(KEY)).body
    assert [it["uid"] for it in after["metadata"]["ownerReferences"]] == [resource["metadata"]["uid"]]
    assert REPLACING not in (after["metadata"].get("annotations") or {})
    assert passwords(after) == {right}
    now = people.find()
    assert (now.verification.status, now.password_changed_at is not None) == (VerifyStatus.SUCCESS, True)
    assert (Rotation.objects.count(), RotationTarget.objects.count()) == (0, 0)


def test_one_that_does_not_connect_is_rolled_back_in_the_same_way(
    people: Cast, cluster: Cluster, probing: Probing
) -> None:
    right = probing("harbor")["password"]
    before = people.add(**probing("harbor"))
    uid = cluster.server.call("GET", secret(KEY)).body["metadata"]["uid"]

    with kubelet(cluster.server, "team-a", "harbor-prod") as seen:
        run = begin(people, before, password=CANARY)

    assert outcome(run) == ("failed", "bad_credentials", "rolled_back")
    assert set(seen) == {uid}
    found = cluster.server.call("GET", secret(KEY)).body
    assert passwords(found) == {right}
    assert people.find().password_set_at.replace(microsecond=0) == before.password_set_at


def test_what_the_cluster_would_refuse_is_asked_before_anything_is_deleted(
    people: Cast, front: OlderRule, cluster: Cluster, probing: Probing, tmp_path: Path
) -> None:
    from tests.peers.admission import denied

    before = people.add(**probing("harbor"))
    front.writes.clear()
    (tmp_path / "hook").mkdir()

    with denied(cluster.server, "team-a", tmp_path / "hook", 403):
        run = begin(people, before, username="somebody")

    assert outcome(run) == ("failed", "", "cluster_refused")
    assert people.find().uid == before.uid
    # The console may make the Secret of a new registry twice: the second time because of the watch, a moment later.
    assert set(front.writes) <= {("POST", "secrets")}


@pytest.mark.parametrize("foreign", [True, False])
def test_a_secret_of_somebody_else_is_not_touched_and_a_missing_one_is_made(
    people: Cast, cluster: Cluster, probing: Probing, *, foreign: bool
) -> None:
    theirs: dict[str, Any] = {
        "metadata": {"name": "harbor-prod", "namespace": "team-a"},
        "type": "Opaque",
        "data": {"a": "Yg=="},
    }
    if foreign:
        cluster.server.call("POST", "/api/v1/namespaces/team-a/secrets", theirs)
    before = people.add(**{**probing("harbor"), "password": CANARY})
    if not foreign:
        cluster.server.call("DELETE", secret(KEY))

    run = begin(people, before, password=probing("harbor")["password"])

    assert outcome(run) == ("done", "ok", "")
    found = cluster.server.call("GET", secret(KEY)).body
    assert (found.get("data") == theirs["data"]) is foreign
    if not foreign:
        assert passwords(found) == {probing("harbor")["password"]}


def test_a_release_that_nobody_finished_ends_after_a_while(
    people: Cast, cluster: Cluster, probing: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process died after the first of the four writes, and nobody came back."""
    from datetime import timedelta

    from registries.domain.reading import as_applied
    from registries.domain.resource import new_resource
    from registries.pull_secrets import replacing as module

    before = people.add(**probing("harbor"))
    store: Any = services().store
    draft = store.draft(KEY, uid=before.uid)
    metadata = cluster.server.call("GET", secret(KEY)).body["metadata"]
    uid, version = metadata["uid"], metadata["resourceVersion"]
    monkeypatch.setattr(module, "LEFT_ALONE", timedelta(seconds=2))
    begun = time.monotonic()

    store._secrets.release(as_applied(new_resource(draft)), "new-password", before.uid)

    assert wait_for(lambda: passwords(cluster.server.call("GET", secret(KEY)).body) == {draft.password})
    assert time.monotonic() - begun > 1.0, "the moment of its end is kept in whole seconds"
    query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": "1"}
    events = cluster.connection().watch(secrets_in("team-a"), subject="", query=query, stop=threading.Event())
    released = next(it["object"] for it in events if it["object"]["metadata"]["uid"] == uid)
    assert (passwords(released), "ownerReferences" in released["metadata"]) == ({"new-password"}, False)
    found = cluster.server.call("GET", secret(KEY)).body
    assert (found["metadata"]["uid"], found["metadata"]["ownerReferences"][0]["uid"]) == (uid, before.uid)


ALIGNED: dict[str, dict[str, str]] = {
    "another password": {"password": "another-1"},
    "another user name": {"username": "robot"},
    "another address and password": {"domain": "http://other.example.com", "password": "another-1"},
}


@pytest.mark.parametrize("drift", ALIGNED)
def test_aligning_a_copy_keeps_its_pull_secret_and_its_history(
    people: Cast, cluster: Cluster, drift: str
) -> None:
    """Also where the definition lets no password change."""
    source, key = people.add(), Key("team-b", "harbor-prod")
    copy = people.add(namespace="team-b", **ALIGNED[drift])
    notes = {**services().origins.annotations(source, key), "theirs": "stays"}
    cluster.server.call("PATCH", registry(key), {"metadata": {"annotations": notes}}, kind=MERGE_PATCH)
    assert wait_for(lambda: people.find(namespace="team-b").origin is not None)
    first = cluster.server.call("GET", secret(key)).body
    VerificationRecord.objects.create(uid=copy.uid)

    with kubelet(cluster.server, "team-b", "harbor-prod") as seen:
        services().relatives.align(
            access=people.access("olive"), key=key, uid=copy.uid, source_uid=source.uid
        )
        assert wait_for(lambda: len(seen) > 20)

    resource = cluster.server.call("GET", registry(key)).body
    found = cluster.server.call("GET", secret(key)).body
    assert set(seen) == {first["metadata"]["uid"]}
    assert [it["uid"] for it in found["metadata"]["ownerReferences"]] == [resource["metadata"]["uid"]]
    assert passwords(found) == {CANARY}
    assert resource["metadata"]["annotations"]["theirs"] == "stays"
    assert VerificationRecord.objects.filter(uid=resource["metadata"]["uid"]).exists()
    aligned = people.find(namespace="team-b")
    assert services().store.fingerprint(aligned) == services().store.fingerprint(source)
    assert (aligned.skip_tls_verify, aligned.origin) == (False, people.find(namespace="team-b").origin)
