"""kubectl changes a password and leaves the annotations alone: the verdict in them is that of the password before.

The console may have no scheduled checks, so the resource itself has to tell.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from registries.domain.errors import Conflict
from registries.domain.registry import Draft, Key, Provider, RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import PREFIX, VERIFY_GENERATION, encode_password, verification_annotations
from registries.probe.reason import Reason
from registries.probe.result import Result
from registries.pull_secrets.kinds import PullSecret
from registries.stores.cluster.cache import Cache
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.cast import Cast
from tests.cluster.test_pages import LIST, configured
from tests.peers.basic_registry import PASSWORD, USER, registry
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import scripted, wait_for
from tests.schedule.registries import World, moved_clock

KEY = Key("team-a", "changed")
KEY_PATH = (KEY.namespace, KEY.name)
GOOD = Verification(VerifyStatus.SUCCESS, "ok", "", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def store(cluster: Cluster) -> Iterator[KubernetesStore]:
    cluster.empty("team-a")
    with cluster.store() as store:
        assert wait_for(lambda: store.freshness().known)
        yield store


def kubectl(cluster: Cluster, typed: str = "new", key: Key = KEY) -> None:
    patch = {"spec": {"password": encode_password(typed)}}
    path = cluster.path(key.namespace, key.name)
    assert cluster.server.call("PATCH", path, patch, kind=MERGE_PATCH).status == 200


def draft(key: Key = KEY, **values: Any) -> Draft:
    return Draft(key, "harbor.example.com", "admin", Provider.HARBOR, "old-password", **values)


def verdict_on(registry: RegistrySecret) -> dict[str, str | None]:
    return verification_annotations(GOOD, registry.generation)


def stored(store: KubernetesStore, verdict: Verification = GOOD) -> RegistrySecret:
    created = store.create(draft())
    tested = store.annotate(KEY, verification_annotations(verdict, created.generation), uid=created.uid)
    assert tested.verification == verdict
    return tested


def followed(store: KubernetesStore, registry: RegistrySecret) -> RegistrySecret:
    """The registry of lists, once it is as it is stored."""
    newest = store.get(registry.key)

    def known() -> RegistrySecret | None:
        found = [it for it in store.changes(None).upserted if it.uid == registry.uid]
        return found[0] if found and found[0].resource_version == newest.resource_version else None

    assert wait_for(lambda: known() is not None)
    return known()  # type: ignore[return-value]


def test_its_verdict_is_gone_everywhere(store: KubernetesStore, cluster: Cluster) -> None:
    tested = stored(store)
    kubectl(cluster)
    for found in (store.get(KEY), followed(store, tested)):
        assert found.verification == Verification()
        notes = json.loads(found.document)["metadata"]["annotations"]
        assert notes[PREFIX + "verify-status"] == "untested"
        assert PREFIX + "verify-reason" not in notes
    assert store.annotate(KEY, verdict_on(tested), uid=tested.uid).verification == Verification()
    again = store.annotate(KEY, verdict_on(store.get(KEY)), uid=tested.uid)
    assert again.verification == GOOD
    assert followed(store, tested).verification == GOOD


def test_kubectl_get_shows_no_verdict_of_the_password_before(cluster: Cluster) -> None:
    """The column Status is the annotation as it is stored, whoever looks, and without scheduled checks."""
    cluster.empty("team-a")
    with cluster.store(pull_secrets=True) as store:
        assert wait_for(lambda: store.freshness().known)
        stored(store)

        def status() -> str:
            notes = cluster.server.call("GET", cluster.path(*KEY_PATH)).body["metadata"]["annotations"]
            assert (PREFIX + "verify-reason" in notes) is (notes[PREFIX + "verify-status"] == "success")
            return str(notes[PREFIX + "verify-status"])

        assert store.pull_secret(KEY) is PullSecret.READY
        assert status() == "success", "a look leaves it alone"
        kubectl(cluster)
        assert wait_for(lambda: status() == "untested")


def test_a_verdict_without_a_generation_counts(store: KubernetesStore, cluster: Cluster) -> None:
    """An earlier release wrote it."""
    created = store.create(draft())
    kubectl(cluster)
    cluster.annotate(*KEY_PATH, {PREFIX + "verify-status": "success", PREFIX + "verify-reason": "ok"})
    assert store.get(KEY).verification.reason == "ok"
    assert followed(store, created).verification.reason == "ok"
    store.annotate(KEY, verification_annotations(GOOD), uid=created.uid)
    notes = store.whole(KEY, uid=created.uid)["metadata"]["annotations"]
    assert VERIFY_GENERATION not in notes, "the store does not know which password was tested"


def test_other_annotations_leave_it(store: KubernetesStore, cluster: Cluster) -> None:
    tested = stored(store)
    cluster.annotate(*KEY_PATH, {PREFIX + "display-name": "other"})
    assert store.get(KEY).verification == GOOD
    assert followed(store, tested).verification == GOOD


@pytest.mark.parametrize("password", ["another-password", "old-password"])
def test_a_password_of_the_console_comes_with_its_verdict(
    store: KubernetesStore, cluster: Cluster, password: str
) -> None:
    """The copies of a change get it, without a test of their own."""
    tested = stored(store)
    changed = store.set_password(
        KEY, password, uid=tested.uid, resource_version=tested.resource_version, verdict=GOOD
    )
    assert changed.verification == GOOD
    assert store.get(KEY).verification == GOOD
    kubectl(cluster)
    assert store.get(KEY).verification == Verification()


def test_a_copy_comes_with_its_verdict(store: KubernetesStore, cluster: Cluster) -> None:
    tested = stored(store)
    kubectl(cluster)
    assert store.create(draft(Key("team-a", "copy"), verification=GOOD)).verification == GOOD
    assert store.get(tested.key).verification == Verification()


@pytest.mark.parametrize("changed", [False, True])
def test_one_that_is_restored_has_the_verdict_that_it_had(
    store: KubernetesStore, cluster: Cluster, changed: bool
) -> None:
    tested = stored(store)
    tested = store.set_password(KEY, "second-password", uid=tested.uid)
    tested = store.annotate(KEY, verdict_on(tested), uid=tested.uid)
    if changed:
        kubectl(cluster)
    kept = store.whole(KEY, uid=tested.uid)
    store.delete(KEY, uid=tested.uid)
    assert store.restore(kept).verification == (Verification() if changed else GOOD)


def test_a_test_that_began_before_is_no_verdict_on_it(cluster: Cluster, settings: Any, cast: Cast) -> None:
    settings.CHECK_INTERVAL = "off"
    settings.PROBE_ALLOW_LOOPBACK = True
    cluster.empty("team-a")
    for _ in configured(cluster, settings):
        with scripted(registry) as server:
            cast.add("changed", domain=server.address, username=USER, password=PASSWORD)
            tests, access = services().tests, cast.access("nina")
            check, _new = tests.begin_test(access=access, key=KEY)
            check, attempt = tests.attempt(access=access, check=check)
            result = attempt()
            assert result.ok
            kubectl(cluster)
            assert wait_for(lambda: cast.find("changed").generation == "2")
            tests.record_test(access=access, check=check, result=result)
            assert services().store.get(KEY).verification == Verification()
            page = cast.client("nina").get(f"{LIST}?status=untested").content.decode()
            assert 'data-url="/registries/team-a/changed/"' in page
            check, _new = tests.begin_test(access=access, key=KEY)
            tests.finish_test(access=access, check=check)
            assert services().store.get(KEY).verification.reason == "bad_credentials"


def test_a_test_that_waits_meanwhile_is_one_of_the_new_password(
    cluster: Cluster, settings: Any, cast: Cast
) -> None:
    """It waits in the lane of its registry, and reads the password when its turn comes."""
    settings.CHECK_INTERVAL = "off"
    settings.PROBE_ALLOW_LOOPBACK = True
    cluster.empty("team-a")
    for _ in configured(cluster, settings):
        with scripted(registry) as server:
            cast.add("changed", domain=server.address, username=USER, password="old-password")
            tests, access = services().tests, cast.access("nina")
            check, _new = tests.begin_test(access=access, key=KEY)
            kubectl(cluster, PASSWORD)
            tests.finish_test(access=access, check=check)
            assert services().store.get(KEY).verification.reason == "ok"


def test_a_verdict_of_the_schedule_is_one_on_the_password_before(
    cluster: Cluster, settings: Any, cast: Cast
) -> None:
    """With thousands of copies, some minutes pass between its test and the write."""
    settings.CHECK_INTERVAL = "off"
    cluster.empty("team-a")
    for _ in configured(cluster, settings):
        tested = [cast.add("changed", domain="harbor.example.com", password="old-password")]
        write = partial(services().verdicts.write_all, access=cast.access("olive"), result=Result(Reason.OK))
        write(registries=tested, at=datetime.now(UTC))
        assert services().store.get(KEY).verification.reason == "ok"
        kubectl(cluster)
        assert wait_for(lambda: cast.find("changed").generation == "2")
        write(registries=tested, at=datetime.now(UTC))
        assert services().store.get(KEY).verification == Verification()


def test_a_copy_that_is_made_like_its_source_has_the_verdict_until_it_is_changed(
    cluster: Cluster, settings: Any, cast: Cast
) -> None:
    settings.CHECK_INTERVAL = "off"
    copy = Key("team-b", KEY.name)
    for key in (KEY, copy):
        cluster.empty(key.namespace)
    for _ in configured(cluster, settings):
        parts, olive = services(), cast.access("olive")
        source = cast.add("changed", domain="harbor.example.com", password="old-password")
        parts.copying.copy(access=olive, key=copy, uid=source.uid)
        write = parts.verdicts.write
        write(access=olive, registry=source, result=Result(Reason.OK), at=datetime.now(UTC))
        kubectl(cluster, key=copy)
        assert wait_for(lambda: cast.find("changed", "team-b").generation == "2")
        found = cast.find("changed", "team-b")
        parts.relatives.align(access=olive, key=copy, uid=found.uid, source_uid=source.uid)
        assert parts.store.get(copy).verification.reason == "ok"
        kubectl(cluster, key=copy)
        assert parts.store.get(copy).verification == Verification()


def watched(name: str) -> Verification:
    """As the schedule sees it: it reads what is watched."""
    found = services().index.fresh().find(Key("team-a", name))
    assert found
    return found.verification


def test_it_is_tested_at_once_where_checks_run(
    cluster: Cluster, settings: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROBE_ALLOW_LOOPBACK = True
    cluster.empty("team-a")
    with moved_clock(monkeypatch) as clock, ExitStack() as stack:
        for _ in configured(cluster, settings):
            world = World(cast, clock, stack)
            host = world.registry()
            world.add("changed", host)
            world.run(7)
            assert cast.find("changed").verification.reason == "ok"
            kubectl(cluster)
            assert wait_for(lambda: cast.find("changed").verification == Verification())
            assert wait_for(lambda: watched("changed") == Verification())
            before = len(host.log_ins)
            world.run(0.1)
            assert [it.ok for it in host.log_ins[before:]] == [False]
            assert cast.find("changed").verification.reason == "bad_credentials"


@pytest.mark.parametrize("password", ["another-password", "old-password"])
def test_a_verdict_has_its_generation_without_a_known_version_too(
    store: KubernetesStore, cluster: Cluster, password: str
) -> None:
    """Otherwise it would count for every later password, too."""
    tested = stored(store)
    cluster.annotate(*KEY_PATH, {PREFIX + "display-name": "the cache may not know it yet"})
    changed = store.set_password(KEY, password, uid=tested.uid, verdict=GOOD)
    assert changed.verification == GOOD
    kubectl(cluster)
    assert store.get(KEY).verification == Verification()
    assert followed(store, tested).verification == Verification()


def test_a_verdict_of_a_version_that_the_cache_does_not_know_has_its_generation(
    store: KubernetesStore, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = stored(store)
    monkeypatch.setattr(Cache, "known", lambda *_: None)
    store.set_password(KEY, "new", uid=tested.uid, resource_version=tested.resource_version, verdict=GOOD)
    kubectl(cluster, "newer")
    assert store.get(KEY).verification == Verification()
    with pytest.raises(Conflict, match="changed"):
        store.set_password(KEY, "x", uid=tested.uid, resource_version=tested.resource_version, verdict=GOOD)
    with pytest.raises(Conflict, match="recreated"):
        store.set_password(KEY, "x", uid="another", verdict=GOOD)
