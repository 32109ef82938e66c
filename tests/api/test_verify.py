"""Verify through the API: what is stored and what is typed, and that a refusal by the registry is no error."""

import json
from typing import Any

import pytest

from registries import wiring
from registries.domain.registry import VerifyStatus
from registries.domain.resource import PREFIX
from registries.models import AuditEntry, VerificationRecord
from registries.probe import Reason, Result, registry_of
from registries.verification.history import Tested
from registries.wiring import services
from tests.api.test_api import TEAM_A, post
from tests.cast import Cast, Probing

PATH = f"{TEAM_A}/harbor-prod/verify"


@pytest.mark.parametrize("data", [None, {}])
def test_tests_what_is_stored_and_records_it(cast: Cast, probing: Probing, data: Any) -> None:
    cast.add(**probing("harbor"))

    response = post(cast.api("omar"), PATH, data)

    found = response.json()
    notes = json.loads(services().store.get(cast.find().key).document)["metadata"]["annotations"]
    assert response.status_code == 200
    assert (found["success"], found["message"], found["reason"]) == (True, "连接成功", "ok")
    assert found["timestamp"] == notes[PREFIX + "verify-timestamp"]
    assert notes[PREFIX + "verify-status"] == "success"
    assert isinstance(found["durationMs"], int)
    assert found["stages"]


def test_needs_no_content_type_without_a_body(cast: Cast, probing: Probing) -> None:
    cast.add(**probing("harbor"))

    response = cast.api("omar").post(PATH, "", content_type="application/x-www-form-urlencoded")

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("wrong-password", "bad_credentials"),
        ("access-denied", "access_denied"),
        ("down", "connection_refused"),
        ("server-error", "server_error"),
        ("rate-limited", "rate_limited"),
    ],
)
def test_what_the_registry_refuses_is_a_verdict(
    cast: Cast, probing: Probing, behaviour: str, reason: str
) -> None:
    cast.add(**probing(behaviour))

    response = post(cast.api("omar"), PATH)

    assert response.status_code == 200
    assert (response.json()["success"], response.json()["reason"]) == (False, reason)
    assert cast.find().verification.status is VerifyStatus.FAILED


def test_speaks_english_to_who_asks_for_it(cast: Cast, probing: Probing) -> None:
    cast.add(**probing("wrong-password"))
    client = cast.api("omar")

    said = client.post(
        PATH, "", content_type="application/json", headers={"accept-language": "en-GB,en;q=0.9"}
    )

    assert said.json()["message"] == "Wrong user name or password"
    assert cast.find().verification.message == "用户名或密码错误"


def test_tests_typed_values_and_records_nothing(cast: Cast, probing: Probing) -> None:
    before = cast.add()
    typed = probing("harbor")

    response = post(cast.api("omar"), PATH, typed)

    assert (response.json()["success"], response.json()["proven"]) == (True, True)
    assert cast.find() == before
    assert not VerificationRecord.objects.exists()
    assert AuditEntry.objects.filter(action="try", person="omar", note="ok").count() == 1


def test_tests_typed_values_before_there_is_a_registry(cast: Cast, probing: Probing) -> None:
    response = post(cast.api("omar"), f"{TEAM_A}/not-yet/verify", probing("wrong-password"))

    assert response.status_code == 200
    assert response.json()["reason"] == "bad_credentials"


def test_a_malformed_address_is_a_verdict(cast: Cast) -> None:
    response = post(cast.api("omar"), PATH, {"domain": "a b", "username": "u", "password": "p"})

    assert response.status_code == 200
    assert (response.json()["success"], response.json()["reason"]) == (False, "invalid_domain")


def test_typed_values_may_bring_how_the_certificate_is_believed(cast: Cast, probing: Probing) -> None:
    typed: dict[str, Any] = probing("self-signed")
    client = cast.api("omar")

    plain = post(client, PATH, typed).json()
    believed = post(client, PATH, {**typed, "skipTlsVerify": True}).json()

    assert (plain["reason"], believed["success"]) == ("tls_untrusted", True)


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"domain": "h.example.com"}, {"username", "password"}),
        ({"username": "u", "password": "p"}, {"domain"}),
        ({"domain": "h.example.com", "username": "u", "password": ""}, {"password"}),
        ({"domain": "h.example.com", "username": 7, "password": "p"}, {"username"}),
        (
            {"domain": "h.io", "username": "u", "password": "p", "caBundle": "x", "skipTlsVerify": 1},
            {"caBundle", "skipTlsVerify"},
        ),
        ({"host": "h.example.com"}, {"domain", "username", "password"}),
    ],
)
def test_takes_all_three_values_or_none(cast: Cast, data: dict[str, Any], fields: set[str]) -> None:
    before = cast.add()

    response = post(cast.api("omar"), PATH, data)

    assert response.status_code == 422
    assert {cause["field"] for cause in response.json()["details"]["causes"]} == fields
    assert cast.find() == before


