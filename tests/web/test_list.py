"""镜像源管理: the list, its fragments and its address."""

import json
import re

import pytest
from django.test import Client

from registries.wiring import services
from tests.cast import Cast

PATH = "/registries/"


def page(client: Client, path: str = PATH, **query: str) -> str:
    return client.get(path, query).content.decode()


def test_shows_what_a_person_may_see_and_nothing_else(cast: Cast) -> None:
    cast.add("harbor-prod", "team-a")
    cast.add("harbor-secret", "team-b")

    shown = page(cast.client("vic"))

    assert "harbor-prod" in shown
    assert "harbor-secret" not in shown
    assert "team-b" not in shown


def test_has_the_columns_of_the_guide(cast: Cast) -> None:
    cast.add(display_name="生产环境 Harbor")

    shown = page(cast.client("olive"))

    head = shown[shown.index("<thead") : shown.index("</thead>")]
    columns = ("选择", "名称", "命名空间", "域名", "用户名", "提供者", "状态", "最近 30 天", "操作")
    for column in columns:
        assert column in head
    for value in (
        "生产环境 Harbor",
        "harbor-prod",
        "team-a",
        "harbor.example.com",
        "admin",
        "Harbor",
        "未测试",
    ):
        assert value in shown[shown.index("<tbody") :]


def test_htmx_gets_the_very_fragment_that_the_page_holds(cast: Cast) -> None:
    cast.add()
    whole = page(cast.client("olive"), q="harbor")
    fragment = page(cast.client("olive", hx_request="true"), q="harbor")

    assert "<html" not in fragment

    def table(text: str) -> str:
        return text[text.index("<table") : text.index("</table>")]

    assert table(fragment) == table(whole)


def test_htmx_gets_the_whole_page_when_it_restores_its_history(cast: Cast) -> None:
    client = cast.client("olive", hx_request="true", hx_history_restore_request="true")

    assert "<html" in page(client)


@pytest.mark.parametrize(
    ("headers", "header"),
    [
        ({"hx_current_url": "http://testserver/registries/"}, "HX-Push-Url"),
        ({"hx_current_url": "http://testserver/registries/", "hx_trigger_name": "q"}, "HX-Replace-Url"),
        ({"hx_current_url": "http://testserver/registries/?q=a"}, None),
    ],
)
def test_the_address_bar_follows_the_filter(cast: Cast, headers: dict[str, str], header: str | None) -> None:
    response = cast.client("olive", hx_request="true", **headers).get(
        PATH, {"q": "a", "status": "", "provider": ""}
    )

    set_headers = {name: response[name] for name in ("HX-Push-Url", "HX-Replace-Url") if name in response}
    assert set_headers == ({header: "/registries/?q=a"} if header else {})


@pytest.mark.parametrize(
    "query",
    [
        {"status": "bogus", "provider": "bogus", "sort": "bogus", "page": "x", "size": "17"},
        {"page": "-1"},
        {"page": "99999999999999999999"},
        {"page": "0"},
        {"page": "٣"},
        {"q": "x" * 5000},
        {"q": "\x00'; DROP TABLE registries_storedresource; --"},
        {"q": "<script>alert(1)</script>"},
        {"q": "\u202e"},
    ],
)
def test_a_mangled_bookmark_still_shows_a_list(cast: Cast, query: dict[str, str]) -> None:
    cast.add()
    response = cast.client("olive").get(PATH, query)

    assert response.status_code == 200
    assert b"<script>alert" not in response.content


def test_a_page_past_the_end_is_the_last_one(cast: Cast) -> None:
    cast.add()

    assert "harbor-prod" in page(cast.client("olive"), page="7")


def test_one_row_is_no_range(cast: Cast) -> None:
    cast.add()
    assert "第 1 项，共 1 项" in page(cast.client("olive"))

    cast.add("second")
    assert "第 1–2 项，共 2 项" in page(cast.client("olive"))


