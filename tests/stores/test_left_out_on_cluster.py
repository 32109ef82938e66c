"""What a namespace has no room for, on a cluster: it comes when there is room, and keeps everything."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries.domain.errors import Refused
from registries.domain.registry import Key, Verification, VerifyStatus
from registries.domain.resource import certificate_annotations, verification_annotations
from registries.models import CheckInterval, DayRecord, ExpiryNotice, ScheduledRegistry, SyncRule
from registries.service.relatives import MissingCopies
from registries.stores.cluster import follower, watch
from registries.stores.cluster.store import KubernetesStore
from registries.stores.room import MIB, Room
from registries.sync.rows import Selection
from registries.wiring import services
from tests.cast import Cast
from tests.cluster.test_pages import configured
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for
from tests.stores.crowds import ELSEWHERE, OTHER, THIRD
from tests.stores.test_store import KEY, make
from tests.sync.following import keep


@pytest.fixture
def crowded(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubernetesStore]:
    monkeypatch.setattr(follower, "LISTED_AGAIN", 0.7)
    monkeypatch.setattr(watch, "WATCH_SECONDS", (1, 1))
    cluster.empty("team-a", "team-b")
    for key in (KEY, OTHER, THIRD, ELSEWHERE):
        cluster.apply(key.namespace, key.name, password="cA==")
    store = KubernetesStore(cluster.connection("admin"), room=Room(registries=2))
    yield store
    store.stop()


def test_what_was_left_out_comes_when_there_is_room(crowded: KubernetesStore, cluster: Cluster) -> None:
    """Also when it is deleted soon after a list, and nothing else happens."""

    def kept() -> set[Key]:
        return {it.key for it in crowded.changes(None).upserted}

    first = kept()
    assert (len(first), ELSEWHERE in first) == (3, True)
    assert crowded.overfull() == {"team-a"}
    with pytest.raises(Refused, match="namespace_full"):
        crowded.create(make(Key("team-a", "fourth")))
    gone = min(first - {ELSEWHERE})
    cluster.delete(gone.namespace, gone.name)

    assert wait_for(lambda: kept() == {KEY, OTHER, THIRD, ELSEWHERE} - {gone})
    assert wait_for(lambda: crowded.overfull() == set())


def stored(uid: str) -> dict[str, int]:
    """The rows about a registry by table."""
    tables = (SyncRule, CheckInterval, DayRecord, ScheduledRegistry, ExpiryNotice)
    return {it.__name__: it._default_manager.filter(uid=uid).count() for it in tables}


def look(now: datetime) -> None:
    """Everything that concludes from the index what is gone."""
    services().schedule.placing.update(now)
    services().schedule.expiries.tell(now)
    SyncRule.objects.update(due_at=timezone.now())
    services().follower.turn()


@pytest.mark.django_db(transaction=True)
def test_what_is_left_out_of_memory_keeps_everything_until_it_is_deleted(
    cluster: Cluster, settings: Any, transactional_db: None, request: pytest.FixtureRequest
) -> None:
    """A namespace that has more than a new limit allows, in a process that starts with this limit."""
    cluster.empty("team-a", "team-b")
    settings.NAMESPACE_REGISTRIES = 0
    soon = (timezone.localdate() + timedelta(days=5)).isoformat()
    for _ in configured(cluster, settings):
        cast: Cast = request.getfixturevalue("cast")
        for namespace in ("team-a", "team-b"):
            cast.add("aa", namespace)
        source, olive = cast.add("zz", expires_at=soon), cast.access("olive")
        keep(cast, source, Selection(names=("team-b",)))
        services().schedule.intervals.choose(
            access=olive, namespace="team-a", uid=source.uid, interval=timedelta(hours=1)
        )
        DayRecord.objects.create(uid=source.uid, day=timezone.localdate())
        look(timezone.now())
    before = stored(source.uid)
    assert set(before.values()) == {1}

    settings.NAMESPACE_REGISTRIES = 1
    for _ in configured(cluster, settings):
        for days in (0, 2):
            look(timezone.now() + timedelta(days=days))
        assert services().index.fresh().find(source.key) is None
        assert stored(source.uid) == before
        rule = SyncRule.objects.get()
        assert (rule.state, rule.problem) == ("failed", "namespace_full")
        copies = services().sync_rules.unchanged(access=olive, source=source)
        assert [it.key for it in copies] == [Key("team-b", "zz")]
        accounts = "/api/v1/namespaces/team-a/serviceaccounts"
        user = {"metadata": {"name": "uses-zz"}, "imagePullSecrets": [{"name": "zz"}]}
        assert cluster.server.call("POST", accounts, user).status == 201
        usage = services().pull_secrets.usage(access=olive, keys=[source.key])
        assert [it.name for it in usage.dependents] == ["uses-zz"]
        cluster.server.call("DELETE", f"{accounts}/uses-zz")
        made = {Key("team-b", "zz"): timezone.now()}
        missing = MissingCopies(
            services().index,
            services().copying,
            {source.uid: made}.__getitem__,
            lambda copies: (),
            services().origins,
        )
        assert missing.of(access=olive, source=source) == ()

        cluster.delete("team-a", "zz")
        assert wait_for(lambda: services().index.fresh().is_gone(source.uid, "team-a"))
        for days in (2, 4):
            look(timezone.now() + timedelta(days=days))
        assert set(stored(source.uid).values()) == {0}
    cluster.empty("team-a", "team-b")


def test_what_was_created_stays_whatever_a_test_finds(cluster: Cluster) -> None:
    """The console refuses what would not fit, with room for a long verdict on everything before."""
    cluster.empty("team-a")
    store = KubernetesStore(cluster.connection("admin"), room=Room(mib=1))
    longest = Verification(VerifyStatus.FAILED, "x" * 64, "字" * 512, *2 * [datetime.now(UTC)])
    patch = verification_annotations(longest, "1") | certificate_annotations(datetime.now(UTC))
    try:
        assert wait_for(lambda: store.freshness().known)
        created = [
            store.create(make(Key("team-a", f"fat-{it}"), annotations={"example.com/x": "x" * 240_000}))
            for it in range(4)
        ]
        left = MIB - store._cache()._kept.held("team-a")[1]
        filler = {"example.com/x": "x" * (left - 20_000)}
        created.append(store.create(make(Key("team-a", "filler"), annotations=filler)))
        with suppress(Refused):
            for number in range(20):
                created.append(store.create(make(Key("team-a", f"small-{number}"))))
        for it in created:
            store.annotate(it.key, patch, uid=it.uid)

        assert 6 < len(created) < 20
        assert {it.uid for it in store.changes(None).upserted} == {it.uid for it in created}
        assert store.overfull() == set()
    finally:
        store.stop()
        cluster.empty("team-a")
