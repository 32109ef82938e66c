"""The last 30 days in the list: the strip of a row, its words, and what it costs."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registries.domain.registry import RegistrySecret
from registries.domain.resource import PREFIX, milliseconds
from registries.models import DayRecord, ScheduledCredential
from registries.web.lists import last_days
from registries.wiring import services
from tests.cast import Cast
from tests.web.watched_pages import plan, shown


def row(cast: Cast, path: str = "/registries/") -> str:
    client = cast.client("vic")
    client.cookies["django_language"] = "en"
    found = re.search(r"<tr id=.*?</tr>", client.get(path).content.decode(), re.DOTALL)
    assert found
    return found[0]


def fail(registry: RegistrySecret, days: int, reason: str = "timeout") -> None:
    at = timezone.now() - timedelta(minutes=7)
    notes = {"verify-status": "failed", "verify-reason": reason, "verify-timestamp": str(milliseconds(at))}
    patch: dict[str, str | None] = {PREFIX + name: value for name, value in notes.items()}
    services().store.annotate(registry.key, patch, uid=registry.uid)
    today = timezone.localdate()
    DayRecord.objects.bulk_create(
        DayRecord(uid=registry.uid, day=today - timedelta(days=it), ok=1, failed=it % 2, down=it % 3)
        for it in range(days)
    )


def test_a_row_says_since_when_it_fails_and_on_which_days(cast: Cast) -> None:
    registry = cast.add()
    assert "failing for" not in row(cast)
    assert "month" not in row(cast)
    fail(registry, 40)
    assert "7 minutes ago" in row(cast)
    plan(registry.uid, settled="failing", since=timezone.now() - timedelta(hours=3))

    for path in ("/registries/", "/registries/team-a/harbor-prod/row/"):
        shown = row(cast, path)
        assert "failing for 3 h" in shown
        assert "7 minutes ago" not in shown
        assert 'aria-label="30 days: 25 failed, 5 good"' in shown
        assert shown.count("V10") == 25
    ScheduledCredential.objects.update(since=timezone.now() - timedelta(hours=30))
    assert "failing for 30 h" in row(cast), "though its HTML was kept"
    DayRecord.objects.filter(day=timezone.localdate() - timedelta(days=1)).delete()
    last_days._months_kept.clear()
    assert row(cast).count("V10") == 24
    assert 'aria-label="30 days: 24 failed, 5 good, 1 not tested"' in row(cast)


@pytest.mark.parametrize(
    ("month", "good", "unproven", "bad", "text"),
    [
        ("o" * 30, "M0 9h90", "", "", "30 days: 0 failed, 30 good"),
        ("x" + "o" * 28 + "w", "M3 9h84", "", "M1 0V10M88 5V10", "30 days: 2 failed, 28 good"),
        ("-" * 28 + "ox", "M84 9h3", "", "M88 0V10", "30 days: 1 failed, 1 good, 28 not tested"),
        ("-" * 29 + "w", "", "", "M88 5V10", "30 days: 1 failed, 0 good, 29 not tested"),
        (
            "oo-" * 10,
            "".join(f"M{9 * it} 9h6" for it in range(10)),
            "",
            "",
            "30 days: 0 failed, 20 good, 10 not tested",
        ),
        (
            "uuo" + "w" * 27,
            "M6 9h3",
            "M0 9h6",
            "".join(f"M{3 * it + 1} 5V10" for it in range(3, 30)),
            "30 days: 27 failed, 3 good (2 with an unverified password)",
        ),
    ],
)
def test_a_strip_tells_its_days_by_height_and_in_words(
    cast: Cast, month: str, good: str, unproven: str, bad: str, text: str
) -> None:
    registry, today = cast.add(), timezone.localdate()
    fail(registry, 0)
    DayRecord.objects.bulk_create(
        DayRecord(
            uid=registry.uid,
            day=today - timedelta(days=29 - place),
            ok=mark != "x",
            unproven=mark == "u",
            failed=mark not in "ou",
            down=60 * (mark == "x"),
        )
        for place, mark in enumerate(month)
        if mark != "-"
    )
    paths = {"ok": good, "warn": unproven, "bad": bad}
    drawn = "".join(f'<path class="bar-{kind}" d="{path}"/>' for kind, path in paths.items() if path)
    strip = f'aria-label="{text}">{drawn}</svg>'
    assert strip in row(cast)
    card = (
        cast.client("vic", hx_request="true").get("/registries/team-a/harbor-prod/status/").content.decode()
    )
    assert f'">{drawn}</svg>' in card


@pytest.mark.parametrize(
    ("days_ago", "text"),
    [
        (0, "30 days: 1 failed, 0 good, 29 not tested"),
        (9, "30 days: 1 failed, 0 good, 29 not tested"),
        (31, ""),
    ],
)
def test_a_failure_that_lasts_looks_the_same_on_both_pages(cast: Cast, days_ago: int, text: str) -> None:
    """The day of the last test is bad, though its record has no second of the failure yet; later days have no test."""
    registry, at = cast.add(), timezone.now() - timedelta(days=days_ago)
    fail(registry, 0)
    DayRecord.objects.create(uid=registry.uid, day=timezone.localdate(at), failed=1)
    plan(registry.uid, settled="failing", since=at, tested_at=at)

    page = shown(cast)

    kinds = re.findall(r'<li class="day-(\w+)" title', page)
    if text:
        path = f"M{3 * (29 - days_ago) + 1} 0V10"
        assert f'aria-label="{text}"><path class="bar-bad" d="{path}"/>' in row(cast)
        assert f'aria-label="{text}"' in page
        assert kinds == ["idle"] * (29 - days_ago) + ["bad"] + ["idle"] * days_ago
    else:
        assert 'class="month"' not in row(cast)
        assert "No tests in the last 30 days." in page
    if days_ago == 9:
        assert "24 h no data 7 d no data" in page


def test_a_test_that_was_rate_limited_is_not_counted_and_both_pages_say_so(cast: Cast) -> None:
    registry = cast.add()
    fail(registry, 0, "rate_limited")
    assert "No tests in the last 30 days. The last test was rate limited: not counted" in shown(cast)
    DayRecord.objects.create(uid=registry.uid, day=timezone.localdate(), ok=1)
    last_days._months_kept.clear()

    said = "30 days: 0 failed, 1 good, 29 not tested · the last test was rate limited: not counted"
    assert f'aria-label="{said}"' in row(cast)
    assert ">Rate limited, credentials not checked</span>" in row(cast)
    assert "The last test was rate limited: not counted" in shown(cast)


def test_a_registry_without_a_test_has_no_strip(cast: Cast) -> None:
    registry = cast.add()
    assert "month" not in row(cast)
    fail(registry, 0)
    assert "month" not in row(cast), "tested by a person of another version, say"


def test_fifty_failing_rows_take_two_queries_and_few_bytes(cast: Cast) -> None:
    registries = [cast.add(f"r-{number}") for number in range(50)]
    client, path = cast.client("olive", hx_request="true"), "/registries/?size=50"
    with_days, queries = [], []
    for days in (0, 30):
        last_days._months_kept.clear()
        for number, registry in enumerate(registries):
            fail(registry, number % 30 if days else 0)
        with CaptureQueriesContext(connection) as captured:
            shown = client.get(path, headers={"Accept-Encoding": "br"})
        assert shown["Content-Encoding"] == "br"
        with_days.append(len(shown.content))
        assert sum("dayrecord" in it["sql"] for it in captured) == 1, "one for all rows"
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        queries.append(len(captured))

    assert queries == [7, 7], "six of the list, and since when: the days are kept for a minute"
    assert with_days[1] - with_days[0] < 50 * 40
    assert with_days[1] <= 8 * 1024