def test_one_that_is_not_there_is_a_404(cast: Cast) -> None:
    assert post(cast.api("omar"), f"{TEAM_A}/nothing/verify").status_code == 404


def test_a_test_that_is_under_way_is_waited_for(cast: Cast) -> None:
    registry = cast.add()
    check, _ = services().tests.begin_test(access=cast.access("nina"), key=registry.key)
    services().history.finish(check, Result(Reason.OK))
    second, _ = services().tests.begin_test(access=cast.access("nina"), key=registry.key)
    found: list[Tested | None] = [services().history.outcome(second)]
    services().history.finish(second, Result(Reason.TIMEOUT))

    found.append(services().history.outcome(second))

    assert found[0] is None
    assert isinstance(found[1], Result)
    assert found[1].reason is Reason.TIMEOUT


def test_no_more_tests_than_there_are_seats(cast: Cast, settings: Any) -> None:
    settings.API_TESTS = 1
    wiring.reset()
    cast.add()
    client = cast.api("omar")
    assert services().api_tests.take("omar")

    response = post(client, PATH)

    assert response.status_code == 429
    assert response["Retry-After"] == "2"
    assert response.json()["details"]["retryAfterSeconds"] == 2


def test_one_person_has_half_of_the_seats_whichever_token_they_show(cast: Cast, settings: Any) -> None:
    settings.API_TESTS = 4
    wiring.reset()
    for _ in range(2):
        assert services().api_tests.take(cast.access("omar").owner)

    assert [post(cast.api("omar"), f"{TEAM_A}/nothing/verify").status_code for _ in range(2)] == [429, 429]
    assert post(cast.api("nina"), f"{TEAM_A}/nothing/verify").status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("typed", [False, True])
def test_a_registry_whose_turn_does_not_come_says_when_to_come_back(
    transactional_db: None, probing: Probing, settings: Any, typed: bool, request: pytest.FixtureRequest
) -> None:
    """Somebody else's test of it is under way, for longer than this one waits."""
    values = probing("harbor")
    settings.TEST_THREADS, settings.PROBE_TIMEOUT = 2, 0.01
    wiring.reset()
    cast: Cast = request.getfixturevalue("cast")
    cast.add(**values)
    services().lanes.busy.add(registry_of(values["domain"]))

    response = post(cast.api("omar"), PATH, values if typed else None)

    found = response.json()
    [cause] = found["details"]["causes"]
    assert (response.status_code, found["reason"]) == (429, "TooManyRequests")
    assert int(response["Retry-After"]) == found["details"]["retryAfterSeconds"] == 1
    assert (cause["reason"], cause["message"]) == ("RegistryBusy", "该仓库的其他测试耗时较长，稍后再测。")


def test_the_seat_is_given_back(cast: Cast, settings: Any) -> None:
    settings.API_TESTS = 1
    wiring.reset()
    client = cast.api("omar")

    codes = [post(client, f"{TEAM_A}/nothing/verify").status_code for _ in range(3)]

    assert codes == [404, 404, 404]


def test_a_lost_key_is_not_the_registrys_fault(cast: Cast, probing: Probing, settings: Any) -> None:
    cast.add(**probing("harbor"))
    settings.PASSWORD_KEYS = lambda: ["0" * 43 + "="]
    wiring.reset()

    response = post(cast.api("omar"), PATH)

    assert response.status_code == 503
    assert response.json()["reason"] == "ServiceUnavailable"


def test_past_tests_newest_first(cast: Cast, probing: Probing) -> None:
    cast.add(**probing("wrong-password"))
    client = cast.api("omar")
    post(client, PATH)
    post(client, PATH)

    found = cast.api("vic").get(f"{TEAM_A}/harbor-prod/tests").json()

    assert found["totalItems"] == 2
    assert (found["items"][0]["by"], found["items"][0]["reason"]) == ("omar", "bad_credentials")
    assert found["items"][0]["timestamp"] >= found["items"][1]["timestamp"]
