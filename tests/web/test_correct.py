"""修正并重建 (correct and re-create): other values under the old name, tested first, and no password sent elsewhere."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.domain.resource import PREFIX, milliseconds
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast, Probing
from tests.peers.scripted import registry_ok, scripted, unauthorized
from tests.web.password_pages import stored, tried

ONE = "/registries/team-a/harbor-prod/"
PATH = f"{ONE}correct/"


def shown(client: Client, path: str = PATH) -> dict[str, str]:
    """What the dialog sends when nothing is typed."""
    html = client.get(path).content.decode()
    found = {name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', html) for name in ("domain", "username")}
    values = {name: it[1] if it else "" for name, it in found.items()}
    values |= dict(re.findall(r'<input type="hidden" name="(uid|version)" value="([^"]*)"', html))
    for name in ("provider", "tls"):
        checked = re.search(rf'<input type="radio" name="{name}" value="(\w+)"[^>]*checked', html)
        assert checked, name
        values[name] = checked[1]
    area = re.search(r'<textarea[^>]*name="ca_bundle"[^>]*>([^<]*)<', html, re.DOTALL)
    return {**values, "ca_bundle": area[1] if area else "", "password": ""}


def verdict(client: Client, values: dict[str, str]) -> str:
    answer = client.post(f"{PATH}try/", values).content.decode()
    while "verdict-busy" in answer:
        answer = client.get(re.search(r'hx-get="([^"]+)"', answer)[1]).content.decode()  # type: ignore[index]
    return answer


def after_test(client: Client, values: dict[str, str]) -> dict[str, str]:
    found = re.search(r'name="trial" value="([^"]+)"', verdict(client, values))
    assert found
    return {**values, "trial": found[1]}


def test_the_stored_values_are_there_but_the_password(cast: Cast, probing: Probing) -> None:
    cast.add(**{**probing("harbor"), "password": CANARY})

    values = shown(cast.client("nina"))
    dialog = cast.client("nina", hx_request="true").get(PATH).content.decode()
    assert "拉取凭证" not in dialog, "the embedded store has none"

    assert (values["domain"], values["username"]) == (
        probing("harbor")["domain"],
        probing("harbor")["username"],
    )
    assert (values["provider"], values["tls"], values["password"]) == ("harbor", "system", "")


def test_a_tested_correction_keeps_name_texts_and_history(cast: Cast, probing: Probing) -> None:
    right = probing("harbor")
    before = cast.add(**{**right, "username": "nobody"}, display_name="Production")
    services().single_tests.wait_for(access=cast.access("nina"), key=before.key)
    client = cast.client("nina", hx_request="true")

    values = after_test(client, {**shown(client), **right})
    assert tried() == [("team-a", "harbor-prod", before.uid)]
    answer = client.post(PATH, values)

    after = cast.find()
    assert answer.status_code == 204
    assert (after.username, after.display_name) == (right["username"], "Production")
    assert after.verification.status is VerifyStatus.SUCCESS
    assert after.uid != before.uid
    assert len(services().history.recent(after.uid)) == 2
    page = cast.client("nina").get("/registries/team-a/harbor-prod/").content.decode()
    assert "添加" in page


def test_without_a_test_it_asks_once_and_without_a_change_nothing_is_done(cast: Cast) -> None:
    before = cast.add(password=CANARY)
    client = cast.client("nina", hx_request="true")
    values = shown(client)

    same = client.post(PATH, values)
    asked = client.post(PATH, {**values, "provider": "other"})
    uid = cast.find().uid
    saved = client.post(PATH, {**values, "provider": "other", "anyway": "1"})

    assert (same.status_code, asked.status_code, uid) == (422, 422, before.uid)
    assert 'name="anyway"' in asked.content.decode()
    assert 'name="anyway"' not in same.content.decode()
    assert saved.status_code == 200
    assert (cast.find().provider, stored()) == ("other", CANARY)


def test_what_connected_and_then_does_not_is_put_back(cast: Cast, probing: Probing) -> None:
    right = probing("harbor")
    before = cast.add(**right)
    client = cast.client("nina", hx_request="true")
    values = after_test(client, {**shown(client), "password": right["password"], "provider": "other"})

    answer = client.post(PATH, {**values, "username": "nobody"})

    after = cast.find()
    assert "已恢复为原密码" in answer.content.decode() or "已恢复" in answer.content.decode()
    assert (after.username, after.provider) == (before.username, before.provider)
    assert stored() == right["password"]


@pytest.mark.parametrize(("typed", "revoked"), [({}, False), ({"password": "right"}, True)])
def test_only_after_another_password_the_old_one_is_to_be_revoked(
    cast: Cast, settings: Any, typed: dict[str, str], *, revoked: bool
) -> None:
    settings.PROBE_ALLOW_LOOPBACK = True
    with scripted(
        lambda request: registry_ok() if request.authorization else unauthorized("Basic")
    ) as server:
        it = cast.add(domain=server.address)
        services().store.set_password(it.key, CANARY, uid=it.uid, set_at=datetime(2026, 1, 2, tzinfo=UTC))
        client = cast.client("nina", hx_request="true")
        answer = client.post(PATH, after_test(client, {**shown(client), "provider": "other", **typed}))

    assert answer.status_code == 204
    text = json.loads(answer["HX-Trigger"])["toast"]["text"]
    assert text.startswith("已更改「harbor-prod」")
    assert ("吊销旧密码" in text) is revoked


@pytest.mark.parametrize("typed", [CANARY, "another-1"])
def test_a_typed_password_that_is_the_stored_one_looks_like_another(cast: Cast, typed: str) -> None:
    """Else who makes copies could guess with them."""
    cast.add(password=CANARY)
    client = cast.client("nina", hx_request="true")

    client.post(PATH, {**shown(client), "provider": "other", "anyway": "1", "password": typed})

    after = cast.find()
    assert (stored(), after.provider) == (typed, "other")
    assert after.password_changed_at is not None


@pytest.mark.parametrize("meanwhile", ["deleted", "recreated", "changed"])
def test_what_others_did_meanwhile_is_not_written_over(cast: Cast, meanwhile: str) -> None:
    before = cast.add(password=CANARY)
    client = cast.client("nina", hx_request="true")
    values = {**shown(client), "provider": "other", "anyway": "1"}
    others(cast, before, meanwhile)

    answer = client.post(PATH, values)

    assert answer.status_code == 409
    if meanwhile != "deleted":
        assert (stored(), cast.find().provider) == ("of-somebody-else", "harbor")


def others(cast: Cast, before: RegistrySecret, meanwhile: str) -> None:
    if meanwhile == "changed":
        services().store.set_password(before.key, "of-somebody-else", uid=before.uid)
        return
    services().store.delete(before.key, uid=before.uid)
    if meanwhile == "recreated":
        cast.add(password="of-somebody-else")


@pytest.mark.parametrize(("person", "offered"), [("nina", True), ("omar", False), ("vic", False)])
def test_it_is_offered_at_a_failure_to_who_may(
    cast: Cast, probing: Probing, person: str, *, offered: bool
) -> None:
    registry = cast.add(**probing("wrong-password"))
    services().single_tests.wait_for(access=cast.access("nina"), key=registry.key)

    page = cast.client(person).get("/registries/team-a/harbor-prod/").content.decode()

    assert ('id="correct-next"' in page) is offered
    assert ('id="correct-link"' in page) is offered
    assert cast.client(person).get(PATH).status_code == (200 if offered else 403)
    services().tests.begin_test(access=cast.access("nina"), key=registry.key)
    page = cast.client(person).get("/registries/team-a/harbor-prod/").content.decode()
    assert 'id="correct-next"' not in page, "the result may be another one"
    assert "结果会自动显示在这里。" in page


@pytest.mark.parametrize(
    ("reason", "offered"), [("tls_untrusted", True), ("tls_expired", False), ("timeout", False)]
)
def test_it_is_offered_only_where_other_values_can_help(cast: Cast, reason: str, *, offered: bool) -> None:
    registry = cast.add()
    verdict = {"status": "failed", "reason": reason, "timestamp": str(milliseconds(datetime.now(UTC)))}
    notes: dict[str, str | None] = {f"{PREFIX}verify-{name}": value for name, value in verdict.items()}
    services().store.annotate(registry.key, notes, uid=registry.uid)

    page = cast.client("nina").get("/registries/team-a/harbor-prod/").content.decode()

    assert ('id="correct-next"' in page) is offered
    assert 'id="correct-link"' in page


def test_it_is_not_offered_while_another_test_runs(cast: Cast, probing: Probing) -> None:
    registry = cast.add(**probing("wrong-password"))
    services().single_tests.wait_for(access=cast.access("nina"), key=registry.key)
    services().tests.begin_test(access=cast.access("nina"), key=registry.key)

    page = cast.client("nina").get("/registries/team-a/harbor-prod/").content.decode()

    assert "<strong>测试中…</strong>" in page, "as bold as a verdict"
    assert 'id="correct-next"' not in page


def test_after_an_untrusted_certificate_the_field_for_a_ca_is_open(
    cast: Cast, probing: Probing, settings: Any
) -> None:
    settings.PROBE_CA_FILE = ""
    registry = cast.add(**probing("harbor"))
    settings.PROBE_CA_FILE = ""
    services().single_tests.wait_for(access=cast.access("nina"), key=registry.key)

    assert cast.find().verification.reason == "tls_untrusted"
    assert shown(cast.client("nina"))["tls"] == "ca"
