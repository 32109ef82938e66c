"""A request lets go with its response of what it held, without Python's collector of garbage."""

import gc
import io
import weakref
from collections.abc import Iterator
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from console.handler import Handler

pytestmark = pytest.mark.django_db


class Body(io.BytesIO):
    """It can be referred to weakly."""


@pytest.fixture
def without_collector() -> Iterator[None]:
    """Without the end of the connection to the database, too, which is in a transaction of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    gc.disable()
    yield
    gc.enable()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("path", ["/login/", "/api/v1/registries", "/no-such-page/"])
def test_a_request_lets_its_body_go_with_its_response(path: str) -> None:
    body = Body(b"username=x&password=y")
    alive = weakref.ref(body)
    environ: dict[str, object] = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "HTTP_HOST": "localhost"}
    environ |= {
        "wsgi.input": body,
        "CONTENT_LENGTH": "21",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
    }
    setup_testing_defaults(environ)

    response = Handler()(environ, lambda *_head: lambda _data: None)
    assert b"".join(response)
    assert alive() is body
    del body, environ
    response.close()

    assert alive() is None
