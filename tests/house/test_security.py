"""docs/security.md is true: its table of rights is that of deploy/, and the tests that it names exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.peers.deployed import VARIANTS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/security.md", "docs/security.zh-CN.md")

Row = tuple[str, tuple[str, ...], tuple[str, ...]]
"""Cluster role, resources, verbs."""


def in_deploy() -> list[Row]:
    """A row for each rule of each cluster role of the console."""
    items = yaml.safe_load_all((ROOT / "deploy" / "base" / "definitions.yaml").read_text())
    roles = [it for it in items if it["kind"] == "ClusterRole"]
    return [
        (role["metadata"]["name"], tuple(resources(rule)), tuple(rule["verbs"]))
        for role in roles
        for rule in role["rules"]
        if role["metadata"]["name"].startswith("registry-console")
    ]


def resources(rule: dict[str, Any]) -> list[str]:
    """As the page writes them: `name.group`, then a subresource or the name of an object after a slash."""
    if "nonResourceURLs" in rule:
        return list(rule["nonResourceURLs"])
    [group] = rule["apiGroups"]
    found = []
    for name in rule["resources"]:
        resource, slash, part = name.partition("/")
        full = (f"{resource}.{group}" if group else resource) + slash + part
        found += [f"{full}/{it}" for it in rule["resourceNames"]] if "resourceNames" in rule else [full]
    return found


def in_page(page: str) -> list[Row]:
    rows = re.findall(
        r"^\| `(registry-console[\w-]*)` \| (.*?) \| (.*?) \| .+ \|$", (ROOT / page).read_text(), re.M
    )
    return [(role, *(tuple(re.findall(r"`([^`]+)`", it)) for it in cells)) for role, *cells in rows]


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_rights_is_what_deploy_gives(page: str) -> None:
    assert in_page(page) == in_deploy()


@pytest.mark.parametrize("page", PAGES)
def test_every_test_and_overlay_that_is_named_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)`", text)

    assert len(named) > 30
    assert [it for it in named if not (ROOT / it).is_file()] == []
    assert re.findall(r"^\| `deploy/([\w-]+)`", text, re.M) == list(VARIANTS)


@pytest.mark.parametrize("page", PAGES)
def test_every_promise_names_its_test(page: str) -> None:
    """Promises are the tables before the heading of what is not promised."""
    promises = (ROOT / page).read_text().split("\n## ")[1]
    rows = [
        it
        for it in promises.splitlines()
        if it.startswith("| ") and not it.endswith(("| Tested in |", "| 测试 |"))
    ]

    assert len(rows) > 25
    assert [it for it in rows if "`tests/" not in it] == []


def test_the_policy_links_the_promises() -> None:
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "SECURITY.md").read_text())

    assert set(PAGES) <= set(links)
    assert all((ROOT / it).is_file() for it in links)
