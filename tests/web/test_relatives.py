"""Copies and the same credential on the details page, and 对齐: within what the viewer may see and use."""

import json
import math
import re
import time
from typing import Any

import pytest
from django.test import Client

from registries.domain.access import Role
from registries.domain.registry import RegistrySecret
from registries.domain.resource import origin_annotations
from registries.models import AuditEntry
from registries.people.grants import set_grant
from registries.service.copies import GUESSES_PER_MINUTE, Difference
from registries.web.registry.rotation import version_of
from registries.wiring import services
from tests import canary
from tests.cast import Cast, typed
from tests.web.copies import ADD, ALIGN, PANEL, copied, lines, panel, password, plan, stored
from tests.web.test_trust import certificate


def test_a_registry_without_relatives_has_no_panel(cast: Cast) -> None:
    cast.add()
    cast.add("other", username="robot")

    assert not panel(cast).strip()


def test_many_lines_are_folded_but_for_those_that_differ(cast: Cast) -> None:
    cast.add()
    for number in range(7):
        cast.add(f"same-{number}")
    cast.add("z-old", password="another-1")

    seen, folded = panel(cast).split("<details")

    assert lines(seen)[0].startswith("team-a/z-old")
    assert (len(lines(seen)), len(lines(folded))) == (6, 2)
    assert "另有 2 个" in folded


def test_the_panel_counts_namespaces_with_this_credential(cast: Cast) -> None:
    copied(cast)
    services().registries.create_namespace(access=cast.access("olive"), name="team-c")
    cast.add(namespace="team-c")
    cast.add("old", password="another-1")

    shown = panel(cast)

    assert "你的 3 个命名空间使用相同凭证（含当前命名空间）" in shown
    assert [it.partition("/")[0] for it in lines(shown)] == ["team-b", "team-a", "team-c"]
    assert ["密码相同" in it for it in lines(shown)] == [True, False, True]
    assert canary.CANARY not in shown
    assert "align/" not in shown, "nothing has drifted"


def test_the_details_page_names_the_source_to_those_who_see_it(cast: Cast) -> None:
    source = cast.add(namespace="team-b")
    client = cast.htmx()
    client.post(plan(client, [source], "team-a")[1])
    page = "/registries/team-a/harbor-prod/"

    assert (
        'id="origin"><a href="/registries/team-b/harbor-prod/"'
        in cast.client("olive").get(page).content.decode()
    )
    assert 'id="origin"' not in cast.client("nina").get(page).content.decode()
    services().store.delete(source.key, uid=source.uid)
    cast.add(namespace="team-b")
    assert 'id="origin"' not in cast.client("olive").get(page).content.decode(), (
        "another registry of that name"
    )


DRIFTS: dict[str, tuple[dict[str, str], str]] = {
    "another password": ({"password": "another-1"}, "密码不同"),
    "another user name": ({"username": "robot"}, "用户名不同"),
    "another address": ({"domain": "other.example.com"}, "域名不同"),
    "plain http": ({"domain": "http://harbor.example.com"}, "域名不同"),
    "another trust": ({"tls": "skip"}, "证书设置不同"),
    "a CA": ({"tls": "ca", "ca_bundle": certificate()[0]}, "证书设置不同"),
}


