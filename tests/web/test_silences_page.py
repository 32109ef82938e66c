"""Silences on the pages: who may silence what, until when, and how it ends."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries.models import AuditEntry, Silence
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

    assert add(cast, name="harbor-prod").status_code == 200

    silence = Silence.objects.get()
    assert (silence.uid, silence.host, silence.namespace) == (it.uid, "", "team-a")
    page = cast.client("omar").get("/registries/team-a/harbor-prod/").content.decode()
    assert "等待至" in page
    assert "harbor-prod" in cast.client("nina").get("/channels/").content.decode()
    assert ADD not in cast.client("vic").get("/registries/team-a/harbor-prod/").content.decode()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"ends_at": ""}, "请选择"),
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
    assert add(cast, weekly="on", last_day=last, **times).status_code == 200
    silence = Silence.objects.get()
    assert silence.weekly
    assert timezone.localtime(silence.starts_at) == timezone.make_aware(
        datetime.fromisoformat(f"{day}T02:00")
    )
    assert "每周" in cast.client("nina").get("/channels/").content.decode()


def test_it_is_ended_by_who_may_and_stands_in_the_log(cast: Cast) -> None:
    add(cast)
    pk = Silence.objects.get().pk
    for person, status in (("sam", 404), ("vic", 403)):
        assert cast.client(person).post(f"/channels/-/silences/{pk}/end/").status_code == status
    assert cast.client("nina").post(f"/channels/-/silences/{pk}/end/").status_code == 302
    assert not Silence.objects.exists()
    log = cast.client("nina").get("/journal/?action=silence").content.decode()
    assert "结束了静默" in log
    assert AuditEntry.objects.filter(action="silence", namespace="team-a", outcome="ok").count() == 2


def test_nobody_sees_the_silences_of_other_namespaces(cast: Cast) -> None:
    add(cast, "olive", "team-b", reason="secret upgrade")
    for person in ("nina", "omar", "vic", "sam"):
        assert "secret upgrade" not in cast.client(person).get("/channels/").content.decode()
    assert "secret upgrade" in cast.client("olive").get("/channels/").content.decode()
