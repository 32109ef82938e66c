"""What the details page says of the scheduled checks: days, availability, changes of state, the next check."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from registries.domain.registry import RegistrySecret
from registries.domain.resource import PREFIX, milliseconds
from registries.models import DayRecord, ScheduledCredential, ScheduledRegistry, StateChange
from registries.web.lists import last_days
from registries.web.registry import watched
from registries.wiring import services
from tests.cast import Cast


def shown(cast: Cast) -> str:
    client = cast.client("vic")
    client.cookies["django_language"] = "en"
    page = client.get("/registries/team-a/harbor-prod/").content.decode()
    found = re.search(r'<section[^>]*id="watched".*?</section>', page, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) + found[0]


def plan(uid: str, **values: object) -> None:
    credential = ScheduledCredential.objects.create(digest=uid, host="h:443", username="u", **values)
    ScheduledRegistry.objects.create(
        uid=uid, namespace="team-a", name="harbor-prod", fingerprint="", credential=credential
    )


def test_without_a_test_it_says_so(cast: Cast) -> None:
    cast.add()
    assert "No scheduled check is planned No tests in the last 30 days." in shown(cast)


def test_without_an_interval_it_says_so(cast: Cast, settings: Any) -> None:
    settings.CHECK_INTERVAL = "off"
    cast.add()
    assert "Scheduled checks are off · default" in shown(cast)


@pytest.mark.parametrize(
    ("interval", "wait", "text"),
    [
        (None, None, "Scheduled checks are off"),
        (21_600, timedelta(hours=3), "Checked every 6 h; next check in 3 h"),
        (7 * 86_400, timedelta(days=5), "Checked every 7 d; next check in 5 d"),
        (5_400, timedelta(minutes=5), "Checked every 90 min; next check in 5 min"),
        (3_600, timedelta(minutes=5), "Checked every 1 h; next check in 5 min"),
        (3_600, timedelta(seconds=39), "next check in 1 min"),
        (3_600, -timedelta(seconds=23), "the next check is due"),
    ],
)
def test_the_next_check(cast: Cast, interval: int | None, wait: timedelta | None, text: str) -> None:
    due_at = timezone.now() + wait + timedelta(seconds=20) if wait else None
    plan(cast.add().uid, interval=interval, due_at=due_at)
    assert text in shown(cast)


@pytest.mark.parametrize(
    ("recent", "reason", "seldom"),
    [
        ("+x", "bad_credentials", True),
        ("+-", "timeout", False),
        ("+x", "rate_limited", True),
        ("x+", "rate_limited", False),
    ],
)
def test_a_refused_credential_is_checked_less_often(
    cast: Cast, recent: str, reason: str, seldom: bool
) -> None:
    due_at = timezone.now() + timedelta(hours=21)
    plan(cast.add().uid, interval=21_600, due_at=due_at, recent=recent, tested_reason=reason)
    found = shown(cast)
    assert "next check in 21 h" in found or "next check in 20 h" in found
    assert ("less often while it is refused" in found) is seldom


def test_a_failure_that_goes_on_for_another_reason_is_no_change_of_state(cast: Cast) -> None:
    known = {"uid": cast.add().uid, "namespace": "team-a", "name": "harbor-prod", "host": "h"}
    for ago, before, reason in ((2, "ok", "timeout"), (1, "failing", "bad_credentials")):
        at = timezone.now() - timedelta(days=ago)
        StateChange.objects.create(**known, reason=reason, at=at, before=before, after="failing")

    page = shown(cast)

    assert "Failed, new reason Wrong user name or password" in page
    assert "Connected → Failed" in page
    assert "Failed → Failed" not in page


@pytest.mark.parametrize(
    ("state", "text", "share"),
    [("ok", "First test: Connected", "100%"), ("failing", "First test: Failed", "0%")],
)
def test_the_first_test_is_no_change_and_the_hours_before_it_count_for_nothing(
    cast: Cast, state: str, text: str, share: str
) -> None:
    noon = timezone.localtime().replace(hour=12, minute=0)
    registry, at = replace(cast.add(), created_at=noon - timedelta(hours=5)), noon - timedelta(hours=1)
    known = {"uid": registry.uid, "namespace": "team-a", "name": "harbor-prod", "host": "h"}
    StateChange.objects.create(**known, reason="timeout", at=at, before="new", after=state)
    good = state == "ok"
    DayRecord.objects.create(uid=registry.uid, day=noon.date(), ok=good, failed=not good)
    plan(registry.uid, settled=state, since=at, tested_at=at)

    with override("en"):
        found = watched.of(registry, noon)
        assert [it.text for it in found.turns] == [text]

    assert {it for _, it in found.availability} == {share}


def test_days_have_their_numbers_and_causes_in_words(cast: Cast) -> None:
    uid, now = cast.add().uid, timezone.now()
    today = timezone.localdate(now)
    numbers = {40: (4, 0, 0), 4: (4, 0, 0), 3: (4, 1, 0), 2: (0, 4, 86_400), 1: (2, 2, 7_200), 0: (4, 0, 0)}
    for ago, (ok, failed, down) in numbers.items():
        day, unproven = today - timedelta(days=ago), 3 * (ago == 4)
        DayRecord.objects.create(uid=uid, day=day, ok=ok, unproven=unproven, failed=failed, down=down)
    for ago, before, after, reason in (
        (2, "ok", "failing", "timeout"),
        (1, "failing", "ok", "ok"),
    ):
        StateChange.objects.create(
            uid=uid,
            namespace="team-a",
            name="harbor-prod",
            host="h",
            reason=reason,
            at=now - timedelta(days=ago),
            before=before,
            after=after,
        )

    page = shown(cast)

    days = re.findall(r'<li class="day-(\w+)" title="([^"]+)"', page)
    assert [kind for kind, _ in days] == ["idle"] * 25 + ["warn", "some", "bad", "bad", "ok"]
    texts = [text.split(" · ", 1) for _, text in days]
    assert [day for day, _ in texts] == [str(today - timedelta(days=it)) for it in range(29, -1, -1)]
    assert [text for _, text in texts[-6:]] == [
        "no test",
        "4 connected · 3 with an unverified password",
        "4 connected · 1 failed",
        "4 failed · failing for 24 h · Timed out",
        "2 connected · 2 failed · failing for 2 h · Timed out",
        "4 connected",
    ]
    in_words = "30 days: 3 failed, 2 good, 25 not tested, 1 of these with an unverified password"
    assert f'<ol class="days" aria-label="{in_words}">' in page
    legend = re.sub(r"<[^>]+>|\s+", " ", page.split("days-key")[1].split("</ul>")[0])
    assert re.findall(r"[a-z]+(?: [a-z]+)*", legend)[-6:] == [
        "connected",
        "password unverified",
        "some tests failed",
        "not confirmed",
        "failing",
        "no test",
    ]
    assert "Connected → Failed Timed out" in page
    assert "Failed → Connected" in page


def test_a_failure_that_lasts_is_counted_and_100_percent_is_never_rounded_up(cast: Cast) -> None:
    uid, now = cast.add().uid, timezone.now()
    today = timezone.localdate(now)
    DayRecord.objects.bulk_create(
        DayRecord(uid=uid, day=today - timedelta(days=it), ok=4, down=60 if it == 5 else 0)
        for it in range(90)
    )
    assert "24 h 100% 7 d 99.99% 90 d 99.99%" in shown(cast)
    plan(uid, settled="failing", tested_at=now - timedelta(hours=12))
    assert re.search(r"24 h (49\.99|50\.00)% 7 d 92\.84%", shown(cast))


def row(cast: Cast, path: str = "/registries/") -> str:
    client = cast.client("vic")
    client.cookies["django_language"] = "en"
    found = re.search(r"<tr id=.*?</tr>", client.get(path).content.decode(), re.DOTALL)
    assert found
    return found[0]


def fail(registry: RegistrySecret, days: int) -> None:
    at = timezone.now() - timedelta(minutes=7)
    notes = {"verify-status": "failed", "verify-reason": "timeout", "verify-timestamp": str(milliseconds(at))}
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
            "30 days: 27 failed, 3 good, 2 of these with an unverified password",
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
