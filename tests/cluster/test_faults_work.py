"""Faults of a cluster while a person works and runs go on: in the end everything was done, and everything once."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from registries.cluster.connection import Timeouts
from registries.cluster.paths import EVERYWHERE, registries_in
from registries.domain.errors import AlreadyExists, Conflict, NotFound, Unavailable
from registries.domain.registry import RegistrySecret
from registries.domain.resource import PREFIX, new_resource
from registries.intake import read_draft
from registries.models import AuditEntry, VerificationRecord
from registries.runs import heartbeat
from registries.runs.run import ItemState, RunState, RunView
from registries.stores.cluster import watch
from registries.wiring import services
from tests.cast import Cast, typed
from tests.cluster.test_pages import configured
from tests.peers.api_server import ApiServer
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

DOOMED, TESTED = 150, 6
SLOWED, HELD = 0.02, 0.2
"""Seconds by which every piece is late; and by which it is from the deletion's begin until the fault, so that it would
take many seconds and is surely not over."""


@pytest.fixture
def server(mortal_server: ApiServer) -> ApiServer:
    mortal_server.revive()
    return mortal_server


@pytest.fixture
def cluster(
    server: ApiServer, cable: Cable, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """What the console knows over the cable, with little patience for an answer."""
    monkeypatch.setattr(watch, "CHECK_EVERY", 0.5)
    cluster = Cluster(server)
    cluster.empty("team-a", "team-b")
    settings.TEST_THREADS = settings.RUN_TESTS = 2 * TESTED
    settings.PROBE_ALLOW_LOOPBACK = True
    settings.PROBE_TIMEOUT = 2.0
    yield from configured(cluster, settings, Timeouts(connect=1.0, read=1.0), port=cable.port)


@pytest.fixture
def people(cluster: Cluster, transactional_db: None, cast: Cast) -> Cast:
    return cast


def killed(server: ApiServer, cable: Cable) -> None:
    server.kill_api()
    server.start_api()


def frozen(server: ApiServer, cable: Cable) -> None:
    server.freeze_api()
    time.sleep(2.5)
    server.thaw_api()


def slow(server: ApiServer, cable: Cable) -> None:
    cable.delay = 0.2
    time.sleep(2.0)
    cable.delay = 0.0


def cut(server: ApiServer, cable: Cable) -> None:
    for _ in range(20):
        cable.cut()
        time.sleep(0.1)


def forgetful(server: ApiServer, cable: Cable) -> None:
    """What it knew of the past is gone, with its cache and with etcd's history."""
    server.kill_api()
    server.compact()
    server.start_api()


@pytest.mark.parametrize("fault", [killed, frozen, slow, cut, forgetful])
def test_nothing_is_lost_and_nothing_is_done_twice(
    people: Cast,
    cluster: Cluster,
    cable: Cable,
    silent_servers: Callable[[int], list[str]],
    fault: Callable[[ApiServer, Cable], None],
) -> None:
    names = {f"doomed-{number:03}": "h.example.com" for number in range(DOOMED)}
    names |= {f"tested-{number:02}": place for number, place in enumerate(silent_servers(2 * TESTED))}
    known = stored(cluster, names)
    doomed = [it for it in known if it.name.startswith("doomed")]
    tested = [it for it in known if it.name.startswith("tested")]
    cable.delay = SLOWED
    testing = [begun_tests(people, "nina", tested[:TESTED])]
    assert wait_for(lambda: VerificationRecord.objects.count() == TESTED)
    cable.delay = HELD
    deleting = begun_deletion(people, doomed)
    assert wait_for(lambda: deleted(people, deleting) > 0)
    assert not is_over(people, deleting, testing), "whose verdicts are still to be recorded"

    def fail() -> None:
        cable.delay = SLOWED
        fault(cluster.server, cable)

    failing = threading.Thread(target=fail)
    failing.start()
    testing.append(begun_tests(people, "olive", tested[TESTED:]))
    written = work(people, failing)
    cable.delay = 0.0

    assert wait_for(lambda: is_over(people, deleting, testing))
    assert written, "somebody worked meanwhile"
    everything_was_deleted_once(people, deleting, doomed)
    everything_was_tested_once(people, testing, tested, cluster)
    now = present(cluster)
    assert {name for name, (_, shown) in now.items() if shown} == set(written)
    assert set(now) == {it.name for it in tested} | set(written)
    assert wait_for(lambda: followed() == {name: uid for name, (uid, _) in now.items()})
    assert wait_for(lambda: not services().index.freshness().problem)


