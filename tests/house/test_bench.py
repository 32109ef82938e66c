"""The benchmarks, which no test runs, still fit the code."""

import importlib
import pkgutil

import pytest

from tests import bench

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(bench.__path__, "tests.bench.")
    if not module.name.endswith(("__main__", ".fill"))  # these two begin to work when they are imported
)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_can_be_imported(name: str) -> None:
    importlib.import_module(name)
