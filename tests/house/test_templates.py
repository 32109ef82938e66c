"""The templates: what djlint does not see."""

import re

from tests.peers.command import ROOT

COUNTED = re.compile(r"{% blocktranslate count (\w+)=.+?%}(.+?){% endblocktranslate %}", re.DOTALL)
SHADOWED = re.compile(r"{% blocktranslate count \w+=(\w+)\b\S* with [^%]*?\b\1=")
COMMA = re.compile(r"""['"], ['"]\.join|join:['"], |[^"]">, <""")
SENTENCE = re.compile(r"{% blocktranslate.*?{% endblocktranslate %}|[\w-]+=\"[^\"]*\"", re.DOTALL)
KEY = re.compile(r"{{ [\w.]*\bkey }}|namespace }}/(?:{% endif %})?{{|{{ [\w.]*(?:address|image) }}")
FEW = {"_pull_step.html", "_history_strip.html", "_edit.html"}
"""Templates that count what is never a thousand: lines, tests of a strip, fields."""


def test_a_count_has_separators() -> None:
    """What a sentence counts by is a bare number; it shows another value, from the filter `number`: 1,201."""
    bare = [
        (path.name, texts[:60])
        for path in (ROOT / "templates").rglob("*.html")
        for counter, texts in COUNTED.findall(path.read_text())
        if f"{{{{ {counter} }}}}" in texts and path.name not in FEW
    ]

    assert bare == []


def test_a_list_that_people_read_has_the_separator_of_their_language() -> None:
    """Chinese has 、 there: `comma` and the filter `listed` know it."""
    pages = [*(ROOT / "templates").rglob("*.html")]
    pages += [it for room in ("web", "words", "mirrors") for it in (ROOT / "registries" / room).rglob("*.py")]
    pages += [ROOT / "registries/events/message.py"]
    commas = [path.name for path in pages if COMMA.search(path.read_text())]

    assert commas == []


def test_a_key_or_an_address_goes_on_in_the_next_line_after_a_slash() -> None:
    """The filter `slashed` does it. Attributes and texts for screen readers have no lines."""
    whole = [
        path.name
        for path in (ROOT / "templates").rglob("*.html")
        if KEY.search(SENTENCE.sub("", re.sub(r'"visually-hidden">.*?</span>', "", path.read_text())))
    ]

    assert whole == []


def test_no_dialog_loses_what_was_typed_by_one_key() -> None:
    silent = [
        path.name
        for path in (ROOT / "templates").rglob("*.html")
        if "_dialog" in path.read_text() and "|as_crispy_field" in path.read_text()
        if "data-dirty-check" not in path.read_text()
    ]

    assert silent == []


def test_no_count_is_shadowed_by_its_text() -> None:
    """Django counts by the value after `with`: a text of the same name ends in an internal error."""
    shadowed = [
        path.name for path in (ROOT / "templates").rglob("*.html") if SHADOWED.search(path.read_text())
    ]

    assert shadowed == []
