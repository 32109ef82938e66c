"""What the details page says of the scheduled checks: days, availability, changes of state, the next check."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from registries.models import DayRecord, StateChange
from registries.web.registry import watched
from tests.cast import Cast
from tests.web.watched_pages import plan, shown


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
    ("reason", "text", "said", "share"),
    [
        ("ok", "First test: Connected", "", "100%"),
        ("ok_unverified", "First test: Connected", "Password unverified", "100%"),
        ("timeout", "First test: Failed", "Timed out", "0%"),
    ],
)
def test_the_first_test_is_no_change_and_the_hours_before_it_count_for_nothing(
    cast: Cast, reason: str, text: str, said: str, share: str
) -> None:
    good = reason.startswith("ok")
    state, noon = "ok" if good else "failing", timezone.localtime().replace(hour=12, minute=0)
    registry, at = replace(cast.add(), created_at=noon - timedelta(hours=5)), noon - timedelta(hours=1)
    known = {"uid": registry.uid, "namespace": "team-a", "name": "harbor-prod", "host": "h"}
    StateChange.objects.create(**known, reason=reason, at=at, before="new", after=state)
    DayRecord.objects.create(uid=registry.uid, day=noon.date(), ok=good, failed=not good)
    plan(registry.uid, settled=state, since=at, tested_at=at)

    with override("en"):
        found = watched.of(registry, noon)
        assert [(it.text, it.reason) for it in found.turns] == [(text, said)]

    assert {it for _, it in found.availability} == {share}


@pytest.mark.parametrize(
    ("before", "after", "reason", "text"),
    [
        ("ok", "flapping", "ok", "Connected → Unstable 0"),
        ("ok", "flapping", "server_error", "Connected → Unstable Registry server error 0"),
        ("new", "ok", "ok_unverified", "First test: Connected Password unverified 0"),
    ],
)
def test_a_success_is_no_reason_of_a_change(
    cast: Cast, before: str, after: str, reason: str, text: str
) -> None:
    """A success that makes too many changes leads to the state "unstable" too."""
    at = timezone.now().replace(month=1, day=1)
    known = {"uid": cast.add().uid, "namespace": "team-a", "name": "harbor-prod", "host": "h"}
    StateChange.objects.create(**known, reason=reason, at=at, before=before, after=after)
    assert text in shown(cast)


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
    in_words = "30 days: 3 failed, 2 good (1 with an unverified password), 25 not tested"
    assert f'<ol class="days" aria-label="{in_words}">' in page
    legend = re.sub(r"<[^>]+>|\s+", " ", page.split("days-key")[1].split("</ul>")[0])
    assert re.findall(r"[a-z]+(?: [a-z]+)*", legend)[-7:] == [
        "connected",
        "password unverified",
        "some tests failed",
        "not confirmed",
        "not counted as downtime",
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
