"""Runs in words: the counts of a dialog and of the notice above the list add up, whatever came of the items."""

import re
from datetime import timedelta
from itertools import product
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registries.models import Run, RunItem
from registries.runs.owned import RECENT
from registries.runs.run import LOST_AFTER, ItemState
from tests.cast import Cast

NOTICES = "/registries/-/notices/"
PAGES = {"verify": "/registries/-/verify/{}/", "delete": "/registries/-/runs/{}/"}
STATES = ("running", "interrupted", "cancelled", "done")
MIXTURES = [
    (3, 0, 0, 0),
    (0, 4, 0, 0),
    (0, 0, 5, 0),
    (2, 1, 0, 0),
    (2, 3, 4, 0),
    (1, 2, 3, 6),
    (0, 0, 0, 7),
    (0, 0, 2, 1),
]
"""Items that succeeded, failed, were skipped, and wait."""


def run(cast: Cast, kind: str, state: str, mixture: tuple[int, ...], **values: object) -> Run:
    now = timezone.now()
    lost = state == "interrupted"
    made = Run.objects.create(
        id=uuid4(),
        kind=kind,
        person="olive",
        owner=cast.access("olive").owner,
        state="running" if lost else state,
        beat_at=now - 2 * LOST_AFTER if lost else now,
        **{"finished_at": None if state in ("running", "interrupted") else now, **values},
    )
    reason = "ok" if kind == "verify" else ""
    outcomes = (
        (ItemState.DONE, reason, ""),
        (ItemState.FAILED, "", "uncertain"),
        (ItemState.LEFT_ALONE, "rate_limited", "left_alone"),
        (ItemState.WAITING, "", ""),
    )
    for number, (item_state, why, problem) in zip(mixture, outcomes, strict=True):
        RunItem.objects.bulk_create(
            RunItem(
                run=made, namespace="team-a", name=f"{item_state}-{n}", uid=str(uuid4()), state=item_state,
                reason=why, problem=problem,
            )
            for n in range(number)
        )  # fmt: skip
    return made


def counts(shown: str) -> dict[str, int]:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", shown))
    done = re.search(r"(?:测试|删除)[^0-9/]*(\d+) / (\d+)", text)
    assert done, text
    words = {"成功": "ok", "失败": "failed", "跳过": "skipped", "未开始": "waiting"}
    found = {name: int(n) for word, name in words.items() for n in re.findall(rf"{word} (\d+) 个", text)[:1]}
    return {"done": int(done[1]), "total": int(done[2]), **found}


@pytest.mark.parametrize("mixture", MIXTURES)
@pytest.mark.parametrize(("kind", "state"), list(product(PAGES, STATES)))
def test_the_counts_add_up(cast: Cast, kind: str, state: str, mixture: tuple[int, ...]) -> None:
    ok, failed, skipped, waiting = mixture
    client = cast.client("olive", hx_request="true")
    made = run(cast, kind, state, mixture)

    for shown in (client.get(PAGES[kind].format(made.pk)), client.get(NOTICES)):
        told = counts(shown.content.decode())
        assert told["total"] == sum(mixture)
        assert told.get("failed", 0) == failed
        assert told.get("skipped", 0) == skipped
        assert told["done"] == (ok + failed if kind == "verify" else ok)
        assert told.get("ok", told["done"] - (failed if kind == "verify" else 0)) == ok
        if state != "running":
            assert told.get("waiting", 0) == waiting
            others = 0 if kind == "verify" else told.get("failed", 0)
            assert told["done"] + others + told.get("skipped", 0) + told.get("waiting", 0) == told["total"]


@pytest.mark.parametrize("kind", PAGES)
def test_registries_that_are_gone_did_not_fail(cast: Cast, kind: str) -> None:
    client = cast.client("olive", hx_request="true")
    made = run(cast, kind, "done", (2, 3, 0, 0))
    RunItem.objects.filter(run=made, name__in=("failed-0", "failed-1")).update(problem="gone")

    for shown in (client.get(PAGES[kind].format(made.pk)), client.get(NOTICES)):
        text = shown.content.decode()
        assert ("此前已删除 2 个" if kind == "delete" else "已不存在 2 个") in text
        assert "失败 1 个" in text
        assert counts(text)["done"] == (3 if kind == "verify" else 2)


