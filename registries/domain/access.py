"""The permissions of one person, as one immutable value.

The three roles of the platform are sets of Kubernetes verbs. An Access can therefore be made from local grants or from
the access reviews of a cluster.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from registries.domain.errors import Forbidden, NotFound

OWNER_MAX = 160
"""Maximum length of `Access.owner`. A longer one is stored cut."""
EVERYWHERE = "*"
"""All namespaces, in a grant."""


class Permission(StrEnum):
    """The verbs on `registrysecrets` that the roles consist of (roles.md)."""

    SEE = "list"
    EDIT = "patch"
    CREATE = "create"
    DELETE = "delete"
    TEST = "get"
    """A test reads the stored password. Nobody holds TEST without EDIT, because the verdict is written as well."""


class Role(StrEnum):
    """The platform's cluster roles, weakest first."""

    VIEWER = "image-viewer"
    OPERATOR = "image-operator"
    ADMIN = "image-admin"

    @property
    def permissions(self) -> frozenset[Permission]:
        return _PERMISSIONS[self]


_PERMISSIONS = {
    Role.VIEWER: frozenset({Permission.SEE}),
    Role.OPERATOR: frozenset({Permission.SEE, Permission.EDIT, Permission.TEST}),
    Role.ADMIN: frozenset(Permission),
}
_NOTHING: frozenset[Permission] = frozenset()


def role_for(permission: Permission) -> Role:
    """The weakest role with a permission."""
    return next(role for role in Role if permission in role.permissions)


@dataclass(frozen=True, slots=True)
class Access:
    """`person` and `source` (an IP address) go into the audit log."""

    person: str
    source: str = ""
    everywhere: frozenset[Permission] = _NOTHING
    namespaces: Mapping[str, frozenset[Permission]] = field(default_factory=lambda: MappingProxyType({}))
    administers: bool = False
    """Whether this person manages accounts, grants and namespaces."""
    owner: str = ""
    """Identifies the person in what belongs to one: runs, tests of typed values, limits, own entries of the audit log.
    `account:` and an id that no later account gets; for a person of the cluster `uid:` and the user's uid, or `name:`
    and the name where the API server gives no uid."""
    run: UUID | None = field(default=None, compare=False)
    """The run that acts for this person, for the audit log."""
    acting: object | None = field(default=None, repr=False, compare=False)
    """The argument of Store.acting_as for writes in this person's name. None: the console writes in its own name."""

    def __post_init__(self) -> None:
        if not self.owner:
            object.__setattr__(self, "owner", f"name:{self.person}")

    @property
    def account_id(self) -> int | None:
        """The id of the local account. None for a person of the cluster, and for a command of the console."""
        kind, _, number = self.owner.partition(":")
        return int(number) if kind == "account" else None

    @classmethod
    def from_grants(
        cls,
        person: str,
        grants: Iterable[tuple[str, Role]],
        *,
        source: str = "",
        superuser: bool = False,
        account: int | None = None,
    ) -> "Access":
        """From pairs of a namespace (or EVERYWHERE) and a role. A superuser is image-admin everywhere."""
        everywhere = Role.ADMIN.permissions if superuser else _NOTHING
        namespaces: dict[str, frozenset[Permission]] = {}
        for namespace, role in grants:
            if namespace == EVERYWHERE:
                everywhere |= role.permissions
            else:
                namespaces[namespace] = namespaces.get(namespace, _NOTHING) | role.permissions
        return cls(
            person=person,
            source=source,
            everywhere=everywhere,
            namespaces=MappingProxyType(namespaces),
            administers=everywhere == Role.ADMIN.permissions,
            owner="" if account is None else f"account:{account}",
        )

    @property
    def looking_only(self) -> "Access":
        """The same person with read permission only, for the time while nothing can be written."""
        seen = frozenset({Permission.SEE})
        namespaces = {name: held & seen for name, held in self.namespaces.items()}
        return replace(self, everywhere=self.everywhere & seen, namespaces=MappingProxyType(namespaces))

    def in_run(self, run: UUID) -> "Access":
        """The same access, of a run that acts for the person."""
        return replace(self, run=run)

    @property
    def sees_everything(self) -> bool:
        return Permission.SEE in self.everywhere

    def permissions(self, namespace: str) -> frozenset[Permission]:
        return self.everywhere | self.namespaces.get(namespace, _NOTHING)

    def role(self, namespace: str) -> Role | None:
        """The strongest role that this person holds in a namespace, or in all of them (EVERYWHERE).

        TEST does not count: a cluster grants `get` apart from the roles.
        """
        held = self.permissions(namespace) | {Permission.TEST}
        return next((role for role in reversed(Role) if role.permissions <= held), None)

    @property
    def roles(self) -> tuple[tuple[str, Role], ...]:
        """(namespace, role), EVERYWHERE first. A namespace with a role that is held everywhere is left out."""
        general = self.role(EVERYWHERE)
        scopes = (EVERYWHERE, *sorted(self.namespaces))
        found = ((scope, self.role(scope)) for scope in scopes)
        return tuple(
            (scope, role) for scope, role in found if role and (scope == EVERYWHERE or role != general)
        )

    def may(self, permission: Permission, namespace: str) -> bool:
        return permission in self.permissions(namespace)

    def may_anywhere(self, permission: Permission) -> bool:
        """Whether this person holds the permission in at least one namespace."""
        return permission in self.everywhere or any(permission in held for held in self.namespaces.values())

    def limited(self, namespaces: Collection[str], role: Role) -> "Access":
        """The permissions of a token: those of the person now, cut to the namespaces and the role of the token.

        Empty `namespaces` keep all namespaces of the person. A token administers nothing.
        """
        cap = role.permissions
        if not namespaces:
            held = {name: permissions & cap for name, permissions in self.namespaces.items()}
            return replace(
                self, everywhere=self.everywhere & cap, namespaces=MappingProxyType(held), administers=False
            )
        held = {name: self.permissions(name) & cap for name in namespaces if self.permissions(name)}
        return replace(self, everywhere=_NOTHING, namespaces=MappingProxyType(held), administers=False)

    def require(self, permission: Permission, namespace: str) -> None:
        """Raises NotFound when the namespace is not visible, and Forbidden with the missing role otherwise."""
        held = self.permissions(namespace)
        if Permission.SEE not in held:
            raise NotFound(namespace)
        if permission not in held:
            raise Forbidden(namespace, role_for(permission))

    def require_administration(self) -> None:
        if not self.administers:
            raise Forbidden(EVERYWHERE, Role.ADMIN)
