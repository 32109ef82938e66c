"""The API's document for people: everything in it, in the language of the page and in no other."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client

from registries.api.document import document
from registries.api.operations import OPERATIONS
from registries.words.shell import ASK_TOKEN

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAID = ("summary", "description")


def texts(value: Any) -> Iterator[str]:
    """What a document says to people, without its examples."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name in SAID and isinstance(one, str):
                yield one
            elif name != "example":
                yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def page(language: str) -> str:
    client = Client()
    client.cookies["django_language"] = language
    return unescape(client.get("/oapis/docs").content.decode())


def words(text: str) -> str:
    """A page without its code."""
    return re.sub(r"<(script|style|pre|code).*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)


def test_the_page_shows_every_operation_to_everybody() -> None:
    page = Client().get("/oapis/docs").content.decode()

    for it in OPERATIONS:
        assert f'id="op-{it.id}"' in page
        assert it.path in page
    assert "http-equiv" not in page
    for attribute in ('src="http', 'href="http', "<script>", "style="):
        assert attribute not in page


def test_the_index_has_the_operations_in_groups() -> None:
    index = page("en").partition('class="operations"')[2].partition("</nav>")[0]
    titles = [it.partition(">")[2].partition("<")[0] for it in index.split("<h2")[1:]]

    assert titles == ["Namespaces", "Registries", "Tests", "Runs", "Sync rules"]
    assert sorted(re.findall(r'"#op-(\w+)"', index)) == sorted(it.id for it in OPERATIONS)
    rules = index.rpartition("<h2")[2]
    assert all("SyncRule" in it for it in re.findall(r'"#op-(\w+)"', rules))


def test_the_page_says_how_the_examples_get_their_token() -> None:
    for language in ("en", "zh-hans"):
        shown = page(language)
        assert ASK_TOKEN in shown.partition('"$TOKEN"')[0]


def test_the_document_is_complete_in_both_languages() -> None:
    chinese, english = list(texts(document("zh-hans"))), list(texts(document("en")))

    assert len(chinese) == len(english) > 100
    assert [text for text in chinese if not CHINESE.search(text)] == []
    assert [text for text in english if CHINESE.search(text)] == []


def test_a_chinese_page_says_nothing_in_english() -> None:
    shown = page("zh-hans")

    assert [text for text in texts(document("en")) if " " in text and text in shown] == []
    assert [it.id for it in OPERATIONS if str(it.summary) not in shown] == []
    assert re.findall(r"\b(?:the|and|is|of|to|or|an?|for|with|without)\b", words(shown)) == []


def test_an_english_page_says_nothing_in_chinese() -> None:
    shown = page("en").replace("简体中文", "")

    assert [text for text in texts(document("zh-hans")) if text in shown] == []
    assert not CHINESE.search(words(shown))


@pytest.mark.parametrize(
    ("asked", "language"),
    [("", "en"), ("*", "en"), ("de", "en"), ("en-US,zh;q=0.9", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-hans")],
)
def test_programs_get_english_unless_they_ask_for_chinese(asked: str, language: str) -> None:
    answer = Client(headers={"accept-language": asked} if asked else {}).get("/oapis/openapi.json")

    assert answer.json() == document(language)
    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]
