"""What a rule found and left alone is solved through the API: each state with its own solution, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from registries.domain.access import Role
from registries.models import AuditEntry
from registries.sync.rows import Selection
from registries.sync.states import SOLUTIONS, CopyState, Solution
from registries.wiring import services
from tests.api.test_document import problems
from tests.api.test_sync_rules import RULE
from tests.canary import CANARY
from tests.cast import Cast
from tests.sync.following import change, in_b, keep, password, states, turn
from tests.web.copies import stored


def solve(client: Client, solution: Any, **more: Any) -> Any:
    body = {"namespace": "team-b", "solution": solution, **more}
    return client.post(f"{RULE}/solve", body, content_type="application/json")


def changed(cast: Cast) -> None:
    keep(cast, cast.add())
    turn()
    change(cast, in_b(cast), "by-hand-1")


def present(cast: Cast) -> None:
    source = cast.add()
    cast.add(namespace="team-b")
    keep(cast, source)


def deleted(cast: Cast) -> None:
    keep(cast, cast.add())
    turn()
    copy = in_b(cast)
    services().registries.delete(access=cast.access("olive"), key=copy.key, uid=copy.uid)


def left(cast: Cast) -> None:
    source = cast.add()
    keep(cast, source)
    turn()
    keep(cast, source, Selection(names=("team-a",)))


def name_taken(cast: Cast) -> None:
    source = cast.add()
    cast.add(namespace="team-b", username="somebody")
    keep(cast, source)


STATES: dict[str, Callable[[Cast], None]] = {
    "changed": changed,
    "present": present,
    "deleted": deleted,
    "left": left,
    "name_taken": name_taken,
}


@pytest.mark.parametrize("solution", [*Solution])
@pytest.mark.parametrize("state", STATES)
def test_a_state_takes_its_own_solution_only(cast: Cast, state: str, solution: Solution) -> None:
    STATES[state](cast)
    assert turn() == {"team-b": state}
    before = stored(cast)

    answer = solve(cast.api("olive"), solution)

    if SOLUTIONS.get(CopyState(state)) is not solution:
        assert answer.status_code == 409
        assert f"is {state}" in answer.json()["message"]
        assert states() == {"team-b": state}
        assert stored(cast) == before
        return
    assert answer.status_code == 200
    assert not problems("SyncRule", answer.json())
    waiting = [{"namespace": "team-b", "state": "waiting", "problem": ""}]
    assert answer.json()["copies"] == ([] if solution is Solution.DISMISS else waiting)
    if solution is Solution.DISMISS:
        assert turn() == {}
        assert stored(cast) == before
        return
    assert turn() == {"team-b": "in_step"}
    assert password(in_b(cast).key) == CANARY
    assert AuditEntry.objects.filter(person="olive", action="sync", note=state).count() == 1


@pytest.mark.parametrize("state", ["changed", "present"])
def test_the_uid_is_a_precondition(cast: Cast, state: str) -> None:
    STATES[state](cast)
    turn()
    solution = SOLUTIONS[CopyState(state)]

    assert solve(cast.api("olive"), solution, uid="another").status_code == 409
    assert states() == {"team-b": state}
    assert solve(cast.api("olive"), solution, uid=in_b(cast).uid).status_code == 200


WRONG: dict[str, tuple[Any, int]] = {
    "nothing": ({}, 422),
    "no solution": ({"namespace": "team-b"}, 422),
    "an unknown solution": ({"namespace": "team-b", "solution": "delete"}, 422),
    "a list of solutions": ({"namespace": "team-b", "solution": ["overwrite"]}, 422),
    "no namespace": ({"solution": "overwrite"}, 422),
    "a number": ({"namespace": 1, "solution": "overwrite"}, 422),
    "no name": ({"namespace": "Team B", "solution": "overwrite"}, 422),
    "uid of another type": ({"namespace": "team-b", "solution": "overwrite", "uid": 1}, 422),
    "another namespace": ({"namespace": "team-z", "solution": "overwrite"}, 404),
    "a list": ([], 400),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_body_changes_nothing(cast: Cast, wrong: str) -> None:
    changed(cast)
    turn()
    body, code = WRONG[wrong]

    answer = cast.api("olive").post(f"{RULE}/solve", body, content_type="application/json")

    assert answer.status_code == code
    assert turn() == {"team-b": "changed"}


def test_without_a_rule_there_is_nothing_to_solve(cast: Cast) -> None:
    cast.add()
    assert solve(cast.api("olive"), "overwrite").status_code == 404
    services().sync_rules.available = False
    assert solve(cast.api("olive"), "overwrite").status_code == 404


@pytest.mark.parametrize(
    ("person", "namespaces", "role", "code"),
    [
        ("olive", ("team-a", "team-b"), Role.ADMIN, 403),
        ("olive", (), Role.OPERATOR, 403),
        ("nina", (), Role.ADMIN, 403),
        ("omar", (), Role.ADMIN, 403),
        ("vic", (), Role.ADMIN, 403),
        ("sam", (), Role.ADMIN, 404),
    ],
)
def test_it_takes_image_admin_in_all_namespaces(
    cast: Cast, person: str, namespaces: tuple[str, ...], role: Role, code: int
) -> None:
    changed(cast)
    turn()

    answer = solve(cast.api(person, *namespaces, role=role), "overwrite")

    assert answer.status_code == code
    assert "team-b" not in answer.content.decode()
    assert turn() == {"team-b": "changed"}
