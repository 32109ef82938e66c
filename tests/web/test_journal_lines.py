"""操作记录: filters, runs in one line, what an edit changed, links, pages, and the export."""

import csv
import importlib
import json
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from registries.audit import action as changes
from registries.audit import search
from registries.audit.action import Action
from registries.audit.search import Criteria, Outcome
from registries.domain.access import Access, Role
from registries.domain.registry import Key
from registries.models import AuditEntry, Run
from registries.people.grants import set_grant
from registries.web.journal import journal, journal_export
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.web.test_delete_many import propose
from tests.web.test_test_many import Probing, begin

PATH, EXPORT = "/journal/", "/journal/export/"
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)
"""Noon in the console's time zone."""


@pytest.fixture(autouse=True)
def nothing_before(cast: Cast) -> None:
    """The cast begins with entries of its own."""
    AuditEntry.objects.all().delete()


def page(cast: Cast, reader: str = "olive", **query: str) -> str:
    return cast.client(reader).get(PATH, query).content.decode()


def names(shown: str) -> list[str]:
    """The objects of the lines from top to bottom. A log-in has none."""
    cells = re.findall(r'<td role="cell" class="(?:mono )?j-object">(.*?)</td>', shown, re.DOTALL)
    texts = (" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in cells)
    return [text for text in texts if text]


def record(person: Access, name: str, at: datetime | None = None, **values: object) -> AuditEntry:
    """One entry on team-a/`name`, at a time."""
    given = {"action": Action.SEE, "key": Key("team-a", name), **values}
    services().audit.record(person, **given)  # type: ignore[arg-type]
    entry = AuditEntry.objects.latest("pk")
    if at:
        AuditEntry.objects.filter(pk=entry.pk).update(at=at)
    return entry


# Filters


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-03-10", "2026-03-10", ["midnight", "noon", "last"]),
        ("2026-03-10", "", ["midnight", "noon", "last", "next"]),
        ("", "2026-03-09", ["before"]),
        ("2026-03-09", "2026-03-11", ["before", "midnight", "noon", "last", "next"]),
        ("2026-03-12", "", []),
    ],
)
def test_days_are_days_of_the_console(cast: Cast, since: str, until: str, expected: list[str]) -> None:
    day = timedelta(hours=12)
    times = {
        "before": NOON - day - timedelta(seconds=1),
        "midnight": NOON - day,
        "noon": NOON,
        "last": NOON + day - timedelta(microseconds=1),
        "next": NOON + day,
    }
    for name, at in times.items():
        record(cast.access("olive"), name, at)

    shown = page(cast, since=since, until=until)

    assert names(shown) == [f"team-a/{name}" for name in reversed(expected)]


