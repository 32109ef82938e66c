"""概览: the morning check on one page, for what a person may see and nothing else."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registries.domain.registry import RegistrySecret
from registries.models import Grant, NetworkIncident, ScheduledCredential, ScheduledRegistry, StateChange
from registries.probe.reason import Reason
from registries.schedule.recent import grouped, turns
from registries.schedule.state import State
from registries.wiring import services
from tests.cast import Cast
from tests.web.overview_pages import HOUR, PATH, page, part, verified


def change(
    it: RegistrySecret, before: str, after: str, reason: Reason, ago: timedelta = HOUR, uid: str = ""
) -> None:
    StateChange.objects.create(
        uid=uid or it.uid,
        namespace=it.namespace,
        name=it.name,
        host=f"{it.domain}:443",
        at=datetime.now(UTC) - ago,
        before=before,
        after=after,
        reason=reason.value,
    )


def scheduled(it: RegistrySecret, **values: Any) -> None:
    row = ScheduledCredential.objects.create(
        digest=it.uid, host=f"{it.domain}:443", username="admin", **values
    )
    ScheduledRegistry.objects.create(
        uid=it.uid, namespace=it.namespace, name=it.name, fingerprint="x", credential=row
    )


def test_says_what_broke_and_what_recovered(cast: Cast) -> None:
    for number in range(4):
        it = verified(cast, f"harbor-{number}", Reason.BAD_CREDENTIALS, ("team-a", "team-b")[number % 2])
        change(it, "ok", "failing", Reason.BAD_CREDENTIALS)
    single = verified(cast, "quay-prod", Reason.TIMEOUT, domain="quay.example.com", display_name="Quay")
    change(single, "ok", "failing", Reason.TIMEOUT)
    scheduled(single, settled="failing", reason="timeout", since=datetime.now(UTC) - HOUR)
    back = verified(cast, "acr-prod", Reason.OK, domain="acr.example.com")
    change(back, "failing", "ok", Reason.OK)

    for language, cause, spread in (
        ("en", "Wrong user name or password", "4 registries in 2 namespaces"),
        ("zh-hans", "用户名或密码错误", "2 个命名空间的 4 个镜像源"),
    ):
        shown = page(cast, language=language)
        broken, recovered = part(shown, "broken"), part(shown, "recovered")
        assert broken.count('class="line"') == 2, "one line for each host and cause"
        for text in (cause, spread, "/registries/?q=harbor.example.com&amp;status=failed", "Quay"):
            assert text in broken
        assert "acr-prod" in recovered
        assert "acr-prod" not in broken
        assert "harbor.example.com" in part(shown, "failing"), "nobody knows since when"
        assert "quay.example.com" not in part(shown, "failing"), "it stands among what broke"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ([("ok", "failing")], "failing"),
        ([("new", "failing")], "failing"),
        ([("ok", "flapping")], "flapping"),
        ([("new", "ok")], None),
        ([("failing", "ok")], "ok"),
        ([("flapping", "ok")], "ok"),
        ([("failing", "failing")], None),
        ([("ok", "failing"), ("failing", "failing")], "failing"),
        ([("ok", "failing"), ("failing", "ok")], "ok"),
        ([("failing", "ok"), ("ok", "failing")], "failing"),
        ([("new", "ok"), ("ok", "failing"), ("failing", "failing")], "failing"),
    ],
)
def test_the_last_of_several_changes_counts(
    cast: Cast, changes: list[tuple[str, str]], state: str | None
) -> None:
    it, now = cast.add(), datetime.now(UTC)
    rows = [(it.uid, before, after, "timeout", now) for before, after in reversed(changes)]

    found = grouped(rows, {it.uid: it}.get)

    assert [turn.state for turn in found] == ([State(state)] if state else [])


def test_a_new_reason_is_the_one_that_is_told(cast: Cast) -> None:
    it, now = cast.add(), datetime.now(UTC)
    rows = [(it.uid, "failing", "failing", "timeout", now), (it.uid, "ok", "failing", "bad_credentials", now)]

    assert [turn.reason for turn in grouped(rows, {it.uid: it}.get)] == ["timeout"]


def test_shows_only_what_the_person_may_see(cast: Cast) -> None:
    own = verified(cast, "harbor-own", Reason.TIMEOUT, domain="own.example.com")
    other = verified(
        cast, "harbor-other", Reason.DNS_FAILED, "team-b", domain="other.example.com", expires_at="2020-01-01"
    )
    gone = "00000000-0000-0000-0000-000000000000"
    change(own, "ok", "failing", Reason.TIMEOUT)
    change(other, "ok", "failing", Reason.DNS_FAILED)
    change(own, "ok", "failing", Reason.DNS_FAILED, uid=gone)
    now = datetime.now(UTC)
    scheduled(own, settled="failing", reason="timeout", since=now - timedelta(hours=30))
    scheduled(other, settled="failing", reason="dns_failed", since=now - timedelta(days=3))

    for person in ("nina", "omar", "vic"):
        shown = page(cast, person)
        assert "harbor-own" in part(shown, "failing"), "a single registry is named, not its address"
        assert "own.example.com" not in part(shown, "failing")
        assert "for 30 h" in part(shown, "failing"), "a date would be yesterday, as one of the others"
        assert "harbor-own" in part(shown, "broken")
        for foreign in ("other.example.com", "harbor-other", "team-b", "Host name not found", "for 3 d"):
            assert foreign not in shown
    assert "harbor-other" in page(cast)
    assert part(page(cast), "broken").count('class="line"') == 2, "a deleted registry is left out"


def test_sam_and_an_empty_console_learn_what_to_do(cast: Cast) -> None:
    assert "No registry yet" in page(cast)
    assert "/registries/-/add/" in page(cast)
    verified(cast, "harbor-prod", Reason.TIMEOUT)
    NetworkIncident.objects.create(open=True, began_at=datetime.now(UTC), hosts=9, failed=9)
    shown = page(cast, "sam")
    assert "You have no role in any namespace" in shown
    assert "harbor" not in shown


@pytest.mark.parametrize(
    ("reasons", "ago", "english", "chinese"),
    [
        ([Reason.OK] * 3, HOUR / 4, "All 3 registries work.", "镜像源全部连接正常，共 3 个。"),
        ([Reason.OK], HOUR / 4, "The registry works.", "该镜像源连接正常。"),
        ([Reason.OK, None], HOUR / 4, "No registry fails.", "没有连接失败的镜像源。"),
        ([Reason.OK] * 2, timedelta(days=8), "No registry fails.", "没有连接失败的镜像源。"),
        ([Reason.OK, Reason.TIMEOUT], HOUR / 4, "", ""),
    ],
)
def test_good_news_is_no_better_than_it_is(
    cast: Cast, reasons: Iterable[Reason | None], ago: timedelta, english: str, chinese: str
) -> None:
    for number, reason in enumerate(reasons):
        if reason:
            verified(cast, f"r{number}", reason, ago=ago)
        else:
            cast.add(f"r{number}")

    for language, text in (("en", english), ("zh-hans", chinese)):
        calm = part(page(cast, language=language), "calm")
        assert text in calm
        assert bool(calm) == bool(text)
    assert ("15 minutes ago" in page(cast)) == (ago < HOUR)


def test_a_calm_page_has_the_latest_tests_and_the_next_to_expire(cast: Cast) -> None:
    today = datetime.now(UTC).date()
    for number in range(7):
        days = {"expires_at": (today + timedelta(days=90 - number)).isoformat()} if number < 2 else {}
        verified(cast, f"r{number}", Reason.OK, ("team-a", "team-b")[number % 2], ago=number * HOUR, **days)

    shown = page(cast)
    assert re.findall(r">(r\d)</a>", part(shown, "newest-tests")) == ["r0", "r1", "r2", "r3", "r4"]
    assert re.findall(r">(r\d)</a>", part(shown, "next-to-expire")) == ["r1", "r0"]
    assert "Expires in 89 days" in part(shown, "next-to-expire")
    assert "Nothing to do." in part(shown, "calm")
    assert "r1" not in page(cast, "vic"), "team-b is not hers"

    cast.add("plain", domain="http://plain.example.com")
    assert "Nothing to do." not in part(page(cast), "calm")
    verified(cast, "down", Reason.TIMEOUT)
    shown = page(cast)
    assert [part(shown, name) for name in ("newest-tests", "next-to-expire")] == ["", ""]


@pytest.mark.parametrize(
    ("interval", "due", "text"),
    [
        ("off", None, "Scheduled checks are off."),
        ("6h", None, "No scheduled check is due."),
        ("6h", timedelta(minutes=14, seconds=30), "Next check in 14 minutes."),
        ("6h", timedelta(hours=2, seconds=30), "Next check in 2 hours."),
        ("6h", timedelta(0), "The next check is due now."),
        ("6h", -timedelta(minutes=30), "1 scheduled check is late."),
    ],
)
def test_says_when_the_next_check_comes(
    cast: Cast, settings: Any, interval: str, due: timedelta | None, text: str
) -> None:
    settings.CHECK_INTERVAL = interval
    it = verified(cast, "harbor-prod", Reason.OK)
    scheduled(it, settled="ok", due_at=datetime.now(UTC) + due if due is not None else None)
    for person in ("olive", "vic"):
        assert text in page(cast, person)


def test_an_incident_of_the_network_is_told(cast: Cast) -> None:
    verified(cast, "harbor-prod", Reason.OK)
    assert "own network" not in page(cast)
    NetworkIncident.objects.create(open=True, began_at=datetime.now(UTC) - HOUR, hosts=9, failed=9)
    assert "own network" in page(cast, "vic")


def test_what_broke_last_is_first_and_the_rest_counted(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, namespace in product(range(8), ("team-a", "team-b")):
        it = verified(cast, f"r{number}", Reason.TIMEOUT, namespace, domain=f"h{number}.example.com")
        change(it, "ok", "failing", Reason.TIMEOUT)
        if number:
            since = datetime.now(UTC) - (40 - number) * HOUR
            scheduled(it, settled="failing", reason="timeout", since=since)
    for person, few, kind, more in (("olive", 0, "h", 6), ("vic", 500, "r", 3)):
        monkeypatch.setattr("registries.web.lists.overview.FEW", few)
        shown = page(cast, person)
        titles = re.findall(r'title="([hr]\d)[."]', part(shown, "failing"))
        assert titles == [f"{kind}{number}" for number in (7, 6, 5, 4, 3)], "a single one has its name"
        for panel in ("broken", "failing"):
            rest = f'<a href="/registries/?status=failed">{more} more registries</a>'
            assert rest in part(shown, panel), "three lines"


def test_what_broke_today_without_a_change_stands_among_what_broke(cast: Cast) -> None:
    now = datetime.now(UTC)
    for name, ago in (("new", 5 * HOUR), ("old", 50 * HOUR)):
        it = verified(cast, name, Reason.TIMEOUT, domain=f"{name}.example.com")
        scheduled(it, settled="failing", reason="timeout", since=now - ago)
    shown = page(cast)
    for part_of, path, time, other in (
        ("broken", "/registries/team-a/new/", "5 hours ago", "/old/"),
        ("failing", "/registries/team-a/old/", "for 2 d", "/new/"),
    ):
        assert path in part(shown, part_of)
        assert time in part(shown, part_of)
        assert other not in part(shown, part_of)

    verified(cast, "unknown", Reason.TIMEOUT, domain="unknown.example.com")

    assert "for 2 d" not in part(page(cast), "failing"), "one time beside none reads as a fault"


def test_says_when_not_every_change_was_read(cast: Cast) -> None:
    it = verified(cast, "harbor-prod", Reason.TIMEOUT)
    for _ in range(3):
        change(it, "ok", "failing", Reason.TIMEOUT)
    since = datetime.now(UTC) - 24 * HOUR

    assert [turns(since, {it.uid: it}.get, None, most)[1] for most in (2, 3, 4)] == [True, True, False]


def test_what_is_kept_for_a_minute_ends_with_any_change(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at what has not changed reads no history and counts nothing again."""
    for number in range(20):
        it = verified(cast, f"r-{number:02}", Reason.TIMEOUT, ("team-a", "team-b")[number % 2])
        change(it, "ok", "failing", Reason.TIMEOUT)
    first = page(cast)
    with CaptureQueriesContext(connection) as captured:
        again = page(cast)
    assert part(again, "broken") == part(first, "broken")
    history = [it["sql"] for it in captured if "statechange" in it["sql"]]
    assert [it.endswith("LIMIT 1") for it in history] == [True], history

    assert "10 registries in one namespace" in part(page(cast, "vic"), "broken"), "others see their own"
    change(it, "failing", "ok", Reason.OK, ago=HOUR / 60)
    assert it.name in part(page(cast), "recovered"), "a change of state at once"
    verified(cast, "another", Reason.OK, domain="quay.example.com")
    assert 'class="tile-count">21<' in page(cast), "a registry too"
    monkeypatch.setattr("registries.web.lists.overview.timezone.now", lambda: datetime.now(UTC) + 25 * HOUR)
    assert not part(page(cast), "recovered"), "and time passes"


def test_takes_seven_queries(cast: Cast) -> None:
    for number in range(6):
        it = verified(cast, f"r{number}", Reason.TIMEOUT, ("team-a", "team-b")[number % 2])
        change(it, "ok", "failing", Reason.TIMEOUT)
        scheduled(it, settled="failing", reason="timeout")
    for person in ("olive", "vic"):
        client = cast.client(person)
        client.get(PATH)
        with CaptureQueriesContext(connection) as captured:
            client.get(PATH)
        # the session, the person, the grants, the version of the store; the changes, the next check, the incident
        assert len(captured) == 7


def test_the_namespaces_that_are_left_out_are_a_link_for_those_who_may_open_their_page(cast: Cast) -> None:
    spaces = [f"space-{number}" for number in range(8)]
    for name in spaces:
        services().registries.create_namespace(access=cast.access("olive"), name=name)
        cast.add("harbor-prod", namespace=name)

    assert '<a href="/namespaces/">2 more namespaces</a>' in part(page(cast), "shares")

    for name in spaces:
        Grant.objects.create(user=cast.users["vic"], namespace=name, role="image-viewer")
    assert "2 more namespaces</li>" in part(page(cast, "vic"), "shares")
