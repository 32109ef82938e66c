"""Reviews of one person with many sessions leave room for those of others."""

from registries.people.cluster_bearers import _Asking
from registries.people.cluster_sessions import ASKING_EACH
from registries.wiring import services
from tests.api.test_api import TEAM_A
from tests.cluster.bearers import of
from tests.cluster.people import LIST, log_in
from tests.peers.cluster import Cluster

pytest_plugins = ("tests.cluster.people", "tests.cluster.bearers")


def test_many_sessions_of_one_person_ask_four_at_a_time(people: Cluster) -> None:
    vic, olive = log_in("vic"), log_in("olive")
    assert vic.get(LIST).status_code == 200
    seats, owner = services().cluster_sessions._seats, "uid:vic-uid"
    taken = 0
    while seats.take(owner):
        taken += 1

    busy, other = vic.get(LIST), olive.get(LIST)
    for _ in range(taken):
        seats.give_back(owner)

    assert taken == ASKING_EACH
    assert busy.status_code == 503, "nor is the access of before used"
    assert other.status_code == 200
    assert vic.get(LIST).status_code == 200


def test_questions_with_other_tokens_are_waited_for_by_nobody(people: Cluster) -> None:
    tokens = services().cluster_tokens
    others = {f"digest-{number}": _Asking() for number in range(200)}
    for name, it in others.items():
        it.lock.acquire()
        tokens._asking[name] = it

    assert of("vic").get(TEAM_A).status_code == 200
    assert set(tokens._asking) == set(others), "and what nobody asks with is forgotten"
