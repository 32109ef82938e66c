"""The benchmarks, which no test runs, still fit the code."""

import importlib
import pkgutil
import re
from contextlib import redirect_stdout
from io import StringIO

import pytest

from registries.models import ApiToken
from tests import bench
from tests.bench.api import MAKE
from tests.cast import Cast
from tests.peers.command import ROOT

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(bench.__path__, "tests.bench.")
    if not module.name.endswith(("__main__", ".fill"))  # these two begin to work when they are imported
)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_can_be_imported(name: str) -> None:
    importlib.import_module(name)


def test_the_floor_has_the_settings_that_its_worker_asks_for() -> None:
    asked = set(re.findall(r"\bsettings\.([A-Z_]+)", (ROOT / "console" / "worker.py").read_text()))
    assert asked
    assert asked <= set(dir(importlib.import_module("tests.bench.floor.settings")))


def test_the_code_for_another_process_works(cast: Cast) -> None:
    """It is a text, which no linter reads."""
    said = StringIO()
    with redirect_stdout(said):
        exec(MAKE.format(ports=[]), {})  # noqa: S102
    assert said.getvalue().strip()
    assert ApiToken.objects.count() == 1
