"""Rows of the list are rendered once for all who see the same; whoever sees something else gets another one."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from registries.domain.registry import RegistrySecret
from registries.domain.resource import PREFIX, milliseconds
from registries.web.lists import list, rows
from registries.wiring import services
from tests.cast import Cast

LIST = "/registries/"
TESTED = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def registry(cast: Cast) -> RegistrySecret:
    return cast.add(display_name="生产")


def row(cast: Cast, person: str = "nina", language: str = "zh-hans") -> str:
    client = cast.client(person)
    client.cookies["django_language"] = language
    found = re.search(r"<tr id=.*?</tr>", client.get(LIST).content.decode(), re.DOTALL)
    assert found is not None
    return found[0]


def give_verdict(registry: RegistrySecret) -> None:
    notes = {"verify-status": "success", "verify-reason": "ok", "verify-timestamp": str(milliseconds(TESTED))}
    patch: dict[str, str | None] = {PREFIX + name: value for name, value in notes.items()}
    services().store.annotate(registry.key, patch, uid=registry.uid)


def test_it_is_rendered_once(cast: Cast, registry: RegistrySecret) -> None:
    first = row(cast)
    known = len(rows._rows)

    assert row(cast) == row(cast, "olive") == first
    assert len(rows._rows) == known


def test_what_one_may_do_is_ones_own(cast: Cast, registry: RegistrySecret) -> None:
    assert 'data-can="test edit password correct copy delete"' in row(cast, "nina")
    assert 'data-can="test edit"' in row(cast, "omar")
    assert 'data-can=""' in row(cast, "vic")


def test_so_is_the_language(cast: Cast, registry: RegistrySecret) -> None:
    assert "未测试" in row(cast)
    assert "Not tested" in row(cast, language="en")


def test_what_changes_is_seen(cast: Cast, registry: RegistrySecret) -> None:
    row(cast)
    patch: dict[str, str | None] = {PREFIX + "display-name": "改过的"}

    services().store.annotate(registry.key, patch, uid=registry.uid)

    assert "改过的" in row(cast)


def test_a_test_that_is_under_way_is_seen_until_it_is_over(cast: Cast, registry: RegistrySecret) -> None:
    before = row(cast)

    check, _ = services().tests.begin_test(access=cast.access("nina"), key=registry.key)

    assert re.search("load delay:(300ms|1s)", row(cast)), "the second one, when it takes long"
    services().tests.abandon_test(check=check)
    assert row(cast) == before


def test_time_passes(cast: Cast, registry: RegistrySecret, monkeypatch: pytest.MonkeyPatch) -> None:
    give_verdict(registry)

    def shown_at(now: datetime) -> str:
        clock = type("Clock", (datetime,), {"now": classmethod(lambda cls, zone: now)})
        monkeypatch.setattr(list, "datetime", clock)
        found = re.search(r'class="ago[^>]*>([^<]*)<', row(cast))
        assert found is not None
        return found[0]

    moments = [TESTED + timedelta(minutes=5), TESTED + timedelta(hours=5), TESTED + timedelta(days=8)]
    shown = [shown_at(moment) for moment in moments]
    assert len(set(shown)) == 3
    assert ["ago-stale" in it for it in shown] == [False, False, True]


def test_no_more_are_kept_than_there_is_room_for(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROWS_KEPT", 3)
    rows._rows.clear()
    for number in range(5):
        cast.add(f"r-{number}")

    page = cast.client("nina").get(LIST).content.decode()

    assert all(f"r-{number}" in page for number in range(5))
    assert len(rows._rows) <= 3
