"""The page of an internal error, where one part of the database is broken, and where every page would fail."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils.html import escape

from registries.domain.errors import Problem, Unavailable
from registries.limits import Rates, StoredBuckets
from registries.wiring import services
from tests.api.test_api import BASE
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
    assert f'data-copy="{answer["X-Request-ID"]}"' in shown, "who reads the log looks for it"
    assert "服务器内部错误" in shown
    assert f'href="{path}"' in shown, "the same page may work in a moment"
    assert 'data-bs-theme="dark"' in shown
    assert ("account-menu" in shown) is framed
    assert table not in shown


@pytest.mark.parametrize("htmx", [False, True])
def test_a_database_that_another_process_holds_is_not_available(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, htmx: bool
) -> None:
    """No internal error: the next try may succeed."""
    client = cast.client("olive", **({"hx_request": "true"} if htmx else {}))
    client.raise_request_exception = False
    holder, other = (
        sqlite3.connect(tmp_path / "held", timeout=0, isolation_level=None) for _process in range(2)
    )
    holder.execute("BEGIN EXCLUSIVE")

    def page(**_asked: object) -> None:
        with connection.wrap_database_errors:
            other.execute("BEGIN EXCLUSIVE")

    monkeypatch.setattr(services().index, "page", page)
    answer = client.get("/registries/")
    holder.close()
    other.close()

    assert answer.status_code == 503
    if htmx:
        assert "控制台的数据库没有响应" in str(json.loads(answer["HX-Trigger"]))
    else:
        assert "控制台的数据库没有响应" in answer.content.decode()
        assert "服务器内部错误" not in answer.content.decode()


@pytest.mark.parametrize("page", ["/pull-failures/", "/pull-failures/secrets/"])
def test_a_console_without_a_cluster_has_no_pods_and_says_so(cast: Cast, page: str) -> None:
    """Not that the person lacks a role."""
    answer = cast.client("olive").get(page)

    assert answer.status_code == 404
    assert "CONSOLE_STORE=kubernetes" in answer.content.decode()
    assert "没有角色" not in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/logout/", "POST, OPTIONS"),
        ("/registries/-/verify/", "POST"),
        ("/registries/team-a/harbor-prod/verify/", "POST"),
    ],
)
def test_an_address_that_only_receives_forms_says_so(cast: Cast, path: str, allowed: str) -> None:
    client = cast.client("olive")

    answer = client.get(path)

    assert (answer.status_code, answer["Allow"]) == (405, allowed)
    assert "该地址只接收表单，没有页面。未做任何更改。" in answer.content.decode()
    assert 'class="btn btn-primary" href="/registries/"' in answer.content.decode()
    assert client.get(path, headers={"HX-Request": "true"}).content == b""


@pytest.mark.parametrize(
    ("page", "leads"),
    [
        ("http://testserver/registries/-/add/?provider=other&namespace=team-a", True),
        ("http://evil.example.com/registries/-/add/", False),
        ("http://testserver/" + "x" * 2_000, False),
        ("", False),
    ],
)
def test_the_page_of_an_expired_form_leads_back_to_the_form(cast: Cast, page: str, *, leads: bool) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = cast.client("olive").cookies

    shown = client.post("/registries/-/add/", {"name": "x"}, headers={"Referer": page}).content.decode()

    assert (f'class="btn btn-primary" href="{escape(page)}">重新打开表单</a>' in shown) is leads
    assert ("重新打开表单" in shown) is leads
    assert 'href="/registries/">返回镜像源列表</a>' in shown


def test_a_form_that_is_too_large_or_too_soon_leads_back_to_the_form(cast: Cast) -> None:
    path, client = "/registries/-/add/", cast.client("olive")
    large = client.post(
        path, {"description": "x" * 3_000_000}, headers={"Referer": f"http://testserver{path}"}
    )
    vars(services())["form_rates"] = Rates(1, StoredBuckets())
    soon = [client.post(path, {}, headers={"Referer": f"http://testserver{path}"}) for _ in range(9)][-1]

    assert (large.status_code, soon.status_code) == (413, 429)
    for answer in (large, soon):
        assert f'href="http://testserver{path}">重新打开表单</a>' in answer.content.decode()
        assert "未做任何更改。" in answer.content.decode()
    assert "请求过多" not in soon.content.decode(), "the title says it"
    assert re.search(r"<p>\d+ 秒后再试。", soon.content.decode())


def test_a_form_that_is_too_large_says_its_size_and_the_limit(cast: Cast) -> None:
    path, large = "/registries/-/add/", {"description": "x" * 3_000_000}
    sizes = "表单大小为 2.9 MiB，控制台最多接收 2 MiB。".replace(" MiB", "\N{NO-BREAK SPACE}MiB")

    page = cast.client("olive").post(path, large).content.decode()
    assert f"{sizes}精简最长的一项后重新提交。" in page
    trigger = cast.client("olive", hx_request="true").post(path, large)["HX-Trigger"]
    told = json.loads(trigger)["form-problem"]
    assert told["text"] == f"{sizes}未做任何更改，输入的内容仍在。"
    assert told["limited"] == "最多 {limit} 个字符，当前共 {size} 个。", (
        "form-problem.js fills it in at the field"
    )

    many = cast.client("olive", hx_request="true").post(path, {f"a{n}": "" for n in range(1_001)})
    told = json.loads(many["HX-Trigger"])["form-problem"]
    assert told == {"text": "表单的内容超过 1,000 项，减少选择后重新提交。未做任何更改，输入的内容仍在。"}


def test_a_text_that_is_too_long_says_its_limit_and_its_size(cast: Cast) -> None:
    registry = cast.add()
    typed = {
        "description": f" {'x' * 1_025} ",
        "uid": registry.uid,
        "resource_version": registry.resource_version,
    }

    page = cast.client("olive").post("/registries/team-a/harbor-prod/edit/", typed)

    assert page.status_code == 422
    at_the_field = page.content.decode().partition('id="id_description_error"')[2].partition("</div>")[0]
    assert "最多 1,024 个字符。当前共 1,025 个。" in at_the_field


def test_an_address_without_a_page_says_so(cast: Cast) -> None:
    page = cast.client("olive").get("/no-such-page/").content.decode()

    assert "没有页面使用该地址" in page
    assert "命名空间中没有角色" not in page


@pytest.mark.parametrize(
    ("person", "path", "typed"),
    [
        ("sam", "/language/", {"language": "en"}),
        ("sam", "/tokens/-/add/", {"name": "x"}),
        ("vic", "/registries/-/batch-delete/", {"uids": "x"}),
        ("omar", "/registries/team-a/harbor-prod/edit/", {"display_name": "x"}),
        ("nina", "/registries/-/add/", {"name": "x"}),
        ("olive", "/namespaces/-/add/", {"name": "x"}),
    ],
)
def test_one_person_sends_no_flood_of_forms(
    cast: Cast, person: str, path: str, typed: dict[str, str]
) -> None:
    """In any number of sessions. A page leaves as many rows as the API, which has the same limit."""
    vars(services())["form_rates"] = Rates(4, StoredBuckets())
    cast.add()

    answers = [cast.client(person).post(path, typed) for _ in range(16)]

    statuses = [it.status_code for it in answers]
    assert 429 not in statuses[:4]
    assert statuses.count(429) >= 8
    assert all(0 < int(it["Retry-After"]) <= 60 for it in answers if it.status_code == 429)
    assert cast.client(person).get("/registries/").status_code == 200
    assert cast.api(person).post(f"{BASE}/runs", {}, content_type="application/json").status_code == 422
    assert cast.client("nina" if person == "olive" else "olive").post(path, typed).status_code != 429


GONE = "/registries/team-a/gone/"
FETCHED = ["relatives/", "sync/", "images/", "node/?link=1", "?version=a/1"]
"""The parts of the details page that fetch themselves, and what keeps it up to date."""


def toasts(cast: Cast, path: str, status: int) -> bool:
    """Whether htmx gets a toast with the error. Without `page-tells`, a script shows one of its own."""
    answer = cast.client("olive", hx_request="true").get(path)
    assert answer.status_code == status
    events = json.loads(answer["HX-Trigger"])
    assert events.keys() in ({"toast"}, {"page-tells"})
    return "toast" in events


@pytest.mark.parametrize("part", FETCHED)
def test_a_part_that_nobody_asked_for_fails_without_a_toast(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """The page itself says that its registry was deleted, or that the store is away."""

    def away(**_asked: object) -> None:
        raise Unavailable("x", Problem.CLUSTER_AWAY)

    if "?" not in part:  # the others answer with a page, or without a button
        assert not toasts(cast, GONE + part, 404)
    for owner, name in ((services().registries, "find"), (services().images, "of_pods")):
        monkeypatch.setattr(owner, name, away)
    monkeypatch.setattr(services().node_tests, "offered", away)
    assert not toasts(cast, GONE + part, 503)


@pytest.mark.parametrize("asked", ["", "edit/", "status/", "node/", "usage/x"])
def test_what_a_person_asked_for_fails_with_a_toast(cast: Cast, asked: str) -> None:
    assert toasts(cast, GONE + asked, 404)
