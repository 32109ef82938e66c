"""删除选中 on a cluster: several at once, each by its uid; nothing lost and nothing done twice, whatever happens."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registries.audit.log import events_of
from registries.domain.registry import RegistrySecret
from registries.models import AuditEntry, Run, RunItem
from registries.runs.run import LOST_AFTER, Item, RunView
from registries.service.registries import Registries
from registries.wiring import services
from tests.cast import Cast
from tests.cluster.test_pages import configured
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(mortal_server: ApiServer) -> ApiServer:
    mortal_server.revive()
    return mortal_server


@pytest.fixture
def cluster(server: ApiServer, settings: Any) -> Iterator[Cluster]:
    cluster = Cluster(server)
    cluster.empty("team-a", "team-b")
    settings.TEST_THREADS = 8
    yield from configured(cluster, settings)


@pytest.fixture
def people(cluster: Cluster, transactional_db: None, cast: Cast) -> Cast:
    return cast


def proposed(people: Cast, registries: list[RegistrySecret], person: str = "nina") -> UUID:
    return services().runs["delete"].propose(access=people.access(person), registries=registries)


def view(people: Cast, run: UUID) -> RunView:
    return services().runs["delete"].view(access=people.access("nina"), run_id=run)


def failed(people: Cast, run: UUID) -> list[Item]:
    return services().runs["delete"].failed(access=people.access("nina"), run_id=run)


def deleted(people: Cast, run: UUID) -> RunView:
    """Start it, or go on with it, and wait until it has ended."""
    services().runs["delete"].start(access=people.access("nina"), run_id=run)
    assert wait_for(lambda: view(people, run).state.value == "done")
    return view(people, run)


def left(cluster: Cluster) -> set[str]:
    items = cluster.server.call("GET", cluster.path("team-a")).body["items"]
    return {item["metadata"]["name"] for item in items}


def test_all_of_them_are_deleted_and_written_down(people: Cast, cluster: Cluster) -> None:
    registries = [people.add(f"r-{number:03}") for number in range(60)]
    people.add("stays")

    ended = deleted(people, proposed(people, registries))

    assert (ended.succeeded, ended.failed) == (60, 0)
    assert left(cluster) == {"stays"}
    assert AuditEntry.objects.filter(action="delete", outcome="ok", person="nina").count() == 60
    assert [entry.action for entry in events_of(registries[0])] == ["delete", "create"]


def test_what_is_done_is_written_down_many_at_a_time(people: Cast, settings: Any) -> None:
    """Here one after the other, in this thread, so that the queries can be counted."""
    settings.TEST_THREADS = 0
    for name in ("deletion_threads", "run_threads", "runs"):
        vars(services()).pop(name, None)
    run = proposed(people, [people.add(f"r-{number:03}") for number in range(60)])

    with CaptureQueriesContext(connection) as queries:
        services().runs["delete"].start(access=people.access("nina"), run_id=run)

    assert view(people, run).succeeded == 60
    assert len(queries) < 80, "sixty are sealed for an undo, deleted and recorded"


@dataclass
class Pace:
    """How many seconds later every deletion begins: so that a run is surely in the middle while something happens."""

    late: float = 0.0


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> Pace:
    pace, remove = Pace(), Registries.remove

    def slowly(*args: Any, **values: Any) -> bool:
        time.sleep(pace.late)
        return remove(*args, **values)

    monkeypatch.setattr(Registries, "remove", slowly)
    return pace


def test_a_run_that_is_taken_from_it_stops_at_once(
    people: Cast, cluster: Cluster, pace: Pace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by somebody's logout, or by another process that thought it lost; what was done until then is told."""
    monkeypatch.setattr("registries.runs.heartbeat.BEAT", 0.0)
    run = proposed(people, [people.add(f"r-{number:03}") for number in range(300)])
    pace.late = 0.5  # 19 seconds for all of them
    services().runs["delete"].start(access=people.access("nina"), run_id=run)
    assert wait_for(lambda: len(left(cluster)) < 290)

    Run.objects.filter(pk=run).update(state="cancelled")

    assert wait_for(lambda: settled(people, cluster, run))
    assert len(left(cluster)) > 200
    pace.late = 0.0
    ended = deleted(people, run)
    assert (ended.succeeded, ended.failed) == (300, 0)
    assert AuditEntry.objects.filter(action="delete", outcome="ok").count() == 300


def settled(people: Cast, cluster: Cluster, run: UUID) -> bool:
    """Whether for a second nothing was deleted, and what was is told."""
    before = left(cluster)
    time.sleep(1)
    return left(cluster) == before and view(people, run).succeeded == 300 - len(before)


def test_what_is_gone_or_recreated_is_named_and_not_touched(people: Cast, cluster: Cluster) -> None:
    registries = [people.add(name) for name in ("gone", "recreated", "fine")]
    run = proposed(people, registries)
    cluster.delete("team-a", "gone")
    cluster.delete("team-a", "recreated")
    cluster.apply("team-a", "recreated", password="another")

    ended = deleted(people, run)

    assert {(item.key.name, item.problem) for item in failed(people, run)} == {
        ("gone", "gone"),
        ("recreated", "recreated"),
    }
    assert ended.succeeded == 1
    assert left(cluster) == {"recreated"}


def test_a_run_waits_for_a_cluster_that_is_away(
    people: Cast, cluster: Cluster, server: ApiServer, pace: Pace
) -> None:
    run = proposed(people, [people.add(f"r-{number:03}") for number in range(300)])
    pace.late = 0.5
    services().runs["delete"].start(access=people.access("nina"), run_id=run)
    assert wait_for(lambda: view(people, run).succeeded > 10)

    server.kill_api()
    assert wait_for(lambda: services().index.freshness().problem)
    pace.late = 0.0
    assert view(people, run).state.value == "running"
    server.start_api()

    assert wait_for(lambda: view(people, run).state.value == "done")
    assert view(people, run).failed == 0
    assert left(cluster) == set()
    assert AuditEntry.objects.filter(action="delete", outcome="ok").count() == 300


def test_what_a_lost_process_had_deleted_counts_as_done(people: Cast, cluster: Cluster) -> None:
    run = proposed(people, [people.add("a"), people.add("b")])
    lost = timezone.now() - LOST_AFTER - timedelta(seconds=1)
    Run.objects.filter(pk=run).update(state="running", started_at=lost, beat_at=lost)
    cluster.delete("team-a", "a")

    ended = deleted(people, run)

    assert (ended.succeeded, ended.failed) == (2, 0)
    assert set(RunItem.objects.values_list("problem", flat=True)) == {""}


def test_who_loses_the_role_meanwhile_deletes_nothing(people: Cast, cluster: Cluster) -> None:
    run = proposed(people, [people.add("a")])
    weaker = people.access("vic")

    services().runs["delete"]._work(run, 0, weaker, services().people.access_now)

    assert left(cluster) == {"a"}
    assert [item.problem for item in failed(people, run)] == ["Forbidden"]


def test_a_cluster_that_refuses_for_good_is_not_waited_for(people: Cast, cluster: Cluster) -> None:
    run = proposed(people, [people.add("a")])
    role, deleting = "registry-console-local-accounts", ["create", "delete"]
    rule = {"apiGroups": ["image.theriseunion.io"], "resources": ["registrysecrets"], "verbs": deleting}
    cluster.unbind("console", role)
    try:
        assert wait_for(lambda: not cluster.allows("console", rule))
        deleted(people, run)
    finally:
        cluster.bind("console", role)

    assert [item.problem for item in failed(people, run)] == ["cluster_forbidden"]
