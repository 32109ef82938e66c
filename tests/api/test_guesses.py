"""An edit is no oracle of the stored password: few comparisons a minute, whole words only, and all of it recorded."""

import base64
from itertools import cycle
from typing import Any

import pytest

from registries import wiring
from registries.domain.metadata import names_password
from registries.models import AuditEntry
from registries.service.copies import GUESSES_PER_MINUTE
from tests.api.test_api import MERGE, TEAM_A, notes
from tests.canary import CANARY
from tests.cast import Cast

pytestmark = pytest.mark.usefixtures("no_refill")

ONE = f"{TEAM_A}/harbor-prod"
SECRET = "topsecret9"
"""Where a text may hold the password: the canary may stand nowhere."""


def guess(client: Any, text: str, query: str = "", field: str = "description", place: str = ONE) -> int:
    response = client.patch(place + query, {"metadata": notes(**{field: text})}, content_type=MERGE)
    if response.status_code == 429:
        assert 0 < int(response["Retry-After"]) <= 60
        assert CANARY.encode() not in response.content
    return int(response.status_code)


def exhaust(client: Any, **how: str) -> list[int]:
    return [guess(client, f"not the password {number}", **how) for number in range(GUESSES_PER_MINUTE + 5)]


def journal(outcome: str) -> int:
    entries = AuditEntry.objects.filter(action="edit", outcome=outcome, note="holds_password", person="omar")
    return entries.filter(namespace="team-a", name="harbor-prod").count()


@pytest.mark.parametrize("query", ["", "?dryRun=All"])
@pytest.mark.parametrize("field", ["display_name", "description"])
def test_misses_are_counted(cast: Cast, query: str, field: str) -> None:
    cast.add()

    codes = exhaust(cast.api("omar"), query=query, field=field)

    assert codes == [200] * GUESSES_PER_MINUTE + [429] * 5
    assert journal("TooManyRequests") == 1


def test_a_miss_that_no_edit_records_is_recorded_once_an_hour_with_its_number(cast: Cast) -> None:
    cast.add()
    client = cast.api("omar")

    assert [guess(client, f"not the password {it}", "?dryRun=All") for it in range(3)] == [200] * 3
    assert guess(client, "short", "?dryRun=All") == guess(client, "an edit") == 200
    failing = {"metadata": notes(description="a guess that fails", probe_image="elsewhere.example.com/a:1")}
    assert client.patch(ONE, failing, content_type=MERGE).status_code == 422

    [entry] = AuditEntry.objects.filter(action="compare")
    assert (entry.person, entry.namespace, entry.name, entry.count) == ("omar", "team-a", "harbor-prod", 4)
    assert not entry.failed


def test_tokens_sessions_processes_and_kinds_of_edit_share_one_budget(cast: Cast) -> None:
    found = cast.add(password=SECRET)
    page = cast.client("omar")
    form = {"display_name": "", "seen_display_name": "", "seen_description": "", "uid": found.uid}
    codes = []
    for number, (way, query) in zip(range(60), cycle([(0, ""), (1, "?dryRun=All"), (2, "")]), strict=False):
        if way == 2:
            asked = {
                **form,
                "description": f"it is {SECRET}",
                "resource_version": cast.find().resource_version,
            }
            response = page.post("/registries/team-a/harbor-prod/edit/", asked)
            codes.append(response.status_code)
        else:
            codes.append(guess(cast.api("omar"), f"a guess {number}", query))
        if number == 5:
            wiring.reset()  # another process

    assert sum(code != 429 for code in codes) <= GUESSES_PER_MINUTE + 1
    assert set(codes) == {200, 422, 429}
    assert codes[-3:] == [429] * 3
    assert journal("TooManyRequests") == 1


def test_a_right_guess_is_refused_as_a_wrong_one_is_once_the_budget_is_gone(cast: Cast) -> None:
    cast.add()
    client = cast.api("omar")
    assert guess(client, f"x {CANARY}") == 422
    assert journal("failed") == 1

    exhaust(client)

    assert guess(client, CANARY) == guess(client, "not the password") == 429
    assert journal("failed") == 1


def test_others_and_other_registries_go_on(cast: Cast) -> None:
    cast.add()
    cast.add("other")
    exhaust(cast.api("omar"))

    assert guess(cast.api("nina"), "an ordinary text") == 200
    assert guess(cast.api("omar"), "an ordinary text", place=f"{TEAM_A}/other") == 200
    assert guess(cast.api("omar"), "short") == 200


B64 = base64.b64encode(SECRET.encode()).decode()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("topsecret9", True),
        ("it is topsecret9.", True),
        ("(topsecret9)", True),
        ("user:topsecret9@host", True),
        ("pw=topsecret9", True),
        ("a\ntopsecret9\nb", True),
        ("密码是topsecret9。", True),
        ("my_topsecret9_x", True),
        (f"base64 {B64}", True),
        (f'"{B64}"', True),
        ("topsecret", False),
        ("topsecret91", False),
        ("atopsecret9", False),
        ("0topsecret99topsecret", False),
        (f"x{B64}", False),
        ("TOPSECRET9", False),
    ],
)
def test_a_whole_word_is_found(text: str, found: bool) -> None:
    assert names_password(text, SECRET) is found


@pytest.mark.parametrize("password", ["!har bor!", "harbor.*+(", "\\d+harbor", "-----harbor", "пароль-12"])
@pytest.mark.parametrize("text", ["{}", "x {} y", "({})", "密码{}。"])
def test_a_password_of_any_characters_is_found(password: str, text: str) -> None:
    assert names_password(text.format(password), password)


@pytest.mark.parametrize("field", ["display_name", "description"])
def test_a_part_of_a_text_is_no_guess(cast: Cast, field: str) -> None:
    """Else one text could hold a thousand guesses that overlap."""
    cast.add(password=SECRET)

    assert guess(cast.api("omar"), f"x{SECRET}", field=field) == 200
    assert guess(cast.api("omar"), f"x {SECRET}", field=field) == 422


def words(number: int, first: str = "guess") -> str:
    return " ".join(f"{first}{it:03}" for it in range(number))


@pytest.mark.parametrize("join", [" ", "-", ".", "/"])
def test_a_text_of_many_words_is_as_many_guesses(cast: Cast, join: str) -> None:
    cast.add(password=SECRET)
    client = cast.api("omar")
    text = words(100).replace(" ", join)

    compared = [guess(client, text, "?dryRun=All") for _ in range(GUESSES_PER_MINUTE)].count(200)

    assert compared == 1
    assert guess(client, words(12)) == 200, "a shorter one may still be sent"
    assert journal("TooManyRequests") == 1


def test_a_long_text_of_sentences_may_be_corrected(cast: Cast) -> None:
    cast.add()
    english = "Images of the edge sites. Ask the platform team before you delete anything here, please. " * 11
    chinese = "边缘站点的镜像，删除前请联系平台团队。" * 50

    for text in (english[:1000], chinese[:1000]):
        assert guess(cast.api("nina"), text) == guess(cast.api("nina"), f"{text}.") == 200


def test_a_long_text_is_told_how_long_to_wait(cast: Cast) -> None:
    cast.add()
    client = cast.api("omar")
    assert guess(client, words(100)) == 200

    response = client.patch(ONE, {"metadata": notes(description=words(60))}, content_type=MERGE)
    assert (response.status_code, int(response["Retry-After"])) == (429, 24)
