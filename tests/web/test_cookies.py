"""Cookies cost little, whatever they are, and are those that Django reads."""

import pytest
from django.http.cookie import parse_cookie
from django.test import Client, RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as some

from console.cookies import MOST, CookieMiddleware
from tests.cast import Cast
from tests.peers.cost import processor_seconds

SECONDS = 0.05
KINDS = {
    "backslashes": "\\",
    "octal": "\\101",
    "cut octal": "\\10",
    "quoted quotes": '\\"',
    "quotes": '"',
    "semicolons": ";",
    "equals": "=",
    "cookies": "a=b;",
    "quoted cookies": 'a="\\\\";',
    "spaces": " ",
    "commas": ",",
}


def read(header: str) -> dict[str, str]:
    request = RequestFactory().get("/", headers={"cookie": header})
    CookieMiddleware(lambda it: it)(request)  # type: ignore[arg-type, return-value]
    return dict(request.COOKIES)


@pytest.mark.parametrize("size", [MOST - 10, 16 * MOST])
@pytest.mark.parametrize("piece", KINDS.values(), ids=KINDS)
def test_cookies_cost_little(db: None, piece: str, size: int) -> None:
    header = 'a="' + piece * (size // len(piece)) + '"'
    client = Client()
    client.get("/login/")

    def ask() -> None:
        assert client.get("/login/", headers={"cookie": header[:size]}).status_code == 200

    assert processor_seconds(ask) < SECONDS
    assert processor_seconds(lambda: read(header[: size - 1] + '"')) < SECONDS


@settings(max_examples=300, deadline=None, database=None)
@given(some.text(some.sampled_from('ab01378"\\;= ,'), max_size=40))
def test_they_are_those_that_django_reads(header: str) -> None:
    assert read(header) == parse_cookie(header)


def test_other_cookies_of_the_domain_end_no_session(cast: Cast) -> None:
    client = cast.client("olive")
    session = client.cookies["sessionid"].value

    other = Client(headers={"cookie": f'x="\\101\\""; sessionid={session}; y'})

    assert other.get("/registries/").status_code == 200
    too_many = Client(headers={"cookie": f"sessionid={session}; x=" + "y" * MOST})
    assert too_many.get("/registries/").status_code == 302
