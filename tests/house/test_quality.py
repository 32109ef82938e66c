"""The tools that read the sources: style, types, templates, security."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {
    "ruff": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "djlint": ["djlint", "templates", "--lint", "--quiet"],
    "bandit": ["bandit", "-q", "-r", "console", "registries", "-c", "pyproject.toml"],
}


@pytest.mark.parametrize("name", TOOLS)
def test_nothing_is_found(name: str) -> None:
    command = [sys.executable, "-m", *TOOLS[name]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
