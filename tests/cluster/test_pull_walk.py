"""The whole way of a pod that cannot pull, on a real API server with the real containerd and real registries: a fake
kubelet fails, the page explains it, its one next step is taken, and the fake kubelet pulls.

Each case has a namespace. Nothing runs by itself: controllers and kubelet work when the test says so.
"""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from registries.pull_secrets.explain import Code, Near
from registries.wiring import services
from registries.words.pull_failures import LABELS, NEAR
from tests.canary import CANARY
from tests.cluster.failures_page import READS_SECRETS
from tests.cluster.people import access_of, log_in
from tests.cluster.pull_cases import CASES, ROLES
from tests.cluster.walking import (
    Place,
    Step,
    label_of,
)
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.deployed import rights_of
from tests.peers.failing_pods import RESTARTER
from tests.peers.failing_world import World, running_world
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.people",)


@pytest.fixture(scope="module")
def bound(server: ApiServer, cluster: Cluster) -> Iterator[Cluster]:
    """The console has its account's rights of deploy/cluster-people, and olive what her steps need."""
    cluster.empty("team-a", "team-b")
    cluster.revoke_console()
    for role, namespace in rights_of("cluster-people"):
        cluster.bind("console", role, namespace)
    for body in (READS_SECRETS, RESTARTER):
        server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", body)
    for role in ROLES:
        cluster.bind("olive", role)
    cluster.bind("omar", "image-admin")  # who may read no Secret
    yield cluster
    cluster.unbind("omar", "image-admin")
    for role in ROLES:
        cluster.unbind("olive", role)
    for role, namespace in rights_of("cluster-people"):
        cluster.unbind("console", role, namespace)
    cluster.grant_console()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def console(people: Cluster, settings: Any) -> Cluster:
    settings.PROBE_ALLOW_LOOPBACK = True
    settings.ACCESS_SECONDS = 600.0
    settings.TESTS_PER_MINUTE = 10_000
    for built in ("cluster_sessions", "tests", "single_tests"):
        vars(services()).pop(built, None)
    return people


@pytest.fixture
def places(console: Cluster, world: World) -> Iterator[dict[str, Place]]:
    """All cases, and what their nodes say at first."""
    people = {reads: (log_in(user), access_of(user)) for reads, user in ((True, "olive"), (False, "omar"))}
    access = people[True][1]
    found = {name: Place(name, case, console, world, *people[case.reads]) for name, case in CASES.items()}
    for place in found.values():
        place.create()
    namespaces = {place.namespace for place in found.values()}
    assert wait_for(lambda: namespaces <= set(services().index.namespaces(access=access)))
    try:
        for place in found.values():
            place.fill()
            place.settle()
        world.password = "another"
        for name, place in found.items():
            if place.case.bound or name == "changed-since":
                place.change()
        yield found
    finally:
        world.password = CANARY
        for place in found.values():
            place.remove()


def test_every_explanation_is_right_and_every_step_mends_its_pod(places: dict[str, Place]) -> None:
    with translation.override("zh-hans"):
        codes = {str(label.text): code for code, label in LABELS.items()}
        words = {near: str(text).replace("`", "").split("%(key)s") for near, text in NEAR.items()}
    taken: dict[str, tuple[tuple[Step, ...], bool, tuple[Code, ...]]] = {}

    for name, place in places.items():
        steps: list[Step] = []
        said = html.unescape("".join(place.page()))
        sentences = re.sub(r"</?code[^>]*>", "", said)
        assert place.case.near is None or all(it in sentences for it in words[place.case.near]), name
        assert ('class="tag"' in said) is (name == "old-node"), "its node does not report the cause"
        while (groups := place.page()) and len(steps) < len(place.case.steps):
            steps.append((codes[label_of(groups[0])], place.do(groups[0])))
            place.settle()
        if groups and place.case.mended:  # the node tries again
            place.settle()
            groups = place.page()
        taken[name] = tuple(steps), place.pulled(), tuple(codes[label_of(it)] for it in groups)

    expected = {
        name: (case.steps, case.mended, case.beside if case.mended else (case.steps[-1][0],))
        for name, case in CASES.items()
    }
    assert {it: taken[it] for it in CASES if taken[it] != expected[it]} == {}


OF_OTHER_TESTS = {Code.CREDENTIAL_OLD, Code.CREDENTIAL_UNPROVEN}
"""The last test is a week old, or needed no password. The step is that of "untested"."""


def test_every_explanation_is_walked() -> None:
    """With each state of a Secret and each way in which a key is near, in a case of its own."""
    assert {code for case in CASES.values() for code, _ in case.steps} == set(Code) - OF_OTHER_TESTS
    assert {case.near for case in CASES.values()} == {None, *Near}
    assert len(CASES) >= 40
