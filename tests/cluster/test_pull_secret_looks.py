"""Who looks at a pull secret finds it right, or is told what it is; and who leads keeps it meanwhile."""

import base64
from collections.abc import Iterator

import pytest

from registries.cluster import lease as leases
from registries.cluster.paths import secret, secrets_in
from registries.domain.registry import Key
from registries.pull_secrets import reconcile
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.secret import PullSecrets
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.cluster.kept_secrets import HOSTS, KEY, auths, make, secret_on
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for


@pytest.fixture
def follower(empty: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubernetesStore]:
    """One that keeps nothing in the background: another replica has the lease."""
    monkeypatch.setattr(leases, "DURATION", 600.0)
    assert empty.lease("another replica").hold()
    with empty.store(pull_secrets=True) as store:
        yield store


EMPTIED = {"data": {".dockerconfigjson": base64.b64encode(b'{"auths":{}}').decode()}}


def test_who_looks_at_one_that_was_touched_has_it_right(follower: KubernetesStore, empty: Cluster) -> None:
    follower.create(make())
    empty.server.call("PATCH", secret(KEY), EMPTIED, kind=MERGE_PATCH)

    assert follower.pull_secret(KEY) is PullSecret.READY
    assert list(auths(secret_on(empty))) == HOSTS
    before = secret_on(empty)["metadata"]["resourceVersion"]
    assert follower.pull_secret(KEY) is PullSecret.READY
    assert secret_on(empty)["metadata"]["resourceVersion"] == before, "right as it is"


def test_who_looks_at_one_that_is_gone_has_it_again(follower: KubernetesStore, empty: Cluster) -> None:
    follower.create(make())
    empty.server.call("DELETE", secret(KEY))

    assert follower.pull_secret(KEY) is PullSecret.READY
    assert auths(secret_on(empty))


def test_when_somebody_elses_is_removed_who_looks_has_ours(follower: KubernetesStore, empty: Cluster) -> None:
    empty.server.call("POST", secrets_in("team-a"), {"metadata": {"name": KEY.name}})
    follower.create(make())
    assert follower.pull_secret(KEY) is PullSecret.FOREIGN
    empty.server.call("DELETE", secret(KEY))

    assert follower.pull_secret(KEY) is PullSecret.READY
    assert auths(secret_on(empty))


def test_without_a_registry_nothing_is_made(follower: KubernetesStore, empty: Cluster) -> None:
    assert follower.pull_secret(KEY) is PullSecret.MISSING
    assert secret_on(empty) == {}


def test_of_a_registry_that_is_about_to_go_nothing_is_made_again(
    follower: KubernetesStore, empty: Cluster
) -> None:
    follower.create(make())
    path, keeping = empty.path("team-a", KEY.name), {"metadata": {"finalizers": ["example.com/keeps"]}}
    empty.server.call("PATCH", path, keeping, kind=MERGE_PATCH)
    empty.delete("team-a", KEY.name)
    try:
        assert follower.pull_secret(KEY) is PullSecret.READY
        empty.server.call("DELETE", secret(KEY))
        assert follower.pull_secret(KEY) is PullSecret.MISSING
    finally:
        empty.server.call("PATCH", path, {"metadata": {"finalizers": None}}, kind=MERGE_PATCH)


def test_what_cannot_be_put_right_is_told_as_it_is(
    follower: KubernetesStore, empty: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    follower.create(make())
    rules = [
        {"apiGroups": ["image.theriseunion.io"], "resources": ["registrysecrets"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
    ]
    role = {"metadata": {"name": "reader-of-both"}, "rules": rules}
    empty.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    empty.bind("vic", "reader-of-both")
    secrets = PullSecrets(empty.connection("vic"))
    try:
        assert secrets.state(KEY) is PullSecret.READY
        empty.server.call("PATCH", secret(KEY), EMPTIED, kind=MERGE_PATCH)
        assert secrets.state(KEY) is PullSecret.OUTDATED
        empty.server.call("DELETE", secret(KEY))
        assert secrets.state(KEY) is PullSecret.MISSING
    finally:
        empty.unbind("vic", "reader-of-both")
    told = [it.getMessage() for it in caplog.records if it.name.endswith("pull_secrets.secret")]
    assert told == ["the pull secret of team-a/harbor-prod cannot be put right: cluster_forbidden"] * 2


def test_who_does_not_lead_keeps_no_secrets_until_it_does(
    empty: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "DURATION", 600.0)
    monkeypatch.setattr(reconcile, "RENEWAL", 0.3)
    leader = empty.lease("another replica")
    assert leader.hold()
    with empty.store(pull_secrets=True) as store:
        store.changes(None)
        empty.apply("team-a", "applied", password=CANARY)
        key = Key("team-a", "applied")
        for _ in range(3):
            assert not wait_for(lambda: bool(secret_on(empty, key)), 0.3)
            assert leader.hold()

        monkeypatch.setattr(leases, "DURATION", 1.5)
        monkeypatch.setattr(leases, "RENEWAL", 0.3)
        assert wait_for(lambda: bool(auths(secret_on(empty, key))))
