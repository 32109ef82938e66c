"""The cache of the store on a cluster: answers and events that arrive in any order end in the same state."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import pytest

from registries.domain.errors import ConsoleError, Forbidden, Problem, Unavailable
from registries.domain.registry import Key, Provider, RegistrySecret, Removal
from registries.runs.heartbeat import RetryPolicy
from registries.stores.base import ChangeType, Event, Freshness
from registries.stores.cluster import cache as cache_module
from registries.stores.cluster.cache import Cache

KEY = Key("team-a", "x")


def registry(version: str, uid: str = "u1", key: Key = KEY) -> RegistrySecret:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return RegistrySecret(key, uid, version, created, "h.example.com", "u", Provider.OTHER)


def gone(version: str, uid: str = "u1", key: Key = KEY) -> Event:
    return Event(ChangeType.DELETED, registry(version, uid, key))


def written(version: str, uid: str = "u1", key: Key = KEY) -> Event:
    return Event(ChangeType.MODIFIED, registry(version, uid, key))


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "EVENT_WAIT", 0.01)


@pytest.fixture
def cache() -> Cache:
    cache = Cache(["registries"], patience=0.1)
    cache.replace([], "10", another_history=False)
    cache.answered("registries")
    return cache


def versions(cache: Cache) -> list[str]:
    return sorted(it.resource_version for it in cache.changes(None).upserted)


def test_an_older_answer_replaces_nothing(cache: Cache) -> None:
    cache.put(registry("12"))
    before = cache.changes(None).version
    cache.put(registry("11"))
    cache.put(registry("12"))

    assert versions(cache) == ["12"]
    assert cache.changes(before).version == before, "nor is it a change"


def test_versions_are_compared_as_numbers(cache: Cache) -> None:
    cache.put(registry("99"))
    cache.put(registry("100"))

    assert versions(cache) == ["100"]


def test_versions_that_are_no_numbers_come_in_their_order(cache: Cache) -> None:
    cache.put(registry("b"))
    cache.put(registry("a"))

    assert versions(cache) == ["a"]


def test_what_was_deleted_is_not_brought_back_by_an_answer_on_its_way(cache: Cache) -> None:
    cache.put(registry("11"))
    cache.remove(KEY, "u1")
    cache.put(registry("12"))

    assert versions(cache) == []


def test_a_namesake_is_another_one(cache: Cache) -> None:
    cache.put(registry("11"))
    before = cache.changes(None).version
    cache.remove(KEY, "u1")
    cache.put(registry("13", "u2"))
    cache.remove(KEY, "u1")

    changes = cache.changes(before)
    assert [it.uid for it in changes.upserted] == ["u2"]
    assert changes.removed == (Removal(KEY, "u1"),)


def test_the_version_of_a_deletion_is_noted_when_the_event_comes(cache: Cache) -> None:
    cache.happened(written("11"))
    cache.remove(KEY, "u1")
    before = cache.changes(None)
    cache.happened(gone("12"))

    after = cache.changes(before.version)
    assert (before.mark, after.mark, after.events) == (11, 12, (gone("12"),))
    assert after.version != before.version, "or an index would not look at it"


def test_the_mark_is_the_version_up_to_which_all_events_are_known(cache: Cache) -> None:
    cache.put(registry("15"))
    assert cache.changes(None).mark == 10, "an event of somebody else may be on its way"
    cache.happened(written("15"))
    assert cache.changes(None).mark == 15
    before = cache.changes(None).version
    cache.advance("18")
    assert (cache.changes(before).mark, cache.changes(before).complete) == (18, False)
    cache.replace([], "20", another_history=False)
    assert cache.changes(None).mark == 20

    cache.replace([], "7", another_history=True)

    assert cache.changes(None).mark == 7


def test_events_are_all_there_in_order_beside_local_writes(cache: Cache) -> None:
    """A local write is known before the events of two others, and a local deletion before the last event."""
    before = cache.changes(None).version
    cache.put(registry("13"))
    happened = [written("11"), written("12"), written("13"), written("14"), gone("15")]
    for event in happened[:3]:
        cache.happened(event)
        assert versions(cache) == ["13"]
    cache.remove(KEY, "u1")
    for event in happened[3:]:
        cache.happened(event)
        assert versions(cache) == []

    assert cache.changes(before).events == tuple(happened)


def test_a_local_write_waits_for_its_event(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "EVENT_WAIT", 60.0)
    before, begun = cache.changes(None).version, time.monotonic()
    for wait, event in ((lambda: cache.put(registry("11")), written("11")),
                        (lambda: cache.remove(KEY, "u1"), gone("12"))):  # fmt: skip
        waiting = threading.Thread(target=wait)
        waiting.start()
        cache.happened(event)
        waiting.join(60)
    assert time.monotonic() - begun < 30
    changes = cache.changes(before)
    assert (changes.events, len(changes.removed)) == ((written("11"), gone("12")), 1)


def test_a_local_write_does_not_wait_while_nothing_is_heard(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "EVENT_WAIT", 60.0)
    cache.lost("registries", "cluster_away")
    begun = time.monotonic()
    cache.put(registry("11"))
    cache.remove(KEY, "u1")
    assert time.monotonic() - begun < 30


def test_the_changes_kept_are_limited_in_bytes(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "REMEMBERED_BYTES", 10_000)
    before = cache.changes(None).version
    for number in range(11, 60):
        event = Event(ChangeType.MODIFIED, replace(registry(str(number)), document=b"x" * 1000))
        cache.happened(event)
        assert cache.changes(before).complete == (number > 20)
    assert sum(entry.size for entry in cache._entries) == 10_000


def test_a_list_from_an_old_cache_keeps_what_was_written_since(cache: Cache) -> None:
    other = Key("team-a", "deleted")
    cache.put(registry("11", "u2", other))
    cache.put(registry("20"))
    cache.remove(other, "u2")

    cache.replace([registry("11", "u2", other), registry("15")], "15", another_history=False)

    assert versions(cache) == ["20"]


def test_a_list_takes_away_what_is_not_in_it(cache: Cache) -> None:
    cache.put(registry("11"))

    cache.replace([], "30", another_history=False)

    assert versions(cache) == []


def test_another_history_takes_everything_away(cache: Cache) -> None:
    cache.put(registry("500"))
    cache.remove(Key("team-a", "y"), "u2")

    cache.replace([registry("3", "u2", Key("team-a", "y"))], "5", another_history=True)

    assert versions(cache) == ["3"]


def test_who_is_too_far_behind_gets_everything(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.changes(None).version
    for number in range(cache_module.REMEMBERED + 1):
        cache.happened(written(str(100 + number)))

    assert cache.changes(before).complete
    assert not cache.changes(cache.changes(None).version).complete


def test_nothing_is_known_before_everybody_has_listed() -> None:
    cache = Cache(["registries", "namespaces"], patience=0.05)
    cache.answered("registries")
    with pytest.raises(Unavailable, match="cluster_timeout"):
        cache.changes(None)

    cache.lost("namespaces", "cluster_token")
    with pytest.raises(Unavailable, match="cluster_token"):
        cache.changes(None)

    cache.answered("namespaces")
    assert cache.changes(None).complete


def test_how_old_it_is_counts_from_when_all_was_well(cache: Cache) -> None:
    assert not cache.freshness().problem
    cache.lost("ping", "cluster_away")
    known = cache.freshness()
    cache.answered("registries")

    assert known.as_of is not None
    assert cache.freshness() == known, "one that is heard of does not make up for one that is not"
    cache.answered("ping")
    assert not cache.freshness().problem


def test_only_the_last_namespace_that_may_not_be_read_is_a_problem() -> None:
    cache = Cache(["a", "b"], patience=0.1)
    cache.refused("a", "team-a")
    cache.answered("b")
    assert cache.freshness() == Freshness()

    cache.refused("b", "team-b")
    assert cache.freshness().problem is Problem.CLUSTER_FORBIDDEN
    cache.answered("a")
    cache.refused("b", "team-b")
    assert cache.freshness() == Freshness()


def test_how_long_the_server_has_been_answering_is_known(cache: Cache) -> None:
    assert cache.freshness().steady == inf
    cache.lost("registries", "cluster_forbidden")
    assert cache.freshness().steady == inf, "a refusal is an answer"

    cache.lost("registries", "cluster_away")
    cache.answered("registries")

    assert not cache.freshness().problem
    assert cache.freshness().steady < 5


@pytest.mark.parametrize("error", [Forbidden("x"), Unavailable("x", "cluster_forbidden")])
@pytest.mark.parametrize(("steady", "waits"), [(1.0, True), (inf, False)])
def test_a_refusal_soon_after_it_was_away_is_not_believed_by_a_run_that_saw_nothing_of_it(
    error: ConsoleError, steady: float, waits: bool
) -> None:
    assert RetryPolicy(lambda: Freshness(steady=steady)).allows(error) is waits
