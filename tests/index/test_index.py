"""The index: what is listed, counted, searched and sorted, and that it follows the store."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from registries.domain.access import Access, Permission, Role
from registries.domain.query import Criteria, Filter, ListQuery, Page, Sort
from registries.domain.registry import Key, Provider, RegistrySecret, Removal, Verification, VerifyStatus
from registries.domain.resource import verification_annotations
from registries.index.snapshot import Snapshot
from registries.stores.base import Changes, Store
from registries.wiring import services
from tests.cast import Cast

NOW = datetime.now(UTC)
Pages = Callable[..., Page]


@pytest.fixture
def pages(cast: Cast) -> Pages:
    def page(person: str = "olive", **query: object) -> Page:
        fields = {
            name: query.pop(name)
            for name in list(query)
            if name in ("namespace", "text", "status", "provider")
        }
        asked = ListQuery(criteria=Criteria(**fields), **query)  # type: ignore[arg-type]
        return services().index.page(access=cast.access(person), query=asked)

    return page


def judge(registry: RegistrySecret, reason: str, days_ago: float = 0) -> None:
    status = VerifyStatus.SUCCESS if reason.startswith("ok") else VerifyStatus.FAILED
    verdict = Verification(status, reason, "", NOW - timedelta(days=days_ago))
    services().store.annotate(registry.key, verification_annotations(verdict), uid=registry.uid)


def names(page: Page) -> list[str]:
    return [it.name for it in page.items]


def test_the_order_is_namespace_then_name(cast: Cast, pages: Pages) -> None:
    for namespace, name in (("team-b", "a"), ("team-a", "z"), ("team-a", "b")):
        cast.add(name, namespace)

    assert [str(it.key) for it in pages().items] == ["team-a/b", "team-a/z", "team-b/a"]


@pytest.mark.parametrize("falls", [False, True])
@pytest.mark.parametrize("person", ["olive", "vic"])
def test_the_usual_order_compares_no_registries(
    cast: Cast, pages: Pages, monkeypatch: pytest.MonkeyPatch, person: str, falls: bool
) -> None:
    """A check that runs by itself changes the snapshot again and again: each list would sort everything."""
    for number in (3, 1, 2, 0):
        for namespace in ("team-b", "team-a"):
            cast.add(f"n{number}", namespace)
    expected = sorted((it.key for it in pages(person).items), reverse=falls)
    assert len(expected) == (8 if person == "olive" else 4)
    cast.add("another")
    services().index.fresh()
    expected = sorted([*expected, Key("team-a", "another")], reverse=falls)

    with monkeypatch.context() as patch:
        for compares in ("__lt__", "__gt__"):
            patch.delattr(Key, compares)
        found = [it.key for it in pages(person, descending=falls).items]

    assert found == expected


def test_only_what_may_be_seen_is_listed_and_counted(cast: Cast, pages: Pages) -> None:
    judge(cast.add("mine", "team-a"), "ok")
    judge(cast.add("theirs", "team-b"), "bad_credentials")

    page = pages("vic")

    assert names(page) == ["mine"]
    assert (page.total, page.tally.total, page.tally.failed) == (1, 1, 0)
    assert pages("sam").total == 0


def test_search_matches_name_display_name_and_domain_in_any_case(cast: Cast, pages: Pages) -> None:
    cast.add("harbor-prod", domain="one.example.com")
    cast.add("b", display_name="生产环境 HARBOR", domain="two.example.com")
    cast.add("c", domain="harbor.example.com")
    cast.add("d", domain="three.example.com", username="harbor", description="harbor")

    assert names(pages(text="Harbor")) == ["b", "c", "harbor-prod"]
    assert names(pages(text="生产")) == ["b"]


def test_counts_ignore_the_status_filter_and_add_up(cast: Cast, pages: Pages) -> None:
    judge(cast.add("a"), "ok")
    judge(cast.add("b"), "ok_unverified")
    judge(cast.add("c"), "timeout", days_ago=8)
    cast.add("d")

    page = pages(status=Filter.FAILED)

    assert names(page) == ["c"]
    tally = page.tally
    assert (tally.success, tally.failed, tally.untested, tally.unproven, tally.stale) == (2, 1, 1, 1, 1)
    assert tally.total == 4


@pytest.mark.parametrize(
    ("status", "expected"),
    [("success", ["a", "b"]), ("failed", ["c"]), ("untested", ["d"]), ("unproven", ["b"]), ("stale", ["c"])],
)
def test_each_status_can_be_filtered(cast: Cast, pages: Pages, status: str, expected: list[str]) -> None:
    judge(cast.add("a"), "ok")
    judge(cast.add("b"), "ok_unverified")
    judge(cast.add("c"), "timeout", days_ago=8)
    cast.add("d")

    page = pages(status=Filter(status))

    assert names(page) == expected
    assert page.total == len(expected)


def test_filters_work_together(cast: Cast, pages: Pages) -> None:
    judge(cast.add("a", provider="aliyun"), "ok")
    judge(cast.add("b", provider="harbor"), "ok")
    judge(cast.add("c", "team-b", provider="aliyun"), "ok")

    page = pages(namespace="team-a", provider=Provider.ALIYUN, status=Filter.SUCCESS, text="a")

    assert names(page) == ["a"]
    assert page.tally.total == 1


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort.NAME, ["a", "b", "c"]),
        (Sort.DOMAIN, ["c", "a", "b"]),
        (Sort.STATUS, ["b", "c", "a"]),
        (Sort.TESTED, ["c", "a", "b"]),
    ],
)
@pytest.mark.parametrize("person", ["olive", "vic"])
def test_every_order_and_its_reverse(
    cast: Cast, pages: Pages, sort: Sort, expected: list[str], person: str
) -> None:
    judge(cast.add("a", domain="m.example.com"), "ok", days_ago=2)
    judge(cast.add("b", domain="z.example.com"), "timeout", days_ago=1)
    cast.add("c", domain="a.example.com")

    assert names(pages(person, sort=sort)) == expected
    assert names(pages(person, sort=sort, descending=True)) == expected[::-1]


def test_pages_and_the_one_past_the_end(cast: Cast, pages: Pages) -> None:
    for number in range(5):
        cast.add(f"r{number}")

    second, past = pages(size=2, page=2), pages(size=2, page=99)

    assert (names(second), second.first, second.last, second.pages) == (["r2", "r3"], 3, 4, 3)
    assert (names(past), past.number) == (["r4"], 3)


def test_the_index_follows_every_kind_of_write(cast: Cast, pages: Pages) -> None:
    registry = cast.add("a")
    assert names(pages()) == ["a"]

    services().store.annotate(registry.key, {"theriseunion.io/display-name": "neu"}, uid=registry.uid)
    assert pages().items[0].display_name == "neu"

    services().store.delete(registry.key, uid=registry.uid)
    assert names(pages()) == []

    again = cast.add("a")
    assert pages().items[0].uid == again.uid != registry.uid


def test_a_deletion_that_is_told_late_does_not_hide_the_namesake(cast: Cast, pages: Pages) -> None:
    first = cast.add("a")
    assert names(pages()) == ["a"]
    services().store.delete(first.key, uid=first.uid)
    second = cast.add("a")

    assert [it.uid for it in pages().items] == [second.uid]


def test_news_of_an_old_deletion_do_not_remove_the_namesake(cast: Cast) -> None:
    """A watch may tell of it after the new one was seen."""
    cast.add("a")
    snapshot = Snapshot(None, frozenset(), {}).after(services().store.changes(None))

    later = snapshot.after(Changes("next", False, removed=(Removal(Key("team-a", "a"), "the-old-uid"),)))

    assert later.find(Key("team-a", "a"))


def test_the_version_of_a_page_changes_with_what_is_seen_only(cast: Cast, pages: Pages) -> None:
    registry = cast.add("a", "team-a")
    before = pages("vic").version

    other = cast.add("b", "team-b")
    services().store.delete(other.key, uid=other.uid)
    assert pages("vic").version == before

    judge(registry, "ok")
    changed = pages("vic").version
    assert changed != before

    services().store.delete(registry.key, uid=registry.uid)
    assert pages("vic").version not in (before, changed)


def test_a_namespace_counts_only_when_it_exists(cast: Cast) -> None:
    access = Access.from_grants("x", [("team-a", Role.ADMIN), ("long-gone", Role.ADMIN)])

    assert services().index.namespaces(access=access, permission=Permission.CREATE) == ("team-a",)


def test_what_is_kept_in_memory_holds_no_password(cast: Cast, pages: Pages) -> None:
    cast.add("a")
    found = services().index.matching(access=cast.access("olive"), criteria=Criteria())

    assert not hasattr(found[0], "password")
    assert found[0].key == Key("team-a", "a")


def test_of_many_watches_that_wake_up_one_asks_the_store(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    index, olive = services().index, cast.access("olive")
    place, _ = index.place_of(index.fresh().version or "") or (0, 0)
    cast.add("new")
    asked, changes = list[str | None](), type(services().store).changes

    def counted(store: Store, since: str | None) -> Changes:
        asked.append(since)
        return changes(store, since)

    monkeypatch.setattr(type(services().store), "changes", counted)
    told = [index.changes(olive, "", place) for _ in range(8)]

    assert all(news and [it.key.name for it in news.changes] == ["new"] for news in told)
    assert len(asked) == 1


def test_who_waits_for_a_change_hears_of_it_at_once(cast: Cast) -> None:
    index = services().index
    place, _ = index.place_of(index.fresh().version or "") or (0, 0)
    cast.add("new")
    begun = time.monotonic()

    index.wait(place, 20)

    assert time.monotonic() - begun < 10
    assert index.changes(cast.access("olive"), "", place)
