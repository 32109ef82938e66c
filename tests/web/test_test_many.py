"""测试选中 and 测试全部: many tests at once, with restraint, that go on without the page and survive the process."""

import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from registries.domain.access import Role
from registries.domain.errors import NotFound
from registries.domain.registry import Key, VerifyStatus
from registries.models import AuditEntry, Pause, Run, RunItem, VerificationRecord
from registries.people.grants import remove_grant, set_grant
from registries.probe import registry_of
from registries.runs.run import Group, Item, ItemState
from registries.runs.verify import KEPT
from registries.web.runs.test_many import counted
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.web.many_tests import PATH, begin, latest


def states() -> dict[str, tuple[str, str]]:
    return {it.name: (it.state, it.reason) for it in RunItem.objects.filter(run=latest())}


def test_no_line_is_shown_that_the_counts_do_not_have() -> None:
    """The tests go on between the two reads. Of equal outcomes, the newest are not counted yet."""
    outcomes = ("timeout", "ok", "ok", "timeout")
    newest = [
        Item(n, Key("team-a", f"r-{n}"), str(n), ItemState.DONE, it, "", None)
        for n, it in enumerate(outcomes)
    ]

    def shown(**counts: int) -> list[int]:
        groups = [Group(ItemState.DONE, reason, "", count) for reason, count in counts.items()]
        return [it.id for it in counted(newest, groups)]

    assert shown() == []
    assert shown(ok=1) == [2]
    assert shown(ok=1, timeout=1) == [2, 3]
    assert shown(ok=900, timeout=2) == [0, 1, 2, 3]


def test_tests_what_was_selected_and_says_what_came_of_it(cast: Cast, probing: Probing) -> None:
    chosen = [
        cast.add("good", **probing("harbor")),
        cast.add("bad", "team-b", **probing("wrong-password")),
        cast.add("down", **probing("down")),
    ]
    cast.add("untouched", **probing("harbor"))

    shown = begin(cast.htmx(), uids=" ".join(it.uid for it in chosen))

    assert "测试完成" in shown
    assert "已测试 3 / 3" in re.sub(r"\s+", " ", shown)
    for text in ("连接成功", "用户名或密码错误", "连接被拒绝，端口未监听", "选中失败的 2 个"):
        assert text in shown
    assert shown.count("<details open>") == 3, "a reason of one registry is open at once"
    for name in ("team-a/good", "team-b/bad", "team-a/down"):
        assert name in shown
    assert cast.find("good").verification.status is VerifyStatus.SUCCESS
    assert cast.find("bad", "team-b").verification.reason == "bad_credentials"
    assert cast.find("untouched").verification.status is VerifyStatus.UNTESTED
    assert AuditEntry.objects.filter(action="test", person="olive").count() == 3
    assert VerificationRecord.objects.filter(finished_at__isnull=True).count() == 0


def test_tests_everything_that_matches_the_filter_and_nothing_else(cast: Cast, probing: Probing) -> None:
    for name, namespace in (("harbor-a", "team-a"), ("harbor-b", "team-b"), ("quay", "team-a")):
        cast.add(name, namespace, **probing("harbor"))

    begin(cast.htmx(), query="namespace=team-a&q=harbor-")

    assert set(states()) == {"harbor-a"}


def test_a_person_tests_only_where_the_role_allows_it(cast: Cast, probing: Probing) -> None:
    mine, other = cast.add("mine", **probing("harbor")), cast.add("other", "team-b", **probing("harbor"))
    both = f"{mine.uid} {other.uid}"

    begin(cast.htmx("omar"), uids=both)
    assert set(states()) == {"mine"}
    for person, status in (("vic", 403), ("sam", 422)):
        for asked in ({"uids": both}, {"query": ""}):
            answer = cast.htmx(person).post(PATH, asked)
            assert answer.status_code == status
            assert "image-operator" in answer.content.decode()
            assert "other" not in answer.content.decode()
    assert cast.htmx("vic").post(PATH, {"uids": other.uid}).status_code == 422, "it does not exist for them"


def test_a_registry_is_left_alone_after_its_first_refusal_of_a_user_name(
    cast: Cast, probing: Probing
) -> None:
    wrong = probing("wrong-password")
    for number in range(4):
        cast.add(f"wrong-{number}", **wrong)
    cast.add("someone-else", **probing("harbor"))
    sent = VerificationRecord.objects.count()

    shown = begin(cast.htmx(), query="")

    found = states()
    tested = [name for name, (state, _) in found.items() if state == ItemState.DONE]
    assert sorted(tested) == ["someone-else", "wrong-0"]
    assert [found[f"wrong-{n}"] for n in (1, 2, 3)] == [(ItemState.LEFT_ALONE, "bad_credentials")] * 3
    assert VerificationRecord.objects.count() == sent + 2
    assert "跳过 3 个" in shown
    assert "已跳过：该仓库刚刚拒绝过此用户名" in shown
    assert cast.find("wrong-1").verification.status is VerifyStatus.UNTESTED, "nothing is known of it"


