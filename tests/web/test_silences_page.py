"""Silences on the pages: who may silence what, until when, and how it ends."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries.models import AuditEntry, Silence
from registries.schedule.silences import AT_MOST
from tests.cast import Cast

HX = {"hx_request": "true"}
ADD = "/channels/-/silences/add/"


def local(hours: float) -> str:
    return timezone.localtime(timezone.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


def add(cast: Cast, person: str = "omar", namespace: str = "team-a", **values: str) -> Any:
    typed = {"namespace": namespace, "ends_at": local(4), "reason": "升级", **values}
    return cast.client(person, **HX).post(ADD, typed)


@pytest.mark.parametrize(
    ("person", "namespace", "made"),
    [
        ("olive", "*", True),
        ("olive", "team-b", True),
        ("nina", "team-a", True),
        ("omar", "team-a", True),
        ("omar", "team-b", False),
        ("nina", "*", False),
        ("omar", "", False),
        ("vic", "team-a", False),
        ("sam", "team-a", False),
    ],
)
def test_who_may_silence_what(cast: Cast, person: str, namespace: str, made: bool) -> None:
    answer = add(cast, person, namespace)
    assert (answer.status_code < 300) == made
    assert Silence.objects.count() == int(made)


def test_the_form_proposes_two_hours(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)

    page = cast.client("omar").get(ADD).content.decode()

    assert f'name="ends_at" value="{local(2)}"' in page
    assert f'value="{local(2)}"' not in cast.client("omar").post(ADD, {"reason": "x"}).content.decode()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("", ""),
        (" ", ""),
        ("harbor.example.com", "harbor.example.com:443"),
        ("harbor.example.com:443", "harbor.example.com:443"),
        ("https://Harbor.Example.com/", "harbor.example.com:443"),
        ("http://h.example.com", "h.example.com:80"),
        ("docker.io", "registry-1.docker.io:443"),
        ("hub.docker.com", "registry-1.docker.io:443"),
        ("[2001:DB8::1]:5000", "[2001:db8::1]:5000"),
        ("harbor example com", None),
        ("user@h.example.com", None),
        ("h.example.com:99999", None),
        ("ftp://h.example.com", None),
        ("*", None),
        ("x" * 400, None),
    ],
)
def test_a_host_is_stored_as_the_schedule_knows_it_or_refused(
    cast: Cast, typed: str, stored: str | None
) -> None:
    answer = add(cast, host=typed)
    assert answer.status_code == (422 if stored is None else 200)
    assert [it.host for it in Silence.objects.all()] == ([] if stored is None else [stored])


@pytest.mark.parametrize("namespace", ["", "nowhere", "?"])
def test_an_administrator_silences_no_namespace_that_does_not_exist(cast: Cast, namespace: str) -> None:
    assert add(cast, "olive", namespace).status_code in (404, 422)
    assert not Silence.objects.exists()


def test_a_registry_is_silenced_from_its_page_which_says_so(cast: Cast) -> None:
    it = cast.add()
    page = cast.client("omar").get("/registries/team-a/harbor-prod/").content.decode()
    assert f"{ADD}?namespace=team-a&amp;name=harbor-prod" in page
    form = cast.client("omar", **HX).get(f"{ADD}?namespace=team-a&name=harbor-prod").content.decode()
    assert 'name="host"' not in form
    assert re.findall(r'name="(\w+)"[^>]* autofocus', form) == ["reason"], "all else is filled in"

    assert add(cast, name="harbor-prod").status_code == 200

    silence = Silence.objects.get()
    assert (silence.uid, silence.host, silence.namespace) == (it.uid, "", "team-a")
    page = cast.client("omar").get("/registries/team-a/harbor-prod/").content.decode()
    assert "静默至" in page
    assert "harbor-prod" in cast.client("nina").get("/channels/").content.decode()
    assert ADD not in cast.client("vic").get("/registries/team-a/harbor-prod/").content.decode()


def row(cast: Cast, person: str, name: str = "harbor-prod") -> str:
    page = cast.client(person).get("/registries/").content.decode()
    [found] = re.findall(rf'<tr id=(?:(?!</tr>).)*data-title="{name}".*?</tr>', page, re.DOTALL)
    return str(found)


OF_HOST = {"namespace": "", "host": "harbor.example.com:443"}
SCOPES: list[tuple[dict[str, str], bool, set[str]]] = [
    ({}, True, {"olive"}),
    ({"namespace": "team-a"}, True, {"olive", "nina", "omar"}),
    ({"namespace": "team-b"}, False, set()),
    (OF_HOST, True, {"olive"}),
    ({**OF_HOST, "namespace": "team-a"}, True, {"olive", "nina", "omar"}),
    ({"host": "other.example.com:443"}, False, set()),
    ({"namespace": "team-a", "uid": "another"}, False, set()),
    ({"namespace": "team-a", "uid": "its own"}, True, {"olive", "nina", "omar"}),
]


@pytest.mark.parametrize(("scope", "silenced", "who"), SCOPES)
def test_a_silenced_registry_has_a_mark_and_who_may_ends_it_there(
    cast: Cast, scope: dict[str, str], silenced: bool, who: set[str]
) -> None:
    it = cast.add()
    now = timezone.now()
    scope = {**scope, **({"uid": it.uid} if scope.get("uid") == "its own" else {})}
    silence = Silence.objects.create(
        **scope, starts_at=now, ends_at=now + timedelta(hours=4), reason="升级 17", person="olive"
    )
    end = f"{timezone.localtime(silence.ends_at):%Y-%m-%d %H:%M}"
    details = "/registries/team-a/harbor-prod/"
    for person in ("olive", "nina", "omar", "vic"):
        for shown in (row(cast, person), cast.client(person).get(f"{details}row/").content.decode()):
            assert ("#bell-off" in shown and "已静默" in shown and f"静默至 {end}" in shown) == silenced
        card = cast.client(person).get(f"{details}status/").content.decode()
        assert ("静默至" in card and end in card) == silenced
        page = cast.client(person).get(details).content.decode()
        messages = re.sub("<[^>]+>", "", page.partition('id="messages"')[2].partition("<form")[0])
        assert ("静默至" in page) == ("UTC" in messages.partition("</dd>")[0]) == silenced
        assert (f"/silences/{silence.pk}/end/" in page) == ("升级 17" in page) == (person in who)
    if "omar" in who:
        given = {"namespace": "team-a", "name": "harbor-prod"}
        answer = cast.client("omar").post(f"/channels/-/silences/{silence.pk}/end/", given)
        assert (answer.status_code, answer["Location"]) == (302, details)
        assert "已静默" not in row(cast, "omar"), "though its HTML was kept"


@pytest.mark.parametrize(("starts", "ends", "silenced"), [(-2, -1, False), (1, 2, False), (-1, 1, True)])
def test_only_a_silence_of_now_has_a_mark(cast: Cast, starts: int, ends: int, silenced: bool) -> None:
    cast.add()
    now, hour = timezone.now(), timedelta(hours=1)
    day = timezone.localdate() + timedelta(days=30)
    times = {"starts_at": now + starts * hour, "ends_at": now + ends * hour}
    for weekly in (False, True):
        Silence.objects.all().delete()
        Silence.objects.create(
            **times, weekly=weekly, last_day=day if weekly else None, reason="r", person="olive"
        )
        assert ("已静默" in row(cast, "vic")) == silenced


@pytest.mark.parametrize("name", ["nothing", "../x", "x" * 500])
def test_a_silence_is_not_ended_from_the_page_of_a_registry_that_does_not_exist(
    cast: Cast, name: str
) -> None:
    add(cast)
    pk = Silence.objects.get().pk
    answer = cast.client("nina").post(
        f"/channels/-/silences/{pk}/end/", {"namespace": "team-a", "name": name}
    )
    assert answer.status_code == 404
    assert Silence.objects.exists()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"ends_at": ""}, "此项必填"),
        ({"ends_at": "tomorrow"}, "请选择"),
        ({"ends_at": local(-1)}, "请选择"),
        ({"ends_at": local(31 * 24)}, "请选择"),
        ({"starts_at": local(5), "ends_at": local(4)}, "请选择"),
        ({"weekly": "on"}, "最后一天"),
        ({"weekly": "on", "last_day": "2200-01-01"}, "最后一天"),
        ({"reason": " "}, "此项必填"),
        ({"reason": "x" * 201}, "200"),
    ],
)
def test_what_is_wrong_is_told_and_loses_nothing(cast: Cast, values: dict[str, str], text: str) -> None:
    answer = add(cast, **{"reason": "版本升级", **values})
    assert answer.status_code == 422
    assert text in answer.content.decode()
    if "reason" not in values:
        assert "版本升级" in answer.content.decode()
    assert not Silence.objects.exists()


def test_a_weekly_window_is_in_the_consoles_zone(cast: Cast) -> None:
    day = timezone.localdate() + timedelta(days=2)
    last = (day + timedelta(days=90)).isoformat()
    times = {"starts_at": f"{day}T02:00", "ends_at": f"{day}T04:30"}
    field = (
        cast.client("omar").get(ADD).content.decode().partition('id="id_ends_at"')[2].partition("<input")[0]
    )
    assert "时间为 Asia/Shanghai 时区。" in field, "at the field, not below the form"
    assert add(cast, weekly="on", last_day=last, **times).status_code == 200
    silence = Silence.objects.get()
    assert silence.weekly
    assert timezone.localtime(silence.starts_at) == timezone.make_aware(
        datetime.fromisoformat(f"{day}T02:00")
    )
    shown = cast.client("nina").get("/channels/").content.decode()
    assert "每周" in shown
    assert f"{day} 02:00 – 04:30\n" in shown, "the day once"


def test_it_is_ended_by_who_may_and_stands_in_the_log(cast: Cast) -> None:
    add(cast)
    pk = Silence.objects.get().pk
    for person, status in (("sam", 404), ("vic", 403)):
        assert cast.client(person).post(f"/channels/-/silences/{pk}/end/").status_code == status
    assert cast.client("nina").post(f"/channels/-/silences/{pk}/end/").status_code == 302
    assert not Silence.objects.exists()
    log = cast.client("nina").get("/journal/?action=silence").content.decode()
    assert "结束静默" in log
    assert AuditEntry.objects.filter(action="silence", namespace="team-a", outcome="ok").count() == 2


def test_nobody_sees_the_silences_of_other_namespaces(cast: Cast) -> None:
    add(cast, "olive", "team-b", reason="secret upgrade")
    for person in ("nina", "omar", "vic", "sam"):
        assert "secret upgrade" not in cast.client(person).get("/channels/").content.decode()
    assert "secret upgrade" in cast.client("olive").get("/channels/").content.decode()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize(
    "typed",
    [
        {"starts_at": "0001-01-01T00:00", "ends_at": "0001-01-02T00:00", "weekly": "on"},
        {"starts_at": "0001-01-03T00:00", "ends_at": "0001-01-04T00:00", "weekly": "on"},
        {"starts_at": "9999-12-31T00:00", "ends_at": "9999-12-31T23:59", "weekly": "on"},
        {"starts_at": "9999-12-30T00:00", "ends_at": "9999-12-31T23:59"},
        {"starts_at": local(24 * 367), "ends_at": local(24 * 367 + 1)},
    ],
)
def test_a_start_far_away_is_refused(cast: Cast, settings: Any, zone: str, typed: dict[str, str]) -> None:
    settings.TIME_ZONE = zone
    with timezone.override(zone):
        last = timezone.localdate() + timedelta(days=100)
        answer = add(cast, **{"last_day": last.isoformat(), **typed})
    assert answer.status_code == 422
    assert not Silence.objects.exists()


def test_there_is_an_end_to_the_silences_of_a_namespace(cast: Cast) -> None:
    now = timezone.now()
    some = {"starts_at": now, "reason": "x", "person": "omar"}
    over = {"ends_at": now - timedelta(days=9), "namespace": "team-a"}
    later = {"ends_at": now + timedelta(hours=1)}
    gone = {"weekly": True, "last_day": timezone.localdate() - timedelta(days=9)}
    rows = [{**over, **gone}, over, {**later, "namespace": "team-b"}, {**later, "namespace": ""}]
    rows += [{**later, "namespace": "team-a"}] * (AT_MOST - 1)
    Silence.objects.bulk_create(Silence(**some, **it) for it in rows)  # type: ignore[misc]

    answers = [add(cast), add(cast)]

    assert [it.status_code for it in answers] == [200, 422]
    assert "50" in answers[1].content.decode()
    assert add(cast, "olive", "team-b").status_code == 200
