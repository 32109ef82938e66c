"""The three roles as roles.md has them, and that the service asks for them and nobody reads a password."""

from collections.abc import Callable

import pytest

from registries.domain.access import EVERYWHERE, Access, Permission, Role, role_for
from registries.domain.errors import Forbidden, NotFound
from registries.domain.query import Criteria, ListQuery
from registries.domain.registry import Credential, Key
from registries.intake import read_draft
from registries.models import AuditEntry
from registries.service.tests import Typed
from registries.wiring import services
from tests.cast import Cast, typed

KEY = Key("team-a", "harbor-prod")
SEES, EDITS, ADMINS = {"olive", "nina", "omar", "vic"}, {"olive", "nina", "omar"}, {"olive", "nina"}


def test_a_grant_everywhere_holds_in_every_namespace() -> None:
    access = Access.from_grants("x", [(EVERYWHERE, Role.VIEWER), ("team-a", Role.ADMIN)])

    assert access.may(Permission.SEE, "anything")
    assert not access.may(Permission.EDIT, "anything")
    assert access.may(Permission.DELETE, "team-a")
    assert not access.administers


def test_a_superuser_is_image_admin_everywhere() -> None:
    assert Access.from_grants("root", [], superuser=True).administers


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        (Permission.SEE, "image-viewer"),
        (Permission.EDIT, "image-operator"),
        (Permission.TEST, "image-operator"),
        (Permission.CREATE, "image-admin"),
        (Permission.DELETE, "image-admin"),
    ],
)
def test_the_role_that_is_missing_is_named(permission: Permission, role: str) -> None:
    assert role_for(permission) == role


@pytest.mark.parametrize(
    ("grants", "roles"),
    [
        ([], []),
        ([("b", Role.VIEWER), ("a", Role.ADMIN)], [("a", Role.ADMIN), ("b", Role.VIEWER)]),
        ([(EVERYWHERE, Role.ADMIN), ("a", Role.VIEWER)], [(EVERYWHERE, Role.ADMIN)]),
        ([(EVERYWHERE, Role.VIEWER), ("a", Role.VIEWER)], [(EVERYWHERE, Role.VIEWER)]),
        (
            [("z", Role.OPERATOR), (EVERYWHERE, Role.VIEWER), ("a", Role.ADMIN)],
            [(EVERYWHERE, Role.VIEWER), ("a", Role.ADMIN), ("z", Role.OPERATOR)],
        ),
    ],
)
def test_the_roles_of_a_person_are_named_once(
    grants: list[tuple[str, Role]], roles: list[tuple[str, Role]]
) -> None:
    assert list(Access.from_grants("x", grants).roles) == roles


@pytest.mark.parametrize(
    ("held", "role"),
    [
        (set(), None),
        ({Permission.TEST}, None),
        ({Permission.SEE}, Role.VIEWER),
        ({Permission.SEE, Permission.CREATE}, Role.VIEWER),
        ({Permission.SEE, Permission.DELETE}, Role.VIEWER),
        ({Permission.SEE, Permission.EDIT}, Role.OPERATOR),
        ({Permission.SEE, Permission.EDIT, Permission.CREATE}, Role.OPERATOR),
        (set(Permission) - {Permission.TEST}, Role.ADMIN),
        ({Permission.EDIT, Permission.CREATE, Permission.DELETE}, None),
    ],
)
def test_verbs_of_a_cluster_are_called_by_the_strongest_whole_role(
    held: set[Permission], role: Role | None
) -> None:
    assert Access("x", namespaces={"a": frozenset(held)}).role("a") == role
    assert Access("x", everywhere=frozenset(held)).role(EVERYWHERE) == role


def test_what_may_not_be_seen_does_not_exist() -> None:
    with pytest.raises(NotFound):
        Access("sam").require(Permission.DELETE, "team-a")
    with pytest.raises(Forbidden):
        Access.from_grants("vic", [("team-a", Role.VIEWER)]).require(Permission.EDIT, "team-a")


UseCase = Callable[[Cast, Access], object]


def _edit(cast: Cast, access: Access) -> object:
    it = cast.find()
    return services().registries.edit(
        access=access,
        key=KEY,
        uid=it.uid,
        resource_version=it.resource_version,
        information={"display_name": "x", "description": ""},
    )


USE_CASES: dict[str, tuple[set[str], UseCase]] = {
    "page": (
        SEES,
        lambda _, access: services().index.page(access=access, query=ListQuery(Criteria(namespace="team-a"))),
    ),
    "matching": (
        SEES,
        lambda _, access: services().index.matching(access=access, criteria=Criteria(namespace="team-a")),
    ),
    "find": (SEES, lambda _, access: services().registries.find(access=access, key=KEY)),
    "get": (SEES, lambda _, access: services().registries.get(access=access, key=KEY)),
    "begin_test": (EDITS, lambda _, access: services().tests.begin_test(access=access, key=KEY)),
    "try_connection": (
        EDITS,
        lambda _, access: services().tests.try_connection(
            access=access, typed=Typed(Key("team-a", ""), Credential("127.0.0.1:9", "u", "p"))
        ),
    ),
    "edit": (EDITS, _edit),
    "create": (
        ADMINS,
        lambda _, access: services().registries.create(access=access, draft=read_draft(typed("new"))),
    ),
    "delete": (
        ADMINS,
        lambda cast, access: services().registries.delete(access=access, key=KEY, uid=cast.find().uid),
    ),
    "create_namespace": (
        {"olive"},
        lambda _, access: services().registries.create_namespace(access=access, name="team-c"),
    ),
    "delete_namespace": (
        {"olive"},
        lambda _, access: services().registries.delete_namespace(access=access, name="team-b"),
    ),
    "accounts": ({"olive"}, lambda _, access: services().accounts.all(access=access)),
}


@pytest.mark.parametrize("person", ["olive", "nina", "omar", "vic", "sam"])
@pytest.mark.parametrize("name", USE_CASES)
def test_every_use_case_asks_for_its_role(cast: Cast, person: str, name: str) -> None:
    cast.add()
    allowed, use = USE_CASES[name]
    access = cast.access(person)

    if person in allowed:
        use(cast, access)
    else:
        with pytest.raises((Forbidden, NotFound)):
            use(cast, access)


def test_a_refused_attempt_is_recorded(cast: Cast) -> None:
    cast.add()
    with pytest.raises(Forbidden):
        services().tests.begin_test(access=cast.access("vic"), key=KEY)
    with pytest.raises(NotFound):
        services().registries.find(access=cast.access("sam"), key=KEY)

    refused = AuditEntry.objects.exclude(outcome="ok").order_by("pk")

    assert [(it.person, it.action, it.outcome, it.name, it.source) for it in refused] == [
        ("vic", "test", "Forbidden", "harbor-prod", "127.0.0.1"),
        ("sam", "see", "NotFound", "harbor-prod", "127.0.0.1"),
    ]


def test_each_change_is_recorded_with_who_and_from_where(cast: Cast) -> None:
    cast.add()
    access = cast.access("nina")
    _edit(cast, access)
    services().registries.delete(access=access, key=KEY, uid=cast.find().uid)

    recorded = AuditEntry.objects.filter(name="harbor-prod").order_by("pk")

    assert [(it.person, it.action, it.outcome) for it in recorded] == [
        ("olive", "create", "ok"),
        ("nina", "edit", "ok"),
        ("nina", "delete", "ok"),
    ]
    assert {it.source for it in recorded} == {"127.0.0.1"}
    assert len({it.uid for it in recorded}) == 1
