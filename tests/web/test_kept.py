"""{% kept %}: a part of a page is rendered once for each language and each set of values, and sees nothing else."""

import pytest
from django.template import engines
from django.template.backends.django import Template
from django.utils import translation
from django.utils.safestring import SafeString

from registries.templatetags import kept


def template(source: str) -> Template:
    made = engines["django"].from_string("{% load i18n kept %}" + source)
    assert isinstance(made, Template)
    return made


class Counted:
    """A value that counts how often it is drawn."""

    def __init__(self) -> None:
        self.drawn = 0

    def __str__(self) -> str:
        self.drawn += 1
        return "drawn"


def test_it_is_rendered_once_for_the_same_values() -> None:
    source, value = template("{% kept a b=c.d %}{{ a }}{{ b }}{% endkept %}"), Counted()

    texts = [source.render({"a": value, "c": {"d": number}}) for number in (1, 2, 1, 2)]

    assert texts == ["drawn1", "drawn2", "drawn1", "drawn2"]
    assert value.drawn == 2


def test_it_sees_no_other_value_of_the_page() -> None:
    source = template("{% kept a %}{{ a }}{{ person }}{{ user }}{{ request.path }}{% endkept %}{{ person }}")

    assert source.render({"a": 1, "person": "nina"}) == "1nina"


def test_values_are_escaped() -> None:
    assert template("{% kept a %}{{ a }}{% endkept %}").render({"a": "<b>"}) == "&lt;b&gt;"


def test_safe_text_does_not_vouch_for_the_same_text() -> None:
    source = template("{% kept a %}{{ a }}{% endkept %}")

    assert [source.render({"a": text}) for text in (SafeString("<b>"), "<b>")] == ["<b>", "&lt;b&gt;"]


def test_each_language_has_its_own() -> None:
    source, texts = template("{% kept %}{% translate 'Close' %}{% endkept %}"), set()
    for language in ("zh-hans", "en", "zh-hans"):
        with translation.override(language):
            texts.add(source.render({}))

    assert texts == {"关闭", "Close"}


def test_every_page_gets_its_own_csrf_token() -> None:
    source = template("{% kept %}<form>{% csrf_token %}</form>{% endkept %}")

    first, second = (source.render({"csrf_token": token}) for token in ("first", "second"))

    assert 'value="first"' in first
    assert first.replace("first", "second") == second


def test_no_more_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", 3)
    source = template("{% kept a %}{{ a }}{% endkept %}")

    assert [source.render({"a": number}) for number in range(10)] == [str(number) for number in range(10)]
    (node,) = source.template.nodelist.get_nodes_by_type(kept.KeptNode)
    assert len(node._kept) <= 3
