"""The scan of pull secrets for somebody with roles in many namespaces, and without a list of the whole cluster."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from registries.cluster.paths import NAMESPACES
from registries.pull_secrets import in_use as in_use_reader
from registries.service import secret_scan
from tests.cluster.people import log_in
from tests.cluster.test_secret_scan import PAGE
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.people",)

NUMBER = 60
TEAMS = [f"wide-{number:02}" for number in range(NUMBER)]
UNREADABLE = "未能读取全部内容"


@pytest.fixture
def nina(people: Cluster) -> Iterator[Client]:
    """image-admin in each of sixty namespaces. A service account of each names a Secret that does not exist."""
    server = people.server
    for team in TEAMS:
        server.create_namespace(team)
        body = {"metadata": {"name": "builder"}, "imagePullSecrets": [{"name": f"gone-{team}"}]}
        server.call("POST", f"/api/v1/namespaces/{team}/serviceaccounts", body)
        people.bind("team-a-admin", "image-admin", team)
    assert wait_for(lambda: people.cached(NAMESPACES).keys() >= {*TEAMS})
    yield log_in("team-a-admin")
    for team in TEAMS:
        people.unbind("team-a-admin", "image-admin", team)
        server.finalize_namespace(team)


def teams(page: str) -> list[str]:
    return re.findall(r'aria-label="gone-(wide-\d\d), ', page)


def walk(client: Client) -> Iterator[str]:
    """The pages, from the first to the last."""
    url: str | None = PAGE
    while url:
        page = client.get(url).content.decode()
        yield page
        found = re.search(r'rel="next" href="([^"]+)"', page)
        url = found[1] if found else None


def test_every_namespace_of_a_person_is_scanned(nina: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    page = nina.get(PAGE).content.decode()
    assert teams(page) == TEAMS, "on one page, where time and memory allow it"
    assert "secret-scan-pages" not in page

    with monkeypatch.context() as limits:
        limits.setattr(secret_scan, "MOST_SECRETS", 25)
        found = list(walk(nina))
        assert [len(teams(it)) for it in found] == [25, 25, 10]
        assert [team for it in found for team in teams(it)] == TEAMS
        assert [re.findall(r"第 [\d–, ]+ 个命名空间，共 \d+ 个", it) for it in found[:2]] == [
            ["第 1–26 个命名空间，共 61 个"],
            ["第 27–51 个命名空间，共 61 个"],
        ], "team-a is the first one"

    with monkeypatch.context() as limits:
        limits.setattr(secret_scan, "MOST_FINDINGS", 40)
        assert [len(teams(it)) for it in walk(nina)] == [40, 20]


def test_where_the_time_ends_the_next_page_goes_on(nina: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as limits:
        limits.setattr(in_use_reader, "PATIENCE", -1.0)
        late = nina.get(PAGE).content.decode()
    assert UNREADABLE in late, "team-a could not be read"
    assert "第 1–1 个命名空间，共 61 个" in late
    rest = nina.get(PAGE, {"after": "team-a"}).content.decode()
    assert teams(rest) == TEAMS
    assert UNREADABLE not in rest
    assert f'href="{PAGE}"' in rest.partition('id="secret-scan-pages"')[2], "the way back"

    with monkeypatch.context() as limits:
        limits.setattr(in_use_reader, "PATIENCE", 0.3)
        limits.setattr(in_use_reader, "TOGETHER", 7)
        found = list(walk(nina))
    assert len(found) > 1
    seen = [team for it in found for team in teams(it)]
    missed = sum(UNREADABLE in it for it in found)
    assert seen == sorted(set(seen))
    assert len(seen) >= NUMBER - missed, "a namespace is left out only where the page says so"
