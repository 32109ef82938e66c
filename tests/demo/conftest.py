"""The demo's registries on loopback, as a child process."""

from collections.abc import Iterator

import pytest

from registries.demo.process import DemoRegistries
from tests.peers.ports import demo_base


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRegistries]:
    with DemoRegistries(tmp_path_factory.mktemp("demo"), base_port=demo_base()) as registries:
        assert not registries.skipped
        yield registries