def test_a_run_of_tests_that_is_cancelled_while_it_waits_is_taken_up_later(
    people: Cast,
    cluster: Cluster,
    cable: Cable,
    silent_servers: Callable[[int], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was not tested did not fail."""
    monkeypatch.setattr(heartbeat, "BEAT", 0.0)
    names = {f"tested-{number:02}": place for number, place in enumerate(silent_servers(TESTED))}
    tested = stored(cluster, names)
    cable.pull()
    testing = begun_tests(people, "nina", list(tested))
    assert wait_for(lambda: services().index.freshness().problem)
    access = people.access("nina")

    services().runs["verify"].cancel(access=access, run_id=testing[1])
    running = services().run_threads
    assert wait_for(lambda: running._running == 0), "the run has noticed"
    cable.plug()

    assert wait_for(lambda: not services().index.freshness().problem)
    assert progress(people, testing).groups == ()
    services().runs["verify"].start(access=access, run_id=testing[1])
    assert wait_for(lambda: progress(people, testing).state is RunState.DONE)
    assert [(it.problem, it.count) for it in progress(people, testing).groups] == [("", TESTED)]


def stored(cluster: Cluster, names: dict[str, str]) -> tuple[RegistrySecret, ...]:
    """These registries, by name and address, as the console knows them."""
    connection = cluster.connection()
    for name, domain in names.items():
        resource = new_resource(read_draft(typed(name, domain=domain)))
        connection.call("POST", registries_in("team-a"), subject=name, body=resource)
    assert wait_for(lambda: services().index.freshness().known)
    assert wait_for(lambda: len(services().index.fresh().keys_by_uid) == len(names))
    return services().index.fresh().buckets["team-a"].items


Tests = tuple[str, UUID]
"""Whose run of tests, and which."""


def begun_tests(people: Cast, person: str, registries: list[RegistrySecret]) -> Tests:
    access = people.access(person)
    run = services().runs["verify"].propose(access=access, registries=registries)
    services().runs["verify"].start(access=access, run_id=run)
    return person, run


def begun_deletion(people: Cast, registries: list[RegistrySecret]) -> UUID:
    access = people.access("nina")
    run = services().runs["delete"].propose(access=access, registries=registries)
    services().runs["delete"].start(access=access, run_id=run)
    return run


def deleted(people: Cast, run: UUID) -> int:
    return services().runs["delete"].view(access=people.access("nina"), run_id=run).succeeded


def progress(people: Cast, it: Tests) -> RunView:
    return services().runs["verify"].view(access=people.access(it[0]), run_id=it[1])


def is_over(people: Cast, deleting: UUID, testing: list[Tests]) -> bool:
    deletion = services().runs["delete"].view(access=people.access("nina"), run_id=deleting)
    states = [deletion.state, *(progress(people, it).state for it in testing)]
    return all(state is RunState.DONE for state in states)


def work(people: Cast, while_it_fails: threading.Thread) -> list[str]:
    """Somebody adds, names and deletes; tries again what did not go, as one does. Returns what should be there."""
    kept = []
    number = 0
    while while_it_fails.is_alive() or number < 3:
        for name in (f"kept-{number:03}", f"gone-{number:03}"):
            insisting(lambda name=name: people.add(name), AlreadyExists)
        insisting(lambda number=number: shown(people, f"kept-{number:03}"), Conflict)
        gone = insisting(lambda number=number: people.find(f"gone-{number:03}"))
        insisting(lambda gone=gone: removed(people, gone), NotFound)
        kept.append(f"kept-{number:03}")
        number += 1
    return kept


def shown(people: Cast, name: str) -> None:
    found = people.find(name)
    services().registries.edit(
        access=people.access("nina"),
        key=found.key,
        uid=found.uid,
        resource_version=found.resource_version,
        information={"display_name": "改过的", "description": ""},
    )


def removed(people: Cast, registry: RegistrySecret) -> None:
    services().registries.delete(access=people.access("nina"), key=registry.key, uid=registry.uid)


def insisting(call: Callable[[], Any], done_before: type[Exception] = Unavailable) -> Any:
    """Until it is done; `done_before` tells, after an answer that did not come, that it was done then."""
    until = time.monotonic() + 180  # a server takes as long to start where everything is slow
    doubtful = False
    while True:
        try:
            return call()
        except Unavailable as error:
            if time.monotonic() > until:
                raise
            doubtful = doubtful or error.problem == "cluster_uncertain"
            time.sleep(0.2)
        except done_before:
            assert doubtful
            return None


def everything_was_deleted_once(people: Cast, run: UUID, registries: list[RegistrySecret]) -> None:
    view = services().runs["delete"].view(access=people.access("nina"), run_id=run)
    assert (view.succeeded, view.failed) == (len(registries), 0)
    entries = AuditEntry.objects.filter(action="delete", outcome="ok", name__startswith="doomed")
    assert sorted(entries.values_list("uid", flat=True)) == sorted(it.uid for it in registries)


def everything_was_tested_once(
    people: Cast, testing: list[Tests], registries: list[RegistrySecret], cluster: Cluster
) -> None:
    groups = [group for it in testing for group in progress(people, it).groups]
    assert [(it.state, it.problem, it.count) for it in groups] == [(ItemState.DONE, "", TESTED)] * 2
    records = VerificationRecord.objects.filter(finished_at__isnull=False)
    assert sorted(records.values_list("uid", flat=True)) == sorted(it.uid for it in registries)
    entries = AuditEntry.objects.filter(action="test", outcome="ok")
    assert sorted(entries.values_list("uid", flat=True)) == sorted(it.uid for it in registries)
    for registry in registries:
        stored = cluster.server.call("GET", cluster.path("team-a", registry.name)).body
        assert stored["metadata"]["annotations"][f"{PREFIX}verify-reason"] == groups[0].reason


def present(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """uid and display name of what the cluster has, by name."""
    items = cluster.server.call("GET", EVERYWHERE).body["items"]
    notes = f"{PREFIX}display-name"
    return {
        it["metadata"]["name"]: (it["metadata"]["uid"], it["metadata"]["annotations"].get(notes, ""))
        for it in items
    }


def followed() -> dict[str, str]:
    """uids by name, as the console lists them."""
    return {key.name: uid for uid, key in services().index.fresh().keys_by_uid.items()}
