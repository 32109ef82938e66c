"""Names in sentences: marked on a page, plain elsewhere, and never markup."""

import pytest
from django.utils.translation import override

from registries.pull_secrets.explain import Code, Explanation, Near
from registries.words.names import MORE, named, plain
from registries.words.pull_failures import reason
from registries.words.sync import deletion_sentences

CODE = '<code class="unbroken">'
BOLD, MARKS = "<b>a</b>", "a\u202e\u2066b\u200f"


def test_a_name_is_marked_and_escaped() -> None:
    with override("en"):
        text = named({"host": BOLD}, "%(host)s <has> `auths`.", "%(host)s: %(n)s.", n="<i>")
    assert text == (
        f"{CODE}&lt;b&gt;a&lt;/b&gt;</code> &lt;has&gt; {CODE}auths</code>. "
        f"{CODE}&lt;b&gt;a&lt;/b&gt;</code>: &lt;i&gt;."
    )


def test_a_name_is_no_pattern() -> None:
    assert named({"a": "%(b)s `c`", "b": "d"}, "%(a)s") == f"{CODE}%(b)s `c`</code>"


def test_a_long_name_may_go_on_in_the_next_line() -> None:
    assert named({"a": "a" * 33}, "%(a)s") == f"<code>{'a' * 33}</code>"


def test_names_of_a_list_are_marked_each() -> None:
    with override("zh-hans"):
        assert named({"names": ["a", BOLD, MORE]}, "%(names)s。", "好。") == (
            f"{CODE}a</code>、{CODE}&lt;b&gt;a&lt;/b&gt;</code>、…。好。"
        )


def test_a_plain_sentence_has_no_marks() -> None:
    with override("en"):
        assert plain({"names": ["a", "b"]}, "`auths` of %(names)s: %(n)s.", "Done.", n=2) == (
            "auths of a, b: 2. Done."
        )
        (text,) = deletion_sentences(["team-a/a"], [], [], many=True, fill=plain)
    assert text == "1 of them is the source of a sync rule. This rule ends: team-a/a."


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("code", Code)
def test_a_reason_of_a_failing_pod_contains_no_markup_of_others(code: Code, language: str) -> None:
    """Anybody can type a host, a Secret, a mirror or a key."""
    explanation = Explanation(code, BOLD, secret=MARKS, mirror=BOLD, near=Near.PORT, key=BOLD)
    with override(language):
        text = reason(explanation)
    assert "<b>" not in text
    assert not set(MARKS[1:3] + MARKS[-1]) & set(text)
    assert f"{CODE}&lt;b&gt;a&lt;/b&gt;</code>" in text
