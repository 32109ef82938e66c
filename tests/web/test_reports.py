"""Django's page of an error, with CONSOLE_DEBUG, and its mails to ADMINS."""

import sys
from typing import Any

import pytest
from django.conf import settings as current
from django.test import RequestFactory
from django.utils.module_loading import import_string
from django.views.debug import ExceptionReporter

PLACES = ("form", "other-field", "cookie", "header", "query-of-meta", "variable", "in-a-list", "setting")


def value(place: str) -> str:
    return f"s3cret-{place}"


def fail(typed: str, listed: list[dict[str, str]]) -> None:
    raise LookupError("an error of the console")


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("is_email", [False, True])
def test_no_value_is_shown(rf: RequestFactory, settings: Any, debug: bool, is_email: bool) -> None:
    settings.DEBUG, settings.PROBE_PROXY = debug, f"http://me:{value('setting')}@proxy.example"
    request = rf.post(
        "/registries/add/",
        {"password": value("form"), "username": value("other-field")},
        headers={"Cookie": f"sessionid={value('cookie')}", "X-Forwarded-User": value("header")},
        query_params={"q": "shown"},
    )
    request.META["RAW_URI"] = value("query-of-meta")
    try:
        fail(value("variable"), [{"password": value("in-a-list")}])
    except LookupError:
        report = ExceptionReporter(request, *sys.exc_info(), is_email=is_email)

    for text in (report.get_traceback_text(), report.get_traceback_html()):
        assert [place for place in PLACES if value(place) in text] == []
        assert "an error of the console" in text
        assert "/registries/add/" in text


def test_the_names_of_fields_and_variables_are_shown(rf: RequestFactory) -> None:
    filter_ = import_string(current.DEFAULT_EXCEPTION_REPORTER_FILTER)()
    request = rf.post("/", {"password": "p"})

    assert list(filter_.get_post_parameters(request)) == ["password"]
    assert filter_.get_post_parameters(None) == {}
    assert "filter_" in dict(filter_.get_traceback_frame_variables(request, sys._getframe()))
