"""Chinese first and by default, English complete, nothing half-way."""

import re
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client

from console import messages
from registries.probe import Reason, catalogue
from registries.words import labels
from registries.words.problems import problem_text
from tests.cast import Cast

CATALOGUE = polib.pofile(str(Path(settings.LOCALE_PATHS[0], "zh_Hans", "LC_MESSAGES", "django.po")))
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>")


@pytest.fixture(scope="module")
def found() -> dict[messages.Message, list[str]]:
    """All texts of the sources with their places. Reading them takes a second of a processor."""
    return messages.found()


def test_every_text_is_in_the_catalogue_and_nothing_else_is(found: dict[messages.Message, list[str]]) -> None:
    listed = [messages.Message.of(entry) for entry in CATALOGUE]

    assert set(listed) == set(found)
    assert len(listed) == len(set(listed)), "two entries for one text could differ"


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("Upstream", "mirrors/mirrors.html"),  # of a tag
        ("Add account", "administration/accounts.html"),  # of an include
        ("No problem found", "pulls/_secret_scan.html"),  # of an include inside an `if`
    ],
)
def test_a_text_that_is_an_argument_is_found(
    found: dict[messages.Message, list[str]], text: str, template: str
) -> None:
    assert f"templates/{template}" in found[messages.Message(text)]


def test_every_text_is_translated() -> None:
    for entry in CATALOGUE:
        text = entry.msgstr or entry.msgstr_plural.get(0, "")
        assert text, entry.msgid
        assert not entry.fuzzy, entry.msgid


def test_every_translation_has_the_same_values_and_tags() -> None:
    for entry in CATALOGUE:
        wanted = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        assert set(PLACEHOLDER.findall(entry.msgstr or entry.msgstr_plural[0])) == wanted, entry.msgid


def test_what_is_empty_is_named_with_one_word() -> None:
    assert not [it.msgid for it in CATALOGUE if "还没有" in (it.msgstr or it.msgstr_plural[0])]


def test_nothing_is_said_with_an_exclamation_mark_or_a_please() -> None:
    texts = [entry.msgid for entry in CATALOGUE]
    texts += [entry.msgstr or entry.msgstr_plural[0] for entry in CATALOGUE]
    for text in texts:
        assert "!" not in text
        assert "！" not in text
        assert not re.search(r"\bplease\b|\boops\b", text, re.IGNORECASE), text


def test_chinese_quotes_with_its_own_marks(cast: Cast) -> None:
    client = cast.client("vic")

    shown = {}
    for language in ("zh-hans", "en"):
        client.cookies["django_language"] = language
        shown[language] = client.get("/registries/?q=harbor").content.decode()

    assert not [
        it.msgid for it in CATALOGUE if set("“”") & set(it.msgstr or "".join(it.msgstr_plural.values()))
    ]
    assert "「harbor」" in shown["zh-hans"]
    assert "“harbor”" in shown["en"]


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_its_words_in_both_languages(reason: Reason) -> None:
    for text in (catalogue.MESSAGES[reason], catalogue.HINTS[reason]):
        assert CHINESE.search(text.zh)
        assert not CHINESE.search(text.en)


def test_a_browser_that_prefers_english_still_gets_chinese_until_somebody_chooses(cast: Cast) -> None:
    client = Client(headers={"accept-language": "en-US,en;q=0.9"})

    assert "登录" in client.get("/login/").content.decode()


def test_a_chosen_language_is_remembered_and_unknown_ones_are_not(cast: Cast) -> None:
    client = Client()
    client.post("/language/", {"language": "en", "next": "/login/"})
    assert '<html lang="en"' in client.get("/login/").content.decode()

    client.cookies["django_language"] = "xx"
    assert '<html lang="zh-hans"' in client.get("/login/").content.decode()


ENGLISH_PAGES = [
    "/registries/",
    "/registries/?q=nothing",
    "/registries/team-a/harbor-prod/",
    "/registries/team-a/harbor-prod/edit/",
    "/registries/team-a/harbor-prod/delete/",
    "/registries/team-a/harbor-prod/status/",
    "/registries/-/add/",
    "/registries/-/add/address/?domain=http://a.example.com/x",
    "/journal/",
    "/accounts/",
    "/accounts/-/add/",
    "/accounts/vic/roles/",
    "/namespaces/",
    "/namespaces/-/add/",
    "/password/",
    "/nothing/",
]


@pytest.mark.parametrize("path", ENGLISH_PAGES)
def test_an_english_page_holds_no_chinese_but_names_and_the_language_menu(cast: Cast, path: str) -> None:
    cast.add()
    client = cast.client("olive")
    client.cookies["django_language"] = "en"

    page = client.get(path).content.decode()

    page = page.replace("简体中文", "").replace("固定密码", "").replace("访问凭证", "")
    assert not CHINESE.search(page), CHINESE.findall(page)


@pytest.mark.parametrize("path", ENGLISH_PAGES)
def test_a_chinese_page_holds_no_english_sentence(cast: Cast, path: str) -> None:
    cast.add()

    page = cast.client("olive").get(path).content.decode()

    text = re.sub(r"<(script|style|pre|code).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert not re.search(r"\b(the|and|is|of|to|was|this)\b", text), re.findall(
        r"[^\n]*\b(?:the|and|is|of)\b[^\n]*", text
    )


def test_codes_without_words_still_say_something() -> None:
    assert problem_text("unheard-of")
    assert labels.reason("unheard-of") == ""
    assert labels.stage("unheard-of") == "unheard-of"
