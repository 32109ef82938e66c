"""测试拉取镜像 on the details page."""

import re

from playwright.sync_api import expect

from tests.peers.console_page import add_registry, credential
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People

WRONG = "rgb(217, 45, 32)"


def test_the_form_stays_open_with_its_text_when_the_page_is_drawn_anew(
    people: People, console: RunningConsole
) -> None:
    add_registry(people("olive"), console, "harbor-images", namespace="team-a")
    page = people("olive").open("/registries/team-a/harbor-images/")
    version = page.locator("#details-state").get_attribute("data-version") or ""
    page.locator("#image-test summary").click()
    field = page.locator("#id_image")
    field.fill("docker.io/library/nginx")
    page.locator("#image-test .image-line button").click()
    expect(page.locator("#image-error")).not_to_be_empty()
    expect(field).to_have_css("border-color", WRONG)

    image = f"{credential(console, 'harbor')['domain']}/demo/app:1.0"
    field.fill(image)
    field.press("Enter")

    expect(page.locator("#panel .image-answer")).to_contain_text("demo/app:1.0")
    expect(page.locator("#details-state")).not_to_have_attribute(
        "data-version", re.compile(re.escape(version))
    )
    expect(page.locator("#image-test")).to_have_attribute("open", "")
    expect(field).to_have_value(image)
