"""A list is read item by item, however it is cut into pieces."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.cluster.json_list import read_list

LISTS: list[dict[str, Any]] = [
    {},
    {"items": []},
    {"items": None, "metadata": {}},
    {"kind": "List", "items": [{"a": 1}], "metadata": {"resourceVersion": "7", "items": [1, 2]}},
    {"items": [{"name": '仓库 \\" ]}', "n": -1.5e3}, {"deep": [[{}], []]}], "remainingItemCount": 12},
]


def pieces(text: str, size: int) -> Iterator[bytes]:
    raw = text.encode()
    return (raw[at : at + size] for at in range(0, len(raw), size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("whole", LISTS)
def test_nothing_depends_on_the_pieces(whole: dict[str, Any], indent: int | None, size: int) -> None:
    text = json.dumps(whole, ensure_ascii=False, indent=indent) + "\n"

    items, rest = read_list(pieces(text, size), lambda item: item)

    assert items == (whole.get("items") or [])
    assert rest == {name: value for name, value in whole.items() if name != "items" or value is None}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda it: st.lists(it) | st.dictionaries(st.text(), it),
)


@given(st.lists(st.dictionaries(st.text(), values)), st.integers(1, 50))
def test_any_items(whole: list[dict[str, Any]], size: int) -> None:
    text = json.dumps({"items": whole, "metadata": {"resourceVersion": "1"}}, ensure_ascii=True)

    assert read_list(pieces(text, size), lambda item: item) == (whole, {"metadata": {"resourceVersion": "1"}})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "<html>",
        '{"items": [{}',
        '{"items": [{}]',
        '{"items": [{} {}]}',
        '{"items": [}',
        '{"a": 1} x',
        '{"a" 1}',
    ],
)
def test_what_is_no_list_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_list(pieces(text, 4), lambda item: item)


def test_bytes_that_are_no_text_are_an_error() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        read_list([b'{"items": ["\xff"]}'], lambda item: item)


def test_items_are_taken_while_the_list_arrives() -> None:
    taken: list[int] = []

    def arriving() -> Iterator[bytes]:
        for number in range(5):
            yield (b'{"items": [' if number == 0 else b",") + b'{"n": %d}' % number
            assert len(taken) >= number - 1
        yield b"]}"

    read_list(arriving(), lambda item: taken.append(item["n"]))

    assert taken == [0, 1, 2, 3, 4]
