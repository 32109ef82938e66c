"""操作记录: the entries of a run are one line that opens, with counts of what the person sees."""

from uuid import uuid4

import pytest

from registries.audit.action import Action
from registries.models import AuditEntry, Run
from registries.web.journal import journal
from tests.cast import Cast, Probing
from tests.web.journal_pages import in_run, names, page, record
from tests.web.many_tests import begin
from tests.web.test_delete_many import propose

pytestmark = pytest.mark.usefixtures("empty_journal")


def test_the_entries_of_a_run_of_tests_know_it(cast: Cast, probing: Probing) -> None:
    chosen = [cast.add("good", **probing("harbor")), cast.add("bad", "team-b", **probing("wrong-password"))]

    begin(cast.client("olive", hx_request="true"), uids=" ".join(it.uid for it in chosen))

    run = Run.objects.latest("created_at").pk
    assert list(AuditEntry.objects.filter(action="test").values_list("run", flat=True)) == [run, run]
    shown = page(cast, action="test")
    assert names(shown) == ["2 个命名空间"]
    assert "测试 2 个镜像源" in shown
    assert "成功 1 个" in shown
    assert "失败 1 个" in shown


def test_the_entries_of_a_run_of_deletions_know_it(cast: Cast) -> None:
    client = cast.client("olive", hx_request="true")
    _, start = propose(client, [cast.add("a"), cast.add("b"), cast.add("c")])
    client.post(start, {"count": "3"})

    run = Run.objects.latest("created_at").pk
    assert set(AuditEntry.objects.filter(action="delete").values_list("run", flat=True)) == {run}
    assert "删除 3 个镜像源" in page(cast, action="delete")


def test_what_a_run_is_refused_belongs_to_it(cast: Cast) -> None:
    first, second = (cast.access("vic").in_run(uuid4()) for _ in range(2))
    for access in (first, second, second, cast.access("vic")):
        record(access, "one", action=Action.DELETE, outcome="Forbidden")

    stored = AuditEntry.objects.filter(action="delete").order_by("pk").values_list("run", "count")
    assert list(stored) == [(first.run, 1), (second.run, 2), (None, 1)]


def test_a_run_is_one_line_that_opens(cast: Cast) -> None:
    record(cast.access("olive"), "before")
    run = in_run(cast, *["team-a"] * 5, failed=2)
    record(cast.access("olive"), "after")

    shown = page(cast)
    opened = cast.client("olive").get(f"/journal/runs/{run}/", {"open": "1"}).content.decode()
    closed = cast.client("olive").get(f"/journal/runs/{run}/").content.decode()

    assert names(shown) == ["team-a/after", "team-a", "team-a/before"]
    assert 'aria-expanded="false"' in shown
    assert names(opened) == ["team-a", *(f"team-a/r{number}" for number in (1, 0, 4, 3, 2))], (
        "failed ones first"
    )
    assert 'aria-expanded="true"' in opened
    assert names(closed) == ["team-a"]
    assert names(page(cast, run=str(run))) == [f"team-a/r{number}" for number in (4, 3, 2, 1, 0)]


def test_a_long_run_leads_to_its_pages(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "OPENED", 3)
    run = in_run(cast, *["team-a"] * 5)

    opened = cast.client("olive").get(f"/journal/runs/{run}/", {"open": "1"}).content.decode()

    assert len(names(opened)) == 4
    assert "查看该批量任务的全部 5 条记录" in opened
    assert "一个批量任务计为一项" in page(cast), "one line in sight, but five entries"


def test_the_page_of_a_run_says_which_one(cast: Cast) -> None:
    run = in_run(cast, *["team-a"] * 5)
    shown = page(cast, run=str(run))
    assert '只显示批量任务「<span class="unbroken">测试 5 个镜像源</span>」的记录（olive，' in shown
    assert "一个批量任务计为一项" not in shown
    assert "测试 2 个镜像源" not in page(cast, run=str(uuid4()))


def test_the_folded_filters_say_what_they_select(cast: Cast) -> None:
    shown = page(cast, person="o" * 50, action="test", outcome="failed")
    summary = shown.partition("<summary>")[2].partition("</summary>")[0]

    assert f'<span class="muted">{"o" * 11}…{"o" * 9}、测试、失败</span>' in summary


def test_the_counts_of_a_run_are_those_of_the_filter(cast: Cast) -> None:
    in_run(cast, *["team-a"] * 5, failed=2)

    assert "失败 2 个" in page(cast, outcome="failed")
    assert "测试 2 个镜像源" in page(cast, outcome="failed")
    assert names(page(cast, name="r3")) == ["team-a/r3"], "a single entry is no run to open"


def test_a_run_shows_only_what_the_person_sees(cast: Cast) -> None:
    run = in_run(cast, "team-b", "team-a", "team-a", "team-b", failed=1)
    hidden = in_run(cast, "team-b", "team-b")

    for reader, counts in (
        ("olive", "测试 4 个镜像源"),
        ("nina", "测试 2 个镜像源"),
        ("vic", "测试 2 个镜像源"),
    ):
        shown = page(cast, reader)
        opened = cast.client(reader).get(f"/journal/runs/{run}/", {"open": "1"}).content.decode()
        assert counts in shown
        assert ("失败 1 个" in shown) == (reader == "olive")
        assert ("team-b" in shown + opened) == (reader == "olive")
    assert cast.client("sam").get(f"/journal/runs/{run}/").status_code == 404
    assert cast.client("nina").get(f"/journal/runs/{hidden}/").status_code == 404
    assert names(page(cast, "nina", run=str(hidden))) == []
    assert cast.client("olive").get(f"/journal/runs/{uuid4()}/").status_code == 404
