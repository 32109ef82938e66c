"""操作记录: the export holds what the page shows, is bounded, and no cell of it is a formula."""

import csv
import json
import re
import sys
import unicodedata
from io import StringIO

import pytest
from django.db import connection
from django.test import Client

from registries.audit.action import Action
from registries.domain.registry import Key
from registries.models import AuditEntry
from registries.web.journal import journal_export
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.web.journal_pages import EXPORT, NOON, PATH, in_run, names, page, record

pytestmark = pytest.mark.usefixtures("empty_journal")


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


VISIBLE = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Format characters that are drawn, as marks of numbers."""


def test_no_sign_and_no_unseen_character_of_unicode_makes_a_formula() -> None:
    """Variation selectors and tags are unseen as well, whatever category they have."""
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    signs = [it for it in every if unicodedata.normalize("NFKC", it)[:1] in ("=", "+", "-", "@", "−")]
    unseen = [it for it in every if unicodedata.category(it) in ("Cc", "Cf", "Zs", "Zl", "Zp")]
    unseen += [*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0000, 0xE1000))]
    written = [*(f"{it}1" for it in signs), *(f"{it}=1" for it in unseen if it not in VISIBLE)]

    assert (len(signs) > 15, len(unseen) > 4000) == (True, True)
    assert [ascii(it) for it in written if not journal_export.cell(it).startswith("'")] == []


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
