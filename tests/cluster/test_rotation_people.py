"""更换密码 by a person of the cluster: as the person, in each namespace what RBAC allows, and not without a session."""

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from registries.cluster.paths import registry
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import encode_password
from registries.intake import read_draft
from registries.models import Rotation, RotationTarget, Run, RunItem
from registries.runs.run import RunState
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import typed
from tests.cluster.people import access_of, log_in
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.people",)
pytestmark = pytest.mark.django_db(transaction=True)

NEW = f"{CANARY}-new"
PATH = "/registries/team-a/harbor-prod/password/"
PERSON = "team-a-admin"
KEYS = (Key("team-a", "harbor-prod"), Key("team-b", "harbor-prod"))


@pytest.fixture
def two(people: Cluster) -> Iterator[list[RegistrySecret]]:
    """One credential in two namespaces, and a person who may change both. The registry does not answer."""
    people.bind(PERSON, "image-admin", "team-b")
    olive = access_of("olive")
    drafts = [read_draft(typed(namespace=key.namespace, domain="127.0.0.1:9")) for key in KEYS]
    yield [services().registries.create(access=olive, draft=it) for it in drafts]
    for role in ("image-admin", "image-operator", "image-viewer"):
        people.unbind(PERSON, role, "team-b")


def begin(two: list[RegistrySecret]) -> UUID:
    """The first has the new password, which does not connect; so its person is asked about the second."""
    changes, access = {"password": NEW}, access_of(PERSON)
    run = services().rotations.begin(access=access, registries=two, changes=changes, anyway=True)
    assert over(run) is RunState.CANCELLED
    return run


def over(run: UUID) -> RunState:
    runs, access = services().runs["rotate"], access_of(PERSON)
    assert wait_for(lambda: runs.view(access=access, run_id=run).state is not RunState.RUNNING)
    return runs.view(access=access, run_id=run).state


def stored(people: Cluster) -> list[str]:
    found = [people.server.call("GET", registry(key)).body["spec"]["password"] for key in KEYS]
    return ["new" if it == encode_password(NEW) else "old" for it in found]


def ends(run: UUID) -> list[tuple[str, str]]:
    return list(RunItem.objects.filter(run=run).order_by("pk").values_list("state", "problem"))


def lowered(people: Cluster, role: str) -> None:
    """The person has another role in team-b from now on, or none."""
    people.unbind(PERSON, "image-admin", "team-b")
    if role:
        people.bind(PERSON, role, "team-b")
    rule = {"apiGroups": ["image.theriseunion.io"], "resources": ["registrysecrets"], "verbs": ["delete"]}
    assert wait_for(lambda: not people.allows(PERSON, rule, "team-b"))


def test_a_person_changes_both_where_rbac_allows_it(people: Cluster, two: list[RegistrySecret]) -> None:
    """The console's own account may not write."""
    run = begin(two)
    assert stored(people) == ["new", "old"]

    services().rotations.retry(access=access_of(PERSON), run_id=run)

    assert over(run) is RunState.DONE
    assert stored(people) == ["new", "new"]
    assert [it.uid for it in two] == [
        people.server.call("GET", registry(key)).body["metadata"]["uid"] for key in KEYS
    ]
    assert (Rotation.objects.count(), RotationTarget.objects.count()) == (0, 0)


@pytest.mark.parametrize("role", ["image-operator", "image-viewer", ""])
def test_nothing_is_written_where_one_of_the_namespaces_is_refused(
    people: Cluster, two: list[RegistrySecret], role: str
) -> None:
    """The dialog does not offer that copy; one that asks for it all the same is refused before the first write."""
    lowered(people, role)
    client = log_in(PERSON, hx_request="true")
    page = client.get(PATH).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(uid|version)" value="([^"]*)"', page))
    choice = re.search(rf'name="copies" value="{two[1].uid}"([^>]*)>', page)

    answer = client.post(PATH, {**hidden, "password": NEW, "anyway": "1", "copies": two[1].uid})

    assert "disabled" in choice[1] if choice else not role
    assert answer.status_code in (403, 409, 422), answer.content.decode()
    assert stored(people) == ["old", "old"]
    assert (Rotation.objects.count(), RunItem.objects.count()) == (0, 0)
    assert CANARY not in page + answer.content.decode()


@pytest.mark.parametrize("role", ["image-viewer", ""])
def test_a_right_that_ends_in_between_stops_it_and_the_rest_is_rolled_back(
    people: Cluster, two: list[RegistrySecret], role: str
) -> None:
    run = begin(two)
    lowered(people, role)

    services().rotations.retry(access=access_of(PERSON), run_id=run)
    assert over(run) is RunState.CANCELLED
    assert ends(run)[1] == ("failed", "Forbidden" if role else "NotFound")
    assert stored(people) == ["new", "old"]

    services().rotations.roll_back(access=access_of(PERSON), run_id=run)
    over(run)
    assert stored(people) == ["old", "old"]


def test_a_lost_run_waits_for_the_session_of_its_person(people: Cluster, two: list[RegistrySecret]) -> None:
    run, person = begin(two), access_of(PERSON)
    Run.objects.update(state="running", beat_at=timezone.now() - timedelta(minutes=1))

    services().rotations.resume_lost(services().people.access_now)

    assert over(run) is RunState.INTERRUPTED
    assert stored(people) == ["new", "old"]
    assert "打开后继续" in log_in(PERSON).get("/registries/-/notices/").content.decode()
    services().rotations.retry(access=person, run_id=run)
    assert over(run) is RunState.DONE
    assert stored(people) == ["new", "new"]
