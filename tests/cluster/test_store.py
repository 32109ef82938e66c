"""The store on a cluster, beyond the contract: other clients, limited users, and what errors say."""

import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest

from registries.cluster import installation
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.errors import Conflict, ConsoleError, Invalid, Unavailable
from registries.domain.query import Criteria
from registries.domain.registry import Draft, Key, Provider
from registries.domain.resource import encode_password, new_resource
from registries.index.search import Index
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.peers.api_server import ApiServer
from tests.peers.certificates import Authority
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

KEY = Key("team-a", "harbor-prod")
OLIVE = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])


@pytest.fixture
def empty(cluster: Cluster) -> Cluster:
    cluster.empty("team-a", "team-b")
    return cluster


@pytest.fixture
def own(empty: Cluster) -> Cluster:
    """One with users of ours."""
    if not isinstance(empty.server, ApiServer):
        pytest.skip("the given cluster knows one user only")
    return empty


@pytest.fixture
def store(empty: Cluster) -> Iterator[KubernetesStore]:
    with empty.store() as store:
        yield store


@pytest.fixture
def names(store: KubernetesStore) -> Callable[[], list[str]]:
    """What an index over the store lists."""
    index = Index(store, lambda: datetime.now(UTC))
    index.fresh()
    return lambda: [it.name for it in index.matching(OLIVE, Criteria())]


def make(key: Key = KEY, **values: Any) -> Draft:
    return Draft(
        key, "harbor.example.com", "admin", **{"provider": Provider.HARBOR, "password": CANARY} | values
    )


# kubectl as the other client


def test_what_kubectl_does_is_seen_within_a_second(
    store: KubernetesStore, empty: Cluster, names: Callable[[], list[str]]
) -> None:
    assert names() == []

    empty.apply("team-a", "applied", password=CANARY)
    assert wait_for(lambda: names() == ["applied"])

    empty.annotate("team-a", "applied", {"theriseunion.io/display-name": "改过的"})
    seen = lambda: [it.display_name for it in store.changes(None).upserted] == ["改过的"]  # noqa: E731
    assert wait_for(seen)

    empty.delete("team-a", "applied")
    assert wait_for(lambda: names() == [])


def test_a_namespace_that_kubectl_makes_is_seen_within_a_second(store: KubernetesStore, own: Cluster) -> None:
    known = store.changes(None).namespaces or frozenset()
    assert "made-by-kubectl" not in known
    try:
        own.server.create_namespace("made-by-kubectl")

        assert wait_for(lambda: "made-by-kubectl" in (store.changes(None).namespaces or ()))
    finally:
        own.server.finalize_namespace("made-by-kubectl")  # type: ignore[union-attr]
    assert wait_for(lambda: "made-by-kubectl" not in (store.changes(None).namespaces or ()))


def test_a_plain_password_that_kubectl_applied_is_used_and_kept_nowhere(
    store: KubernetesStore, empty: Cluster
) -> None:
    empty.apply("team-a", "applied", password=CANARY)
    key = Key("team-a", "applied")

    registry = store.get(key)

    for told in (str(registry), registry.document.decode()):
        assert CANARY not in told
        assert "managedFields" not in told
        assert "last-applied" not in told
    assert wait_for(lambda: bool(store.changes(None).upserted))
    assert CANARY not in str(store.changes(None))
    assert store.credential(key, uid=registry.uid).password == CANARY


def test_a_namesake_that_kubectl_created_is_not_touched(store: KubernetesStore, empty: Cluster) -> None:
    old = store.create(make())
    empty.delete("team-a", "harbor-prod")
    empty.apply("team-a", "harbor-prod", password="another")

    with pytest.raises(Conflict, match="recreated"):
        store.delete(KEY, uid=old.uid)
    with pytest.raises(Conflict, match="recreated"):
        store.annotate(KEY, {"x": "y"}, uid=old.uid)

    shown = lambda: [it.uid for it in store.changes(None).upserted] == [store.get(KEY).uid]  # noqa: E731
    assert wait_for(shown)


def test_one_that_is_held_by_a_finalizer_is_still_shown(store: KubernetesStore, empty: Cluster) -> None:
    created = store.create(make())
    body = {"metadata": {"finalizers": ["example.com/hold"]}}
    empty.server.call("PATCH", empty.path("team-a", "harbor-prod"), body, kind="application/merge-patch+json")

    store.delete(KEY, uid=created.uid)

    assert [it.uid for it in store.changes(None).upserted] == [created.uid]
    body = {"metadata": {"finalizers": None}}  # type: ignore[dict-item]
    empty.server.call("PATCH", empty.path("team-a", "harbor-prod"), body, kind="application/merge-patch+json")
    assert wait_for(lambda: not store.changes(None).upserted)


# Who saves, sees it


def test_who_writes_sees_it_at_once(
    store: KubernetesStore, empty: Cluster, names: Callable[[], list[str]]
) -> None:
    for number in range(30):
        created = store.create(make(Key("team-a", f"r{number:02}")))
        assert f"r{number:02}" in names()
        store.annotate(Key("team-a", f"r{number:02}"), {"x": str(number)}, uid=created.uid)
        version = store.get(Key("team-a", f"r{number:02}")).resource_version
        assert version in {it.resource_version for it in store.changes(None).upserted}
        store.delete(Key("team-a", f"r{number:02}"), uid=created.uid)
        assert names() == []
    empty.apply("team-a", "last", password=CANARY)
    assert wait_for(lambda: "last" in names()), "the watch has told all of it again"
    assert names() == ["last"]


