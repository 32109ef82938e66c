"""A new password for a credential with copies, and a corrected certificate: each in one dialog, with few clicks."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_tasks import COUNT, steps
from tests.gallery.scene import token_of
from tests.peers.console_page import credential
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People

NAMES = ("turned-1", "turned-2", "turned-3", "turned-4")
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def add_with_an_old_password(page: Page, console: RunningConsole) -> None:
    for name in NAMES:
        values = {**credential(console, "basic"), "password": "of-last-year"}
        form = {**values, "provider": "other", "namespace": "team-a", "name": name, "tls": "system"}
        form["csrfmiddlewaretoken"] = token_of(page)
        made = page.context.request.post(f"{console.url}/registries/-/add/", form=form)
        assert made.ok, made.text()


def choose_none_and_again(page: Page) -> None:
    """The line over the copies and the button say how many get the password."""
    line, save = page.locator("#copies-chosen"), page.locator("#password-save")
    copies = page.locator("[name=copies]:checked")
    chosen = [it.input_value() for it in copies.all()]
    expect(line).to_contain_text("已选中 3 / ")
    expect(save).to_have_text("保存到 4 个镜像源")
    line.get_by_role("button", name="全不选").click()
    expect(line).to_contain_text("已选中 0 / ")
    expect(save).to_have_text("保存")
    line.get_by_role("button", name="全选").click()
    expect(line.get_by_role("button")).to_have_text(["全不选"])
    for box in page.locator("[name=copies]").all():
        box.set_checked(box.input_value() in chosen)
    expect(save).to_have_text("保存到 4 个镜像源")


def test_a_password_with_three_copies_takes_one_field_and_four_clicks(
    people: People, console: RunningConsole
) -> None:
    page = people("olive").open("/registries/", width=1280, height=800)
    add_with_an_old_password(page, console)
    page.context.add_init_script(COUNT)
    page.goto("/registries/team-a/turned-1/")
    page.locator("#password-next").wait_for()

    page.locator("#password-next").click()
    expect(page.get_by_role("dialog")).to_have_count(1)
    expect(page.locator("[name=copies]:checked")).to_have_count(3)
    page.locator("#id_password").fill(credential(console, "basic")["password"])
    page.locator("#password-test").click()
    expect(page.locator("#verdict .verdict-ok")).to_be_visible()
    taken = steps(page)
    choose_none_and_again(page)
    page.locator("#password-save").click()

    expect(page.get_by_text("吊销旧密码")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert taken + 1 == 1 + 3, "one field and three clicks"
    page.goto("/registries/?q=turned-")
    expect(page.locator("tbody .pill-ok")).to_have_count(len(NAMES))


@pytest.mark.parametrize("what", ["password", "correct"])
def test_in_a_low_window_the_verdict_comes_into_view(people: People, what: str) -> None:
    page = people("olive").open("/registries/team-a/harbor-team-a/", width=640, height=400)

    page.locator(f"#{what}-next").click()
    page.locator("#id_password").fill("another-wrong-one")
    page.locator(f"#{what}-test").click()

    expect(page.locator("#verdict .verdict-bad .verdict-title")).to_be_in_viewport(ratio=1)
    expect(page.locator("#verdict .verdict-bad")).to_be_in_viewport(ratio=0.95)


def test_a_certificate_is_corrected_with_three_clicks(people: People, console: RunningConsole) -> None:
    page = people("olive").open("/registries/", width=1280, height=800)
    page.context.add_init_script(COUNT)
    page.goto("/registries/team-b/harbor-team-b/")
    bundle = PEM.search(next(console.folder.rglob("self-signed.pem")).read_text())
    assert bundle

    page.locator("#correct-next").click()
    page.locator("#id_ca_bundle").fill(bundle[0])
    page.locator("#correct-test").click()
    expect(page.locator("#verdict .verdict-ok")).to_be_visible()
    taken = steps(page)
    page.locator("#correct-save").click()

    expect(page.get_by_text("已更改「harbor-team-b」")).to_be_visible()
    assert taken + 1 == 1 + 3, "one field and three clicks"
    expect(page.locator("#panel .verdict-ok, #panel .pill-ok").first).to_be_visible()
