"""操作记录: what an edit changed, and what of it is not kept."""

import re

import pytest

from registries.audit import action as changes
from registries.audit.action import Action
from registries.models import AuditEntry
from registries.wiring import services
from tests.cast import Cast
from tests.web.journal_pages import names, page, record

pytestmark = pytest.mark.usefixtures("empty_journal")

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
