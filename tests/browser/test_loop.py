"""The whole loop: a registry breaks, the overview and a robot tell it; a silence, a new password, and the recovery."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.peers.console_page import add_registry, choose, dialog
from tests.peers.robots import Robot, robot
from tests.peers.running_console import START, RunningConsole
from tests.peers.scripted import wait_for
from tests.peers.visitors import People
from tests.peers.words import ZH
from tests.schedule.registries import RIGHT, Clock, Registry

NAME, NEW = "harbor-loop", "new-5t8m"
PAST = "strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 second')"


class HurriedConsole(RunningConsole):
    program = ("-m", "tests.peers.hurried")

    def hurry(self, host: str) -> None:
        """Makes the next test of a host due, and every message. A test has no hours."""
        with sqlite3.connect(self.folder / "console.sqlite3", timeout=START) as database:
            database.execute(f"UPDATE registries_delivery SET due_at = {PAST} WHERE state = 'collecting'")  # noqa: S608
            rows = "registries_scheduledcredential"
            database.execute(f"UPDATE {rows} SET due_at = {PAST} WHERE host = ?", [host])  # noqa: S608
        database.close()

    def state(self, host: str) -> str:
        sql = f"SELECT settled FROM registries_scheduledcredential WHERE host = '{host}'"  # noqa: S608
        return str((self.query(sql) or [("",)])[0][0])


@pytest.fixture(scope="module")
def console(
    chromium: Browser, seeded: tuple[Path, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HurriedConsole]:
    folder = tmp_path_factory.mktemp("console") / "data"
    shutil.copytree(seeded[0], folder)
    running = HurriedConsole(folder, seeded[1], CONSOLE_CHECK_INTERVAL="6h")
    yield running
    running.stop()
    assert running.leaks() == []


@pytest.fixture
def registry() -> Iterator[Registry]:
    registry = Registry(Clock(timezone.now()))
    yield registry
    registry.server.stop()


def texts(running: Robot) -> list[str]:
    return [str(it["text"]["content"]) for it in running.received]  # type: ignore[index]


def add_channel(page: Page, url: str) -> None:
    page.goto("/channels/")
    page.get_by_role("link", name="添加渠道").first.click()
    dialog(page).get_by_role("link", name="企业微信").click()
    dialog(page).get_by_label("名称").fill("值班群")
    dialog(page).locator("[name=url]").fill(url)
    dialog(page).get_by_role("button", name="添加渠道").click()
    expect(page.get_by_role("table", name="渠道")).to_contain_text("值班群")


def silence(page: Page) -> None:
    page.goto(f"/registries/team-a/{NAME}/")
    page.get_by_role("link", name="添加静默").click()
    until = timezone.localtime(timezone.now() + timedelta(hours=4))
    dialog(page).locator("[name=ends_at]").fill(f"{until:%Y-%m-%dT%H:%M}")
    dialog(page).locator("[name=reason]").fill("换密码")
    dialog(page).get_by_role("button", name="添加静默").click()
    expect(page.locator("main")).to_contain_text("静默至")


def change_password(page: Page) -> None:
    page.goto(f"/registries/?namespace=team-a&q={NAME}")
    choose(page, NAME, ZH.change_password)
    dialog(page).locator("#id_password").fill(NEW)
    dialog(page).get_by_role("button", name="测试连接").click()
    expect(dialog(page).locator("#verdict")).to_contain_text(ZH.success)
    dialog(page).get_by_role("button", name=ZH.save).click()
    expect(dialog(page)).to_have_count(0)


def test_breaks_is_told_silenced_repaired_and_recovery_is_told_once(
    people: People, console: HurriedConsole, registry: Registry
) -> None:
    olive, host = people("olive"), registry.server.netloc
    values = {"domain": registry.server.address, "username": "robot", "password": RIGHT}
    add_registry(olive, console, NAME, namespace="team-a", **values)

    def settles(state: str) -> bool:
        console.hurry(host)
        return console.state(host) == state

    assert wait_for(lambda: settles("ok"))
    with robot("wecom") as running:

        def told(messages: int) -> bool:
            console.hurry(host)
            sent = console.query("SELECT count(*) FROM registries_delivery WHERE state = 'sent'")
            return sent == [(messages,)] and len(running.received) == messages

        page = olive.open("/overview/")
        expect(page.locator("#broken")).not_to_contain_text(host)
        add_channel(page, running.url)

        registry.right = NEW
        assert wait_for(lambda: settles("failing"))
        page.goto("/overview/")
        expect(page.locator("#broken")).to_contain_text(NAME)
        expect(page.locator("#broken")).to_contain_text(ZH.bad_credentials)
        assert wait_for(lambda: told(1))
        assert NAME in texts(running)[0]
        assert ZH.bad_credentials in texts(running)[0]

        silence(page)
        change_password(page)
        assert wait_for(lambda: settles("ok"))
        page.goto("/overview/")
        expect(page.locator("#recovered")).to_contain_text(NAME)
        waits = "SELECT count(*) FROM registries_statechange WHERE waits"
        assert console.query(waits) == [(1,)]
        assert len(running.received) == 1, "a message in a silence"

        page.goto("/channels/")
        page.get_by_role("button", name="立即结束").click()
        assert wait_for(lambda: told(2))
        assert re.search(f"{NAME}.*恢复|恢复.*{NAME}", texts(running)[1], re.DOTALL)
        assert console.query("SELECT count(*) FROM registries_delivery") == [(2,)]
