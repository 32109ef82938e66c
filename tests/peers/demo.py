"""The demo's loopback registries, as a child process. A test module names this in `pytest_plugins`."""

from collections.abc import Iterator

import pytest

from registries.demo.process import DemoRegistries
from tests.peers.demo_client import BASE


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRegistries]:
    with DemoRegistries(tmp_path_factory.mktemp("demo"), base_port=BASE) as registries:
        assert not registries.skipped
        yield registries
