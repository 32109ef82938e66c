"""在命名空间间同步 on the details page: a preview, the states, one click for a conflict, and what stays afterwards."""

import re
from typing import Any

import pytest

from registries.domain.errors import NotFound
from registries.models import SyncCopy, SyncRule
from registries.stores.room import Room
from registries.sync.rows import Selection
from registries.sync.states import CopyState
from registries.wiring import services
from tests.api.test_api import TEAM_A
from tests.canary import CANARY
from tests.cast import Cast
from tests.sync.following import change, create_namespace, in_b, keep, password, states, turn
from tests.web.copies import stored
from tests.web.sync_pages import URL, as_code, panel, values


def test_it_is_set_up_with_a_preview_and_one_confirmation(cast: Cast) -> None:
    create_namespace(cast, "team-c")
    cast.add()
    cast.add(namespace="team-c", username="robot")
    client = cast.htmx()

    assert "开启同步…" in panel(cast)
    asked = client.get(f"{URL}edit/").content.decode()
    assert re.findall(r'name="namespaces" value="([^"]+)"', asked) == ["team-b", "team-c"]
    assert 'value="labels"' not in asked, "the embedded store knows no labels"
    assert 'name="bind"' not in asked, "and has no pull secrets"
    shown = client.post(f"{URL}edit/", {"scope": "all"}).content.decode()
    assert shown.index("将写入") < shown.index("<li>team-b/<wbr>harbor-prod</li>")
    assert shown.index("同名但不同的镜像源") < shown.index("<li>team-c/<wbr>harbor-prod</li>")
    assert "新建的命名空间" in shown
    assert "加密保存在数据库中" in shown
    assert "Secret" not in shown
    assert not SyncRule.objects.exists(), "a preview changes nothing"
    assert list(stored(cast)) == ["team-a/harbor-prod", "team-c/harbor-prod"]

    response = client.post(f"{URL}edit/", values(shown))

    assert response.status_code == 200
    assert response["HX-Redirect"] == "/registries/team-a/harbor-prod/"
    assert turn() == {"team-b": "in_step", "team-c": "name_taken"}
    told = panel(cast)
    assert "1 个副本已同步" in told
    assert told.index(">team-c</a>") < told.index(">team-b</a>"), "what needs a person comes first"
    assert "solve/team-c" not in told, "somebody else's registry is never overwritten"
    assert CANARY not in asked + shown + told