def drifted(cast: Cast, values: dict[str, str]) -> tuple[RegistrySecret, RegistrySecret]:
    """The copy was deleted and made again with other values, by somebody who kept its annotations."""
    source, copy = copied(cast)
    services().store.delete(copy.key, uid=copy.uid)
    other = cast.add(namespace="team-b", **{"display_name": "theirs", **values})
    assert copy.origin
    notes = {**origin_annotations(copy.origin), "other.io/note": "kept"}
    services().store.annotate(other.key, notes, uid=other.uid)
    return source, stored(cast)["team-b/harbor-prod"]


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drift_is_named_and_aligned_with_one_click(cast: Cast, drift: str) -> None:
    values, text = DRIFTS[drift]
    source, copy = drifted(cast, values)
    cast.add("bystander", "team-b", password="another-2")
    before = {key: it for key, it in stored(cast).items() if key != "team-b/harbor-prod"}

    shown = panel(cast)
    other = panel(cast, path="/registries/team-b/harbor-prod/relatives/")
    assert text in shown
    assert text in other
    assert 'href="/registries/team-b/harbor-prod/align/"' in shown
    assert 'href="/registries/team-b/harbor-prod/align/"' in other

    client = cast.htmx()
    asked = client.get(ALIGN).content.decode()
    assert "加密保存在数据库中" in asked
    assert not re.search("Secret|拉取凭证", asked), "the embedded store has none"
    assert stored(cast)["team-b/harbor-prod"] == copy, "asking changes nothing"
    response = client.post(ALIGN, {"uid": copy.uid, "source": source.uid})

    assert response.status_code == 200, response.content.decode()
    aligned = stored(cast)["team-b/harbor-prod"]
    assert services().store.fingerprint(aligned) == services().store.fingerprint(source)
    same = ("address", "username", "ca_bundle", "skip_tls_verify", "verification")
    assert all(getattr(aligned, name) == getattr(source, name) for name in same)
    assert aligned.origin == copy.origin
    assert (aligned.uid == copy.uid) == (drift == "another password")
    assert b'"other.io/note": "kept"' in aligned.document
    assert {key: it for key, it in stored(cast).items() if key != "team-b/harbor-prod"} == before
    assert "密码相同" in panel(cast)
    assert canary.CANARY not in asked + shown


@pytest.mark.parametrize(
    ("uid", "source"), [("", None), (None, ""), ("another", None), (None, "another"), ("", "")]
)
@pytest.mark.parametrize("username", ["admin", "robot"])
def test_another_registry_than_the_shown_one_is_not_aligned(
    cast: Cast, uid: str | None, source: str | None, username: str
) -> None:
    origin, copy = drifted(cast, {"password": "another-1", "username": username})
    form = {
        "uid": copy.uid if uid is None else uid,
        "source": origin.uid if source is None else source,
    }

    response = cast.htmx().post(ALIGN, form)

    assert response.status_code == 409
    assert password(stored(cast)["team-b/harbor-prod"]) == "another-1"


def test_a_source_that_was_made_again_is_no_source(cast: Cast) -> None:
    source, copy = copied(cast)
    services().store.delete(source.key, uid=source.uid)
    new = cast.add(password="another-1")

    response = cast.htmx().post(ALIGN, {"uid": copy.uid, "source": new.uid})

    assert response.status_code == 404
    assert password(stored(cast)["team-b/harbor-prod"]) == canary.CANARY
    assert "align/" not in panel(cast)


def test_a_failure_in_the_middle_of_an_alignment_changes_nothing(cast: Cast, monkeypatch: Any) -> None:
    source, copy = drifted(cast, {"username": "robot"})
    sealer = services().sealer
    monkeypatch.setattr(services().embedded_store, "_insert", lambda *args: (_ for _ in ()).throw(OSError))

    with pytest.raises(OSError):
        cast.htmx().post(ALIGN, {"uid": copy.uid, "source": source.uid})

    assert sealer is services().sealer
    assert stored(cast)["team-b/harbor-prod"] == copy


VIEWERS = {
    "sees only one": (None, [], False),
    "views the other": (Role.VIEWER, ["未比较"], False),
    "operates the other": (Role.OPERATOR, ["密码不同"], False),
    "admin of both": (Role.ADMIN, ["密码不同"], True),
}


@pytest.mark.parametrize("viewer", VIEWERS)
def test_a_viewer_learns_what_the_roles_allow(cast: Cast, viewer: str) -> None:
    source, copy = drifted(cast, {"password": "another-1"})
    role, texts, may = VIEWERS[viewer]
    if role:
        set_grant(cast.users["nina"], "team-b", role)

    shown = panel(cast, "nina")
    response = cast.htmx("nina").post(ALIGN, {"uid": copy.uid, "source": source.uid})

    assert [text for text in ("未比较", "密码不同", "密码相同") if text in shown] == texts
    assert ("align/" in shown) is may
    assert (response.status_code == 200) is may
    assert (password(stored(cast)["team-b/harbor-prod"]) == canary.CANARY) is may