def test_what_is_stored_is_what_the_guide_shows(store: KubernetesStore, empty: Cluster) -> None:
    store.create(make(display_name="生产环境 Harbor", description="生产环境主镜像仓库"))

    stored = empty.server.call("GET", empty.path("team-a", "harbor-prod")).body

    assert stored["apiVersion"] == "image.theriseunion.io/v1alpha1"
    assert stored["kind"] == "RegistrySecret"
    assert stored["metadata"]["annotations"] == {
        "theriseunion.io/display-name": "生产环境 Harbor",
        "theriseunion.io/description": "生产环境主镜像仓库",
        "theriseunion.io/domain": "harbor.example.com",
        "theriseunion.io/username": "admin",
        "theriseunion.io/provider": "harbor",
        "theriseunion.io/verify-status": "untested",
    }
    assert stored["spec"] == {
        "domain": "harbor.example.com",
        "username": "admin",
        "password": encode_password(CANARY),
        "provider": "harbor",
    }


# What errors say


def problem_of(work: Callable[[], object]) -> str:
    """The code of the error that it raises; nothing of what was sent stands anywhere in that error."""
    try:
        work()
    except ConsoleError as error:
        told = "".join(traceback.format_exception(error)) + repr(error.__dict__) + repr(error.__context__)
        assert CANARY not in told
        assert encode_password(CANARY) not in told
        assert "token" not in told.replace("cluster_token", "").replace("_token", "").replace("tokens", "")
        return error.problem
    return "none"


def test_a_wrong_token_says_so(own: Cluster) -> None:
    with own.store(token="nonsense") as store:
        assert problem_of(lambda: store.changes(None)) == "cluster_token"
        assert problem_of(lambda: store.create(make())) == "cluster_token"


def test_an_account_without_the_consoles_role_says_so(own: Cluster) -> None:
    with own.store("stranger") as store:
        assert problem_of(lambda: store.changes(None)) == "cluster_forbidden"
        assert problem_of(lambda: store.create(make())) == "cluster_forbidden"


def test_a_server_that_is_not_there_says_so(own: Cluster) -> None:
    with own.store(port=1) as store:
        assert problem_of(lambda: store.changes(None)) == "cluster_away"
        assert problem_of(lambda: store.create(make())) == "cluster_away"


def test_a_certificate_of_somebody_else_says_so(
    own: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"), "Other CA").root.certificate_file
    with own.store(ca_file=other) as store:
        assert problem_of(lambda: store.changes(None)) == "cluster_certificate"


def test_a_namespace_that_is_being_deleted_says_so(own: Cluster) -> None:
    own.server.create_namespace("leaving")
    own.server.call("DELETE", "/api/v1/namespaces/leaving")
    try:
        with own.store() as store:
            assert problem_of(lambda: store.create(make(Key("leaving", "x")))) == "terminating"
    finally:
        own.server.finalize_namespace("leaving")  # type: ignore[union-attr]


def test_a_value_that_the_cluster_refuses_names_its_field(store: KubernetesStore) -> None:
    refused = StrEnum("Refused", {"PROVIDER": CANARY})

    with pytest.raises(Invalid) as caught:
        store.create(make(provider=refused.PROVIDER))

    assert [(cause.field, cause.problem) for cause in caught.value.causes] == [
        ("provider", "cluster_refused")
    ]
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_no_kubeconfig_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    from registries.cluster.configuration import configuration

    with pytest.raises(Unavailable, match="cluster_unconfigured"):
        configuration(tmp_path_factory.mktemp("none") / "missing")


# What is installed, and who may what by it


def test_installing_twice_is_installing_once(empty: Cluster) -> None:
    connection = empty.connection()

    first, second = installation.apply(connection), installation.apply(connection)

    assert first == second
    assert "CustomResourceDefinition/registrysecrets.image.theriseunion.io" in first


@pytest.mark.parametrize(
    ("user", "role", "may"),
    [
        ("vic", "image-viewer", {"GET"}),
        ("omar", "image-operator", {"GET", "PATCH"}),
        ("olive", "image-admin", {"GET", "PATCH", "POST", "DELETE"}),
    ],
)
def test_a_role_may_what_it_says_and_in_its_namespace_only(
    own: Cluster, store: KubernetesStore, user: str, role: str, may: set[str]
) -> None:
    own.unbind(user, role)  # another file of the same API server may have given it everywhere
    own.bind(user, role, "team-a")

    def allowed() -> set[tuple[str, str]]:
        """What the API server lets this person do; it learns of roles, and of those that went, a little later."""
        found = set()
        for namespace in ("team-a", "team-b"):
            for method in ("GET", "PATCH", "POST", "DELETE"):
                store.create(make(Key(namespace, "x")))
                path = own.path(namespace) if method == "POST" else own.path(namespace, "x")
                body = {"PATCH": {}, "POST": new_resource(make(Key(namespace, "y")))}.get(method)
                kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
                if own.server.call(method, path, body, user=user, kind=kind).status != 403:
                    found.add((namespace, method))
                own.delete(namespace, "x")
                own.delete(namespace, "y")
        return found

    assert wait_for(lambda: allowed() == {("team-a", method) for method in may}), allowed()


def test_who_may_write_in_one_namespace_is_told_of_the_others(own: Cluster) -> None:
    own.bind("team-a-admin", "image-admin", "team-a")
    with own.store("team-a-admin") as store:
        created = store.create(make())
        assert (store.get(KEY), store.get(KEY).document) == (created, created.document)
        assert problem_of(lambda: store.create(make(Key("team-b", "x")))) == "cluster_forbidden"
        assert problem_of(lambda: store.changes(None)) == "cluster_forbidden"
        assert store.freshness().problem == "cluster_forbidden"
