"""更换密码 (change password): one field, tested with the stored address, saved in place, never shown."""

import re
from typing import Any

import pytest
from django.test import Client

from registries.domain.registry import VerifyStatus
from registries.domain.resource import PREFIX
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast, Probing
from tests.peers.scripted import Reply, Request, basic, registry_ok, scripted, unauthorized
from tests.web.password_pages import PATH, posted, stored, tried, typed_verdict


def test_the_form_has_one_field_and_says_what_stays(cast: Cast) -> None:
    cast.add()

    shown = cast.client("nina").get(PATH).content.decode()

    visible = re.findall(r'<input (?!type="hidden")[^>]*name="(\w+)"', shown)
    assert visible == ["password"]
    assert "harbor.example.com" in shown
    assert "hx-preserve" not in shown


@pytest.mark.parametrize(
    ("person", "path", "number"),
    [
        ("", "/login/", 1),
        ("olive", "/password/", 3),
        ("olive", "/accounts/-/add/", 1),
        ("olive", "/registries/-/add/", 1),
        ("olive", PATH, 2),
        ("olive", "/channels/-/add/webhook/", 1),
    ],
)
def test_each_password_field_can_show_what_was_typed(
    cast: Cast, client: Client, person: str, path: str, number: int
) -> None:
    cast.add(username="robot$team-a+deploy")  # Harbor can give it a new secret

    page = (cast.client(person) if person else client).get(path).content.decode()

    fields = re.findall(r'<div class="password-field">\s*<input [^>]*?\bid="(\w+)"', page)
    assert len(fields) == page.count('type="password"') == number
    assert re.findall(r'data-reveal [^>]*aria-controls="(\w+)"', page) == fields


def test_a_tested_password_is_saved_in_place(cast: Cast, probing: Probing) -> None:
    values = probing("harbor")
    before = cast.add(**{**values, "password": "old-and-wrong"})
    client = cast.client("nina", hx_request="true")

    verdict = typed_verdict(client, values["password"])
    trial = re.search(r'name="trial" value="([^"]+)"', verdict)[1]  # type: ignore[index]
    response = posted(client, password=values["password"], trial=trial)

    assert "verdict-ok" in verdict
    assert response.status_code == 204
    for event in ("registries-changed", "registry-saved", "toast", "dialog-close"):
        assert event in response["HX-Trigger"]
    after = cast.find()
    assert after.uid == before.uid
    assert after.verification.status is VerifyStatus.SUCCESS
    assert stored() == values["password"]


@pytest.mark.parametrize("test_first", [False, True])
def test_what_no_test_has_shown_to_be_right_is_asked_about_once(
    cast: Cast, probing: Probing, *, test_first: bool
) -> None:
    cast.add(**{**probing("harbor"), "password": "old-password"})
    client = cast.client("nina", hx_request="true")
    trial = {}
    if test_first:
        verdict = typed_verdict(client, CANARY)
        assert "verdict-bad" in verdict
        assert "核对输入的密码" in verdict, "the first cause of a refusal is what was just typed"
        trial = {"trial": re.search(r'name="trial" value="([^"]+)"', verdict)[1]}  # type: ignore[index]

    asked = posted(client, password=CANARY, **trial)
    kept = stored()
    saved = posted(client, asked.content.decode(), password=CANARY)

    assert (asked.status_code, kept) == (422, "old-password")
    assert 'name="anyway"' in asked.content.decode()
    assert "hx-preserve" in asked.content.decode()
    assert (saved.status_code, stored()) == (204, CANARY)


def test_another_persons_test_counts_for_nothing(cast: Cast, probing: Probing) -> None:
    values = probing("harbor")
    cast.add(**{**values, "password": "old-password"})
    verdict = typed_verdict(cast.client("olive"), values["password"])
    trial = re.search(r'name="trial" value="([^"]+)"', verdict)[1]  # type: ignore[index]

    asked = posted(cast.client("nina"), password="other", trial=trial)

    assert (asked.status_code, stored()) == (422, "old-password")


def test_the_client_chooses_no_address(cast: Cast, probing: Probing) -> None:
    """A typed password goes to the stored address, whatever else is sent."""
    values = probing("harbor")
    cast.add(**{**values, "password": "old-password"})
    client = cast.client("nina", hx_request="true")
    elsewhere = {"domain": "127.0.0.1:9", "username": "someone", "tls": "skip", "namespace": "team-b"}

    answer = posted(client, path=f"{PATH}try/", password=values["password"], **elsewhere).content.decode()
    while "verdict-busy" in answer:
        answer = client.get(re.search(r'hx-get="([^"]+)"', answer)[1]).content.decode()  # type: ignore[index]

    assert "verdict-ok" in answer
    assert "trust-ca" not in answer
    assert tried() == [("team-a", "harbor-prod", cast.find().uid)]


