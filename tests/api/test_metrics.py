"""/metrics: what it tells to whom, and under which names."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from registries import metrics, wiring
from registries.domain.reading import to_domain
from registries.domain.registry import Key, Verification, VerifyStatus
from registries.domain.resource import PREFIX, verification_annotations
from registries.events import outbox
from registries.events.change import Change, ChangeKind
from registries.models import Channel, NetworkIncident, ScheduledCredential
from registries.wiring import admitting, services
from tests.api.test_api import TEAM_A
from tests.cast import Cast

Samples = dict[str, list[tuple[dict[str, str], float]]]


def scraped(client: Client) -> Samples:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    found: Samples = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name.removeprefix("registry_console_"), []).append(
                (sample.labels, sample.value)
            )
    return found


def judged(cast: Cast, name: str, status: VerifyStatus, reason: str, namespace: str = "team-a") -> datetime:
    at = datetime.now(UTC) - timedelta(hours=3)
    registry = cast.add(name, namespace)
    services().store.annotate(
        registry.key, verification_annotations(Verification(status, reason, "", at)), uid=registry.uid
    )
    return at


def test_counts_registries_and_tells_the_state_and_last_test_of_each(cast: Cast) -> None:
    at = judged(cast, "bad", VerifyStatus.FAILED, "timeout")
    judged(cast, "fine", VerifyStatus.SUCCESS, "ok")
    judged(cast, "open", VerifyStatus.SUCCESS, "ok_unverified", "team-b")
    cast.add("new")

    found = scraped(cast.api("olive"))

    assert {tuple(labels.values()): value for labels, value in found["registries"]} == {
        ("team-a", "harbor", "failed"): 1,
        ("team-a", "harbor", "success"): 1,
        ("team-a", "harbor", "untested"): 1,
        ("team-b", "harbor", "unproven"): 1,
    }
    states = {labels["name"]: (labels["state"], labels["reason"]) for labels, _ in found["registry_state"]}
    assert states["bad"] == ("failed", "timeout")
    assert states["new"] == ("untested", "")
    times = {labels["name"]: value for labels, value in found["registry_last_test_timestamp_seconds"]}
    assert times["bad"] == pytest.approx(at.timestamp(), abs=1)
    assert "new" not in times
    ages = {labels["name"]: value for labels, value in found["registry_password_age_seconds"]}
    assert ages.keys() == states.keys()
    assert all(0 <= age < 60 for age in ages.values())
    services().store.annotate(
        Key("team-a", "bad"), {PREFIX + "password-set-at": "2020-01-01T00:00:00Z"}, uid=cast.find("bad").uid
    )
    aged = {
        labels["name"]: value for labels, value in scraped(cast.api("olive"))["registry_password_age_seconds"]
    }
    assert aged["bad"] > 6 * 365 * 86400 - 60 > aged["fine"]


def test_a_check_interval_is_that_of_each_registry_that_is_checked(cast: Cast) -> None:
    weekly, _, hidden = (
        cast.add("weekly"),
        cast.add("off", username="u"),
        cast.add("hidden", "team-b", username="v"),
    )
    nina, intervals = cast.access("nina"), services().schedule.intervals
    intervals.choose(access=nina, namespace="team-a", interval=None)
    intervals.choose(access=nina, namespace="team-a", uid=weekly.uid, interval=timedelta(days=7))
    services().schedule.placing.update(timezone.now())

    def seconds(person: str) -> dict[str, float]:
        found = scraped(cast.api(person))["registry_check_interval_seconds"]
        return {labels["name"]: value for labels, value in found}

    assert seconds("nina") == {"weekly": 7 * 86400}
    assert seconds("olive").keys() == {"weekly", hidden.name}


def test_a_host_is_one_however_kubectl_spelled_it() -> None:
    metadata = {
        "namespace": "team-a",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    typed = {"one": "HTTP://Harbor.Example.COM:8443", "two": "harbor.example.com:8443"}
    resources = [{"metadata": {**metadata, "name": name}, "spec": {"domain": typed[name]}} for name in typed]

    told = metrics.exposition(metrics.Registries().text(map(to_domain, resources), 0.0), None).decode()

    assert re.findall(r'_registry_state\{.*domain="(.*?)"', told) == ["harbor.example.com:8443"] * 2


def test_counts_tests_by_outcome_reason_and_duration(
    cast: Cast, probing: Callable[[str], dict[str, str]]
) -> None:
    cast.add("good", **probing("harbor"))
    cast.add("wrong", **probing("wrong-password"))
    client = cast.api("olive")
    begun = time.monotonic()
    for name in ("good", "wrong"):
        client.post(f"{TEAM_A}/{name}/verify", "", content_type="application/json")

    passed = time.monotonic() - begun
    found = scraped(client)

    counts = {(it["outcome"], it["reason"]): value for it, value in found["test_duration_seconds_count"]}
    assert counts == {("success", "ok"): 1, ("failed", "bad_credentials"): 1}
    assert 0 < sum(value for _, value in found["test_duration_seconds_sum"]) < passed, "seconds, of these two"


def test_measures_the_api_and_pages(cast: Cast) -> None:
    client = cast.api("olive")
    client.get(f"{TEAM_A}/nothing")
    cast.client("olive").get("/registries/")

    found = scraped(client)

    answers = {(it["kind"], it["view"], it["code"]): value for it, value in found["requests_total"]}
    assert answers["api", "api:registry_secret", "404"] == 1
    assert answers["page", "registries:list", "200"] == 1
    assert found["request_duration_seconds_count"]


def test_says_how_old_the_index_is(cast: Cast) -> None:
    """On the embedded store it is as old as the question; on a cluster that is away, as the last answer."""
    [(_, age)] = scraped(cast.api("olive"))["index_age_seconds"]

    assert age == 0


@pytest.mark.parametrize("person", ["nina", "omar", "vic", "sam"])
def test_no_label_names_what_a_person_may_not_see(cast: Cast, person: str) -> None:
    cast.add("shown", "team-a")
    cast.add("hidden", "team-b", domain="hidden.example.com")
    cast.api("olive").get("/metrics")

    text = cast.api(person).get("/metrics").content.decode()

    assert "team-b" not in text
    assert "hidden" not in text
    assert ("team-a" in text) == (person != "sam")
    assert "_requests" not in text


def test_takes_a_token_and_nothing_else(cast: Cast) -> None:
    for client in (Client(), cast.client("olive"), Client(headers={"authorization": "Bearer wrong"})):
        answer = client.get("/metrics")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer.content == b"Unauthorized\n"


def test_a_refusal_says_when_to_come_back(cast: Cast, settings: Any) -> None:
    settings.API_RATE = 1
    wiring.reset()
    client = cast.api("olive")
    assert client.get("/metrics").status_code == 200

    answer = client.get("/metrics")

    assert (answer.status_code, answer.content) == (429, b"TooManyRequests\n")
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_one_person_cannot_ask_for_all_of_it_all_the_time(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admitting, "SCRAPES_PER_MINUTE", 2)
    wiring.reset()
    cast.add("shown")
    one, other = cast.api("olive"), cast.api("olive")

    assert [it.get("/metrics").status_code for it in (one, other, one, other)] == [200, 200, 429, 429]
    assert cast.api("nina").get("/metrics").status_code == 200


def test_the_text_is_that_of_the_client_library() -> None:
    """Whatever the values: a line that was kept is made again with the registry, and only then."""
    metadata = {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2020-01-01T00:00:00Z"}
    at = datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)
    resource = {"metadata": {**metadata, "namespace": "team-a", "name": "r"}, "spec": {"domain": "H.example"}}
    plain = to_domain(resource)
    odd = replace(
        plain, uid="v", key=Key("a", 'a"b\\n\n'), verification=Verification(VerifyStatus.FAILED, 'x"', "", at)
    )
    parts = metrics.Registries()

    for registries in ([plain, odd], [plain, replace(plain, uid="v")], [odd]):
        text = parts.text(registries, 12.5, {"v": 3600})
        families = list(text_string_to_metric_families(text))
        again = CollectorRegistry(auto_describe=False)
        again.collect = lambda families=families: families  # type: ignore[method-assign]
        assert generate_latest(again).decode() == text
        states = [it.labels for one in families if one.name.endswith("registry_state") for it in one.samples]
        assert [(it["name"], it["reason"]) for it in states] == [
            (it.name, it.verification.reason) for it in registries
        ]
    assert 'last_test_timestamp_seconds{domain="h.example"' in text
    assert " 1.76722560025e+09" in text


def test_lines_of_registries_that_are_gone_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "KEPT", 3)
    metadata = {"resourceVersion": "1", "creationTimestamp": "2020-01-01T00:00:00Z"}
    made = [
        to_domain({"metadata": {**metadata, "uid": str(n), "namespace": "a", "name": "r"}, "spec": {}})
        for n in range(9)
    ]
    parts = metrics.Registries()
    for n, it in enumerate(made):
        parts.text([it], None)
        assert len(parts._kept) <= 5, n
    parts.text(made, None)
    assert len(parts._kept) == 9


def test_a_database_that_is_away_is_a_503_and_no_failure_of_ours(cast: Cast) -> None:
    client = cast.api("olive")

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        raise OperationalError("the database is gone at /secret/place")

    with connection.execute_wrapper(refuse):
        answer = client.get("/metrics")

    assert (answer.status_code, answer.content) == (503, b"ServiceUnavailable\n")
    assert answer["Retry-After"] == "5"


def test_a_pod_is_asked_by_its_address(cast: Cast) -> None:
    client = cast.api("olive")

    assert client.get("/metrics", headers={"host": "10.1.2.3:8000"}).status_code == 200
    assert client.get("/registries/", headers={"host": "10.1.2.3:8000"}).status_code == 400


def test_labels_cannot_be_chosen_by_who_asks(cast: Cast) -> None:
    client = cast.api("olive")
    for number in range(20):
        client.generic(f"X{number}", TEAM_A)
        client.get(f"/oapis/nothing/{number}")
        client.get(f"/nothing/{number}")

    labels = [tuple(it.values()) for it, _ in scraped(client)["requests_total"]]

    assert len(labels) < 6


UPKEEP = (
    "checks_due",
    "checks_lag_seconds",
    "checks_claimed",
    "messages_waiting",
    "network_incident",
    "actions_total",
)


def test_what_the_console_does_by_itself_is_for_who_sees_everything(cast: Cast) -> None:
    now = timezone.now()
    due = ScheduledCredential.objects.create(
        digest="d", host="h:443", username="u", due_at=now - timedelta(minutes=5)
    )
    for name, minutes in (("held", 1), ("held too", 2), ("of a dead process", -1)):
        ScheduledCredential.objects.create(digest=name, claimed_until=now + timedelta(minutes=minutes))
    Channel.objects.create(name="ops", service="slack", sealed="")
    outbox.tell([Change(ChangeKind.FAILING, now, now, "uid", "team-a", "harbor", host="h")])
    NetworkIncident.objects.create(open=True, began_at=now, hosts=6, failed=6)

    found = scraped(cast.api("olive"))

    [(_, late)] = found["checks_lag_seconds"]
    assert 300 <= late < 900
    assert [found[name][0][1] for name in UPKEEP if name in ("checks_due", "messages_waiting")] == [1, 1]
    assert found["checks_claimed"] == [({}, 2)]
    assert found["network_incident"] == [({}, 1)]
    due.delete()
    NetworkIncident.objects.update(open=None)
    found = scraped(cast.api("olive"))
    assert (found["checks_due"], found["network_incident"]) == ([({}, 0)], [({}, 0)])
    assert not {*UPKEEP} & scraped(cast.api("nina")).keys()


def test_actions_are_counted_by_outcome_and_without_names(cast: Cast) -> None:
    cast.add("one")
    cast.add("two")
    cast.client("vic").post("/registries/team-a/one/delete/", {"confirm": "one"})

    counted = {tuple(labels.items()): value for labels, value in scraped(cast.api("olive"))["actions_total"]}

    assert counted[("action", "create"), ("outcome", "ok")] == 2
    assert counted[("action", "delete"), ("outcome", "Forbidden")] == 1
    assert all(len(labels) == 2 for labels in counted)
