"""添加镜像源 in the browser: what is pasted is split into user name and password."""

import re

from playwright.sync_api import Locator, expect

from tests import canary
from tests.canary import CANARY
from tests.peers.console_page import fill, input_
from tests.peers.running_console import RunningConsole
from tests.peers.words import ZH

PASTE = """(field, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  return field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""
"""True: the browser pastes the text as it is."""
HARBOR, ROBOT = "harbor.example.com", "robot$team+ci"
SPLIT = {
    f'{{"id": 7, "name": "{ROBOT}", "secret": "{CANARY}"}}': ("", ROBOT, CANARY),
    f"docker login -u '{ROBOT}' -p {CANARY} {HARBOR}": (HARBOR, ROBOT, CANARY),
    f"$ sudo docker login {HARBOR} --username={ROBOT} --password '{CANARY} x'": (
        HARBOR,
        ROBOT,
        f"{CANARY} x",
    ),
    f"echo {CANARY} | docker login \\\n  -u admin --password-stdin \\\n  {HARBOR}": (HARBOR, "admin", CANARY),
    f'helm registry login "https://{HARBOR}:8443" -uadmin -p"{CANARY}\\"\\$"': (
        f"https://{HARBOR}:8443",
        "admin",
        f'{CANARY}"$',
    ),
    f"docker login -u moby -p {CANARY}\ndocker pull moby/app": ("docker.io", "moby", CANARY),
    "echo $TOKEN | docker login ghcr.io -u CORP\\bob --password-stdin": ("ghcr.io", "CORP\\bob", ""),
    f"docker login --username=name@123 {HARBOR} # password: see wiki": (HARBOR, "name@123", ""),
    f"docker login -u <user> -p <password> {HARBOR}": (HARBOR, "", ""),
    f"https://admin:{CANARY}%40x@{HARBOR}/v2/": (f"https://{HARBOR}/v2/", "admin", f"{CANARY}@x"),
}
"""A pasted text, and the address, user name and password in it."""


class TestPasting:
    def test_splits_what_a_portal_or_a_colleague_gives(self, form: Locator, console: RunningConsole) -> None:
        fields = [input_(form, it) for it in (ZH.domain, ZH.username, ZH.password)]
        for text, values in SPLIT.items():
            for field in fields:
                field.fill("")
            assert not fields[0].evaluate(PASTE, text)
            assert tuple(field.input_value() for field in fields) == values, text
        expect(form.get_by_role("status").filter(has_text="已拆分到")).to_be_visible()
        expect(form.get_by_text(f"{HARBOR}/project/app:tag")).to_be_visible()

    def test_leaves_everything_else_as_it_was_pasted(self, form: Locator) -> None:
        for label, text in (
            (ZH.domain, HARBOR),
            (ZH.domain, f"docker pull {HARBOR}/a:1"),
            (ZH.password, f"a:{CANARY}@b"),
            (ZH.password, "login"),
        ):
            assert input_(form, label).evaluate(PASTE, text), text

    def test_a_password_in_a_typed_address_goes_nowhere(self, form: Locator, console: RunningConsole) -> None:
        for text, said in (
            (f"docker login {HARBOR} -u admin -p {CANARY}", "这是一条完整的命令"),
            (f"admin:{CANARY}@{HARBOR}", "用户名"),
            (f"{HARBOR} admin {CANARY}", "空格"),
        ):
            fill(form, domain=text)
            expect(form.locator("#check-address").get_by_text(re.compile(said))).to_be_visible()
        asked = [it for it in console.tap.targets if "/add/address/" in it]
        assert asked
        assert [it for it in asked if canary.find(it)] == []
