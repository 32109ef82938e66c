"""What one person sees and may do, as one immutable value. Imports only errors.

The three roles of the platform are sets of the verbs that a cluster would ask about, so that the same value
can be made from local grants or from a cluster's access reviews.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from registries.domain.errors import Forbidden, NotFound

EVERYWHERE = "*"
"""Stands for every namespace in a grant."""


class Permission(StrEnum):
    """The verbs on `registrysecrets` that decide (roles.md)."""

    SEE = "list"
    EDIT = "patch"
    CREATE = "create"
    DELETE = "delete"
    TEST = "get"
    """A test of what is stored reads the password first. Held by nobody without EDIT, which records the verdict."""


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
    """The weakest role that holds a permission."""
    return next(role for role in Role if permission in role.permissions)


@dataclass(frozen=True, slots=True)
class Access:
    """`person` and `source` (an IP address) are who acts and from where, for the audit log."""

    person: str
    source: str = ""
    everywhere: frozenset[Permission] = _NOTHING
    namespaces: Mapping[str, frozenset[Permission]] = field(default_factory=lambda: MappingProxyType({}))
    administers: bool = False
    """Whether this person manages accounts, grants and namespaces."""
    acting: object | None = field(default=None, repr=False, compare=False)
    """What the store writes with in this person's name (Store.acting_as); None: the console writes as itself."""

    @classmethod
    def from_grants(
        cls, person: str, grants: Iterable[tuple[str, Role]], *, source: str = "", superuser: bool = False
    ) -> "Access":
        """Access from (namespace or EVERYWHERE, role) pairs; a superuser is image-admin everywhere."""
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
        )

    @property
    def looking_only(self) -> "Access":
        """The same person while nothing can be written."""
        seen = frozenset({Permission.SEE})
        namespaces = {name: held & seen for name, held in self.namespaces.items()}
        return replace(self, everywhere=self.everywhere & seen, namespaces=MappingProxyType(namespaces))

    @property
    def sees_everything(self) -> bool:
        return Permission.SEE in self.everywhere

    def permissions(self, namespace: str) -> frozenset[Permission]:
        return self.everywhere | self.namespaces.get(namespace, _NOTHING)

    def may(self, permission: Permission, namespace: str) -> bool:
        return permission in self.permissions(namespace)

    def may_anywhere(self, permission: Permission) -> bool:
        """Whether there is any namespace at all for which the permission is held."""
        return permission in self.everywhere or any(permission in held for held in self.namespaces.values())

    def limited(self, namespaces: Collection[str], role: Role) -> "Access":
        """What is left of this under a token's limits: never more than the person holds at the moment.

        No namespaces mean all of the person's. A limited one administers nothing.
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
        """Raise NotFound for a namespace that this person may not see, else Forbidden with the role missing."""
        held = self.permissions(namespace)
        if Permission.SEE not in held:
            raise NotFound(namespace)
        if permission not in held:
            raise Forbidden(namespace, role_for(permission))

    def require_administration(self) -> None:
        if not self.administers:
            raise Forbidden("", Role.ADMIN)
