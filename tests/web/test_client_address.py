"""The address of a client, in every form in which proxies write it."""

from typing import Any

import pytest
from django.test import RequestFactory

from registries.log_in.sender import client_address

FORMS = [
    ("203.0.113.7", "203.0.113.7"),
    ("203.0.113.7:51234", "203.0.113.7"),
    (" 203.0.113.7:51234 ", "203.0.113.7"),
    ('"203.0.113.7:51234"', "203.0.113.7"),
    ("2001:db8::7", "2001:db8::7"),
    ("2001:DB8:0:0::7", "2001:db8::7"),
    ("[2001:db8::7]", "2001:db8::7"),
    ("[2001:db8::7]:51234", "2001:db8::7"),
    ('"[2001:db8::7]:51234"', "2001:db8::7"),
    ("2001:db8:1:2:3:4:5:6:51234", "2001:db8:1:2:3:4:5:6"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
    ("[::ffff:203.0.113.7]:51234", "203.0.113.7"),
    ("fe80::7%eth0", "fe80::7"),
    ("unknown", "unknown"),
    *(
        (it, "unknown")
        for it in ("_hidden:4711", "_gazonk", "_a1:_b2", "proxy-7.internal:8080", "203.0.113", "x" * 500)
    ),
]


@pytest.mark.parametrize(("written", "address"), FORMS)
def test_every_form_is_one_address(settings: Any, written: str, address: str) -> None:
    settings.BEHIND_PROXY = True
    ask = RequestFactory()

    assert client_address(ask.get("/", HTTP_X_FORWARDED_FOR=written)) == address
    assert client_address(ask.get("/", HTTP_X_FORWARDED_FOR=f"10.9.9.9:1, {written}")) == address
    assert client_address(ask.get("/", HTTP_FORWARDED=f"for={written}")) == address
    element = f'by=10.0.0.1;For={written} ;proto=https;host="console.example"'
    assert client_address(ask.get("/", HTTP_FORWARDED=f'for="10.9.9.9, {element}')) == address


@pytest.mark.parametrize("header", ["", ",", "for=", "proto=https", "for", "10.1.2.3"])
def test_without_a_reported_address_it_is_the_connections(settings: Any, header: str) -> None:
    settings.BEHIND_PROXY = True
    asked = RequestFactory().get("/", HTTP_FORWARDED=header, REMOTE_ADDR="::ffff:198.51.100.4")
    assert client_address(asked) == "198.51.100.4"


def test_x_forwarded_for_comes_before_forwarded(settings: Any) -> None:
    settings.BEHIND_PROXY = True
    asked = RequestFactory().get("/", HTTP_FORWARDED="for=10.9.9.9", HTTP_X_FORWARDED_FOR="203.0.113.7:1")
    assert client_address(asked) == "203.0.113.7"


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"])
def test_without_a_proxy_no_header_counts(settings: Any, header: str) -> None:
    settings.BEHIND_PROXY = False
    asked = RequestFactory().get("/", REMOTE_ADDR="198.51.100.4")
    asked.META[header] = "for=10.9.9.9"
    assert client_address(asked) == "198.51.100.4"
