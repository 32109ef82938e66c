"""操作记录: filters, links, pages, and what a search costs."""

import importlib
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection

from registries.audit import search
from registries.audit.action import Action
from registries.audit.search import Criteria, Outcome
from registries.domain.access import Access, Role
from registries.domain.registry import Key
from registries.models import AuditEntry
from registries.people.grants import set_grant
from registries.templatetags.console import dotted
from registries.web.journal import journal
from registries.wiring import services
from tests.cast import Cast
from tests.web.journal_pages import EXPORT, NOON, PATH, names, page, record

pytestmark = pytest.mark.usefixtures("empty_journal")


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


def test_a_viewer_of_another_namespace_does_not_find_by_name(cast: Cast) -> None:
    """A filter cannot be used to ask what is there."""
    record(cast.access("olive"), "secret", key=Key("team-b", "secret"))
    assert names(page(cast, "nina", name="secret")) == []
    assert names(page(cast, "nina", namespace="team-b")) == []
    set_grant(cast.users["nina"], "team-b", Role.VIEWER)
    assert names(page(cast, "nina", name="secret")) == ["team-b/secret"]
    told = ["只列出你自己的记录" in page(cast, it, action="login") for it in ("nina", "olive", "sam")]
    assert told == [False, False, True], "who has no role learns why the list is short"


BAD = [
    ({"since": "2026-13-01"}, "2026-13-01", "填写有效日期"),
    ({"since": "yesterday"}, "yesterday", "填写有效日期"),
    ({"until": "<b>"}, "&lt;b&gt;", "填写有效日期"),
    ({"since": "0001-01-01"}, "0001-01-01", "填写有效日期"),
    ({"until": "9999-12-31"}, "9999-12-31", "填写有效日期"),
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
    assert "更正筛选条件后显示记录" in shown
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


def test_the_filters_are_cleared_in_one_place(cast: Cast) -> None:
    record(cast.access("olive"), "one")
    cast.add("one")
    client = cast.client("olive")
    queries = ("name=one", "name=none", "since=never&name=one")
    for path in (*(f"{PATH}?{it}" for it in queries), "/registries/?q=one", "/registries/?q=none"):
        assert client.get(path).content.decode().count(">清除筛选<") == 1, path


def test_an_error_of_a_filter_stands_at_its_field_too(cast: Cast) -> None:
    query = {"since": "2026-02-30", "until": "x", "action": "dance"}
    shown = cast.client("olive").get(PATH, query).content.decode()

    for name in query:
        field = re.search(rf'<[^>]* id="id_{name}"[^>]*>', shown)
        assert field
        assert f'aria-describedby="id_{name}_error"' in field[0]
        assert f'<div id="id_{name}_error" class="field-error">' in shown
    assert shown.count('<p>填写有效日期，例如 <span class="unbroken">2026-11-28</span>。</p>') == 2
    assert "_error" not in cast.client("olive").get(PATH).content.decode()


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

    assert (
        shown.count('<a href="/registries/team-a/here/"><span class="unbroken">team-a</span>/<wbr>here</a>')
        == 1
    )
    assert 'href="/registries/team-a/gone/"' not in shown
    assert shown.count('href="/registries/team-a/again/"') == 1, "the creation of the later one alone"
    assert '<a href="/registries/?namespace=team-a"><span class="unbroken">team-a</span></a>' in shown
    assert "namespace=no-more" not in shown
    assert 'href="/journal/?person=olive"' in shown


def test_a_long_name_keeps_its_end_and_is_whole_in_the_tooltip(cast: Cast) -> None:
    name = f"harbor-{'x' * 50}-prod-eu"
    record(cast.access("nina"), name)

    shown = page(cast, person="nina")

    assert names(shown) == ["team-a/harbor-xxxx…x-prod-eu"]
    assert f'title="team-a/{name}"' in shown


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
    assert "选择更早的结束日期" in shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [("2001:db8::17", "2001:<wbr>db8:<wbr>:<wbr>17"), ("192.0.2.17", "192.<wbr>0.<wbr>2.<wbr>17")],
)
def test_no_line_ends_inside_a_group_of_an_address(cast: Cast, address: str, shown: str) -> None:
    entry = record(cast.access("olive"), "harbor", NOON)
    AuditEntry.objects.filter(pk=entry.pk).update(source=address)

    assert shown in page(cast, action="see")


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


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        ("harbor.example.com:5000", ["harbor.", "example.", "com:5000"]),
        ("localhost:5000", ["localhost:5000"]),
        ("fe80::1", ["fe80:", ":", "1"]),
        ("::ffff:192.0.2.1", ["::ffff:192.", "0.", "2.", "1"]),
        ("AB:CD:EF", ["AB:", "CD:", "EF"]),
    ],
)
def test_an_address_goes_on_after_a_dot_and_keeps_its_port(address: str, lines: list[str]) -> None:
    assert dotted(address).split("<wbr>") == lines
