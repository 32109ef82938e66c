"""The journal of the store on a cluster: answers and events that arrive in any order end in the same state."""

from datetime import UTC, datetime
from math import inf

import pytest

from registries.domain.errors import ConsoleError, Forbidden, Unavailable
from registries.domain.registry import Key, Provider, RegistrySecret, Removal
from registries.runs.heartbeat import RetryPolicy
from registries.stores.base import Freshness
from registries.stores.cluster import cache as journals
from registries.stores.cluster.cache import Journal

KEY = Key("team-a", "x")


def registry(version: str, uid: str = "u1", key: Key = KEY) -> RegistrySecret:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return RegistrySecret(key, uid, version, created, "h.example.com", "u", Provider.OTHER)


@pytest.fixture
def journal() -> Journal:
    journal = Journal(["registries"], patience=0.1)
    journal.replace([], "10", another_history=False)
    journal.sign("registries")
    return journal


def versions(journal: Journal) -> list[str]:
    return sorted(it.resource_version for it in journal.changes(None).upserted)


def test_an_older_answer_replaces_nothing(journal: Journal) -> None:
    journal.put(registry("12"))
    before = journal.changes(None).version
    journal.put(registry("11"))
    journal.put(registry("12"))

    assert versions(journal) == ["12"]
    assert journal.changes(before).version == before, "nor is it a change"


def test_versions_are_compared_as_numbers(journal: Journal) -> None:
    journal.put(registry("99"))
    journal.put(registry("100"))

    assert versions(journal) == ["100"]


def test_versions_that_are_no_numbers_come_in_their_order(journal: Journal) -> None:
    journal.put(registry("b"))
    journal.put(registry("a"))

    assert versions(journal) == ["a"]


def test_what_was_deleted_is_not_brought_back_by_an_answer_on_its_way(journal: Journal) -> None:
    journal.put(registry("11"))
    journal.remove(KEY, "u1")
    journal.put(registry("12"))

    assert versions(journal) == []


def test_a_namesake_is_another_one(journal: Journal) -> None:
    journal.put(registry("11"))
    before = journal.changes(None).version
    journal.remove(KEY, "u1")
    journal.put(registry("13", "u2"))
    journal.remove(KEY, "u1")

    changes = journal.changes(before)
    assert [it.uid for it in changes.upserted] == ["u2"]
    assert changes.removed == (Removal(KEY, "u1"),)


def test_the_version_of_a_deletion_is_noted_when_the_event_comes(journal: Journal) -> None:
    journal.put(registry("11"))
    journal.remove(KEY, "u1")
    before = journal.changes(None)
    journal.remove(KEY, "u1", "12")
    journal.remove(Key("team-a", "never-seen"), "u2", "9")

    after = journal.changes(before.version)
    assert (before.mark, after.mark, after.removed) == (11, 12, ())
    assert after.version != before.version, "or an index would not look at it"


def test_the_mark_grows_but_with_another_history(journal: Journal) -> None:
    journal.put(registry("15"))
    journal.replace([], "14", another_history=False)
    assert journal.changes(None).mark == 15
    journal.replace([], "20", another_history=False)
    assert journal.changes(None).mark == 20

    journal.replace([], "7", another_history=True)

    assert journal.changes(None).mark == 7


def test_a_list_from_an_old_cache_keeps_what_was_written_since(journal: Journal) -> None:
    other = Key("team-a", "deleted")
    journal.put(registry("11", "u2", other))
    journal.put(registry("20"))
    journal.remove(other, "u2")

    journal.replace([registry("11", "u2", other), registry("15")], "15", another_history=False)

    assert versions(journal) == ["20"]


def test_a_list_takes_away_what_is_not_in_it(journal: Journal) -> None:
    journal.put(registry("11"))

    journal.replace([], "30", another_history=False)

    assert versions(journal) == []


def test_another_history_takes_everything_away(journal: Journal) -> None:
    journal.put(registry("500"))
    journal.remove(Key("team-a", "y"), "u2")

    journal.replace([registry("3", "u2", Key("team-a", "y"))], "5", another_history=True)

    assert versions(journal) == ["3"]


def test_who_is_too_far_behind_gets_everything(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    before = journal.changes(None).version
    for number in range(journals.REMEMBERED + 1):
        journal.put(registry(str(100 + number)))

    assert journal.changes(before).complete
    assert not journal.changes(journal.changes(None).version).complete


def test_nothing_is_known_before_everybody_has_listed() -> None:
    journal = Journal(["registries", "namespaces"], patience=0.05)
    journal.sign("registries")
    with pytest.raises(Unavailable, match="cluster_timeout"):
        journal.changes(None)

    journal.lost("namespaces", "cluster_token")
    with pytest.raises(Unavailable, match="cluster_token"):
        journal.changes(None)

    journal.sign("namespaces")
    assert journal.changes(None).complete


def test_how_old_it_is_counts_from_when_all_was_well(journal: Journal) -> None:
    assert not journal.freshness().away
    journal.lost("pulse", "cluster_away")
    known = journal.freshness()
    journal.sign("registries")

    assert known.as_of is not None
    assert journal.freshness() == known, "one that is heard of does not make up for one that is not"
    journal.sign("pulse")
    assert not journal.freshness().away


def test_how_long_the_server_has_been_answering_is_known(journal: Journal) -> None:
    assert journal.freshness().steady == inf
    journal.lost("registries", "cluster_forbidden")
    assert journal.freshness().steady == inf, "a refusal is an answer"

    journal.lost("registries", "cluster_away")
    journal.sign("registries")

    assert not journal.freshness().away
    assert journal.freshness().steady < 5


@pytest.mark.parametrize("error", [Forbidden("x"), Unavailable("x", "cluster_forbidden")])
@pytest.mark.parametrize(("steady", "waits"), [(1.0, True), (inf, False)])
def test_a_refusal_soon_after_it_was_away_is_not_believed_by_a_run_that_saw_nothing_of_it(
    error: ConsoleError, steady: float, waits: bool
) -> None:
    assert RetryPolicy(lambda: Freshness(steady=steady)).allows(error) is waits
