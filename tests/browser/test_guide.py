"""Every step of the guide (操作指南) in Chromium: in Chinese by the guide's own texts, and the same in English."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.peers.console_page import (
    add_registry,
    choose,
    credential,
    dialog,
    fill,
    input_,
    names,
    open_add,
    open_menu,
    row,
    status,
)
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import BOTH, Words


@pytest.fixture(params=BOTH, ids=BOTH)
def words(request: pytest.FixtureRequest) -> Words:
    return BOTH[request.param]


@pytest.fixture
def page(people: People, words: Words) -> Page:
    return people("olive").open(language=words.code)


def test_step_1_the_navigation_leads_to_the_list(people: People, words: Words) -> None:
    page = people("olive").open("/journal/", language=words.code)
    navigation = page.get_by_role("navigation").first
    expect(navigation.get_by_role("heading", name=words.images)).to_be_visible()

    navigation.get_by_role("link", name=words.registries).click()

    expect(page.get_by_role("heading", level=1, name=words.registries)).to_be_visible()
    expect(page.get_by_role("table", name=words.registries)).to_be_visible()


def test_steps_2_to_5_add_a_registry_test_it_and_save_it(
    page: Page, words: Words, console: RunningConsole
) -> None:
    name = f"harbor-guide-{words.code}"
    expect(page.get_by_role("link", name=words.add)).to_be_in_viewport()
    form = open_add(page, words)
    fill(
        form,
        words,
        provider="Harbor",
        namespace="default",
        name=name,
        display_name="生产环境 Harbor",
        description="生产环境主镜像仓库",
        **credential(console, "harbor"),
    )

    form.get_by_role("button", name=words.test).click()
    expect(form.get_by_text(words.success, exact=True)).to_be_visible()
    form.get_by_role("button", name=words.ok, exact=True).click()

    expect(dialog(page)).to_have_count(0)
    expect(row(page, name)).to_contain_text("生产环境 Harbor")
    expect(status(page, name, words)).to_have_text(words.success)


def test_step_4_a_failed_test_says_why_and_can_be_put_right(
    page: Page, words: Words, console: RunningConsole
) -> None:
    form = open_add(page, words)
    right = credential(console, "harbor")
    fill(form, words, **{**right, "password": "no-such-password"})

    form.get_by_role("button", name=words.test).click()

    expect(form.get_by_text(words.failed, exact=True)).to_be_visible()
    expect(form.get_by_text(words.bad_credentials)).to_be_visible()

    fill(form, words, password=right["password"])
    form.get_by_role("button", name=words.test).click()

    expect(form.get_by_text(words.success, exact=True)).to_be_visible()
    expect(form.get_by_text(words.failed, exact=True)).to_have_count(0)


def test_the_list_shows_the_eight_columns(page: Page, words: Words) -> None:
    columns = [
        words.select,
        words.name,
        words.namespace,
        words.domain,
        words.username,
        words.provider,
        words.status,
        words.actions,
    ]
    expect(page.get_by_role("columnheader")).to_contain_text(columns)
    first = row(page, "dockerhub-mirror")
    for text in ("Docker Hub 加速器", "dockerhub-mirror", "default", "anyone", "Docker Hub"):
        expect(first).to_contain_text(text)
    expect(first.get_by_role("checkbox")).to_be_visible()


def test_the_list_shows_the_three_statuses(people: People, words: Words) -> None:
    page = people("olive").open("/registries/?namespace=team-a", language=words.code)

    expect(status(page, "registry-team-a", words)).to_have_text(words.success)
    expect(status(page, "harbor-team-a", words)).to_have_text(words.failed)
    expect(status(page, "quay-team-a", words)).to_have_text(words.untested)


def test_testing_from_the_menu_updates_the_status(people: People, words: Words) -> None:
    page = people("olive").open("/registries/?namespace=prod-namespace", language=words.code)
    name = {"zh": "aliyun-prod", "en": "dockerhub-prod"}[words.code]
    expect(row(page, name)).not_to_contain_text(words.just_now)

    choose(page, name, words.test, words)

    expect(row(page, name)).to_contain_text(words.just_now)
    expect(status(page, name, words)).to_have_text(words.success)


def test_editing_changes_the_display_name_and_the_description(
    people: People, page: Page, words: Words, console: RunningConsole
) -> None:
    name = f"harbor-edit-{words.code}"
    add_registry(people("olive"), console, name, display_name="测试环境", description="旧的描述")
    page.reload()

    choose(page, name, words.edit, words)
    form = dialog(page)
    expect(form.get_by_text(words.locked_settings)).to_be_visible()
    expect(input_(form, words.domain)).to_have_count(0)
    fill(form, words, display_name="新的显示名称", description="新的描述")
    form.get_by_role("button", name=words.save).click()

    expect(dialog(page)).to_have_count(0)
    expect(row(page, name)).to_contain_text("新的显示名称")
    row(page, name).get_by_role("link").click()
    expect(page.get_by_role("main")).to_contain_text("新的描述")


def test_deleting_one_takes_its_name_typed(
    people: People, page: Page, words: Words, console: RunningConsole
) -> None:
    name = f"harbor-delete-{words.code}"
    add_registry(people("olive"), console, name)
    page.reload()

    choose(page, name, words.delete, words)
    form = dialog(page)
    button = form.get_by_role("button", name=re.compile(f"^{words.confirm_deletion}"))
    expect(form.get_by_text(words.delete_warning)).to_be_visible()
    expect(button).to_be_disabled()
    form.get_by_role("textbox").fill(name[:-1])
    expect(button).to_be_disabled()
    form.get_by_role("textbox").fill(name)
    button.click()

    expect(dialog(page)).to_have_count(0)
    expect(row(page, name)).to_have_count(0)


def test_deleting_several_takes_their_number_typed(
    people: People, page: Page, words: Words, console: RunningConsole
) -> None:
    doomed = [f"harbor-batch-{number}-{words.code}" for number in (1, 2, 3)]
    for name in doomed:
        add_registry(people("olive"), console, name)
    page.goto("/registries/?namespace=default&size=100")
    before = set(names(page))

    for name in doomed:
        row(page, name).get_by_role("checkbox").check()
    page.get_by_role("button", name=words.delete_selected).click()
    form = dialog(page)
    for name in doomed:
        expect(form.get_by_role("listitem").filter(has_text=name)).to_be_visible()
    button = form.get_by_role("button", name=re.compile(f"^{words.confirm_deletion}"))
    expect(form.get_by_text(words.delete_many_warning)).to_be_visible()
    expect(button).to_be_disabled()
    form.get_by_role("textbox").fill("3")
    button.click()

    expect(form.get_by_role("heading", name=words.finished)).to_be_visible()
    form.get_by_role("link", name=words.close).click()
    expect(row(page, doomed[0])).to_have_count(0)
    assert set(names(page)) == before - set(doomed)


def test_the_namespace_selector_shows_one_namespace_or_all_projects(page: Page, words: Words) -> None:
    selector = page.get_by_role("banner").get_by_role("button", name=words.namespace)
    expect(selector).to_have_text(words.all_projects)

    selector.click()
    page.get_by_role("link", name=re.compile("^team-b")).click()
    expect(selector).to_have_text("team-b")
    expect(row(page, "registry-down")).to_be_visible()
    expect(page.get_by_role("cell", name="team-a", exact=True)).to_have_count(0)
    assert set(page.locator("tbody .c-namespace").all_inner_texts()) == {"team-b"}

    selector.click()
    page.get_by_role("link", name=words.all_projects).click()
    expect(selector).to_have_text(words.all_projects)
    expect(page.get_by_role("cell", name="team-a", exact=True).first).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "found", "lost"),
    [
        ("quay-team", "quay-team-a", "harbor-dev"),
        ("预发布", "harbor-staging", "harbor-dev"),
        ("kerberos.localhost", "registry-kerberos", "harbor-dev"),
    ],
    ids=["name", "display name", "domain"],
)
def test_search_looks_at(page: Page, words: Words, typed: str, found: str, lost: str) -> None:
    expect(row(page, lost)).to_have_count(1)

    page.get_by_role("searchbox", name=words.search).fill(typed)

    expect(row(page, lost)).to_have_count(0)
    expect(row(page, found)).to_be_visible()


def test_hovering_over_a_status_shows_message_time_and_cause(people: People, words: Words) -> None:
    page = people("olive").open("/registries/?namespace=team-a", language=words.code)

    status(page, "harbor-team-a", words).hover()

    card = page.get_by_role("tooltip")
    expect(card).to_contain_text(words.failed)
    expect(card).to_contain_text(words.bad_credentials)
    expect(card).to_contain_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"))
    expect(card).to_contain_text("olive")


def test_a_menu_offers_test_edit_and_delete(page: Page, words: Words) -> None:
    menu = open_menu(page, "dockerhub-mirror", words)

    for item in (words.test, words.edit, words.delete):
        expect(menu.get_by_role("menuitem", name=item)).to_be_visible()
