"""A registry that asked to be left alone (Retry-After) hears nothing of a single test until then, wherever it is
begun."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registries import limits, wiring
from registries.domain.registry import VerifyStatus
from registries.models import AuditEntry, VerificationRecord
from tests.api.test_api import TEAM_A, post
from tests.cast import Cast, typed
from tests.peers.scripted import Reply, ScriptedServer, scripted

ROW = "/registries/team-a/harbor-prod/"
TRY = "/registries/-/try/"
Later = Callable[[], None]
API = f"{TEAM_A}/harbor-prod/verify"


@pytest.fixture
def busy(settings: Any) -> Iterator[ScriptedServer]:
    """A registry that asks everybody to come back in an hour."""
    settings.PROBE_ALLOW_LOOPBACK = True
    with scripted(lambda request: Reply(429, [("Retry-After", "3600")])) as server:
        yield server


@pytest.fixture(autouse=True)
def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Time stands still for pauses, but for a call of this."""
    clock = SimpleNamespace(at=timezone.now())
    monkeypatch.setattr(limits, "timezone", SimpleNamespace(now=lambda: clock.at))

    def later() -> None:
        clock.at += timedelta(hours=1)

    return later


def htmx(cast: Cast, language: str = "zh-hans") -> Client:
    client = cast.client("nina", hx_request="true")
    client.cookies["django_language"] = language
    return client


def test_what_the_dialog_hears_is_remembered_for_its_next_test(
    cast: Cast, busy: ScriptedServer, an_hour_later: Later
) -> None:
    client, values = htmx(cast), typed(domain=busy.address)

    first = client.post(TRY, values)
    asked = len(busy.requests)
    second = client.post(TRY, values)

    assert asked == 1
    assert (first.status_code, second.status_code) == (200, 429)
    assert "请 3600 秒后再试" in second.content.decode()
    assert "该仓库此前要求暂停访问，本次未发送任何请求" in second.content.decode()
    assert len(busy.requests) == asked
    assert AuditEntry.objects.filter(action="try").count() == 1
    client.post(TRY, {**values, "username": "somebody-else"})
    assert len(busy.requests) == asked + 1, "who was not told is not concerned"
    an_hour_later()
    client.post(TRY, values)
    assert len(busy.requests) == asked + 2


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("zh-hans", "请求过于频繁，请 3600 秒后再试。该仓库此前要求暂停访问，本次未发送任何请求"),
        (
            "en",
            "Rate limited; retry in 3600 s. The registry had asked for a pause, so no request was sent",
        ),
    ],
)
def test_a_row_is_not_tested_and_says_for_how_long(
    cast: Cast, busy: ScriptedServer, an_hour_later: Later, language: str, says: str
) -> None:
    cast.add(domain=busy.address)
    client = htmx(cast, language)
    client.post(f"{ROW}verify/")
    asked, before = len(busy.requests), cast.find().verification

    again = client.post(f"{ROW}verify/")

    assert again.status_code == 429
    assert json.loads(again["HX-Trigger"])["toast"]["text"] == says
    assert len(busy.requests) == asked
    assert cast.find().verification == before
    assert VerificationRecord.objects.count() == 1
    an_hour_later()
    client.post(f"{ROW}verify/")
    assert len(busy.requests) == asked + 1


def test_what_the_dialog_heard_holds_for_the_registry_that_is_added(cast: Cast, busy: ScriptedServer) -> None:
    client = htmx(cast)
    client.post(TRY, typed(domain=busy.address))

    assert client.post("/registries/-/add/", typed(domain=busy.address)).status_code == 204

    assert len(busy.requests) == 1
    assert cast.find().verification.status is VerifyStatus.UNTESTED


@pytest.mark.parametrize("stored", [True, False])
def test_the_api_gives_the_verdict_without_asking(cast: Cast, busy: ScriptedServer, stored: bool) -> None:
    cast.add(domain=busy.address)
    values = {name: typed(domain=busy.address)[name] for name in ("domain", "username", "password")}
    client, body = cast.api("nina"), None if stored else values
    post(client, API, body)
    asked, before = len(busy.requests), cast.find()

    response = post(client, API, body)

    found = response.json()
    assert (response.status_code, found["success"], found["reason"]) == (200, False, "rate_limited")
    assert (found["message"], found["cause"]) == ("请求过于频繁，请 3600 秒后再试", "left_alone")
    assert found["hint"].endswith("本次未发送任何请求")
    assert len(busy.requests) == asked == 1
    assert cast.find() == before


def test_a_test_that_is_not_made_does_not_count(
    cast: Cast, busy: ScriptedServer, an_hour_later: Later, settings: Any
) -> None:
    settings.TESTS_PER_MINUTE = 2
    wiring.reset()
    client, values = htmx(cast), typed(domain=busy.address)

    client.post(TRY, values)
    for _ in range(3):
        client.post(TRY, values)
    an_hour_later()

    client.post(TRY, values)
    assert len(busy.requests) == 2


def test_a_pause_of_one_namespace_is_neither_seen_nor_felt_in_another(
    cast: Cast, busy: ScriptedServer
) -> None:
    """Somebody else's tests of a shared host must not stop the tests of this namespace, nor show in them."""
    cast.add("mine", "team-b", domain=busy.address)
    hostile, olive = htmx(cast), cast.api("olive")
    hostile.post(TRY, typed(domain=busy.address))

    found = post(olive, f"{TEAM_A.replace('team-a', 'team-b')}/mine/verify", None).json()

    assert found["reason"] == "rate_limited"
    assert found["cause"] != "left_alone"
    assert len(busy.requests) == 2
    again = post(olive, f"{TEAM_A.replace('team-a', 'team-b')}/mine/verify", None).json()
    assert again["cause"] == "left_alone"
    assert len(busy.requests) == 2, "Retry-After holds where it was received"
