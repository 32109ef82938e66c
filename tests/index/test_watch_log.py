"""The log of changes: who goes on from a version misses nothing, and is told again only what could have been missed."""

import json

from registries.domain.registry import Key, RegistrySecret, Removal
from registries.domain.resource import to_domain
from registries.index.watch_log import ChangeLog


def registry(name: str, uid: str, version: int) -> RegistrySecret:
    resource = {
        "metadata": {
            "name": name,
            "namespace": "n",
            "uid": uid,
            "resourceVersion": str(version),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"domain": "h"},
    }
    return to_domain(resource)


def log_of(*there: RegistrySecret, kept: int = 100) -> tuple[ChangeLog, dict[Key, RegistrySecret]]:
    log = ChangeLog(kept)
    log.begin(max(int(it.resource_version) for it in there))
    return log, {it.key: it for it in there}


def told(log: ChangeLog, version: str) -> list[tuple[str, str]] | None:
    place = log.place_of(version)
    news = None if place is None else log.after(place)
    return (
        None
        if news is None
        else [(it.type.value, json.loads(it.document)["metadata"]["uid"]) for it in news.changes]
    )


def test_a_namesake_comes_after_the_one_that_went() -> None:
    old = registry("a", "old", 5)
    for removed in ([], [Removal(old.key, "old")]):
        log, there = log_of(old)

        log.append([registry("a", "new", 8)], removed, there.get)

        assert told(log, "5") == [("DELETED", "old"), ("ADDED", "new")]
        assert told(log, "8") == []


def test_what_went_together_is_not_missed_by_who_saw_one_of_it() -> None:
    one, two = registry("a", "u1", 4), registry("b", "u2", 5)
    log, there = log_of(one, two)
    log.append([], [Removal(one.key, "u1"), Removal(two.key, "u2")], there.get)
    news = log.after(log.place_of("5") or 0)
    assert news
    seen = json.loads(news.changes[0].document)["metadata"]["resourceVersion"]

    assert told(log, seen) == [("DELETED", "u1"), ("DELETED", "u2")]


def test_a_deletion_stands_under_its_own_version() -> None:
    one, two = registry("a", "u1", 4), registry("b", "u2", 5)
    log, there = log_of(one, two)

    log.append([registry("c", "u3", 8)], [Removal(two.key, "u2", 9), Removal(one.key, "u1", 7)], there.get, 9)

    assert told(log, "5") == [("DELETED", "u1"), ("ADDED", "u3"), ("DELETED", "u2")]
    assert told(log, "7") == [("ADDED", "u3"), ("DELETED", "u2")]
    assert told(log, "8") == [("DELETED", "u2")]
    assert told(log, "9") == []
    news = log.after(log.place_of("5") or 0)
    assert news
    versions = [json.loads(it.document)["metadata"]["resourceVersion"] for it in news.changes]
    assert (versions, news.version) == (["7", "8", "9"], "9")


def test_what_is_told_late_is_told_again_to_who_saw_something_newer() -> None:
    there = registry("a", "u1", 4)
    log, known = log_of(there)
    log.append([registry("b", "u2", 9)], [], known.get)
    log.append([registry("c", "u3", 8)], [], known.get)
    log.append([], [Removal(there.key, "u1", 7)], known.get)

    assert told(log, "9") == [("ADDED", "u3"), ("DELETED", "u1")]
    assert told(log, "7") == told(log, "4") == [("ADDED", "u2"), ("ADDED", "u3"), ("DELETED", "u1")]


def test_a_deletion_without_a_version_is_not_told_again_after_a_newer_one() -> None:
    there = registry("a", "u1", 4)
    log, known = log_of(there)
    log.append([], [Removal(there.key, "u1")], known.get)
    assert told(log, "4") == [("DELETED", "u1")]

    log.append([], [], known.get, 6)

    assert told(log, "4") == [("DELETED", "u1")]
    assert told(log, "6") == []


def test_forgets_the_oldest_and_says_so() -> None:
    first = registry("a", "u", 1)
    log, there = log_of(first, kept=2)
    for version in range(2, 6):
        log.append([registry("a", "u", version)], [], there.get)

    assert told(log, "2") is None
    assert told(log, "3") is None
    assert told(log, "4") == [("MODIFIED", "u")]
    assert log.after(0) is None


def test_a_version_of_the_future_or_of_none_is_not_known() -> None:
    log, _ = log_of(registry("a", "u", 5))

    assert [told(log, version) for version in ("6", "x", "-1", "٣", "9" * 30)] == [None] * 5
