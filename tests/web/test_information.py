"""Owner, support contact and the day on which a credential expires: typed by people, shown, filtered, never secret."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries.domain.registry import Verification, VerifyStatus
from registries.domain.resource import PREFIX, verification_annotations
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
