"""Owner, support contact and the day on which a credential expires: typed by people, shown, filtered, never secret."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries.domain.registry import Verification, VerifyStatus
from registries.domain.resource import PREFIX, certificate_annotations, verification_annotations
from registries.wiring import services
from tests import canary
from tests.cast import Cast

HX = {"hx_request": "true"}
PATH = "/registries/team-a/harbor-prod/"
API = "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets/harbor-prod"


def day(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def save(cast: Cast, person: str = "omar", **values: str) -> Any:
    found = cast.find()
    texts = {**found.information, **values}
    seen = {f"seen_{name}": text for name, text in found.information.items()}
    typed = {**texts, **seen, "uid": found.uid, "resource_version": found.resource_version}
    return cast.client(person, **HX).post(f"{PATH}edit/", typed)


def works(cast: Cast) -> None:
    found = cast.find()
    verdict = Verification(VerifyStatus.SUCCESS, "ok", "", timezone.now())
    services().store.annotate(found.key, verification_annotations(verdict), uid=found.uid)


def certificate(cast: Cast, days: int, name: str = "harbor-prod") -> datetime:
    """A test saw a certificate that ends in so many days."""
    found, ends = cast.find(name), timezone.now().replace(microsecond=0) + timedelta(days=days, minutes=5)
    services().store.annotate(found.key, certificate_annotations(ends), uid=found.uid)
    return ends


def patch(cast: Cast, **notes: str | None) -> Any:
    body = {"metadata": {"annotations": {PREFIX + name.replace("_", "-"): it for name, it in notes.items()}}}
    return cast.api("omar").patch(API, body, content_type="application/merge-patch+json")


def test_the_dialog_saves_them_and_the_details_show_them(cast: Cast) -> None:
    cast.add()
    assert save(cast, owner="平台组", support_contact="400-800-1234", expires_at=day(12)).status_code == 204

    found = cast.find()
    assert (found.owner, found.support_contact) == ("平台组", "400-800-1234")
    assert found.expires_at == timezone.localdate() + timedelta(days=12)
    page = cast.client("vic").get(PATH).content.decode()
    for text in ("平台组", "400-800-1234", day(12), "12 天后到期"):
        assert text in page
    assert save(cast, owner="", expires_at="").status_code == 204
    assert (cast.find().owner, cast.find().expires_at) == ("", None)
    assert cast.find().support_contact == "400-800-1234"


@pytest.mark.parametrize(
    ("days", "soon", "text"),
    [
        (31, False, ""),
        (30, True, "30 天后到期"),
        (1, True, "1 天后到期"),
        (0, True, "今天到期"),
        (-3, True, "已于"),
    ],
)
def test_a_working_credential_that_expires_soon_is_a_state_of_its_own(
    cast: Cast, days: int, soon: bool, text: str
) -> None:
    cast.add()
    cast.add("other")
    works(cast)
    save(cast, expires_at=day(days))

    page = cast.client("vic").get("/registries/").content.decode()
    filtered = cast.client("vic").get("/registries/?status=expiring").content.decode()

    assert text in page
    assert ("pill-warn" in page) == soon
    assert ("harbor-prod" in filtered.partition("<tbody")[2]) == soon
    assert 'data-title="other"' not in filtered


@pytest.mark.parametrize(
    ("days", "limit", "text"),
    [
        (0, 90, ""),
        (89, 90, ""),
        (90, 90, "90 天"),
        (400, 90, "400 天"),
        (400, 0, ""),
        (2, 1, "2 天"),
        (400, -1, ""),
    ],
)
def test_an_old_password_is_pointed_out(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch, days: int, limit: int, text: str
) -> None:
    cast.add()
    settings.PASSWORD_AGE_DAYS = limit
    later = timezone.now() + timedelta(days=days, minutes=5)
    monkeypatch.setattr(timezone, "now", lambda: later)
    page = cast.client("vic").get(PATH).content.decode()
    assert ('id="old-password"' in page) == bool(text)
    assert text in page


def left(ends: datetime) -> str:
    """How the page says it, whose days are those of the console's time zone."""
    days = (ends.date() - timezone.localdate()).days
    return "证书今天到期" if days == 0 else f"证书将在 {days} 天后到期"


@pytest.mark.parametrize(("days", "soon"), [(300, False), (33, False), (29, True), (6, True), (1, True)])
def test_a_certificate_that_ends_soon_is_counted_with_the_typed_dates(
    cast: Cast, days: int, soon: bool
) -> None:
    cast.add()
    cast.add("other")
    works(cast)
    ends = certificate(cast, days)

    assert cast.find().certificate_ends == ends
    page = cast.client("vic").get("/registries/").content.decode()
    filtered = cast.client("vic").get("/registries/?status=expiring").content.decode()
    details = cast.client("vic").get(PATH).content.decode()

    assert (left(ends) in page, "pill-warn" in page) == (soon, soon)
    assert ("harbor-prod" in filtered.partition("<tbody")[2]) == soon
    assert 'data-title="other"' not in filtered
    assert f'datetime="{ends.isoformat()}"' in details
    assert (left(ends) in details) == soon


