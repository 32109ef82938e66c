"""编辑信息 and 删除: what may change, and what happens when somebody was faster."""

import json
import re

import pytest

from registries.domain.errors import NotFound
from registries.domain.registry import Key, RegistrySecret
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast

EDIT = "/registries/team-a/harbor-prod/edit/"
DELETE = "/registries/team-a/harbor-prod/delete/"


def form(registry: RegistrySecret, **values: str) -> dict[str, str]:
    return {
        "display_name": registry.display_name,
        "description": registry.description,
        "seen_display_name": registry.display_name,
        "seen_description": registry.description,
        "uid": registry.uid,
        "resource_version": registry.resource_version,
        **values,
    }


def test_the_core_settings_are_shown_locked_with_the_guides_reason(cast: Cast) -> None:
    cast.add()

    shown = cast.client("omar").get(EDIT).content.decode()

    assert "不能修改域名、用户名、密码等核心配置。如需修改，请删除后重新创建。" in shown
    assert "harbor.example.com" in shown
    for name in ("domain", "username", "password", "provider", "namespace"):
        assert f'name="{name}"' not in shown
    assert CANARY not in shown


def test_saves_the_two_fields_that_may_change(cast: Cast) -> None:
    registry = cast.add()

    response = cast.htmx("omar").post(EDIT, form(registry, display_name=" 生产 ", description="主"))

    assert response.status_code == 204
    saved = cast.find()
    assert (saved.display_name, saved.description) == ("生产", "主")
    assert saved.uid == registry.uid


def test_a_field_that_may_not_change_does_not(cast: Cast) -> None:
    registry = cast.add()

    cast.htmx("nina").post(
        EDIT, form(registry, display_name="x", domain="evil.example.com", username="eve", password="p")
    )

    saved = cast.find()
    assert (saved.domain, saved.username) == ("harbor.example.com", "admin")
    assert services().store.credential(saved.key, uid=saved.uid).password == CANARY


def test_emptied_fields_are_removed(cast: Cast) -> None:
    registry = cast.add(display_name="x", description="y")

    cast.htmx("nina").post(EDIT, form(registry, display_name="", description=""))

    notes = json.loads(services().store.get(registry.key).document)["metadata"]["annotations"]
    assert "theriseunion.io/display-name" not in notes
    assert "theriseunion.io/description" not in notes


def test_the_second_of_two_is_told_sees_the_newer_values_and_loses_nothing(cast: Cast) -> None:
    registry = cast.add(display_name="old")
    cast.htmx("nina").post(EDIT, form(registry, display_name="first"))

    second = cast.htmx("omar").post(EDIT, form(registry, display_name="second", description="mine"))

    shown = second.content.decode()
    assert second.status_code == 409
    assert "编辑期间，下方标出的内容已被更改" in shown
    assert "first" in shown[shown.index('class="clash"') :]
    assert 'value="second"' in shown
    assert "mine" in shown
    assert cast.find().display_name == "first"
    newer = cast.find().resource_version
    assert f'value="{newer}"' in shown
    again = cast.htmx("omar").post(EDIT, form(registry, display_name="second", resource_version=newer))
    assert again.status_code == 204
    assert cast.find().display_name == "second"


@pytest.mark.parametrize(
    ("theirs", "mine", "status", "saved"),
    [
        ({"display_name": "t"}, {"description": "m"}, 204, ("t", "m")),
        ({"description": "t"}, {"display_name": "m"}, 204, ("m", "t")),
        ({"display_name": "t"}, {}, 204, ("t", "old text")),
        ({"display_name": "same"}, {"display_name": "same"}, 204, ("same", "old text")),
        ({"display_name": ""}, {"description": ""}, 204, ("", "")),
        ({"display_name": "t"}, {"display_name": "m"}, 409, ("t", "old text")),
        ({"display_name": "t", "description": "t"}, {"description": "m"}, 409, ("t", "t")),
        ({"description": ""}, {"description": "m"}, 409, ("old", "")),
    ],
)
def test_texts_that_only_one_changed_are_merged(
    cast: Cast, theirs: dict[str, str], mine: dict[str, str], status: int, saved: tuple[str, str]
) -> None:
    registry = cast.add(display_name="old", description="old text")
    assert cast.htmx("nina").post(EDIT, form(registry, **theirs)).status_code == 204

    response = cast.htmx("omar").post(EDIT, form(registry, **mine))

    assert response.status_code == status
    now = cast.find()
    assert (now.display_name, now.description) == saved