@pytest.mark.parametrize("kind", PAGES)
def test_the_bar_has_a_part_for_each_count(cast: Cast, kind: str) -> None:
    made = run(cast, kind, "running", (7, 3, 2, 8))
    RunItem.objects.filter(run=made, name="failed-0").update(problem="gone")

    shown = cast.client("olive", hx_request="true").get(PAGES[kind].format(made.pk)).content.decode()
    bar = shown.partition('role="progressbar"')[2].partition("</svg>")[0]

    assert 'aria-valuemax="20" aria-valuenow="12"' in bar
    parts = [dict(re.findall(r'(class|x|width|height)="([^"]*)"', it)) for it in bar.split("<rect")[1:]]
    assert [(it.get("class", ""), it.get("x", "0"), it["width"]) for it in parts] == [
        ("bar-whole", "0", "20"),
        ("bar-busy", "0", "7"),
        ("bar-bad", "7", "2"),
        ("", "9", "3"),
    ]
    assert [it["height"] for it in parts] == ["4", "4", "8", "4"], (
        "failures are not told by their colour alone"
    )


class TestADialogOverTheList:
    """Its polls bring the notices along, so that nothing asks for them beside it."""

    @pytest.mark.parametrize("kind", PAGES)
    def test_brings_the_notices_when_they_changed(self, cast: Cast, kind: str) -> None:
        made = run(cast, kind, "running", (1, 0, 0, 2))
        client = cast.client("olive", hx_request="true", hx_current_url="http://testserver/registries/?q=a")
        address = PAGES[kind].format(made.pk)

        first = client.get(address)
        shown = first.content.decode()
        assert 'hx-swap-oob="true"' in shown
        assert "runs-changed" not in first.get("HX-Trigger", "")
        version = shown.partition('data-quiet\n     data-version="')[2].partition('"')[0]
        assert version

        assert "run-notices" not in client.get(address, headers={"x-notices": version}).content.decode()

        RunItem.objects.filter(run=made, state=ItemState.WAITING).first().delete()  # type: ignore[union-attr]
        assert "run-notices" in client.get(address, headers={"x-notices": version}).content.decode()

    @pytest.mark.parametrize("url", ["http://testserver/overview/", "http://testserver/registries/team-a/x/"])
    def test_brings_none_over_a_page_without_notices(self, cast: Cast, url: str) -> None:
        made = run(cast, "verify", "running", (1, 0, 0, 2))
        client = cast.client("olive", hx_request="true", hx_current_url=url)

        assert "run-notices" not in client.get(PAGES["verify"].format(made.pk)).content.decode()


