"""What all tests share: the cast, the canary, and real registries to talk to."""

import logging
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from console import assets
from registries import wiring
from registries.demo.process import DemoRegistries
from registries.demo.tempers import TEMPERS, Temper
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.registry import Key, RegistrySecret
from registries.intake.draft import read_draft
from registries.people.grants import set_grant
from registries.wiring import services
from tests import canary
from tests.peers.silent import SilentServers

if TYPE_CHECKING:
    from tests.peers.api_server import ApiServer, GivenServer
    from tests.peers.cable import Cable
    from tests.peers.cluster import Cluster

# Before a test file imports them.
pytest.register_assert_rewrite("tests.cluster.people", "tests.cluster.bearers", "tests.cluster.users")

NAMESPACES = ("team-a", "team-b")
ROLES = {
    "olive": (EVERYWHERE, Role.ADMIN),
    "nina": ("team-a", Role.ADMIN),
    "omar": ("team-a", Role.OPERATOR),
    "vic": ("team-a", Role.VIEWER),
    "sam": None,
}
BACKEND = "django.contrib.auth.backends.ModelBackend"
EVERYBODY = (*ROLES, None)
"""The cast, and nobody."""


def pytest_configure(config: pytest.Config) -> None:
    django_settings.MIDDLEWARE.insert(0, "tests.canary.WatchMiddleware")
    django_settings.TEST_THREADS = 0
    django_settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # a third of a second less
    # A file, as in real use: SQLite's shared memory cannot be written from several threads.
    connection.settings_dict["TEST"]["NAME"] = str(django_settings.DATA_DIR / "test.sqlite3")
    # A machine that stalls for a fifth of a second is no defect; nor is one that is slow to make examples. The gate
    # judges a change by the same examples every time; new ones are drawn by whoever runs the tests by hand.
    hypothesis.settings.register_profile(
        "patient",
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        derandomize=os.environ.get("CONSOLE_TEST_NO_SKIP") == "1",
    )
    hypothesis.settings.load_profile("patient")
    handler = canary.WatchHandler(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is meant to be there, a test that skips has failed, whatever it skips for."""
    report = yield
    if report.skipped and os.environ.get("CONSOLE_TEST_NO_SKIP") == "1":
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    assets.collect()


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


@dataclass
class Cast:
    """The five people, two namespaces, and what tests need of them."""

    users: dict[str, User] = field(default_factory=dict)

    def client(self, person: str | None, **headers: str) -> Client:
        """A browser in which somebody is logged in, or nobody; in Chinese unless told."""
        client = Client(headers=headers)
        if person:
            client.force_login(self.users[person], backend=BACKEND)
        return client

    def token(self, person: str, *namespaces: str, role: Role = Role.ADMIN, days: float = 1) -> str:
        """A new API token of somebody's, limited to namespaces and a role."""
        until = timezone.now() + timedelta(days=days)
        values = {"name": "test", "namespaces": namespaces, "role": role, "expires_at": until}
        return services().tokens.create(access=self.access(person), **values)[1]

    def api(self, person: str, *namespaces: str, role: Role = Role.ADMIN) -> Client:
        """A client that shows a token and no cookie."""
        return Client(headers={"authorization": f"Bearer {self.token(person, *namespaces, role=role)}"})

    def access(self, person: str) -> Access:
        role = ROLES[person]
        return Access.from_grants(person, [role] if role else [], source="127.0.0.1")

    def add(self, name: str = "harbor-prod", namespace: str = "team-a", **values: str) -> RegistrySecret:
        """Store a registry, with the canary for its password."""
        return services().registries.create(
            access=self.access("olive"), draft=read_draft(typed(name, namespace, **values))
        )

    def find(self, name: str = "harbor-prod", namespace: str = "team-a") -> RegistrySecret:
        return services().registries.find(access=self.access("olive"), key=Key(namespace, name))


def typed(name: str = "harbor-prod", namespace: str = "team-a", **values: str) -> dict[str, str]:
    """What somebody types into the add form."""
    return {
        "name": name,
        "namespace": namespace,
        "provider": "harbor",
        "domain": "harbor.example.com",
        "username": "admin",
        "password": canary.CANARY,
        "display_name": "",
        "description": "",
        **values,
    }


@pytest.fixture
def cast(db: None) -> Cast:
    people = Cast()
    for name, grant in ROLES.items():
        people.users[name] = User.objects.create(username=name, password="!")
        if grant:
            set_grant(people.users[name], *grant)
    for namespace in NAMESPACES if services().registries.manages_namespaces else ():
        services().registries.create_namespace(access=people.access("olive"), name=namespace)
    return people


@pytest.fixture
def client_of(cast: Cast) -> Callable[..., Client]:
    return cast.client


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[ApiServer | GivenServer]":
    """A real API server, or the one that CONSOLE_TEST_KUBECONFIG names. Tests leave it running."""
    from tests.peers.api_server import (
        GIVEN,
        GivenServer,
        running_server,
    )  # kubernetes takes a while to import

    if GIVEN:
        yield GivenServer(GIVEN)
        return
    with running_server(tmp_path_factory.mktemp("cluster")) as server:
        yield server


@pytest.fixture(scope="session")
def mortal_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[ApiServer]":
    """One that tests may kill; who uses it revives it first."""
    from tests.peers.api_server import running_server

    with running_server(tmp_path_factory.mktemp("mortal")) as server:
        yield server


@pytest.fixture
def cable(server: "ApiServer") -> "Iterator[Cable]":
    """Between the console and the `server` of the module."""
    from tests.peers.cable import Cable

    cable = Cable(server.port)
    yield cable
    cable.close()


@pytest.fixture(scope="session")
def cluster(api_server: "ApiServer | GivenServer") -> "Cluster":
    """The same with the console's resource and roles on it."""
    from tests.peers.cluster import Cluster

    return Cluster(api_server)


@pytest.fixture(scope="session")
def demo_registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRegistries]:
    """Real registries on loopback, one of each temper."""
    folder: Path = tmp_path_factory.mktemp("registries")
    with DemoRegistries(folder, base_port=15500) as registries:
        yield registries


@pytest.fixture
def probing(demo_registries: DemoRegistries, settings: Any) -> Callable[[str], dict[str, str]]:
    """Allow tests to reach the demo's registries; gives address, user name and password of a temper."""
    settings.PROBE_ALLOW_LOOPBACK = True
    settings.PROBE_CA_FILE = str(demo_registries.ca_file)
    settings.PROBE_CONNECT_TIMEOUT = settings.PROBE_READ_TIMEOUT = settings.PROBE_TIMEOUT = 60.0

    def temper(name: str) -> dict[str, str]:
        if name == "hanging":  # it would be waited out; whoever answers has time, however busy the machine is
            settings.PROBE_TIMEOUT = 1.5
        found: Temper = next(it for it in TEMPERS if it.name == name)
        return {
            "domain": demo_registries.address(found),
            "username": found.username,
            "password": found.password,
        }

    return temper


@pytest.fixture
def silent_servers() -> Iterator[SilentServers]:
    """Opens so many ports on loopback that take a connection and never say a word; gives their addresses."""
    servers = SilentServers()
    yield servers
    servers.close()
