"""删除选中: exactly what was shown goes, and what failed is named."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from registries.domain.access import Role
from registries.domain.registry import RegistrySecret
from registries.models import Run, RunItem
from registries.people.grants import remove_grant, set_grant
from registries.runs.run import LOST_AFTER
from registries.wiring import services
from tests.cast import Cast

PATH = "/registries/-/batch-delete/"


def propose(client: Client, registries: list[RegistrySecret]) -> tuple[str, str]:
    """The dialog, and where it is confirmed."""
    response = client.post(PATH, {"uids": "\n".join(it.uid for it in registries)})
    shown = response.content.decode()
    found = re.search(r'hx-post="([^"]+/start/)"', shown)
    return shown, found[1] if found else ""


def left(cast: Cast) -> list[str]:
    from registries.domain.query import Criteria

    return [str(it.key) for it in services().index.matching(access=cast.access("olive"), criteria=Criteria())]


def test_lists_what_will_go_by_namespace_and_asks_for_the_count(cast: Cast) -> None:
    chosen = [cast.add("a"), cast.add("b"), cast.add("c", "team-b")]

    shown, _ = propose(cast.htmx(), chosen)

    assert shown.index(">team-a<") < shown.index("<li>a</li>") < shown.index("<li>b</li>")
    assert shown.index("<li>b</li>") < shown.index(">team-b<") < shown.index("<li>c</li>")
    assert "确定删除 3 个" in shown
    assert "输入删除数量" in shown
    assert len(left(cast)) == 3, "nothing is deleted yet"


def test_deletes_exactly_those(cast: Cast) -> None:
    chosen = [cast.add("a"), cast.add("b", "team-b")]
    cast.add("stays")

    client = cast.htmx()
    _, start = propose(client, chosen)
    cast.add("b", "team-a")
    response = client.post(start, {"count": "2"})

    assert response.status_code == 200
    assert left(cast) == ["team-a/b", "team-a/stays"]


@pytest.mark.parametrize("count", ["", "1", "3", "two", "02"])
def test_another_count_deletes_nothing(cast: Cast, count: str) -> None:
    client = cast.htmx()
    _, start = propose(client, [cast.add("a"), cast.add("b")])

    response = client.post(start, {"count": count})

    assert response.status_code == 422
    assert "数量不一致" in response.content.decode()
    assert len(left(cast)) == 2


def test_what_is_no_longer_there_is_named_with_why_and_is_not_selected(cast: Cast) -> None:
    gone, recreated, fine = cast.add("gone"), cast.add("recreated"), cast.add("fine")
    client = cast.htmx()
    _, start = propose(client, [gone, recreated, fine])
    for it in (gone, recreated):
        services().store.delete(it.key, uid=it.uid)
    cast.add("recreated")

    response = client.post(start, {"count": "3"})

    shown = response.content.decode()
    group = shown.partition("<h3>未由本次任务删除</h3>")[2].partition("</ul>")[0]
    assert "team-a/<wbr>gone" in group
    assert "已被删除" in group
    assert "team-a/<wbr>recreated" in group
    assert "新的镜像源未被改动" in group
    assert "仍保持选中" not in shown
    assert json.loads(response["HX-Trigger"])["selection-set"] == {"uids": []}
    assert left(cast) == ["team-a/recreated"]


def test_what_failed_is_named_with_why_and_stays_selected(cast: Cast) -> None:
    set_grant(cast.users["nina"], "team-b", Role.ADMIN)
    mine, kept = cast.add("mine"), cast.add("kept", "team-b")
    client = cast.htmx("nina")
    _, start = propose(client, [mine, kept])
    set_grant(cast.users["nina"], "team-b", Role.VIEWER)

    response = client.post(start, {"count": "2"})

    assert "删除完成，部分失败" in response.content.decode()
    group = response.content.decode().partition("<h3>未删除，仍保持选中</h3>")[2].partition("</ul>")[0]
    assert "team-b/<wbr>kept" in group
    assert "缺少所需的角色" in group
    assert "已不存在" not in response.content.decode()
    assert json.loads(response["HX-Trigger"])["selection-set"] == {"uids": [kept.uid]}
    assert left(cast) == ["team-b/kept"]


def test_what_one_may_not_delete_is_left_out_and_said(cast: Cast) -> None:
    set_grant(cast.users["nina"], "team-b", Role.VIEWER)
    mine, theirs = cast.add("mine"), cast.add("theirs", "team-b")

    client = cast.htmx("nina")
    shown, start = propose(client, [mine, theirs])
    client.post(start, {"count": "1"})

    assert "需要所在命名空间的 image-admin 角色，由管理员授予" in strip_tags(shown)
    assert left(cast) == ["team-b/theirs"]


@pytest.mark.parametrize("person", ["omar", "vic"])
def test_a_selection_that_one_may_not_delete_is_a_403_that_names_the_role(cast: Cast, person: str) -> None:
    mine, hidden = cast.add("mine"), cast.add("hidden", "team-b")

    refused = cast.htmx(person).post(PATH, {"uids": f"{mine.uid} {hidden.uid}"})
    unknown = cast.htmx(person).post(PATH, {"uids": hidden.uid})

    assert refused.status_code == 403
    assert "image-admin" in refused.content.decode()
    assert unknown.status_code == 422, "it does not exist for them"


def test_what_one_may_not_see_is_not_even_counted(cast: Cast) -> None:
    shown, _ = propose(cast.htmx("nina"), [cast.add("mine"), cast.add("harbor-secret", "team-b")])

    assert "harbor-secret" not in shown
    assert "team-b" not in shown
    assert "1 个已不存在" in shown


@pytest.mark.parametrize("uids", ["", "nothing", "' OR 1=1 --", "\x00"])
def test_a_selection_of_nothing_says_so(cast: Cast, uids: str) -> None:
    response = cast.htmx().post(PATH, {"uids": uids})

    assert response.status_code == 422
    assert "已不存在" in response.content.decode()


def test_a_form_that_is_sent_twice_shows_how_far_the_first_one_is(cast: Cast) -> None:
    client = cast.htmx()
    _, start = propose(client, [cast.add("a")])

    first, second = client.post(start, {"count": "1"}), client.post(start, {"count": "1"})

    assert (first.status_code, second.status_code) == (200, 200)
    assert "已删除 1 / 1" in second.content.decode()


def test_a_run_is_its_owners_only(cast: Cast) -> None:
    _, start = propose(cast.htmx("nina"), [cast.add("a")])

    assert cast.htmx("olive").post(start, {"count": "1"}).status_code == 404
    assert left(cast) == ["team-a/a"]


def test_a_role_that_was_taken_back_before_the_confirmation_counts(cast: Cast) -> None:
    client = cast.htmx("nina")
    _, start = propose(client, [cast.add("a")])
    set_grant(cast.users["nina"], "team-a", Role.VIEWER)

    shown = client.post(start, {"count": "1"}).content.decode()

    assert left(cast) == ["team-a/a"]
    assert "缺少所需的角色，由管理员授予" in shown
    remove_grant(cast.users["nina"], "team-a")


def test_thousands_fit_and_their_names_are_fetched_when_asked_for(cast: Cast) -> None:
    chosen = [cast.add(f"r{number:04}") for number in range(150)]
    client = cast.htmx()

    shown, start = propose(client, chosen)
    items = client.get(start.replace("start/", "items/"), {"namespace": "team-a"}).content.decode()

    assert "r0149" not in shown
    assert items.count("<li>") == 150
    client.post(start, {"count": "150"})
    assert left(cast) == []


def test_a_run_whose_process_died_can_go_on_and_does_nothing_twice(cast: Cast) -> None:
    client = cast.htmx()
    _, start = propose(client, [cast.add("a"), cast.add("b")])
    Run.objects.update(state="running", beat_at=timezone.now() - 2 * LOST_AFTER)
    RunItem.objects.filter(name="a").update(state="done")
    cast.add("c")

    shown = client.get(start.replace("start/", "")).content.decode()
    client.post(start)

    assert "删除已中断" in shown
    assert "继续删除" in shown
    assert left(cast) == ["team-a/a", "team-a/c"], "an item that was done is not done again"


def test_a_proposal_that_nobody_confirmed_is_forgotten(cast: Cast) -> None:
    client = cast.htmx()
    propose(client, [cast.add("a")])
    Run.objects.update(created_at=timezone.now() - timedelta(hours=2))

    propose(client, [cast.add("b")])

    assert Run.objects.count() == 1


def test_stops_begins_no_further_deletion_and_goes_on(cast: Cast) -> None:
    chosen = [cast.add("a"), cast.add("b")]
    client = cast.htmx()
    _, start = propose(client, chosen)
    Run.objects.update(state="running", beat_at=timezone.now())

    running = client.get(start.removesuffix("start/")).content.decode()
    stopped = client.post(start.replace("/start/", "/cancel/")).content.decode()

    assert "停止" in running
    assert "删除已停止" in stopped
    assert 'id="run-cancel"' not in stopped
    assert "load delay" not in stopped, "it polls no more"
    assert len(left(cast)) == 2
    assert "继续删除" in stopped
    client.post(start)
    assert left(cast) == []
