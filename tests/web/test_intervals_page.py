"""The dialogs of check intervals: who may change them, what they show, and what they leave behind."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registries.domain.access import Role
from registries.models import AuditEntry, CheckInterval, ScheduledCredential, Silence
from registries.people.grants import set_grant
from registries.probe.result import Reason, Result
from registries.schedule.rows import observe
from registries.wiring import services
from tests.cast import Cast

HX = {"hx_request": "true"}
ONE, ALL = "/registries/team-a/harbor-prod/interval/", "/namespaces/team-a/interval/"
HOUR = timedelta(hours=1)


def english(cast: Cast, person: str, **values: str) -> Client:
    client = cast.client(person, **values)
    client.cookies["django_language"] = "en"
    return client


def options(page: str) -> dict[str, str]:
    """The choices by value; the selected one has a star."""
    found = re.findall(r'<option value="(\w+)"( selected)?>([^<]+)</option>', page)
    return {value: ("*" if selected else "") + text for value, selected, text in found}


def choose(cast: Cast, path: str, interval: str, person: str = "omar") -> Any:
    return cast.client(person, **HX).post(path, {"interval": interval})


@pytest.mark.parametrize(
    ("person", "status"), [("olive", 200), ("nina", 200), ("omar", 200), ("vic", 403), ("sam", 404)]
)
@pytest.mark.parametrize("path", [ONE, ALL])
def test_who_may_change_an_interval(cast: Cast, path: str, person: str, status: int) -> None:
    cast.add()
    assert choose(cast, path, "1h", person).status_code == status
    assert CheckInterval.objects.count() == (status == 200)
    page = cast.client(person).get("/registries/team-a/harbor-prod/").content.decode()
    assert ('id="interval-link"' in page) == (status == 200)


@pytest.mark.parametrize("path", ["/namespaces/nowhere/interval/", "/registries/team-a/nothing/interval/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_is_chosen_for_what_does_not_exist(cast: Cast, path: str, method: str) -> None:
    answer = getattr(cast.client("olive", **HX), method)(path, {"interval": "1h"})
    assert answer.status_code == 404
    assert not CheckInterval.objects.exists()


@pytest.mark.parametrize(
    "typed", ["", "30m", "8d", "-1h", "1", "h", "999999999999h", "6 h", "６h", "None", "x" * 9_999]
)
@pytest.mark.parametrize("path", [ONE, ALL])
def test_another_interval_is_refused(cast: Cast, path: str, typed: str) -> None:
    cast.add()
    answer = choose(cast, path, typed)
    assert answer.status_code == 422
    assert 'id="error-summary"' in answer.content.decode()
    assert not CheckInterval.objects.exists()


def test_the_dialog_shows_what_is_inherited_and_what_is_chosen(cast: Cast, settings: Any) -> None:
    settings.CHECK_INTERVAL = "90m"
    cast.add()
    client = english(cast, "omar", **HX)

    def shown(path: str) -> dict[str, str]:
        return options(client.get(path).content.decode())

    assert shown(ALL)["inherited"] == "*Default: every 90 min"
    assert list(shown(ONE)) == ["inherited", "off", "1h", "3h", "6h", "12h", "1d", "2d", "7d"]
    choose(cast, ALL, "12h")
    assert shown(ALL)["12h"] == "*Every 12 h"
    assert shown(ONE)["inherited"] == "*As the namespace: every 12 h"
    choose(cast, ONE, "off")
    assert shown(ONE)["off"] == "*Off"
    choose(cast, ONE, "100m")
    assert shown(ONE)["100m"] == "*Every 100 min", "one that another client chose stays"
    choose(cast, ONE, "inherited")
    assert shown(ONE)["inherited"] == "*As the namespace: every 12 h"
    choose(cast, ALL, "inherited")
    assert not CheckInterval.objects.exists()


def test_the_details_page_says_how_often_and_why(cast: Cast) -> None:
    cast.add()
    cast.add("copy", "team-b")

    def shown() -> str:
        services().schedule.placing.update(timezone.now())
        page = english(cast, "omar").get("/registries/team-a/harbor-prod/").content.decode()
        found = re.search(r'<p class="watched-next muted">(.*?)<a', page, re.DOTALL)
        assert found
        return " ".join(found[1].split())

    assert re.fullmatch(r"Checked every 6 h; .* · default", shown())
    choose(cast, ALL, "3h")
    assert re.fullmatch(r"Checked every 3 h; .* · as the namespace", shown())
    choose(cast, ONE, "1h")
    assert re.fullmatch(r"Checked every 1 h; .* · chosen for this registry", shown())
    choose(cast, ONE, "off")
    assert shown() == "Scheduled checks are off · chosen for this registry", (
        "they were not tested together yet"
    )
    choose(cast, ONE, "1h")
    ScheduledCredential.objects.update(due_at=timezone.now())
    observe(cast.find(), Result(Reason.OK), timezone.now())
    choose(cast, ONE, "off")
    assert re.fullmatch(r"Checked every 6 h; .* · as another registry with this credential", shown())
    choose(cast, "/namespaces/team-b/interval/", "off", "olive")
    assert shown() == "Scheduled checks are off · chosen for this registry"


def test_a_change_is_in_the_log_and_among_the_events(cast: Cast) -> None:
    it = cast.add()
    for path in (ONE, ALL):
        for typed in ("12h", "off", "inherited"):
            choose(cast, path, typed)
    log = english(cast, "nina").get("/journal/?action=interval").content.decode()
    for text in (
        "Set the check interval to 12h",
        "Turned the scheduled checks off",
        "Reset the check interval",
    ):
        assert log.count(text) == 2
    entries = AuditEntry.objects.filter(action="interval", namespace="team-a", outcome="ok")
    assert entries.count() == 6
    assert entries.filter(uid=it.uid, name="harbor-prod").count() == 3
    page = english(cast, "omar").get("/registries/team-a/harbor-prod/").content.decode()
    assert page.count('<span class="event-what">Check interval</span>') == 3


def test_the_page_of_namespaces_shows_the_intervals_of_ones_own(cast: Cast) -> None:
    choose(cast, ALL, "12h")
    for person, names in (("olive", {"team-a", "team-b"}), ("nina", {"team-a"}), ("omar", {"team-a"})):
        page = english(cast, person).get("/namespaces/").content.decode()
        assert set(re.findall(r'href="/namespaces/([\w-]+)/interval/"', page)) == names
        assert "Every 12 h" in page
        assert ("Every 6 h" in page) == (person == "olive")
        assert ("/delete/" in page) == ("/namespaces/-/add/" in page) == (person == "olive")
        assert 'href="/namespaces/"' in page, "in the navigation"
    set_grant(cast.users["vic"], "team-b", Role.OPERATOR)
    page = english(cast, "vic").get("/namespaces/").content.decode()
    assert set(re.findall(r'href="/namespaces/([\w-]+)/interval/"', page)) == {"team-b"}, (
        "vic looks at team-a"
    )


def test_a_later_namespace_of_the_name_inherits_neither_interval_nor_silence(cast: Cast) -> None:
    choose(cast, "/namespaces/team-b/interval/", "off", "olive")
    now = timezone.now()
    Silence.objects.create(
        namespace="team-b", starts_at=now, ends_at=now + HOUR, reason="upgrade", person="olive"
    )
    assert cast.client("olive").post("/namespaces/team-b/delete/", {"confirm": "team-b"}).status_code == 302
    assert not CheckInterval.objects.exists()
    assert not Silence.objects.exists()