def test_a_clash_in_one_text_keeps_what_the_other_person_did_to_the_other_text(cast: Cast) -> None:
    registry = cast.add(display_name="old", description="old text")
    cast.htmx("nina").post(EDIT, form(registry, display_name="theirs", description="theirs too"))

    shown = cast.htmx("omar").post(EDIT, form(registry, display_name="mine")).content.decode()

    assert 'value="mine"' in shown
    assert re.search(r"<textarea[^>]*name=.description[^>]*>\s*theirs too", shown)


def test_a_test_that_ended_meanwhile_is_no_conflict_between_people(cast: Cast) -> None:
    registry = cast.add(description="two\nlines")
    check, _ = services().tests.begin_test(access=cast.access("nina"), key=registry.key)
    services().tests.finish_test(access=cast.access("nina"), check=check)
    assert cast.find().resource_version != registry.resource_version

    typed = form(registry, display_name="mine", seen_description="two\r\nlines")
    response = cast.htmx("nina").post(EDIT, typed)

    assert response.status_code == 204
    assert cast.find().display_name == "mine"
    assert cast.find().verification.status == "failed", "the verdict is still there"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"display_name": "x" * 129}, "128"),
        ({"description": "a\u202e"}, "书写方向"),
        ({"display_name": "a\nb"}, "控制字符"),
    ],
)
def test_a_bad_text_is_said_at_its_field(cast: Cast, values: dict[str, str], says: str) -> None:
    registry = cast.add()

    response = cast.htmx("nina").post(EDIT, form(registry, **values))

    assert response.status_code == 422
    assert says in response.content.decode()
    assert cast.find().display_name == ""


def recreate(registry: RegistrySecret, cast: Cast) -> RegistrySecret:
    services().store.delete(registry.key, uid=registry.uid)
    return cast.add(display_name="new one")


def test_editing_one_that_was_recreated_touches_nothing_and_says_so(cast: Cast) -> None:
    old = cast.add()
    new = recreate(old, cast)

    response = cast.htmx("nina").post(EDIT, form(old, display_name="x"))

    assert response.status_code == 409
    assert "已被删除并重新创建" in response.content.decode()
    assert cast.find() == new


def test_editing_without_saying_which_one_is_refused(cast: Cast) -> None:
    cast.add()

    response = cast.htmx("nina").post(EDIT, {"display_name": "x"})

    assert response.status_code == 409
    assert cast.find().display_name == ""


def test_deleting_warns_as_the_guide_does(cast: Cast) -> None:
    cast.add()

    shown = cast.client("nina").get(DELETE).content.decode()

    assert "删除镜像源后，使用该凭证的镜像将无法正常拉取。" in shown
    assert "确定删除" in shown


def test_deletes_when_the_name_was_typed(cast: Cast) -> None:
    registry = cast.add()

    response = cast.htmx("nina").post(DELETE, {"confirm": " harbor-prod ", "uid": registry.uid})

    assert response.status_code == 204
    assert registry.uid in response["HX-Trigger"]
    with pytest.raises(NotFound):
        cast.find()


@pytest.mark.parametrize("typed", ["", "harbor", "HARBOR-PROD", "harbor-prod-2"])
def test_another_name_deletes_nothing(cast: Cast, typed: str) -> None:
    registry = cast.add()

    response = cast.htmx("nina").post(DELETE, {"confirm": typed, "uid": registry.uid})

    assert response.status_code == 422
    assert "未删除" in response.content.decode()
    assert cast.find() == registry


def test_one_that_was_deleted_meanwhile_is_said_to_be_gone(cast: Cast) -> None:
    registry = cast.add()
    services().store.delete(registry.key, uid=registry.uid)

    response = cast.htmx("nina").post(DELETE, {"confirm": "harbor-prod", "uid": registry.uid})

    assert response.status_code == 409
    assert "已被删除" in response.content.decode()
    assert "registries-changed" in response["HX-Trigger"]


def test_one_that_was_recreated_meanwhile_is_not_touched(cast: Cast) -> None:
    old = cast.add()
    new = recreate(old, cast)

    response = cast.htmx("nina").post(DELETE, {"confirm": "harbor-prod", "uid": old.uid})

    assert response.status_code == 409
    assert "未被改动" in response.content.decode()
    assert cast.find() == new


def test_a_deletion_that_cannot_be_undone_takes_its_history_along(cast: Cast) -> None:
    from registries.models import VerificationRecord

    registry = cast.add()
    check, _ = services().tests.begin_test(access=cast.access("nina"), key=Key("team-a", "harbor-prod"))
    services().tests.finish_test(access=cast.access("nina"), check=check)

    cast.htmx("nina").post(DELETE, {"confirm": "harbor-prod", "uid": registry.uid, "forget": "1"})

    assert not VerificationRecord.objects.filter(uid=registry.uid).exists()
