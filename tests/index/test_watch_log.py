"""The log of changes: a client that continues from a version gets every change after it, in order, within the limit."""

import json
from dataclasses import replace

import pytest

from registries.domain.reading import to_domain
from registries.domain.registry import RegistrySecret
from registries.index.watch_log import OVERHEAD, PIECE, ChangeLog
from registries.stores.base import ChangeType, Event


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


def log_of(*there: RegistrySecret, kept: int = 2**20) -> ChangeLog:
    log = ChangeLog(kept)
    log.begin(there, max(int(it.resource_version) for it in there))
    return log


def added(it: RegistrySecret) -> Event:
    return Event(ChangeType.ADDED, it)


def changed(it: RegistrySecret) -> Event:
    return Event(ChangeType.MODIFIED, it)


def gone(it: RegistrySecret) -> Event:
    return Event(ChangeType.DELETED, it)


def told(log: ChangeLog, version: str) -> list[tuple[str, str]] | None:
    place = log.place_of(version)
    news = None if place is None else log.after(place)
    return (
        None
        if news is None
        else [(it.type.value, json.loads(it.document)["metadata"]["uid"]) for it in news.changes]
    )


def test_every_event_is_in_the_log_in_order() -> None:
    log = log_of(registry("a", "u1", 4), registry("b", "u2", 5))

    log.append([changed(registry("a", "u1", 6)), gone(registry("a", "u1", 7)), added(registry("a", "u3", 8))])
    log.append([gone(registry("b", "u2", 9))], 11)

    steps = [("MODIFIED", "u1"), ("DELETED", "u1"), ("ADDED", "u3"), ("DELETED", "u2")]
    for known in range(5, 12):
        assert told(log, str(known)) == steps[max(0, known - 5) :]
    assert told(log, "4") is None
    news = log.after(log.place_of("5") or 0)
    assert news
    versions = [json.loads(it.document)["metadata"]["resourceVersion"] for it in news.changes]
    assert (versions, news.version) == (["6", "7", "8", "9"], "11")


def test_a_registry_that_was_not_readable_before_is_added() -> None:
    log = log_of(registry("a", "u1", 4))

    log.append([changed(registry("b", "u2", 5)), changed(registry("a", "u3", 6))])

    assert told(log, "4") == [("ADDED", "u2"), ("ADDED", "u3")]


def test_a_late_event_is_repeated_for_a_client_of_a_newer_version() -> None:
    """Several watches, one for each namespace, are not in one order."""
    log = log_of(registry("a", "u1", 4))
    for event in (added(registry("b", "u2", 9)), added(registry("c", "u3", 8)), gone(registry("a", "u1", 7))):
        log.append([event])

    assert told(log, "9") == [("ADDED", "u3"), ("DELETED", "u1")]
    assert told(log, "7") == told(log, "4") == [("ADDED", "u2"), ("ADDED", "u3"), ("DELETED", "u1")]


@pytest.mark.parametrize("size", [10, 1000, 100_000, 240 * 1024])
def test_the_log_is_limited_in_bytes_and_forgets_the_oldest(size: int) -> None:
    first = replace(registry("a", "u", 1), document=b"x" * size)
    log = log_of(first, kept=1_000_000)
    for version in range(2, 1000):
        log.append([changed(replace(registry("a", "u", version), document=b"x" * size))])
        assert sum(it.size for it in log._changes) <= 1_000_000

    kept = len(log._changes)
    assert kept == 1_000_000 // (OVERHEAD + 2 * size)
    oldest = 1000 - kept
    assert log.place_of(str(oldest - 1)) is None
    news = log.after(log.place_of(str(oldest)) or 0)
    assert news
    assert news.changes[0].version == oldest + 1
    assert log.after(0) is None


def test_a_piece_of_news_is_limited_in_bytes_and_the_pieces_are_everything() -> None:
    log = log_of(registry("a", "u", 1), kept=2**30)
    sizes = [10, 300_000, 5, 100_000, 100_000, 20_000] * 8
    for version, size in enumerate(sizes, 2):
        log.append([changed(replace(registry("a", "u", version), document=b"x" * size))])
    seen: list[int] = []
    place, version = log.place_of("1"), "1"
    while place is not None and place < log.place:
        news = log.after(place)
        assert news
        assert sum(it.size for it in news.changes) <= PIECE or len(news.changes) == 1
        assert log.place_of(news.version) == news.place
        place, version = news.place, news.version
        seen += [it.version for it in news.changes]

    assert seen == list(range(2, len(sizes) + 2))
    assert version == str(len(sizes) + 1)


def test_a_version_of_the_future_or_of_none_is_not_known() -> None:
    log = log_of(registry("a", "u", 5))

    assert [told(log, version) for version in ("6", "x", "-1", "٣", "9" * 30)] == [None] * 5
