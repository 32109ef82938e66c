"""The page of an internal error, where one part of the database is broken, and where every page would fail."""

import pytest
from django.db import connection

from tests.cast import Cast


@pytest.mark.parametrize(
    ("table", "path", "framed"),
    [("registries_mirror", "/mirrors/", True), ("django_session", "/registries/", False)],
)
def test_an_internal_error_is_a_page_of_the_console(
    cast: Cast, table: str, path: str, *, framed: bool
) -> None:
    client = cast.client("olive")
    client.raise_request_exception = False
    client.cookies["theme"] = "dark"
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE {table} CASCADE" if connection.vendor == "postgresql" else f"DROP TABLE {table}"
        )

    answer = client.get(path)

    shown = answer.content.decode()
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in shown, "who reads the log looks for it"
    assert "服务器内部错误" in shown
    assert f'href="{path}"' in shown, "the same page may work in a moment"
    assert 'data-bs-theme="dark"' in shown
    assert ("account-menu" in shown) is framed
    assert table not in shown


@pytest.mark.parametrize("page", ["/pull-failures/", "/pull-failures/secrets/"])
def test_a_console_without_a_cluster_has_no_pods_and_says_so(cast: Cast, page: str) -> None:
    """Not that the person lacks a role."""
    answer = cast.client("olive").get(page)

    assert answer.status_code == 404
    assert "CONSOLE_STORE=kubernetes" in answer.content.decode()
    assert "没有角色" not in answer.content.decode()
