"""/metrics for who shows a bearer token of the cluster: nonResourceURLs say who may, RBAC which registries they see."""

import pytest

from registries import wiring
from tests import canary
from tests.cluster_bearers import account, bearing, name_of, of
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for
from tests.test_api import ALL

pytest_plugins = ("tests.cluster_people", "tests.cluster_bearers")


class TestMetrics:
    @pytest.fixture
    def two(self, people: Cluster) -> Cluster:
        people.apply("team-a", "shown", password=canary.CANARY)
        people.apply("team-b", "other", password=canary.CANARY)
        assert wait_for(lambda: len(wiring.index().fresh().keys_by_uid) == 2)
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