@pytest.mark.parametrize(("typed", "of_certificate"), [(12, 6), (6, 12), (2, 300), (300, 2)])
def test_of_two_dates_the_row_names_the_earlier_and_the_details_both(
    cast: Cast, typed: int, of_certificate: int
) -> None:
    cast.add()
    works(cast)
    save(cast, expires_at=day(typed))
    ends = certificate(cast, of_certificate)
    texts = [f">{typed} 天后到期", left(ends)]

    row = cast.client("vic").get("/registries/").content.decode()
    assert [it.lstrip(">") in row for it in texts] == [typed < of_certificate, of_certificate < typed]
    details = cast.client("vic").get(PATH).content.decode()
    assert [it in details for it in texts] == [typed <= 30, of_certificate <= 30]


@pytest.mark.parametrize(
    "text", ["soon", "", "2027-01-31", "2027-02-31T00:00:00Z", "2027-01-31T00:00:00+08:00", "9" * 500]
)
def test_an_end_that_kubectl_wrote_is_read_only_if_it_is_one(cast: Cast, text: str) -> None:
    found = cast.add()
    name = PREFIX + "certificate-expires"
    services().store.annotate(found.key, {name: text}, uid=found.uid)
    assert cast.find().certificate_ends is None
    assert name not in json.loads(cast.find().document)["metadata"]["annotations"]
    assert cast.client("vic").get("/registries/").status_code == 200
    assert patch(cast, certificate_expires="2030-01-01T00:00:00Z").status_code == 422, "only tests write it"
    assert patch(cast, password_set_at="2030-01-01T00:00:00Z").status_code == 422, "only a change writes it"


def test_the_end_of_a_token_is_shown_as_that_of_a_credential(cast: Cast) -> None:
    cast.add()
    found, ends = cast.find(), timezone.now() + timedelta(days=6)
    verdict = Verification(VerifyStatus.SUCCESS, "ok", "", timezone.now(), ends)
    services().store.annotate(found.key, verification_annotations(verdict), uid=found.uid)

    page = cast.client("vic").get(PATH).content.decode()
    assert "凭证到期日" in page
    assert f"{cast.find().credential_ends}" in page
    assert "天后到期" in page
    assert "harbor-prod" in cast.client("vic").get("/registries/?status=expiring").content.decode()
    assert patch(cast, token_expires="2030-01-01T00:00:00Z").status_code == 422, "only tests write it"
    for text in ("tomorrow", "<b>2030</b>"):
        services().store.annotate(found.key, {f"{PREFIX}token-expires": text}, uid=found.uid)
        assert cast.find().credential_ends is None
        assert "token-expires" not in cast.find().document.decode()


def test_a_failure_is_shown_before_a_date(cast: Cast) -> None:
    cast.add()
    found = cast.find()
    verdict = Verification(VerifyStatus.FAILED, "bad_credentials", "", timezone.now())
    services().store.annotate(found.key, verification_annotations(verdict), uid=found.uid)
    save(cast, expires_at=day(2))
    assert "用户名或密码错误" in cast.client("vic").get("/registries/").content.decode()


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-02-30", "31.12.2026", "2026-1-1", "1999-01-01", "x" * 500]
)
def test_no_date_is_told_and_loses_nothing(cast: Cast, text: str) -> None:
    cast.add()
    answer = save(cast, expires_at=text, owner="平台组")
    assert answer.status_code == 422
    assert "YYYY-MM-DD" in answer.content.decode()
    assert "平台组" in answer.content.decode()
    assert cast.find().owner == ""
    refused = patch(cast, expires_at=text)
    assert refused.status_code == 422
    assert refused.json()["details"]["causes"][0]["field"] == f"metadata.annotations[{PREFIX}expires-at]"


def test_the_api_sets_and_removes_them(cast: Cast) -> None:
    cast.add()
    notes = patch(cast, owner="平台组", expires_at="2030-12-31").json()["metadata"]["annotations"]
    assert (notes[PREFIX + "owner"], notes[PREFIX + "expires-at"]) == ("平台组", "2030-12-31")
    notes = patch(cast, owner=None).json()["metadata"]["annotations"]
    assert PREFIX + "owner" not in notes
    assert notes[PREFIX + "expires-at"] == "2030-12-31"


@pytest.mark.parametrize("name", ["owner", "support_contact"])
def test_no_text_may_hold_the_password(cast: Cast, name: str) -> None:
    cast.add()
    answer = save(cast, **{name: f"ask for {canary.CANARY} please"})
    canary.leaks.clear()  # the form returns what was typed
    assert answer.status_code == 422
    assert getattr(cast.find(), name) == ""


def test_what_kubectl_wrote_is_shown_only_if_it_is_one(cast: Cast) -> None:
    found = cast.add()
    notes = {PREFIX + "expires-at": "soon", PREFIX + "owner": "token=abcdefgh12345678"}
    services().store.annotate(found.key, notes, uid=found.uid)
    found = cast.find()
    assert found.expires_at is None
    assert "abcdefgh" not in found.owner


def test_of_two_edits_both_are_kept(cast: Cast) -> None:
    cast.add()
    before = cast.find()
    save(cast, "nina", owner="平台组")
    seen = {f"seen_{name}": text for name, text in before.information.items()}
    typed = {**before.information, **seen, "uid": before.uid, "resource_version": before.resource_version}
    answer = cast.client("omar", **HX).post(f"{PATH}edit/", {**typed, "support_contact": "400"})
    assert answer.status_code == 204
    assert (cast.find().owner, cast.find().support_contact) == ("平台组", "400")
