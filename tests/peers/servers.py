"""API servers that the tests of a worker share: a plugin of pytest. Tests of several folders use them.

A server that does nothing takes a fortieth of a processor. So it stops after the last test of a group that uses it, and
starts again if there is another group.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.workers import group_of

if TYPE_CHECKING:
    from tests.peers.api_server import ApiServer
    from tests.peers.cable import Cable
    from tests.peers.cluster import Cluster
    from tests.peers.given_server import GivenServer


_running: "dict[str, ApiServer]" = {}
"""By the name of the fixture."""
_resting: set[str] = set()
_last: dict[str, str] = {}
"""The group that ends with a test, by the id of the test."""
_used: dict[str, set[str]] = {}
"""The fixtures of servers that a group uses."""


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return  # the tests of a group do not follow each other
    for item in session.items:
        used = {"api_server", "mortal_server"} & set(getattr(item, "fixturenames", ()))
        _used.setdefault(group_of(item.nodeid), set()).update(used)
    _last.update(
        {item.nodeid: group for group, item in {group_of(it.nodeid): it for it in session.items}.items()}
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in _resting & _used.get(group_of(item.nodeid), set()):
        _running[name].start()
        _resting.discard(name)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    for name in _used.get(_last.get(item.nodeid, ""), set()) & _running.keys():
        _running[name].stop()
        _resting.add(name)


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[ApiServer | GivenServer]":
    """A real API server, or the one that CONSOLE_TEST_KUBECONFIG names. Tests leave it running."""
    from tests.peers.api_server import running_server  # importing kubernetes takes a while
    from tests.peers.given_server import GIVEN, GivenServer

    if GIVEN:
        yield GivenServer(GIVEN)
        return
    with running_server(tmp_path_factory.mktemp("cluster")) as server:
        _running["api_server"] = server
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
        _running["mortal_server"] = server
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
