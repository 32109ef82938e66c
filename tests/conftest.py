"""Fixtures of all tests: the canary's watch, the cast in the database, and real registries to talk to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from registries import wiring
from registries.demo.behaviours import BEHAVIOURS, Behaviour
from registries.demo.process import DemoRegistries
from registries.limits import SECOND, Rates, StoredBuckets
from tests import canary
from tests.cast import Cast, Probing
from tests.peers.ports import demo_base
from tests.peers.prepared import prepared
from tests.peers.silent import SilentServers

# Before a test file imports them.
pytest.register_assert_rewrite(*(f"tests.cluster.{it}" for it in ("people", "bearers", "users", "node_desk")))


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    django_settings.STATIC_ROOT = prepared() / "static"


@pytest.fixture(autouse=True)
def no_leak(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails the test after which the canary stands anywhere that it must not."""
    uses_database = "db" in request.fixturenames or request.node.get_closest_marker("django_db")
    if uses_database:
        request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
    canary.leaks.clear()
    wiring.reset()
    yield
    if uses_database:
        canary.watch_database()
    assert not canary.leaks


@pytest.fixture
def cast(db: None) -> Cast:
    people = Cast()
    people.arrive()
    return people


@pytest.fixture(scope="session")
def demo_registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRegistries]:
    """Real registries on loopback, one of each behaviour."""
    folder: Path = tmp_path_factory.mktemp("registries")
    with DemoRegistries(folder, base_port=demo_base()) as registries:
        yield registries


@pytest.fixture
def probing(demo_registries: DemoRegistries, settings: Any) -> Probing:
    """Allow tests to reach the demo's registries; gives address, user name and password of a behaviour."""
    settings.PROBE_ALLOW_LOOPBACK = True
    settings.PROBE_CA_FILE = str(demo_registries.ca_file)
    settings.PROBE_CONNECT_TIMEOUT = settings.PROBE_READ_TIMEOUT = settings.PROBE_TIMEOUT = 60.0

    def behaviour(name: str) -> dict[str, str]:
        if name == "hanging":  # it would be waited out; whoever answers has time, however busy the machine is
            settings.PROBE_TIMEOUT = 1.5
        found: Behaviour = next(it for it in BEHAVIOURS if it.name == name)
        return {
            "domain": demo_registries.address(found),
            "username": found.username,
            "password": found.password,
        }

    return behaviour


@pytest.fixture
def no_refill(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bucket of a limit refills while a test runs, however slow the machine is."""
    read, start = StoredBuckets.read, 1_000_000_000 * SECOND
    monkeypatch.setattr(StoredBuckets, "read", lambda its, caller: (read(its, caller)[0], start))
    monkeypatch.setattr(StoredBuckets, "clean", lambda its, now: None)
    monkeypatch.setattr(Rates.__init__, "__defaults__", (lambda: 0.0,))


@pytest.fixture
def silent_servers() -> Iterator[SilentServers]:
    """Opens so many ports on loopback that take a connection and never say a word; gives their addresses."""
    servers = SilentServers()
    yield servers
    servers.close()
