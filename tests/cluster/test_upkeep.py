"""Where the lease of pull secrets is, and what is said when nobody can have it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from registries import wiring
from registries.cluster import configuration
from registries.cluster import lease as leases
from registries.cluster.configuration import own_namespace
from registries.cluster.lease import Lease
from registries.cluster.paths import secret
from registries.domain.registry import Key
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster, patience
from tests.peers.scripted import wait_for

HOME = "home-of-the-console"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases"


@pytest.fixture
def homeless(cluster: Cluster) -> Iterator[Cluster]:
    """Without the namespace that the console would keep its lease in."""
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    cluster.server.call("DELETE", f"{LEASES}/registry-console")
    cluster.server.finalize_namespace(HOME)
    cluster.bind("console", "registry-console-lease")  # everywhere, as no role can be bound in this namespace
    cluster.empty("team-a", "team-b")
    for name in ("made", "opened", "applied"):
        cluster.server.call("DELETE", secret(Key("team-a", name)))
    yield cluster
    cluster.unbind("console", "registry-console-lease")
    cluster.server.finalize_namespace(HOME)


@pytest.fixture
def console(homeless: Cluster, settings: Any, tmp_path: Path) -> Iterator[Cluster]:
    """The console with a kubeconfig whose context names that namespace."""
    found = yaml.safe_load(homeless.server.kubeconfig("console").read_text())
    found["contexts"][0]["context"]["namespace"] = HOME
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(found))
    settings.STORE, settings.KUBECONFIG = "kubernetes", str(tmp_path / "kubeconfig")
    wiring.reset()
    with patience():
        store = services().store
        yield homeless
    assert isinstance(store, KubernetesStore)
    store.stop()
    wiring.reset()


@pytest.mark.parametrize("named", ["team-z", ""])
def test_at_home_is_where_the_context_of_a_kubeconfig_is(tmp_path: Path, named: str) -> None:
    context = {"cluster": "c", "user": "u", **({"namespace": named} if named else {})}
    other = {**context, "namespace": "team-y"}
    given = {
        "current-context": "c",
        "contexts": [{"name": "another", "context": other}, {"name": "c", "context": context}],
        "clusters": [{"name": "c", "cluster": {"server": "https://localhost"}}],
        "users": [{"name": "u", "user": {}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(given))

    assert own_namespace(tmp_path / "config") == (named or "default")


def test_at_home_is_where_a_pod_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "POD_NAMESPACE", tmp_path / "namespace")
    assert own_namespace(None) == "default"

    (tmp_path / "namespace").write_text("team-z\n")

    assert own_namespace(None) == "team-z"
    assert own_namespace(tmp_path / "no-such-kubeconfig") == "default", "of another cluster"


def test_a_lease_that_nobody_can_have_says_why_until_it_can_be_had(
    homeless: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    lease = Lease(homeless.connection("console"), HOME, "registry-console", "one")

    assert not lease.hold()
    assert lease.problem == "namespace_missing"
    assert not lease.hold()
    told = [it.getMessage() for it in caplog.records if it.name.endswith(".lease")]
    assert len(told) == 1, "once"
    assert HOME in told[0]
    assert "namespace_missing" in told[0]

    homeless.server.create_namespace(HOME)
    assert wait_for(lease.hold)
    assert lease.problem is None

    homeless.server.call("DELETE", f"{LEASES}/registry-console")
    homeless.server.call("DELETE", f"/api/v1/namespaces/{HOME}")  # and nothing here lets it go
    assert not lease.hold()
    assert lease.problem == "terminating"


def test_a_lease_that_is_forbidden_says_so(homeless: Cluster) -> None:
    lease = Lease(homeless.connection("stranger"), "default", "registry-console", "one")

    assert not lease.hold()
    assert lease.problem == "cluster_forbidden"


def leases_of(cluster: Cluster) -> list[Lease]:
    """The same lease, of two processes."""
    cluster.server.create_namespace(HOME)
    return [Lease(cluster.connection("console"), HOME, "registry-console", it) for it in ("one", "two")]


def test_one_of_two_holds_the_lease_and_the_other_takes_over(
    homeless: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "DURATION", 600.0)
    first, second = leases_of(homeless)

    assert first.hold()
    assert first.is_held
    assert not second.hold()
    assert second.problem is None, "another one's is no problem"
    monkeypatch.setattr(leases, "DURATION", 1.0)
    monkeypatch.setattr(leases, "RENEWAL", 0.2)
    assert first.hold(), "renewed"
    assert not second.hold()

    assert wait_for(second.hold), "not renewed for longer than it lasts"
    assert not first.is_held
    assert not first.hold()


def test_a_lease_that_is_released_is_free_at_once(homeless: Cluster) -> None:
    first, second = leases_of(homeless)
    assert first.hold()
    assert not second.hold()

    first.release()

    assert second.hold()


def test_the_details_page_says_that_nothing_is_kept_in_the_background(console: Cluster, cast: Cast) -> None:
    cast.add("made")
    connection = cast.client("nina")
    connection.get("/registries/")
    assert wait_for(lambda: services().pull_secrets.upkeep_problem() is not None)

    page = connection.get("/registries/team-a/made/").content.decode()

    assert 'id="upkeep"' in page
    assert HOME in page
    console.apply("team-a", "opened", password=CANARY)
    opened = connection.get("/registries/team-a/opened/").content.decode()
    assert "就绪" in opened
    assert has_secret(console, "opened")

    console.server.create_namespace(HOME)
    assert wait_for(lambda: services().pull_secrets.upkeep_problem() is None)
    assert 'id="upkeep"' not in connection.get("/registries/team-a/made/").content.decode()
    console.apply("team-a", "applied", password=CANARY)
    assert wait_for(lambda: has_secret(console, "applied")), "kept in the background"


def has_secret(cluster: Cluster, name: str) -> bool:
    return cluster.server.call("GET", secret(Key("team-a", name))).status == 200
