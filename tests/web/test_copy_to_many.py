"""Copies of many registries into many namespaces, and the run that makes them."""

import re

import pytest

from registries.audit.log import events_of
from registries.domain.access import Role
from registries.models import AuditEntry
from registries.people.grants import set_grant
from tests import canary
from tests.cast import Cast
from tests.web.copies import MANY, PLAN, namespaces, password, plan, stored


def test_many_go_into_many_and_two_of_one_name_do_not_meet(cast: Cast) -> None:
    namespaces(cast, "team-c", "team-d")
    sources = [cast.add("one"), cast.add("two"), cast.add("one", "team-b", password="another-1")]

    client = cast.htmx()
    shown, start = plan(client, sources, "team-b", "team-c", "team-d")
    listed = re.findall(r"<li>(team-[cd]/<wbr>one)</li>", shown)
    assert listed == ["team-c/<wbr>one", "team-d/<wbr>one"] * 2, "the second is not made"
    client.post(start)

    now = stored(cast)
    expected = {f"team-{it}/{name}" for it in "abcd" for name in ("one", "two")}
    assert set(now) == expected
    assert password(now["team-b/one"]) == "another-1"
    assert password(now["team-c/one"]) == canary.CANARY
    assert "另一个镜像源" in shown


@pytest.mark.parametrize("person", ["omar", "vic", "sam"])
def test_one_who_may_not_add_at_the_source_copies_nothing(cast: Cast, person: str) -> None:
    set_grant(cast.users[person], "team-b", Role.ADMIN)
    source = cast.add()
    client = cast.htmx(person)

    codes = (
        client.get("/registries/team-a/harbor-prod/copy/").status_code,
        client.post(MANY, {"uids": source.uid}).status_code,
        client.post(PLAN, {"uids": source.uid, "namespaces": ["team-b"]}).status_code,
    )

    assert codes == ((404, 422, 422) if person == "sam" else (403, 403, 422))
    assert list(stored(cast)) == ["team-a/harbor-prod"]


def test_a_run_of_another_person_is_not_found(cast: Cast) -> None:
    source = cast.add()
    _, start = plan(cast.htmx(), [source], "team-b")

    codes = [cast.htmx("nina").post(start).status_code, cast.htmx("nina").get(start[:-6]).status_code]

    assert codes == [404, 404]
    assert list(stored(cast)) == ["team-a/harbor-prod"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_rights_that_end_before_the_start_end_the_copies(cast: Cast, role: Role) -> None:
    set_grant(cast.users["nina"], "team-b", Role.ADMIN)
    source = cast.add()
    client = cast.htmx("nina")
    _, start = plan(client, [source], "team-b")
    set_grant(cast.users["nina"], "team-a", role)

    shown = client.post(start).content.decode()

    assert list(stored(cast)) == ["team-a/harbor-prod"]
    assert "team-b/<wbr>harbor-prod" in shown


@pytest.mark.parametrize("names", [(), ("",), ("' OR 1=1 --",), ("team-z",), ("team-a",)])
def test_namespaces_that_are_none_create_nothing(cast: Cast, names: tuple[str, ...]) -> None:
    _, start = plan(cast.htmx(), [cast.add()], *names)

    assert not start
    assert list(stored(cast)) == ["team-a/harbor-prod"]


def test_too_many_copies_at_once_are_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registries.web.runs.copy_to.MOST", 2)
    sources = [cast.add(f"r-{number}") for number in range(3)]

    shown, start = plan(cast.htmx(), sources, "team-b")

    assert not start
    assert "最多" in shown


def test_a_copy_is_in_the_audit_log_of_its_namespace(cast: Cast) -> None:
    source = cast.add()
    client = cast.htmx()
    client.post(plan(client, [source], "team-b")[1])

    entry = AuditEntry.objects.get(action="copy")
    copy = stored(cast)["team-b/harbor-prod"]
    assert (entry.namespace, entry.name, entry.uid) == ("team-b", "harbor-prod", copy.uid)
    assert (entry.note, entry.outcome, entry.person) == ("team-a/harbor-prod", "ok", "olive")
    assert [it.action for it in events_of(copy)] == ["copy"]
    assert "来自 team-a/harbor-prod" in cast.client("olive").get("/journal/").content.decode()