def test_retry_after_is_honoured_by_the_next_run_until_it_is_over(cast: Cast, probing: Probing) -> None:
    cast.add("limited", **probing("rate-limited"))
    client = cast.htmx()

    begin(client, query="")
    assert states()["limited"] == (ItemState.DONE, "rate_limited")
    pause = Pause.objects.get()
    assert pause.until > timezone.now()

    begin(client, query="")
    assert states()["limited"] == (ItemState.LEFT_ALONE, "rate_limited")

    Pause.objects.update(until=timezone.now() - timedelta(seconds=1))
    begin(client, query="")
    assert states()["limited"] == (ItemState.DONE, "rate_limited")


def test_a_pause_of_another_namespace_does_not_hold_a_run_up(cast: Cast, probing: Probing) -> None:
    cast.add("limited", "team-b", **probing("rate-limited"))
    cast.add("limited-as-well", **probing("rate-limited"))
    theirs = cast.find("limited-as-well")
    Pause.objects.create(
        namespace="team-b",
        registry=registry_of(theirs.address),
        username=theirs.username,
        until=timezone.now() + timedelta(hours=1),
    )

    begin(cast.htmx(), query="")

    assert states()["limited-as-well"] == (ItemState.DONE, "rate_limited")
    assert Pause.objects.filter(namespace="team-a").exists()


def test_one_that_is_gone_or_created_again_is_not_tested_and_said(cast: Cast, probing: Probing) -> None:
    gone, again = cast.add("gone", **probing("harbor")), cast.add("again", **probing("harbor"))
    access, runs = cast.access("olive"), services().runs["verify"]
    run = runs.propose(access=access, registries=[gone, again])
    for it in (gone, again):
        services().registries.delete(access=access, key=it.key, uid=it.uid)
    cast.add("again", **probing("harbor"))

    runs.start(access=access, run_id=run)

    problems = {it.name: it.problem for it in RunItem.objects.filter(run=run)}
    assert problems == {"gone": "gone", "again": "recreated"}
    assert cast.find("again").verification.status is VerifyStatus.UNTESTED
    assert runs.view(access=access, run_id=run).gone == 2
    client = cast.htmx()
    assert "verify-failures" not in client.get(f"{PATH}{run}/").content.decode(), "nothing is left to select"
    assert json.loads(client.post(f"{PATH}{run}/failures/")["HX-Trigger"])["selection-set"] == {"uids": []}


def test_one_that_is_being_tested_is_left_alone(cast: Cast, probing: Probing) -> None:
    it = cast.add(**probing("harbor"))
    services().tests.begin_test(access=cast.access("omar"), key=it.key)

    shown = begin(cast.htmx(), query="")

    assert RunItem.objects.get().problem == "under_way"
    assert "测试已在进行" in shown
    assert VerificationRecord.objects.count() == 1


def test_a_role_that_was_taken_back_meanwhile_counts(cast: Cast, probing: Probing) -> None:
    it = cast.add("mine", **probing("harbor"))
    run = services().runs["verify"].propose(access=cast.access("omar"), registries=[it])
    remove_grant(cast.users["omar"], "team-a")
    set_grant(cast.users["omar"], "team-a", Role.VIEWER)

    cast.htmx("omar").post(f"{PATH}{run}/start/")
    # The access of the request that starts it is looked up anew.
    assert RunItem.objects.get(run=run).problem == "Forbidden"


def test_a_run_is_its_owners_only(cast: Cast, probing: Probing) -> None:
    begin(cast.htmx(), uids=cast.add(**probing("harbor")).uid)
    run = latest().pk

    for person in ("nina", "omar", "vic", "sam"):
        client = cast.htmx(person)
        for method, path in (
            ("get", ""),
            ("post", "start/"),
            ("post", "cancel/"),
            ("post", "failures/"),
            ("get", "group/"),
        ):
            assert getattr(client, method)(f"{PATH}{run}/{path}").status_code == 404, (person, path)
        assert str(run) not in client.get("/registries/").content.decode()


def test_a_deletion_is_no_run_of_tests(cast: Cast) -> None:
    run = services().runs["delete"].propose(access=cast.access("olive"), registries=[cast.add()])

    assert cast.htmx().post(f"{PATH}{run}/start/").status_code == 404
    with pytest.raises(NotFound):
        services().runs["verify"].view(access=cast.access("olive"), run_id=run)