ENTRIES: dict[str, dict[str, object]] = {
    "fine": {},
    "tested": {"action": Action.TEST, "note": "ok"},
    "unproven": {"action": Action.TEST, "note": "ok_unverified"},
    "broken": {"action": Action.TEST, "note": "bad_credentials"},
    "tried": {"action": Action.TRY, "note": "timeout"},
    "echo": {"action": Action.EDIT, "outcome": "failed", "note": "holds_password"},
    "no-role": {"action": Action.DELETE, "outcome": "Forbidden"},
    "policy": {"action": Action.CREATE, "outcome": "refused"},
    "often": {"action": Action.EDIT, "outcome": "TooManyRequests"},
    "silent": {"action": Action.DELETE, "outcome": "uncertain"},
}
OUTCOMES = {
    "done": {"fine", "tested", "unproven"},
    "failed": {"broken", "tried", "echo"},
    "refused": {"no-role", "policy", "often"},
    "uncertain": {"silent"},
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_entry_has_one_outcome(cast: Cast, outcome: str) -> None:
    for name, values in ENTRIES.items():
        record(cast.access("olive"), name, **values)

    shown = page(cast, outcome=outcome)

    assert set(names(shown)) == {f"team-a/{name}" for name in OUTCOMES[outcome]}
    assert ("text-bad" in shown.partition("<table")[2]) == (outcome != "done")


def test_the_migration_knows_what_failed(cast: Cast) -> None:
    for name, values in ENTRIES.items():
        record(cast.access("olive"), name, **values)
    failed = set(AuditEntry.objects.filter(failed=True).values_list("name", flat=True))
    AuditEntry.objects.update(failed=False)
    migration = importlib.import_module("registries.migrations.0014_journal_runs")

    migration.mark_failures(apps, None)

    assert set(AuditEntry.objects.filter(failed=True).values_list("name", flat=True)) == failed


def test_finds_by_person_object_and_action(cast: Cast) -> None:
    record(cast.access("nina"), "one", action=Action.EDIT)
    record(cast.access("olive"), "one")
    record(cast.access("olive"), "two")
    record(cast.access("olive"), "one", key=Key("team-b", "one"))

    assert names(page(cast, person="nina")) == ["team-a/one"]
    assert names(page(cast, name="one", person="olive")) == ["team-b/one", "team-a/one"]
    assert names(page(cast, name="one", namespace="team-a", action="see")) == ["team-a/one"]
    assert names(page(cast, name="on")) == []


BAD = [
    ({"since": "2026-13-01"}, "2026-13-01", "日期格式为"),
    ({"since": "yesterday"}, "yesterday", "日期格式为"),
    ({"until": "<b>"}, "&lt;b&gt;", "日期格式为"),
    ({"since": "0001-01-01"}, "0001-01-01", "日期格式为"),
    ({"until": "9999-12-31"}, "9999-12-31", "日期格式为"),
    ({"since": "2026-03-10", "until": "2026-03-09"}, "2026-03-09", "结束日期早于开始日期"),
    ({"action": "dance"}, "dance", "请选择一种操作"),
    ({"outcome": "perfect"}, "perfect", "请选择一种结果"),
    ({"run": "17"}, "17", "没有这个批量任务"),
]


@pytest.mark.parametrize(("query", "kept", "message"), BAD)
@pytest.mark.parametrize("htmx", [True, False])
def test_a_filter_that_cannot_be_read_is_explained_and_kept(
    cast: Cast, query: dict[str, str], kept: str, message: str, htmx: bool
) -> None:
    record(cast.access("olive"), "one")
    client = cast.client("olive", **({"hx_request": "true"} if htmx else {}))

    response = client.get(PATH, {**query, "person": "olive", "name": "o ne"})
    shown = response.content.decode()

    assert response.status_code == 422
    assert message in shown
    for value in (kept, "olive", "o ne"):
        assert f'value="{value}"' in shown
    assert "team-a/one" not in shown, "the entries of another filter"
    assert client.get(EXPORT, query).status_code == 302
    assert not AuditEntry.objects.filter(action="export").exists()


def test_htmx_gets_the_part_and_a_short_address(cast: Cast) -> None:
    record(cast.access("olive"), "one")
    client = cast.client("olive", hx_request="true")

    response = client.get(PATH, {"person": "olive", "since": "", "name": "", "page": "1"})

    assert response["HX-Push-Url"] == "/journal/?person=olive"
    assert "<html" not in response.content.decode()
    assert 'id="journal-filters"' in response.content.decode()


def test_the_filters_are_folded_until_they_are_used(cast: Cast) -> None:
    def fold(query: str = "", **headers: str) -> str:
        shown = cast.client("olive", **headers).get(f"{PATH}?{query}").content.decode()
        return " ".join(re.search(r'<details class="filters-fold".*?</summary>', shown, re.DOTALL)[0].split())  # type: ignore[index]

    closed, opened = '"filters-fold" >', '"filters-fold" open>'
    assert closed in fold()
    assert '<span class="count">2</span>' in fold("person=olive&outcome=failed")
    assert closed in fold("person=olive", hx_request="true", hx_trigger="filter-clear")
    assert opened in fold("person=olive", hx_request="true", hx_trigger="journal-filters")
    assert opened in fold("since=never"), "an error is in sight"


# Runs


def in_run(cast: Cast, *places: str, person: str = "olive", failed: int = 0) -> UUID:
    """A run of tests with one entry for each namespace, the first of them failed."""
    access = cast.access(person).in_run(uuid4())
    for number, namespace in enumerate(places):
        note = "timeout" if number < failed else "ok"
        services().audit.record(access, Action.TEST, key=Key(namespace, f"r{number}"), note=note)
    assert access.run
    return access.run


def test_the_entries_of_a_run_of_tests_know_it(cast: Cast, probing: Probing) -> None:
    chosen = [cast.add("good", **probing("harbor")), cast.add("bad", "team-b", **probing("wrong-password"))]

    begin(cast.client("olive", hx_request="true"), uids=" ".join(it.uid for it in chosen))

    run = Run.objects.latest("created_at").pk
    assert list(AuditEntry.objects.filter(action="test").values_list("run", flat=True)) == [run, run]
    shown = page(cast, action="test")
    assert names(shown) == ["2 个命名空间"]
    assert "测试 2 个镜像源" in shown
    assert "完成 1 个" in shown
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


# What an edit changed


EDITS = [
    ({"display_name": "新名字"}, "显示名称：旧名字 → 新名字"),
    ({"display_name": ""}, "显示名称：旧名字 → （空）"),
    ({"description": "a token: hunter2"}, "描述"),
    ({"display_name": "x", "description": "y"}, "显示名称：旧名字 → x；描述"),
    ({}, "没有改动"),
    ({"display_name": "w" * 128}, "显示名称：旧名字 → " + "w" * 89 + "…"),
    ({"display_name": '"' * 128}, "显示名称：旧名字 → " + "&quot;" * 89 + "…"),
    ({"display_name": "<b>=1+1"}, "显示名称：旧名字 → &lt;b&gt;=1+1"),
]


@pytest.mark.parametrize(("edit", "text"), EDITS)
def test_an_edit_says_what_it_changed(cast: Cast, edit: dict[str, str], text: str) -> None:
    registry = cast.add("one", display_name="旧名字", description="old secret text")
    values = {"display_name": registry.display_name, "description": registry.description, **edit}
    services().registries.edit(
        access=cast.access("omar"),
        key=registry.key,
        uid=registry.uid,
        resource_version=registry.resource_version,
        information=values,
    )

    entry = AuditEntry.objects.get(action="edit")
    about = re.search(r'class="j-about muted" title=".*?">(.*?)</span>', page(cast, action="edit"))

    assert about
    assert about[1] == text
    assert len(entry.note) <= 255
    assert "secret" not in entry.note, "the text of a description is not kept"
    assert "hunter2" not in entry.note


def test_a_rehearsed_edit_and_an_old_one_say_nothing(cast: Cast) -> None:
    registry = cast.add("one")
    services().registries.edit(
        access=cast.access("omar"),
        key=registry.key,
        uid=registry.uid,
        resource_version=registry.resource_version,
        information={"display_name": "x"},
        rehearse=True,
    )
    assert not AuditEntry.objects.filter(action="edit").exists()

    record(cast.access("omar"), "one", action=Action.EDIT)
    shown = page(cast, action="edit")
    assert names(shown) == ["team-a/one"]
    assert "j-about" not in shown


@pytest.mark.parametrize("note", ["", "x", "[]", "1", '{"a": 1}', '{"a": []}', '{"a": ["b"]}', "null", '"x"'])
def test_a_note_of_another_kind_has_no_changes(note: str) -> None:
    assert changes.read_changes(note) is None


@pytest.mark.parametrize(
    "texts", [("a" * 300, "b"), ("\\" * 300, '"' * 300), ("长" * 300, "宽" * 300), ("", "")]
)
def test_the_note_of_an_edit_fits(texts: tuple[str, str]) -> None:
    note = changes.write_changes({"display_name": texts, "description": None})

    assert len(note) <= changes.NOTE_MAX
    read = changes.read_changes(note)
    assert read
    assert set(read) == {"display_name", "description"}


# Links


def test_links_lead_to_what_exists(cast: Cast) -> None:
    cast.add("here")
    gone, again = cast.add("gone"), cast.add("again")
    for registry in (gone, again):
        services().registries.delete(access=cast.access("olive"), key=registry.key, uid=registry.uid)
    cast.add("again")
    record(cast.access("olive"), "again", uid=again.uid)
    services().audit.record(cast.access("olive"), Action.TRY, namespace="team-a", note="ok")
    services().audit.record(cast.access("olive"), Action.TRY, namespace="no-more", note="ok")

    shown = page(cast)

    assert shown.count('<a href="/registries/team-a/here/">team-a/here</a>') == 1
    assert 'href="/registries/team-a/gone/"' not in shown
    assert shown.count('href="/registries/team-a/again/"') == 1, "the creation of the later one alone"
    assert '<a href="/registries/?namespace=team-a">team-a</a>' in shown
    assert "namespace=no-more" not in shown
    assert 'href="/journal/?person=olive"' in shown


def test_a_person_link_keeps_the_other_filters(cast: Cast) -> None:
    record(cast.access("nina"), "one")

    assert 'href="/journal/?namespace=team-a&amp;person=nina"' in page(cast, namespace="team-a")


# Pages


def test_pages_have_numbers(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PAGE", 2)
    for number in range(9):
        record(cast.access("olive"), f"n{number}")

    shown = page(cast, page="3", action="see")

    assert names(shown) == ["team-a/n4", "team-a/n3"]
    assert "第 5–6 项，共 9 项" in " ".join(shown.split())
    assert re.findall(r'class="page-number" href="([^"]+)"', shown) == [
        f"/journal/?action=see&amp;page={number}" for number in (1, 2, 3, 4, 5)
    ]
    assert names(page(cast, page="999", action="see")) == ["team-a/n0"]


@pytest.mark.parametrize("bound", ["MOST_LINES", "MOST_READ"])
def test_does_not_count_beyond_a_bound(cast: Cast, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    for number in range(9):
        record(cast.access("olive"), f"n{number}")

    assert "以上" not in page(cast, action="see")
    monkeypatch.setattr(search, bound, 9)
    assert "以上" not in page(cast, action="see"), "exactly as many as the bound"
    monkeypatch.setattr(search, bound, 6)
    shown = " ".join(page(cast, action="see").split())
    assert "第 1–6 项，共 6 项以上" in shown
    assert "请选择更早的结束日期" in shown


def test_a_search_reads_one_index(cast: Cast) -> None:
    """Without rows of the table, and without sorting: on a million entries that takes tenths of a second."""
    people = [cast.access("olive"), cast.access("nina")]
    people.append(Access.from_grants("all", [("*", Role.VIEWER)]))
    criteria = [Criteria(), Criteria(namespace="team-a"), Criteria(person="nina"), Criteria(name="x")]
    criteria += [Criteria(action="edit", start=NOON, end=NOON), *(Criteria(outcome=it) for it in Outcome)]
    for access in people:
        for it in criteria:
            plan = search.matching(access, it).values_list("pk", "run")[:50].explain()
            if connection.vendor == "sqlite":
                assert re.fullmatch(
                    r"\d+ 0 0 (SCAN|SEARCH) \w+ USING COVERING INDEX events_by_time.*", plan
                ), plan


# Export


def exported(client: Client, **query: str) -> list[list[str]]:
    response = client.get(EXPORT, query)
    assert response.status_code == 200
    assert response.streaming
    content = b"".join(response).decode()  # type: ignore[arg-type]
    assert content.startswith("\ufeff")
    return list(csv.reader(StringIO(content.removeprefix("\ufeff"))))


def test_exports_what_the_filter_matches_and_records_it(cast: Cast) -> None:
    record(cast.access("nina"), "one", NOON)
    record(cast.access("olive"), "two")
    in_run(cast, "team-a", "team-a", failed=1)

    [head, row] = exported(cast.client("olive"), person="nina")

    assert head[:4] == ["时间", "操作人", "操作", "命名空间"]
    assert row[:5] == ["2026-03-10 12:00:00+08:00", "nina", "查看", "team-a", "one"]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.person, entry.note, entry.namespace) == ("export", "olive", "1", "")
    assert "导出操作记录" in page(cast)
    assert len(exported(cast.client("olive"), action="test")) == 3, "every entry of a run"


@pytest.mark.parametrize("reader", ["olive", "nina", "vic", "sam"])
def test_an_export_holds_what_the_page_shows(cast: Cast, reader: str) -> None:
    record(cast.access("olive"), "mine")
    record(cast.access("olive"), "theirs", key=Key("team-b", "theirs"))
    cast.client("sam").get("/registries/team-a/secret-name/")
    services().audit.record(cast.access("omar"), Action.LOGIN)
    services().audit.record(cast.access(reader), Action.LOGIN)

    client = cast.client(reader)
    shown = client.get(PATH).content.decode()
    rows = exported(client)[1:]

    assert [text for row in rows if (text := "/".join(filter(None, row[3:5])))] == names(shown)
    assert ("secret-name" in str(rows)) == (reader == "olive")
    assert ("theirs" in str(rows)) == (reader == "olive")
    assert client.get(EXPORT, {"namespace": "team-b"}).status_code == 200
    kept = AuditEntry.objects.filter(action="export").latest("pk").namespace
    assert kept == ("team-b" if reader == "olive" else ""), (
        "nobody writes into a namespace that they do not see"
    )


SIGNS = "=+-@−⁺⁻⁼₊₋₌﬩﹢﹣﹦﹫＋－＝＠"
"""The signs of formulas in every width and place: all that NFKC turns into one of = + - @ −."""
UNSEEN = "\x00\x01\x1b\x7f\x85\xa0\xad\u034f\u180e\u200b\u200e\u2028\u202e\u2060\u3000\ufe0f\ufeff"


def test_no_cell_is_a_formula(cast: Cast) -> None:
    storable = UNSEEN.strip("\x00") if connection.vendor == "postgresql" else UNSEEN
    firsts = [*SIGNS, "\t", "\r", "\n", " =", *(f"{it}=" for it in storable)]
    for first in firsts:
        AuditEntry.objects.create(
            person=f'{first}cmd|"x"', action="create", namespace="team-a", name=f"{first}1", note=f"{first}2"
        )

    rows = exported(cast.client("olive"), namespace="team-a")[1:]

    assert [[row[1], row[4], row[5]] for row in reversed(rows)] == [
        [f'\'{first}cmd|"x"', f"'{first}1", f"'{first}2"] for first in firsts
    ]


@pytest.mark.parametrize(
    "between", [";", "; ", ";\u00a0", ";;", ";\t", "\t", ";\u3000", ";\v", ";\x01", ";\u200b", "\n", "\r\n "]
)
def test_no_part_after_a_semicolon_is_a_formula(cast: Cast, between: str) -> None:
    """Excel in German, French and other languages begins a cell there."""
    note = "edit webhook a" + "".join(f"{between}{sign}1" for sign in SIGNS)
    AuditEntry.objects.create(person="nina", action="channel", namespace="team-a", note=note)

    [_, row] = exported(cast.client("olive"), namespace="team-a")

    assert all(f"{sign}1" in row[2] for sign in SIGNS)
    cells = [it for part in row for it in re.split(r"[;\t\r\n]", part)]
    assert not any(it.lstrip(f" {UNSEEN}\t\v").startswith(tuple(SIGNS)) for it in cells)


@pytest.mark.parametrize("before", ["\u00a0", "\u3000", "\v", " \f"])
def test_no_cell_behind_white_space_is_a_formula(cast: Cast, before: str) -> None:
    AuditEntry.objects.create(person=f"{before}=1", action="create", namespace="team-a")

    [_, row] = exported(cast.client("olive"), namespace="team-a")

    assert row[1] == f"'{before}=1"


def test_an_export_is_bounded_and_says_so(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_export, "MOST_ROWS", 4)
    monkeypatch.setattr(journal_export, "AT_ONCE", 3)
    for number in range(4):
        record(cast.access("olive"), f"n{number}")
    assert len(exported(cast.client("olive"), action="see")) == 5
    record(cast.access("olive"), "n4")

    rows = exported(cast.client("olive"), action="see")

    assert [row[4] for row in rows[1:-1]] == ["n4", "n3", "n2", "n1"]
    assert rows[-1] == ["这里只有最新的 4 条记录，其他记录可筛选后导出。"]


def test_an_export_is_not_made_by_other_methods(cast: Cast) -> None:
    for method in ("post", "head", "put"):
        assert getattr(cast.client("olive"), method)(EXPORT).status_code == 405
    assert not AuditEntry.objects.filter(action="export").exists()


def test_no_password_is_exported(cast: Cast) -> None:
    registry = cast.add("one")
    services().registries.delete(access=cast.access("olive"), key=registry.key, uid=registry.uid)

    assert CANARY not in json.dumps(exported(cast.client("olive")))


def test_a_viewer_of_another_namespace_does_not_find_by_name(cast: Cast) -> None:
    """A filter cannot be used to ask what is there."""
    record(cast.access("olive"), "secret", key=Key("team-b", "secret"))
    assert names(page(cast, "nina", name="secret")) == []
    assert names(page(cast, "nina", namespace="team-b")) == []
    set_grant(cast.users["nina"], "team-b", Role.VIEWER)
    assert names(page(cast, "nina", name="secret")) == ["team-b/secret"]
