"""README.md and the pages in docs/ are true, and each has a Chinese twin with the same facts."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")
PAGES = sorted(f"docs/{it.name}" for it in (ROOT / "docs").glob("*.md"))
ENGLISH = ["README.md", *(it for it in PAGES if not it.endswith(".zh-CN.md"))]
CHINESE = [it.replace(".md", ".zh-CN.md") for it in ENGLISH]
DOCUMENTS = [*ENGLISH, *CHINESE]
OF_DJANGO = ("migrate", "createsuperuser")


def text_of(document: str) -> str:
    return (ROOT / document).read_text()


def settings_read() -> set[str]:
    """The names of all environment variables that console/settings.py reads."""
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text_of("console/settings.py")))


def settings_documented(readme: str) -> list[tuple[str, str]]:
    """Name and default of each row in the tables of settings."""
    return re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", text_of(readme), re.MULTILINE)


def anchor(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def without_code_blocks(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def code_of(text: str) -> list[str]:
    """Every block of code, and everything between backticks."""
    blocks = re.findall(r"^ *```.*?^ *```", text, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", without_code_blocks(text))]


def blocks_of(text: str) -> list[str]:
    """Every heading, paragraph, point of a list and row of a table."""
    return re.split(r"\n\s*\n|\n(?= *- |\| |#|\d+\. )", without_code_blocks(text))


def names_in(block: str) -> set[str]:
    """What stands between backticks, also where a line ends in it."""
    return set(re.findall(r"`([^`]+)`", block.replace("\n", " ")))


def test_every_page_has_a_twin() -> None:
    assert sorted(DOCUMENTS) == sorted([*READMES, *PAGES])


@pytest.mark.parametrize("readme", READMES)
def test_every_setting_is_documented_once_and_no_other(readme: str) -> None:
    assert sorted(name for name, _ in settings_documented(readme)) == sorted(settings_read())


@pytest.mark.parametrize("readme", READMES)
def test_the_documented_defaults_are_the_real_ones(readme: str) -> None:
    source = text_of("console/settings.py")
    for name, value in settings_documented(readme):
        found = re.search(rf'"{name}", default=(\d+(?:\.\d+)?|True|False|"[^"]+")', source)
        if found:
            default = {"True": "1", "False": "0"}.get(found[1], found[1].strip('"').removesuffix(".0"))
            assert value == f"`{default}`", name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_and_command_that_is_named_exists(document: str) -> None:
    text, makefile = text_of(document), text_of("Makefile")
    of_tests = set(
        re.findall(r"CONSOLE_TEST_\w+", "".join(it.read_text() for it in ROOT.glob("tests/**/*.py")))
    )
    for name in re.findall(r"\bCONSOLE_[A-Z_]+", text):
        assert name in settings_read() | of_tests | {"CONSOLE_URL", "CONSOLE_TOKEN"}, name
    for target in re.findall(r"\bmake ([a-z-]+)", "\n".join(code_of(text))):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for command in re.findall(r"manage\.py ([a-z_]+)", text):
        places = [
            ROOT / app / "management" / "commands" / f"{command}.py" for app in ("console", "registries")
        ]
        assert command in OF_DJANGO or any(place.is_file() for place in places), command


@pytest.mark.parametrize("document", [*DOCUMENTS, "deploy/README.md"])
def test_every_link_leads_somewhere(document: str) -> None:
    """Files, pictures, and headings of other pages."""
    for link in re.findall(r"\]\(([^)]+)\)", without_code_blocks(text_of(document))):
        if link.startswith("https://"):
            continue
        path, _, heading = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)$", without_code_blocks(target.read_text()), re.MULTILINE)
            assert heading in [anchor(it) for it in headings], link


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/architecture.zh-CN.md"])
def test_every_file_of_the_architecture_exists(page: str) -> None:
    """Paths are relative to the project or to registries/. Folders end in a slash."""
    names = set(
        re.findall(r"(?<![\w/.-])[a-z]\w*(?:/\w+)*(?:\.(?:py|html|yaml|css|po)\b|/(?=[\s`]))", text_of(page))
    )
    folders = {it for it in names if it.endswith("/")}

    assert len(names) > 80
    missing = [it for it in names if not any((root / it).exists() for root in (ROOT, ROOT / "registries"))]
    assert not missing
    rooms = [it for it in (ROOT / "registries").iterdir() if (it / "__init__.py").is_file()]
    assert {f"{it.name}/" for it in rooms} <= folders


@pytest.mark.parametrize(("readme", "pages"), [(READMES[0], ENGLISH[1:]), (READMES[1], CHINESE[1:])])
def test_the_readme_links_every_page_in_its_language(readme: str, pages: list[str]) -> None:
    linked = re.findall(r"\]\((docs/[^)]+\.md)\)", text_of(readme))

    assert set(linked) == set(pages)


@pytest.mark.parametrize(("english", "chinese"), list(zip(ENGLISH, CHINESE, strict=True)))
def test_twins_say_the_same(english: str, chinese: str) -> None:
    """As far as a machine can tell: the same headings, pictures, tables, lists and commands, and each paragraph, point
    and row names the same things in code."""
    texts = text_of(english), text_of(chinese)
    for pattern in (r"^#+ ", r"^!\[", r"^\| ", r"^ *- ", r"^\d+\. "):
        one, other = (len(re.findall(pattern, it, re.MULTILINE)) for it in texts)
        assert one == other, pattern
    commands = [re.findall(r"^(?:make|export|\.venv)\S* \S+", it, re.MULTILINE) for it in texts]
    assert commands[0] == commands[1]
    for one, other in zip(*(blocks_of(it) for it in texts), strict=True):
        assert names_in(one) == names_in(other), one