def test_what_failed_becomes_the_selection(cast: Cast, probing: Probing) -> None:
    cast.add("good", **probing("harbor"))
    bad = cast.add("bad", **probing("down"))
    begin(cast.htmx(), query="")

    response = cast.htmx().post(f"{PATH}{latest().pk}/failures/")

    assert json.loads(response["HX-Trigger"])["selection-set"] == {"uids": [bad.uid]}


def test_what_was_skipped_says_what_to_do_and_becomes_the_selection(cast: Cast, probing: Probing) -> None:
    cast.add("good", **probing("harbor"))
    refused, paused = cast.add("refused", **probing("harbor")), cast.add("paused", **probing("harbor"))
    begin(cast.htmx(), query="")
    skipped = RunItem.objects.filter(run=latest())
    skipped.filter(uid=refused.uid).update(state="left_alone", problem="left_alone", reason="bad_credentials")
    skipped.filter(uid=paused.uid).update(state="left_alone", problem="left_alone", reason="rate_limited")

    page = cast.htmx().get(f"{PATH}{latest().pk}/").content.decode()
    response = cast.htmx().post(f"{PATH}{latest().pk}/failures/", {"skipped": "1"})

    assert "选中跳过的 2 个" in page
    assert "verify-failures" not in page
    assert "先更正用户名或密码，再重新测试" in page
    assert "暂停结束后再重新测试" in page
    assert set(json.loads(response["HX-Trigger"])["selection-set"]["uids"]) == {refused.uid, paused.uid}


def test_the_registries_of_a_reason_are_listed(cast: Cast, probing: Probing) -> None:
    cast.add("good", **probing("harbor"))
    cast.add("bad", **probing("down"))
    begin(cast.htmx(), query="")

    shown = cast.htmx().get(f"{PATH}{latest().pk}/group/?reason=connection_refused").content.decode()

    assert "team-a/bad" in shown
    assert "team-a/good" not in shown
    assert "line-why" not in shown, "the head of the group has the reason"


def test_the_next_step_for_one_registry_is_that_of_its_account(cast: Cast, probing: Probing) -> None:
    robot = {**probing("wrong-password"), "username": "robot$team-a"}
    both = "Harbor OIDC 用 CLI 密钥"

    first = cast.add("first", provider="harbor", **robot)
    of_one = begin(cast.htmx(), uids=first.uid)
    second = cast.add("second", provider="other", **probing("wrong-password"))
    of_both = begin(cast.htmx(), uids=f"{first.uid} {second.uid}")

    assert ("在 Harbor 中查看该机器人账号" in of_one, both in of_one) == (True, False)
    assert both in of_both


def test_the_list_tells_of_the_newest_run(cast: Cast, probing: Probing) -> None:
    cast.add("good", **probing("harbor"))
    client = cast.client("olive")
    assert "已测试" not in client.get("/registries/").content.decode()
    begin(cast.htmx(), query="")

    assert "已测试 1 / 1" in client.get("/registries/").content.decode()
    Run.objects.update(finished_at=timezone.now() - timedelta(minutes=11))
    assert "已测试" not in client.get("/registries/").content.decode()


def test_only_the_newest_runs_are_remembered(cast: Cast, probing: Probing) -> None:
    cast.add("good", **probing("down"))
    for _ in range(KEPT + 3):
        begin(cast.htmx(), query="")

    assert Run.objects.count() == KEPT
    assert RunItem.objects.count() == KEPT


def test_the_id_of_a_run_that_never_was_is_a_404(cast: Cast) -> None:
    assert cast.htmx().get(f"{PATH}{UUID(int=1)}/").status_code == 404


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("rate_limited", "已跳过：仓库要求稍后再试"),
        ("bad_credentials", "已跳过：该仓库刚刚拒绝过此用户名"),
    ],
)
def test_says_why_a_registry_was_skipped(cast: Cast, reason: str, says: str) -> None:
    registry = cast.add("a")
    run = services().runs["verify"].propose(access=cast.access("olive"), registries=[registry])
    RunItem.objects.update(state="left_alone", reason=reason, problem="left_alone")
    Run.objects.update(state="done", finished_at=timezone.now())

    shown = cast.htmx().get(f"/registries/-/verify/{run}/").content.decode()

    assert shown.count(says) == 1, "the head has the reason once for all registries under it"
    assert "team-a/a" in shown
    assert "1 跳过" in re.sub(r"\s+", " ", shown) or "跳过 1" in re.sub(r"\s+", " ", shown)
