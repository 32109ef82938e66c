"""What belongs to a person of the cluster belongs to the user's uid. A later user of that name inherits nothing."""

import pytest
from django.test import Client

from registries.audit.search import visible
from registries.cluster.personal import Identity
from registries.domain.access import OWNER_MAX, Access
from registries.domain.errors import NotFound
from registries.models import ClusterSession
from registries.people.cluster_access import owner_of
from registries.wiring import services
from tests.cluster.bearers import account, another, name_of
from tests.cluster.people import access_of
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster

pytest_plugins = ("tests.cluster.people", "tests.cluster.bearers")


def bearer(token: str) -> Access:
    access = services().cluster_tokens.caller(token, "127.0.0.1")
    assert access is not None
    return access


def session(token: str) -> Access:
    assert Client().post("/login/", {"token": token}).status_code == 302
    found = services().cluster_sessions.find(ClusterSession.objects.latest("pk").pk)
    return services().people.access_of(found, "127.0.0.1")


def test_a_later_service_account_of_the_name_is_another_person(robot: str, server: ApiServer) -> None:
    runs = services().runs["verify"]
    first, again = bearer(robot), bearer(another(server, "robot"))
    in_session = session(robot)
    run = runs.propose(access=first, registries=[])
    assert visible(in_session).filter(action="login").count() == 1

    later_token = account(server, "robot")
    later, later_session = bearer(later_token), session(later_token)

    assert first.person == later.person == name_of("robot")
    assert first.owner == again.owner == in_session.owner
    assert first.owner.startswith("uid:")
    assert later.owner == later_session.owner != first.owner
    assert runs.view(access=again, run_id=run).total == 0
    with pytest.raises(NotFound):
        runs.view(access=later, run_id=run)
    assert visible(later_session).filter(action="login").count() == 1, "the own log-in only"


def test_the_entry_of_a_log_out_belongs_to_the_same_person(robot: str) -> None:
    access, client = session(robot), Client()
    client.post("/login/", {"token": robot})

    client.post("/logout/")

    assert visible(access).filter(action="logout").count() == 1


def test_owners() -> None:
    assert owner_of(Identity("omar")) == "name:omar"
    assert owner_of(Identity("omar", "7")) == owner_of(Identity("renamed", "7")) == "uid:7"
    assert owner_of(Identity("uid:7")) == "name:uid:7", "a name is never taken for a uid"
    one, other = owner_of(Identity("omar", "u" * 300)), owner_of(Identity("omar", "u" * 299))
    assert one != other
    assert max(len(one), len(other)) <= OWNER_MAX


def test_a_session_of_an_earlier_version_goes_by_name(people: Cluster) -> None:
    access_of("vic")
    ClusterSession.objects.update(owner="")

    found = services().cluster_sessions.find(ClusterSession.objects.latest("pk").pk)

    assert services().people.access_of(found, "").owner == "name:vic"
    assert services().cluster_sessions.access_now(services().people.access_of(found, "")).owner == "name:vic"
