"""The pages while the cluster is away: what is known is shown, and nothing can be written."""

from collections.abc import Iterator
from typing import Any

import pytest

from registries.wiring import services
from tests.cast import Cast, typed
from tests.cluster.test_pages import LIST, configured
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for


@pytest.fixture
def on_mortal(mortal_server: ApiServer, settings: Any) -> Iterator[Cluster]:
    mortal_server.revive()
    cluster = Cluster(mortal_server)
    cluster.empty("team-a", "team-b")
    yield from configured(cluster, settings)


def test_while_the_cluster_is_away_pages_show_what_is_known_and_offer_no_writing(
    mortal_server: ApiServer, on_mortal: Cluster, cast: Cast
) -> None:
    cast.add("known")
    client = cast.client("nina")
    before = client.get(LIST)
    assert 'id="away"' not in before.content.decode()
    mortal_server.kill_api()
    assert wait_for(lambda: services().index.freshness().problem)

    page = client.get(LIST)
    details = client.get("/registries/team-a/known/")
    added = client.post("/registries/-/add/", typed("lost"), headers={"HX-Request": "true"})
    pulse = client.get(f"/registries/-/pulse/?version={before.context['page'].version}")

    assert "known" in page.content.decode()
    assert 'id="away"' in page.content.decode()
    assert "截至" in page.content.decode()
    assert 'data-may-add="false"' in page.content.decode()
    assert 'data-can=""' in page.content.decode()
    assert details.status_code == 200
    assert 'id="away"' in details.content.decode()
    assert "/delete/" not in details.content.decode()
    assert added.status_code == 503
    assert "API Server" in added.headers["HX-Trigger"].encode().decode("unicode_escape")
    assert "registries-changed" in pulse.headers.get("HX-Trigger", "")

    mortal_server.start_api()
    assert wait_for(lambda: not services().index.freshness().problem)
    assert 'id="away"' not in client.get(LIST).content.decode()
