"""API servers that the tests of a worker share: a plugin of pytest. Tests of several folders use them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.peers.api_server import ApiServer
    from tests.peers.cable import Cable
    from tests.peers.cluster import Cluster
    from tests.peers.given_server import GivenServer


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[ApiServer | GivenServer]":
    """A real API server, or the one that CONSOLE_TEST_KUBECONFIG names. Tests leave it running."""
    from tests.peers.api_server import running_server  # importing kubernetes takes a while
    from tests.peers.given_server import GIVEN, GivenServer

    if GIVEN:
        yield GivenServer(GIVEN)
        return
    with running_server(tmp_path_factory.mktemp("cluster")) as server:
        yield server


@pytest.fixture(scope="session")
def server(api_server: "ApiServer | GivenServer") -> "ApiServer":
    """The API server that the tests started, for tests that change it; skipped on a given one."""
    from tests.peers.given_server import GivenServer

    if isinstance(api_server, GivenServer):
        pytest.skip("the given cluster is not ours")
    return api_server


@pytest.fixture(scope="session")
def mortal_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[ApiServer]":
    """A server that tests may kill. A test that uses it revives it first."""
    from tests.peers.api_server import running_server

    with running_server(tmp_path_factory.mktemp("mortal")) as server:
        yield server


@pytest.fixture
def cable(server: "ApiServer") -> "Iterator[Cable]":
    """A cable between the console and the `server` of the module."""
    from tests.peers.cable import Cable

    cable = Cable(server.port)
    yield cable
    cable.close()


@pytest.fixture(scope="session")
def cluster(api_server: "ApiServer | GivenServer") -> "Cluster":
    """A cluster with the console's resource and roles."""
    from tests.peers.cluster import Cluster

    return Cluster(api_server)
