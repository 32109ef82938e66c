"""Programs and files that some tests need and a machine may lack."""

import os
import shutil
from pathlib import Path

import pytest

INSTALL = {
    "kubectl": "apt-get install kubernetes-client",
    "docker-registry": "apt-get install docker-registry",
    "skopeo": "apt-get install skopeo",
}


def require_part(name: str, found: str | Path | None = None, install: str | None = None) -> str:
    """The path of a program. If it is absent, the test is skipped with a line that says what to install, or fails
    if CONSOLE_TEST_NO_SKIP=1. `found` and `install` are for parts that are not programs on the PATH."""
    path = str(found) if found else shutil.which(name)
    if path:
        return path
    advice = f"{name} is missing: {install or INSTALL.get(name, 'install ' + name)}"
    if os.environ.get("CONSOLE_TEST_NO_SKIP") == "1":
        pytest.fail(advice)
    pytest.skip(advice)