@pytest.mark.parametrize(
    ("taken", "stored_verdict", "says", "sent"),
    [
        (("old", "new"), "", "旧密码目前仍然可用", ["new", "old"]),
        (("new",), "", "仓库已不接受旧密码", ["new", "old"]),
        (("new",), "bad_credentials", "", ["new"]),
        (("old",), "", "", ["new"]),
        (("old",), "", "这就是已保存的密码", ["old"]),
        ((), "", "", ["old"]),
    ],
)
def test_after_the_new_password_the_old_one_is_tried_once(
    cast: Cast, settings: Any, taken: tuple[str, ...], stored_verdict: str, says: str, sent: list[str]
) -> None:
    """Not one that is known to be refused, and not after a refusal: further attempts could lock the account."""
    settings.PROBE_ALLOW_LOOPBACK = True
    known = [basic("admin", it) for it in taken]

    def registry(request: Request) -> Reply:
        return registry_ok() if request.authorization in known else unauthorized("Basic")

    with scripted(registry) as server:
        it = cast.add(domain=server.address, password="old")
        if stored_verdict:
            notes = {PREFIX + "verify-status": "failed", PREFIX + "verify-reason": stored_verdict}
            services().store.annotate(it.key, notes, uid=it.uid)

        shown = typed_verdict(cast.client("nina", hx_request="true"), sent[0])

    texts = ("旧密码目前仍然可用", "仓库已不接受旧密码", "这就是已保存的密码")
    assert [text for text in texts if text in shown] == ([says] if says else [])
    used = dict.fromkeys(it.authorization for it in server.requests if it.authorization)
    assert [it for it in used if it in [basic("admin", it) for it in ("old", "new")]] == [
        basic("admin", it) for it in sent
    ]


@pytest.mark.parametrize("path", [PATH, f"{PATH}try/"])
@pytest.mark.parametrize(("password", "status"), [("", 422), ("bad\x00zero", 422), ("x" * 17_000, 422)])
def test_a_password_that_cannot_be_is_said_at_the_field(
    cast: Cast, path: str, password: str, status: int
) -> None:
    cast.add(password="old-password")

    response = posted(cast.client("nina"), path=path, password=password, anyway="1")

    assert response.status_code == status
    assert "id_password" in response.content.decode()
    assert stored() == "old-password"


def test_a_password_that_somebody_else_changed_meanwhile_is_not_lost_in_silence(cast: Cast) -> None:
    registry = cast.add(password="old-password")
    client = cast.client("nina", hx_request="true")
    page = client.get(PATH).content.decode()
    services().passwords.change_password(
        access=cast.access("olive"), key=registry.key, uid=registry.uid, password="of-olive"
    )

    refused = posted(client, page, password=CANARY, anyway="1")
    kept = stored()
    saved = posted(client, refused.content.decode(), password=CANARY, anyway="1")

    assert (refused.status_code, kept) == (409, "of-olive")
    assert (saved.status_code, stored()) == (204, CANARY)


def test_a_verdict_meanwhile_is_no_conflict(cast: Cast, probing: Probing) -> None:
    registry = cast.add(**probing("harbor"))
    client = cast.client("nina", hx_request="true")
    page = client.get(PATH).content.decode()
    services().single_tests.wait_for(access=cast.access("nina"), key=registry.key)

    assert posted(client, page, password=CANARY, anyway="1").status_code == 204


@pytest.mark.parametrize("recreated", [False, True])
def test_one_that_is_gone_is_not_touched(cast: Cast, *, recreated: bool) -> None:
    registry = cast.add()
    client = cast.client("nina", hx_request="true")
    page = client.get(PATH).content.decode()
    services().registries.delete(access=cast.access("nina"), key=registry.key, uid=registry.uid)
    if recreated:
        cast.add(password="of-the-new-one")

    response = posted(client, page, password=CANARY, anyway="1")

    assert response.status_code == 409
    if recreated:
        assert stored() == "of-the-new-one"


@pytest.mark.parametrize(("person", "offered"), [("nina", True), ("omar", False), ("vic", False)])
def test_it_is_offered_to_who_may(cast: Cast, probing: Probing, person: str, *, offered: bool) -> None:
    registry = cast.add(**probing("wrong-password"))
    services().single_tests.wait_for(access=cast.access("nina"), key=registry.key)

    shown = cast.client(person).get("/registries/team-a/harbor-prod/").content.decode()

    assert ('id="password-link"' in shown) is offered
    assert ('id="password-next"' in shown) is offered