def test_comparing_with_guessed_passwords_ends_soon(cast: Cast) -> None:
    """Somebody who may use both registries adds one candidate after the other and looks whether it is the one."""
    victim, begun = cast.add("victim", "team-b"), time.monotonic()
    access, told = cast.access("olive"), 0
    for number in range(40):
        guess = cast.add("guess", password=f"guess-{number}")
        [relative] = services().relatives.of(access=access, registry=guess)
        assert relative.registry.uid == victim.uid
        told += relative.differences == (Difference.PASSWORD,)
        services().store.delete(guess.key, uid=guess.uid)

    refilled = math.ceil((time.monotonic() - begun) * GUESSES_PER_MINUTE / 60)
    assert 0 < told <= GUESSES_PER_MINUTE + refilled


def test_aligning_guessed_passwords_ends_soon(cast: Cast) -> None:
    """The age of a password that was the same already stays, so what a copy has after it was aligned is an answer."""
    source, copy = copied(cast)
    access, begun, told = cast.access("olive"), time.monotonic(), 0
    for number in range(3 * GUESSES_PER_MINUTE):
        services().passwords.change_password(
            access=access, key=copy.key, uid=copy.uid, password=f"guess-{number}"
        )
        form = {"uid": copy.uid, "source": source.uid}
        status = cast.htmx().post(ALIGN, form).status_code
        assert status in (200, 429)
        told += status == 200

    refilled = math.ceil((time.monotonic() - begun) * GUESSES_PER_MINUTE / 60)
    assert 0 < told <= GUESSES_PER_MINUTE + refilled


@pytest.mark.parametrize("path", [PANEL, "/registries/team-b/harbor-prod/relatives/"])
def test_what_the_panel_has_compared_is_aligned_without_a_guess(
    cast: Cast, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, copy = drifted(cast, {"password": "another-1"})
    assert "密码不同" in panel(cast, path=path)
    monkeypatch.setattr(services().guesses, "wait", lambda person, registry: 7)

    answer = cast.htmx().post(ALIGN, {"uid": copy.uid, "source": source.uid})

    assert answer.status_code == 200
    assert password(stored(cast)["team-b/harbor-prod"]) == canary.CANARY


def test_looking_again_is_no_other_guess(cast: Cast) -> None:
    copied(cast)
    cast.add("other", "team-b", password="another-1")

    shown = {panel(cast) for _ in range(3 * GUESSES_PER_MINUTE)}

    assert len(shown) == 1
    assert "密码不同" in shown.pop()


def test_adding_points_out_others_with_another_password(cast: Cast) -> None:
    cast.add("old", "team-b", password="another-1")
    cast.add("older", "team-b", password="another-1")
    cast.add("same", "team-b")
    cast.add("robot", "team-b", username="robot", password="another-1")

    told = cast.htmx().post(ADD, typed())
    alone = cast.htmx("nina").post(ADD, typed("second"))

    assert "另有 2 个域名和用户名相同的镜像源使用不同的密码" in toast(told)
    assert "另有" not in toast(alone), "nina does not see team-b"


def test_a_new_password_points_out_those_that_have_the_old_one(cast: Cast) -> None:
    registry = cast.add()
    cast.add("old", "team-b")
    form = {"uid": registry.uid, "version": version_of(registry), "password": "another-1", "anyway": "1"}

    told = cast.htmx().post("/registries/team-a/harbor-prod/password/", form)

    assert "另有 1 个域名和用户名相同的镜像源使用不同的密码" in toast(told)


def toast(response: Any) -> str:
    """The text of the toast; Django sends it in ASCII."""
    return str(json.loads(response["HX-Trigger"])["toast"]["text"])


def test_an_alignment_is_in_the_audit_log(cast: Cast) -> None:
    source, copy = drifted(cast, {"password": "another-1"})
    AuditEntry.objects.all().delete()

    cast.htmx().post(ALIGN, {"uid": copy.uid, "source": source.uid})

    assert [(it.action, it.namespace, it.uid) for it in AuditEntry.objects.exclude(action="login")] == [
        ("password", "team-b", copy.uid)
    ]


def test_a_digest_is_nowhere(cast: Cast, client: Client) -> None:
    source, _copy = copied(cast)
    digest = services().store.fingerprint(source)
    pages = [panel(cast), cast.client("olive").get("/registries/team-a/harbor-prod/").content.decode()]
    pages += [source.document.decode(), repr(source), repr(services().index.fresh().find(source.key))]

    assert len(digest) == 16
    assert not any(form in page for page in pages for form in (digest.hex(), repr(digest)))
