"""What a person may do with registries, as data: the row menu, the details page, the toolbar and the bulk bar offer
these actions."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from registries.domain.access import Access, Permission
from registries.domain.registry import RegistrySecret
from registries.words.language import Text


@dataclass(frozen=True, slots=True, eq=False)  # each is itself only: labels compare by language
class RegistryAction:
    """`name` is used in addresses and scripts. `many` is the label for several registries, if there is one."""

    name: str
    label: Text
    icon: str
    permission: Permission
    many: Text = ""
    dangerous: bool = False


ACTIONS = (
    RegistryAction(
        "test",
        gettext_lazy("Test connection"),
        "plug-zap",
        Permission.TEST,
        many=gettext_lazy("Test selected"),
    ),
    RegistryAction("edit", gettext_lazy("Edit information"), "pencil", Permission.EDIT),
    RegistryAction("password", gettext_lazy("Change the password"), "key-round", Permission.CREATE),
    RegistryAction("correct", gettext_lazy("Correct and create again"), "wrench", Permission.CREATE),
    RegistryAction(
        "copy", gettext_lazy("Copy to…"), "copy-plus", Permission.CREATE, many=gettext_lazy("Copy to…")
    ),
    RegistryAction(
        "delete",
        gettext_lazy("Delete"),
        "trash-2",
        Permission.DELETE,
        many=gettext_lazy("Delete selected"),
        dangerous=True,
    ),
)


NEED_AN_ADDRESS = ("test", "copy")


def offered(
    access: Access, namespace: str, registry: RegistrySecret | None = None
) -> tuple[RegistryAction, ...]:
    """The actions that a person may take on the registries of a namespace, or on this one of them. One that is being
    deleted can only be deleted again. One without a valid address can neither be tested nor copied."""
    held = access.permissions(namespace)
    return tuple(it for it in ACTIONS if it.permission in held and _is_possible(it, registry))


def _is_possible(action: RegistryAction, registry: RegistrySecret | None) -> bool:
    if registry is None:
        return True
    if registry.deleting:
        return action.name == "delete"
    return not (registry.address_problem and action.name in NEED_AN_ADDRESS)


def offered_for_many(access: Access) -> tuple[RegistryAction, ...]:
    """The actions that a person may take on several registries, in any namespace."""
    return tuple(action for action in ACTIONS if action.many and access.may_anywhere(action.permission))


def abilities(access: Access, namespace: str, registry: RegistrySecret | None = None) -> str:
    """The names of the actions of `offered`, for the scripts."""
    return " ".join(action.name for action in offered(access, namespace, registry))