def test_the_page_size_is_remembered(cast: Cast) -> None:
    for number in range(12):
        cast.add(f"row-{number:02}")  # no random text of the page, such as a CSRF token, has a hyphen in it
    client = cast.client("olive")

    assert "row-10" not in page(client, size="10")
    assert "row-10" not in page(client), "remembered"
    assert "row-10" in page(client, size="50")
    assert "row-10" in page(client)


def test_what_people_typed_is_text_and_never_markup(cast: Cast) -> None:
    cast.add(display_name="<img src=x onerror=alert(1)>", description="<script>1</script>", username="<b>'\"")

    shown = page(cast.client("olive"))

    assert "<img src=x" not in shown
    assert "<b>" not in shown
    assert "&lt;img src=x" in shown


@pytest.mark.parametrize(
    ("person", "query", "says"),
    [
        ("olive", {}, "尚无镜像源"),
        ("olive", {"q": "nothing"}, "没有匹配项"),
        ("sam", {}, "尚无角色"),
        ("vic", {}, "image-admin"),
    ],
)
def test_an_empty_list_says_what_to_do_next(
    cast: Cast, person: str, query: dict[str, str], says: str
) -> None:
    shown = page(cast.client(person), **query)

    assert says in shown[shown.index('class="empty"') :]


@pytest.mark.parametrize(
    ("person", "offered"), [("olive", True), ("nina", True), ("omar", False), ("vic", False)]
)
def test_adding_is_offered_to_whom_it_is_allowed(cast: Cast, person: str, offered: bool) -> None:
    shown = page(cast.client(person))
    button = shown[shown.index('id="add-button"') :]

    assert (" hidden" not in button[: button.index(">")]) is offered


@pytest.mark.parametrize(
    ("person", "can"),
    [("olive", "test edit password correct copy delete"), ("omar", "test edit"), ("vic", "")],
)
def test_a_row_offers_what_is_allowed(cast: Cast, person: str, can: str) -> None:
    cast.add()

    assert f'data-can="{can}"' in page(cast.client(person))


def test_the_selector_lists_what_may_be_seen_and_keeps_the_other_filters(cast: Cast) -> None:
    shown = page(cast.client("nina"), "/registries/-/namespaces/", current="?q=harbor&page=3")

    assert "team-a" in shown
    assert "team-b" not in shown
    assert "/registries/?namespace=team-a&amp;q=harbor" in shown
    assert "全部项目" in shown


def test_the_selector_counts_all_that_may_be_seen(cast: Cast) -> None:
    for number, namespace in enumerate(("team-a", "team-a", "team-b")):
        cast.add(f"r-{number}", namespace)

    for person, total in (("olive", 3), ("nina", 2)):
        shown = page(cast.client(person), "/registries/-/namespaces/")
        counts = re.findall(r'class="option-count">(\d+)<', shown)
        assert int(counts[0]) == sum(map(int, counts[1:])) == total


def test_a_selection_is_what_matches_now_and_may_be_seen(cast: Cast) -> None:
    mine = cast.add("a", "team-a")
    cast.add("b", "team-b")

    answer = json.loads(page(cast.client("vic"), "/registries/-/selection/", status="untested"))

    assert answer == {"uids": [mine.uid]}


def test_an_open_list_is_told_when_something_changed(cast: Cast) -> None:
    client = cast.client("vic")
    version = re.search(r'id="list-state"[^>]* data-version="(\w+)"', page(client))
    assert version

    quiet = client.get("/registries/-/pulse/", {"version": version[1]})
    cast.add("new")
    told = client.get("/registries/-/pulse/", {"version": version[1]})

    assert "HX-Trigger" not in quiet
    assert "registries-changed" in told["HX-Trigger"]


def test_a_domain_that_is_long_can_give_way_in_the_middle(cast: Cast) -> None:
    cast.add(domain="registry-with-a-rather-long-name.infrastructure.example.com:8443")

    shown = page(cast.client("olive"))

    assert (
        '<span class="head">registry-with-a-rather-long-name.infrastructure.example.c</span>om:8443' in shown
    )


def test_the_namespace_of_a_registry_that_kubectl_made_need_not_be_granted(cast: Cast) -> None:
    cast.add("x", "team-b")

    assert services().index.namespaces(access=cast.access("vic")) == ("team-a",)