def test_the_preview_says_where_a_copy_cannot_be_written(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    create_namespace(cast, "team-c")
    source = cast.add()
    cast.add("other", namespace="team-c")
    monkeypatch.setattr(services().store, "_room", Room(registries=1))

    shown = cast.htmx().post(f"{URL}edit/", {"scope": "all"}).content.decode()
    plan = services().sync_rules.preview(access=cast.access("olive"), source=source, selection=Selection())
    put = cast.api("olive").put(
        f"{TEAM_A}/harbor-prod/sync-rule?dryRun=All", {"all": True}, "application/json"
    )

    assert plan == (("team-b", "waiting", ""), ("team-c", "waiting", "namespace_full"))
    assert [it["problem"] for it in put.json()["copies"]] == ["", "namespace_full"]
    refused, writes = shown.partition("目前无法写入，每分钟重试。该命名空间已满")[2], shown.index("将写入")
    assert re.findall(r"<li>([a-z-]+)/", refused) == ["team-c", "team-b"], "what would fail comes first"
    assert writes < shown.index("<li>team-b/")
    assert list(stored(cast)) == ["team-a/harbor-prod", "team-c/other"], "a preview changes nothing"


def test_chosen_namespaces_are_kept_and_shown_again(cast: Cast) -> None:
    create_namespace(cast, "team-c")
    cast.add()
    client = cast.htmx()
    shown = client.post(
        f"{URL}edit/", {"scope": "names", "namespaces": ["team-c", "nowhere"]}
    ).content.decode()
    client.post(f"{URL}edit/", values(shown))

    assert turn() == {"team-c": "in_step"}
    again = client.get(f"{URL}edit/").content.decode()
    assert re.findall(r'name="namespaces" value="([^"]+)" checked', again) == ["team-c"]
    changed = client.post(f"{URL}edit/", {"scope": "all"}).content.decode()
    buttons = [re.search(r'id="sync-confirm"[^>]*>([^<]+)<', it) for it in (shown, changed)]
    assert [it and it[1] for it in buttons] == ["开启同步", "保存并写入 1 个副本"]


def test_a_namespace_that_the_viewer_does_not_see_is_counted_only(cast: Cast) -> None:
    create_namespace(cast, "team-c")
    cast.add()
    chosen = {"scope": "names", "namespaces": ["team-b", "team-c"]}
    cast.htmx().post(f"{URL}edit/", {**chosen, "step": "save"})
    turn()

    shown = {name: panel(cast, name) for name in ("olive", "nina", "omar", "vic")}

    assert as_code("team-b", "team-c") in shown.pop("olive")
    for name, text in shown.items():
        assert not re.findall("team-[bc]", text), name
        assert "2 个你看不到的命名空间" in text


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing chosen": ({"scope": "names"}, "至少选择一个命名空间"),
    "no scope": ({}, "至少选择一个命名空间"),
    "labels without a cluster": ({"scope": "labels", "labels": "a=b"}, "标签选择器"),
    "unknown namespace": ({"scope": "names", "namespaces": "nowhere"}, "至少选择一个命名空间"),
    "its own namespace": ({"scope": "names", "namespaces": "team-a"}, "至少选择一个命名空间"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_set_up_is_said_in_the_form(cast: Cast, wrong: str) -> None:
    cast.add()
    typed, text = WRONG[wrong]
    for step in ({}, {"step": "save"}):
        response = cast.htmx().post(f"{URL}edit/", {**typed, **step})
        assert response.status_code == 422
        assert text in response.content.decode()
    assert not SyncRule.objects.exists()


def test_a_conflict_is_solved_with_one_click(cast: Cast) -> None:
    source = cast.add()
    keep(cast, source)
    turn()
    change(cast, in_b(cast), "by-hand-1")
    turn()
    client = cast.htmx()
    solve = f"{URL}solve/team-b/"
    assert f'href="{solve}"' in panel(cast)
    relatives = client.get("/registries/team-a/harbor-prod/relatives/").content.decode()
    assert "align/" not in relatives
    assert "在下方的同步规则中处理" in relatives

    asked = client.get(solve).content.decode()
    assert "覆盖" in asked
    assert "加密保存在数据库中" in asked
    assert "Secret" not in asked
    assert password(in_b(cast).key) == "by-hand-1"
    late = client.post(solve, {"uid": "another"})
    assert late.status_code == 409
    response = client.post(solve, values(asked))

    assert response.status_code == 200
    assert turn() == {"team-b": "in_step"}
    assert password(in_b(cast).key) == CANARY
    assert client.get(solve).status_code == 404, "there is nothing to solve any more"
    assert CANARY not in asked


def test_a_copy_that_may_not_be_written_says_who_lacks_which_role(cast: Cast) -> None:
    keep(cast, cast.add())
    turn()
    SyncCopy.objects.update(state="failed", problem="Forbidden")

    for shown in (panel(cast), cast.htmx().get(f"{URL}solve/team-b/").content.decode()):
        assert "olive 在此命名空间没有 image-admin 角色，由管理员授予。" in re.sub("<[^>]+>", "", shown)


def test_a_setting_in_a_reason_is_code_that_breaks_after_an_underscore(cast: Cast) -> None:
    keep(cast, cast.add())
    turn()
    SyncCopy.objects.update(state="failed", problem="namespace_full")

    for shown in (panel(cast), cast.htmx().get(f"{URL}solve/team-b/").content.decode()):
        assert '<code class="setting">CONSOLE_<wbr>NAMESPACE_<wbr>REGISTRIES</code>' in shown


def test_the_head_counts_the_failed_copies_first(cast: Cast) -> None:
    create_namespace(cast, "team-c")
    keep(cast, cast.add())
    turn()
    assert "已开启</span>" in panel(cast)
    assert "写入失败" not in panel(cast)
    SyncCopy.objects.filter(namespace="team-c").update(state="failed", problem="Forbidden")

    head = panel(cast).split("</header>")[0]

    assert "pill-bad" in head
    assert (
        re.sub(r"\s+", " ", re.sub("<[^>]+>", "", head))
        .strip()
        .endswith("已开启，部分失败 1 个写入失败 1 个副本已同步")
    )


@pytest.mark.parametrize("page", [URL, "/rules/"])
def test_the_numbers_of_a_rule_add_up_to_its_namespaces(cast: Cast, page: str) -> None:
    keep(cast, cast.add())
    turn()
    rule = SyncRule.objects.get()
    for state in set(CopyState) - {CopyState.IN_STEP}:
        SyncCopy.objects.create(rule=rule, namespace=f"in-{state}".replace("_", "-"), state=state)

    shown = re.sub("<[^>]+>", " ", panel(cast, url=page).split("相同的镜像源，不做改动")[0])

    counted = re.findall(r"(\d+) 个(?:写入失败|副本已同步|待处理|[^ ]*尚未|未同步|已不在规则中)", shown)
    assert sum(map(int, counted)) == SyncCopy.objects.count() == len(CopyState)


def test_people_see_of_a_rule_what_they_see_of_namespaces(cast: Cast) -> None:
    source = cast.add()
    assert panel(cast, "nina") == "", "she may not set one up"
    keep(cast, source)
    turn()

    shown = panel(cast, "nina")
    assert "team-b" not in shown
    assert "edit/" not in shown
    assert "以 olive 的身份执行" in shown
    for path in ("edit/", "off/", "solve/team-b/"):
        assert cast.htmx("nina").get(f"{URL}{path}").status_code == 403
        assert cast.htmx("sam").get(f"{URL}{path}").status_code == 404
    delete = cast.htmx("nina").get("/registries/team-a/harbor-prod/delete/").content.decode()
    assert 'name="copies"' not in delete


def test_chosen_namespaces_that_a_person_does_not_see_are_only_counted(cast: Cast) -> None:
    keep(cast, cast.add(), Selection(names=("team-b", "team-z")))

    assert "2 个你看不到的命名空间" in panel(cast, "nina")
    assert "team-" not in panel(cast, "nina").replace("team-a", "")
    assert as_code("team-b", "team-z") in panel(cast)


def test_a_copy_says_with_what_it_is_kept_in_sync(cast: Cast) -> None:
    keep(cast, cast.add())
    turn()

    assert "/registries/team-a/harbor-prod/" in panel(cast, url="/registries/team-b/harbor-prod/sync/")


def test_a_paused_rule_says_why(cast: Cast) -> None:
    keep(cast, cast.add())
    SyncRule.objects.update(owner="account:999999")
    turn()

    shown = panel(cast)
    assert "已暂停" in shown
    assert "olive 已不再" in shown
    assert "点击下方的「更改」" in shown, "who reads it may resume the rule"
    assert "在来源的详情页点击「更改」" in cast.client("olive").get("/rules/").content.decode()
    assert states() == {}


def test_people_of_a_cluster_are_offered_nothing(cast: Cast) -> None:
    source = cast.add()
    keep(cast, source)
    services().sync_rules.available = False

    access, rules = cast.access("olive"), services().sync_rules
    assert rules.view(access=access, registry=source) is None
    assert not rules.may_set_up(access=access)
    with pytest.raises(NotFound):
        rules.end(access=access, source=source)
    for path in ("edit/", "off/", "solve/team-b/"):
        assert cast.htmx().get(f"{URL}{path}").status_code == 404
    assert panel(cast) == ""
    assert URL not in cast.client("olive").get("/registries/team-a/harbor-prod/").content.decode()


def test_the_journal_names_the_rule(cast: Cast) -> None:
    keep(cast, cast.add())
    turn()

    shown = cast.client("olive").get("/journal/").content.decode()
    assert "由规则执行" in shown
    assert "开启同步" in shown


def test_a_copy_has_a_button_in_one_panel_only(cast: Cast) -> None:
    keep(cast, cast.add())
    turn()
    change(cast, cast.find(namespace="team-b"), "by-hand-1")
    turn()

    copies = panel(cast, url=URL.replace("sync", "relatives"))

    assert "覆盖" in panel(cast)
    assert "team-b/<wbr>harbor-prod" in copies
    assert "对齐" not in copies
    assert '<a href="#sync">在下方的同步规则中处理</a>' in copies
    of_copy = URL.replace("team-a", "team-b")
    source = "/registries/team-a/harbor-prod/#sync"
    its_own = panel(cast, url=of_copy.replace("sync", "relatives"))
    assert f'<a href="{source}">在来源的同步规则中处理</a>' in its_own
    assert "对齐" not in its_own
    assert f'{source}">team-a/harbor-prod</a> 的同步规则创建，之后被修改' in panel(cast, url=of_copy)
