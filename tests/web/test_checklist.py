"""The checklist of the overview: what needs attention, with the first registries of each line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registries.domain.resource import certificate_annotations, password_annotations
from registries.index.survey import Survey
from registries.probe.reason import Reason
from registries.wiring import services
from tests.cast import Cast
from tests.web.overview_pages import page, part, verified


def test_the_checklist_counts_each_kind(cast: Cast) -> None:
    today = datetime.now(UTC).date()
    for number, days in enumerate((-3, 5, 9, 60)):
        expires = (today + timedelta(days=days)).isoformat()
        verified(cast, f"dated-{number}", Reason.OK, expires_at=expires)
    served = verified(cast, "served", Reason.OK)
    ends = datetime.now(UTC) + timedelta(days=7, hours=1)
    services().store.annotate(served.key, certificate_annotations(ends), uid=served.uid)
    verified(cast, "open-door", Reason.OK_UNVERIFIED)
    verified(cast, "old-news", Reason.OK, ago=timedelta(days=9))
    cast.add("plain", domain="http://plain.example.com")
    cast.add("trusting", tls="skip", skip_tls_verify="1")
    shown = part(page(cast), "checklist")

    lines = [line.partition("</li>")[0] for line in shown.split('class="task')[1:]]

    def count(text: str) -> int:
        line = next(it for it in lines if text in it)
        return int(line.partition("</strong>")[0].rpartition(">")[2])

    assert count("Expires soon") == 4
    assert shown.index("dated-0") < shown.index("dated-1"), "the first to expire comes first"
    assert "dated-3" not in shown
    everything = Survey.of(services().index.fresh().whole, datetime.now(UTC), None, 9).expiring
    assert [it.name for it in everything.first] == ["dated-0", "dated-1", "served", "dated-2"]
    assert count("Not tested") == 2
    assert count("Out of date") == 1
    assert count("Password unverified") == 1
    assert count("Plain HTTP") == 1
    assert count("Certificate not verified") == 1
    assert count("older than 90 days") == 0


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_checklist_and_the_strip_have_one_word_for_one_count(cast: Cast, language: str) -> None:
    verified(cast, "open-door", Reason.OK_UNVERIFIED)
    verified(cast, "old-news", Reason.OK, ago=timedelta(days=9))
    cast.add("new")
    shown = page(cast, language=language)

    for status in ("untested", "unproven", "stale"):
        _, _, tile = part(shown, f"tile-{status}").partition("</svg>")
        _, _, task = part(shown, "checklist").partition(f"status={status}")
        assert task.partition("<")[0].partition(">")[2] == tile.partition("<")[0]


@pytest.mark.parametrize("kind", ["old-password", "unverified-certificate", "plain-http"])
def test_a_line_with_more_than_its_names_leads_to_all_of_them(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for number in range(4):
        cast.add(f"plain-{number}", domain=f"http://plain-{number}.example.com")
        cast.add(f"trusting-{number}", tls="skip", skip_tls_verify="1")
    later = datetime.now(UTC) + timedelta(days=91)
    monkeypatch.setattr("registries.web.lists.overview.timezone.now", lambda: later)
    young = cast.add("young")
    services().store.annotate(young.key, password_annotations(later, None), uid=young.uid)
    more = next(
        it for it in part(page(cast), "checklist").split("<a ")[1:] if f"has={kind}" in it and " more<" in it
    )
    shown = cast.client("olive").get(more.partition('href="')[2].partition('"')[0]).content.decode()
    starts = {"plain-http": ["plain"], "unverified-certificate": ["trusting"]}.get(
        kind, ["plain", "trusting"]
    )
    found = set(re.findall(r'href="/registries/team-a/([a-z0-9-]+)/', shown))
    assert found == {f"{start}-{number}" for start in starts for number in range(4)}
    assert f'name="has" value="{kind}"' in shown, "a search within them keeps the filter"


@pytest.mark.parametrize(
    ("limit", "age", "old"), [(90, 91, True), (90, 89, False), (30, 31, True), (0, 999, None)]
)
def test_the_age_of_a_password_is_a_setting(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch, limit: int, age: int, old: bool | None
) -> None:
    settings.PASSWORD_AGE_DAYS = limit
    verified(cast, "harbor-prod", Reason.OK)
    later = datetime.now(UTC) + timedelta(days=age)
    monkeypatch.setattr("registries.web.lists.overview.timezone.now", lambda: later)
    shown = part(page(cast), "checklist")
    assert ("older than" in shown) == (old is not None)
    assert ("harbor-prod" in shown) == bool(old)
