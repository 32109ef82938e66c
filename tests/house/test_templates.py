"""The templates: what djlint does not see."""

import re

from tests.peers.command import ROOT

COUNTED = re.compile(r"{% blocktranslate count (\w+)=.+?%}(.+?){% endblocktranslate %}", re.DOTALL)
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
