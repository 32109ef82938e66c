"""/metrics for who shows a bearer token of the cluster: nonResourceURLs say who may, RBAC which registries they see."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from registries.people import cluster_bearers
from registries.wiring import services
from tests import canary
from tests.api.test_api import ALL
from tests.clock import Clock
from tests.cluster.bearers import account, bearing, name_of, of
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.people", "tests.cluster.bearers")


class TestMetrics:
    @pytest.fixture
    def two(self, people: Cluster) -> Cluster:
        people.apply("team-a", "shown", password=canary.CANARY)
        people.apply("team-b", "other", password=canary.CANARY)
        assert wait_for(lambda: len(services().index.fresh().keys_by_uid) == 2)
        return people

    def test_a_scraper_reads_all_of_it_and_no_password(self, two: Cluster, server: ApiServer) -> None:
        token = account(server, "prometheus")
        assert bearing(token).get("/metrics").status_code == 403
        two.bind(name_of("prometheus"), "registry-console-metrics")
        try:
            assert wait_for(lambda: bearing(token).get("/metrics").status_code == 200)
            text = bearing(token).get("/metrics").content.decode()
            assert 'name="shown"' in text
            assert 'name="other"' in text
            assert "registry_console_requests_total" in text
            assert bearing(token).get(ALL).json()["totalItems"] == 0, "it is no role on registries"
            assert server.call("GET", two.path("team-a"), token=token).status == 403
        finally:
            two.unbind(name_of("prometheus"), "registry-console-metrics")

    def test_who_may_read_the_address_sees_the_registries_that_may_be_listed(
        self, two: Cluster, server: ApiServer
    ) -> None:
        role = {
            "metadata": {"name": "monitoring"},
            "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}],
        }
        server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
        two.bind("vic", "monitoring")
        two.bind("stranger", "monitoring")
        try:
            assert wait_for(lambda: of("vic").get("/metrics").status_code == 200)
            assert wait_for(lambda: of("stranger").get("/metrics").status_code == 200)
            seen = of("vic").get("/metrics").content.decode()
            assert 'name="shown"' in seen
            assert "team-b" not in seen
            assert "team-" not in of("stranger").get("/metrics").content.decode()
        finally:
            two.unbind("vic", "monitoring")
            two.unbind("stranger", "monitoring")

    @pytest.mark.parametrize(("user", "status"), [("olive", 403), ("nobody", 401)])
    def test_a_role_on_registries_is_none_on_the_address(self, two: Cluster, user: str, status: int) -> None:
        """image-admin everywhere is not the cluster's administrator."""
        assert of(user).get("/metrics").status_code == status


class TestAway:
    """The API server is away: somebody has to be told, and Prometheus tells them."""

    @pytest.fixture
    def scraper(self, people: Cluster, server: ApiServer) -> Iterator[Client]:
        """It has read /metrics once."""
        token = account(server, "watcher")
        people.bind(name_of("watcher"), "registry-console-metrics")
        client = bearing(token)
        assert wait_for(lambda: client.get("/metrics").status_code == 200)
        yield client
        people.unbind(name_of("watcher"), "registry-console-metrics")

    def test_who_could_read_it_reads_on_for_an_hour_and_sees_the_index_age(
        self, scraper: Client, cable: Cable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = Clock(monkeypatch, cluster_bearers)
        scraper.get("/metrics")
        cable.pull()

        assert wait_for(lambda: index_age(scraper) > 0), "and never a 503 on the way there"
        clock.advance(3599.0)
        assert index_age(scraper) > 0
        assert scraper.get(ALL).status_code == 503, "the registries themselves are not shown"
        clock.advance(2.0)

        assert scraper.get("/metrics").status_code == 503
        cable.plug()
        assert wait_for(lambda: clock.advance(2.0) or scraper.get("/metrics").status_code == 200)

    def test_nobody_else_is_let_in(
        self, scraper: Client, people: Cluster, server: ApiServer, cable: Cable
    ) -> None:
        """Not who was never known, nor who could see registries only, nor who lost the right before."""
        assert of("olive").get(ALL).status_code == 200
        people.unbind(name_of("watcher"), "registry-console-metrics")
        assert wait_for(lambda: scraper.get("/metrics").status_code == 403)
        cable.pull()

        for client in (bearing("garbage"), bearing(canary_token("olive")), scraper):
            assert client.get("/metrics").status_code == 503


def index_age(client: Client) -> float:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    [found] = re.findall(r"^registry_console_index_age_seconds (\S+)$", answer.content.decode(), re.MULTILINE)
    return float(found)
