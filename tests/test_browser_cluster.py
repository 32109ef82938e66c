"""The walk through the guide once more, in Chromium and both languages, with the registries on a cluster."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from registries.demo.seed import NAMESPACES
from tests.peers.cluster import Cluster
from tests.peers.running_console import RunningConsole, free_range
from tests.test_browser_guide import *  # noqa: F403  the same tests, on the console of this module

pytest_plugins = ("tests.peers.browser",)


@pytest.fixture(scope="module")
def console(
    chromium: Browser, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningConsole]:
    cluster.empty(*NAMESPACES)
    kubeconfig = str(cluster.server.kubeconfig("console"))
    running = RunningConsole(
        tmp_path_factory.mktemp("console") / "data",
        free_range(),
        "--into-cluster",
        CONSOLE_STORE="kubernetes",
        KUBECONFIG=kubeconfig,
    )
    yield running
    running.stop()
    assert running.leaks() == []
    cluster.empty()
