"""Two people edit one registry: what is merged, what is asked, by whom and when the other text is."""

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from django.db import connection

from registries.domain.registry import RegistrySecret
from registries.wiring import services
from tests.cast import Cast
from tests.web.test_edit_delete import EDIT, form

TEXTS = ("old", "mine", "theirs", "")


def save(cast: Cast, person: str, registry: RegistrySecret, **values: str) -> Any:
    return cast.htmx(person).post(EDIT, form(registry, **values))


def values_of(shown: str) -> dict[str, str]:
    """The values of the form, as a browser would send them again."""
    inputs = re.findall(r'<input[^>]* name="(\w+)"([^>]*)', shown)
    found = {name: "".join(re.findall(r' value="([^"]*)"', rest)) for name, rest in inputs}
    texts = re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\n?([^<]*)</textarea>', shown)
    return {name: html.unescape(value) for name, value in (found | dict(texts)).items()}


@contextmanager
def just_before_it_is_stored(act: Callable[[], Any]) -> Iterator[None]:
    """Does something between the read and the write of the next save."""
    waiting, read = [act], False

    def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal read
        if read and waiting and sql.startswith("SAVEPOINT"):
            waiting.pop()()
        read = read or (sql.startswith("SELECT") and "storedresource" in sql)
        return run(sql, *rest)

    with connection.execute_wrapper(execute):
        yield
    assert not waiting, "nothing was written"


@pytest.mark.parametrize(("theirs", "mine"), list(product(TEXTS, TEXTS)))
@pytest.mark.parametrize("name", ["display_name", "description"])
def test_only_a_text_that_both_changed_to_different_values_is_asked_about(
    cast: Cast, name: str, theirs: str, mine: str
) -> None:
    registry = cast.add(display_name="old", description="old")
    assert save(cast, "nina", registry, **{name: theirs}).status_code == 204

    response = save(cast, "omar", registry, **{name: mine})

    clash = "old" not in (theirs, mine) and theirs != mine
    assert response.status_code == (409 if clash else 204)
    assert getattr(cast.find(), name) == (theirs if clash or mine == "old" else mine)
    shown = response.content.decode()
    assert shown.count('class="clash"') == int(clash)
    if clash:
        assert values_of(shown)[name] == mine
        assert f'data-text="{theirs}"' in shown
        assert re.search(r"由 nina 保存\s*·\s*<time[^>]*>刚刚", shown)


def test_the_form_of_a_conflict_sent_again_saves_what_it_shows(cast: Cast) -> None:
    registry = cast.add(display_name="old", description="old")
    save(cast, "nina", registry, display_name="theirs", description="new")
    shown = save(cast, "omar", registry, display_name="mine").content.decode()

    again = cast.htmx("omar").post(EDIT, values_of(shown))

    assert again.status_code == 204
    assert (cast.find().display_name, cast.find().description) == ("mine", "new")


def test_a_text_that_is_kept_is_named_with_its_author(cast: Cast) -> None:
    registry = cast.add(display_name="old", description="old")
    save(cast, "nina", registry, description="theirs")

    merged = save(cast, "omar", registry, display_name="mine")
    save(cast, "nina", cast.find(), display_name="theirs")
    asked = save(cast, "omar", registry, display_name="another").content.decode()

    text = "描述：已保留 nina 保存的新内容。"
    assert text.encode("ascii", "backslashreplace").decode() in merged["HX-Trigger"]
    assert text in asked


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("two\nlines", "two\r\nlines"),
        ("  outer  ", "  outer  "),
        ("dos\r\nlines", "dos\r\nlines"),
        ("a\n", "a\r\n"),
    ],
)
def test_white_space_that_a_browser_sends_otherwise_is_no_change(cast: Cast, stored: str, shown: str) -> None:
    """kubectl stores any white space."""
    registry = cast.add()
    notes = {"theriseunion.io/description": stored}
    services().store.annotate(registry.key, notes, uid=registry.uid)
    services().store.annotate(registry.key, {"theriseunion.io/display-name": "x"}, uid=registry.uid)
    seen = {"seen_description": shown, "resource_version": registry.resource_version}

    edited = save(cast, "omar", registry, **seen, description="mine")
    kept = save(cast, "omar", cast.find(), display_name="y", seen_description="mine", description="mine")

    assert (edited.status_code, kept.status_code) == (204, 204)
    assert (cast.find().display_name, cast.find().description) == ("y", "mine")


class TestASaveAtTheSameMoment:
    """The other person saves between the read and the write of this one."""

    def test_of_another_text_keeps_both(self, cast: Cast) -> None:
        registry = cast.add(display_name="old", description="old")

        with just_before_it_is_stored(lambda: save(cast, "nina", registry, description="theirs")):
            response = save(cast, "omar", registry, display_name="mine")

        assert response.status_code == 204
        assert (cast.find().display_name, cast.find().description) == ("mine", "theirs")

    def test_of_the_same_text_shows_the_newer_one_and_saves_what_it_shows(self, cast: Cast) -> None:
        registry = cast.add(display_name="old", description="old")
        theirs = {"display_name": "theirs", "description": "new"}

        with just_before_it_is_stored(lambda: save(cast, "nina", registry, **theirs)):
            response = save(cast, "omar", registry, display_name="mine")

        shown = response.content.decode()
        assert response.status_code == 409
        assert 'data-text="theirs"' in shown
        assert values_of(shown)["description"] == "new", (
            "a field that nobody touched here has the newer value"
        )
        assert cast.htmx("omar").post(EDIT, values_of(shown)).status_code == 204
        assert (cast.find().display_name, cast.find().description) == ("mine", "new")

    def test_that_deletes_it_shows_what_was_typed(self, cast: Cast) -> None:
        registry = cast.add()
        delete = lambda: services().store.delete(registry.key, uid=registry.uid)  # noqa: E731

        with just_before_it_is_stored(delete):
            response = save(cast, "omar", registry, description="an hour of <work>")

        assert response.status_code == 409
        assert "an hour of &lt;work&gt;" in response.content.decode()


@pytest.mark.parametrize("recreate", [False, True])
def test_nothing_that_was_typed_is_lost_with_the_registry(cast: Cast, recreate: bool) -> None:
    registry = cast.add(display_name="old")
    services().store.delete(registry.key, uid=registry.uid)
    if recreate:
        cast.add()

    shown = save(cast, "omar", registry, description="an hour of work").content.decode()

    assert "an hour of work" in shown
    assert "old" not in shown, "what was not typed is not shown"
