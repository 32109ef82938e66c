"""The README and its Chinese twin are true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")


def settings_read() -> set[str]:
    """What console/settings.py asks the environment for."""
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "console" / "settings.py").read_text()))


def settings_documented(readme: str) -> dict[str, str]:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", (ROOT / readme).read_text(), re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("readme", READMES)
def test_every_setting_is_documented_and_no_other(readme: str) -> None:
    assert set(settings_documented(readme)) == settings_read()


@pytest.mark.parametrize("readme", READMES)
def test_the_documented_defaults_are_the_real_ones(readme: str) -> None:
    source = (ROOT / "console" / "settings.py").read_text()
    for name, value in settings_documented(readme).items():
        found = re.search(rf'"{name}", default=(\d+(?:\.\d+)?|True|False|"[^"]+")', source)
        if found:
            default = {"True": "1", "False": "0"}.get(found[1], found[1].strip('"').removesuffix(".0"))
            assert value == f"`{default}`", name


@pytest.mark.parametrize("readme", READMES)
def test_every_target_and_picture_that_is_named_exists(readme: str) -> None:
    text, makefile = (ROOT / readme).read_text(), (ROOT / "Makefile").read_text()
    for target in re.findall(r"make ([a-z-]+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for picture in re.findall(r"\]\((docs/[^)]+)\)", text):
        assert (ROOT / picture).is_file(), picture
    for command in re.findall(r"manage\.py ([a-z_]+)", text):
        places = [
            ROOT / app / "management" / "commands" / f"{command}.py" for app in ("console", "registries")
        ]
        assert command in ("migrate", "createsuperuser") or any(place.is_file() for place in places), command


def test_the_twins_say_the_same() -> None:
    """As far as a machine can tell: the same headings, pictures, code and settings."""
    english, chinese = ((ROOT / readme).read_text() for readme in READMES)
    for pattern in (r"^#+ ", r"^!\[", r"^\| ", r"^- "):
        assert len(re.findall(pattern, english, re.MULTILINE)) == len(
            re.findall(pattern, chinese, re.MULTILINE)
        ), pattern
    commands = [
        re.findall(r"^(?:make|export|\.venv)\S* \S+", text, re.MULTILINE) for text in (english, chinese)
    ]
    assert commands[0] == commands[1]