class TestTheNotices:
    """The newest run of each kind, after the page was left."""

    def test_say_when_the_run_ended_or_began(self, cast: Cast) -> None:
        now = timezone.now()
        run(cast, "verify", "done", (1, 0, 0, 0), finished_at=now - timedelta(minutes=4))
        run(cast, "delete", "running", (1, 0, 0, 1), started_at=now - timedelta(minutes=7))

        shown = re.sub(r"<[^>]*>", "", cast.client("olive").get(NOTICES).content.decode())

        assert "4 分钟前" in shown
        assert "7 分钟前开始" in shown

    @pytest.mark.parametrize("state", STATES)
    def test_can_be_closed_once_nothing_is_left_to_decide(self, cast: Cast, state: str) -> None:
        made = run(cast, "verify", state, (1, 0, 0, 1))
        client = cast.client("olive", hx_request="true")
        address = f"{NOTICES}{made.pk}/dismiss/"
        over = state in ("cancelled", "done")
        assert (address in client.get(NOTICES).content.decode()) is over

        answer = client.post(address).content.decode()

        assert ('class="notice ' in answer) is not over
        assert (
            'class="notice ' in client.get("/registries/", headers={"hx-request": ""}).content.decode()
        ) is not over

    def test_of_passwords_that_wait_for_a_decision_cannot_be_closed(self, cast: Cast) -> None:
        made = run(cast, "verify", "cancelled", (1, 0, 0, 1))
        Run.objects.filter(pk=made.pk).update(kind="rotate")
        client = cast.client("olive", hx_request="true")

        assert "/dismiss/" not in client.get(NOTICES).content.decode()
        assert 'class="notice ' in client.post(f"{NOTICES}{made.pk}/dismiss/").content.decode()

    def test_are_one_for_tests_and_one_for_deletions(self, cast: Cast) -> None:
        for kind, number in product(PAGES, (2, 3)):
            run(cast, kind, "done", (number, 0, 0, 0))

        shown = cast.client("olive").get("/registries/").content.decode()

        assert shown.count('class="notice ') == 2
        assert "已删除 3 / 3" in shown
        assert "已测试 3 / 3" in shown
        assert "load delay" not in shown[shown.index("run-notices") :].partition(">")[0]

    def test_are_two_at_most_of_those_that_are_over(self, cast: Cast) -> None:
        """More would push the list out of sight. Each that needs its person is shown."""
        states = {
            "verify": "done",
            "copy": "cancelled",
            "delete": "done",
            "undo": "running",
            "rotate": "interrupted",
        }
        for number, (kind, state) in enumerate(states.items(), 1):
            made = run(cast, "verify", state, (1, 0, 0, number))
            Run.objects.filter(pk=made.pk).update(
                kind=kind, created_at=timezone.now() - timedelta(minutes=number)
            )

        shown = cast.client("olive").get(NOTICES).content.decode()

        ids = [it.removeprefix("show-") for it in re.findall(r'id="(show-[a-z]+)"', shown)]
        assert ids == ["verify", "copy", "undo", "rotate"]

    @pytest.mark.parametrize("kind", PAGES)
    def test_keep_a_count_beside_its_unit(self, cast: Cast, kind: str) -> None:
        run(cast, kind, "cancelled", (2, 3, 4, 5))

        shown = cast.client("olive").get(NOTICES).content.decode()

        assert '<span class="unbroken text-bad">失败 3 个</span>' in shown
        for text in ("跳过 4 个", "未开始 5 个"):
            assert f'<span class="unbroken">{text}</span>' in shown

    @pytest.mark.parametrize("kind", PAGES)
    def test_poll_while_a_run_is_under_way(self, cast: Cast, kind: str) -> None:
        run(cast, kind, "running", (1, 0, 0, 1))

        shown = cast.client("olive").get(NOTICES).content.decode()

        assert "load delay" in shown
        assert f'href="{PAGES[kind].format(Run.objects.get().pk)}"' in shown

    @pytest.mark.parametrize(
        ("state", "values"),
        [
            ("proposed", {}),
            ("done", {"finished_at": timezone.now() - 2 * RECENT}),
            ("cancelled", {"finished_at": timezone.now() - 2 * RECENT}),
            ("done", {"owner": "account:0"}),
        ],
    )
    @pytest.mark.parametrize("kind", PAGES)
    def test_leave_out(self, cast: Cast, kind: str, state: str, values: dict[str, object]) -> None:
        made = run(cast, kind, state, (1, 0, 0, 0))
        Run.objects.filter(pk=made.pk).update(**values)

        assert 'class="notice ' not in cast.client("olive").get(NOTICES).content.decode()

    def test_cost_one_query_without_runs(self, cast: Cast) -> None:
        client = cast.client("olive")
        client.get(NOTICES)
        with CaptureQueriesContext(connection) as captured:
            client.get(NOTICES)

        asked = [it["sql"] for it in captured if "registries_run" in it["sql"]]
        assert len(asked) == 1

    def test_of_an_old_run_do_not_hide_behind_many_of_another_kind(self, cast: Cast) -> None:
        run(cast, "delete", "running", (1, 0, 0, 5), created_at=timezone.now() - timedelta(minutes=5))
        for _ in range(10):  # as many runs of tests as are kept
            run(cast, "verify", "done", (1, 0, 0, 0))

        assert "正在删除：1 / 6" in cast.client("olive").get(NOTICES).content.decode()


def test_copies_that_were_not_created_are_not_gone(cast: Cast) -> None:
    """Where the source of a copy was deleted, the list says "not created", and so does the count."""
    made = run(cast, "copy", "done", (2, 3, 0, 0))
    RunItem.objects.filter(run=made, name__in=("failed-0", "failed-1")).update(problem="gone")

    for address in (f"/registries/-/copies/{made.pk}/", NOTICES):
        shown = cast.client("olive", hx_request="true").get(address).content.decode()
        assert "未创建 3 个" in shown
        assert "已不存在" not in shown
