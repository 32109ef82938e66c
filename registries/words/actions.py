"""The actions on registries, as data: the row menu, the details page, the toolbar and the bulk bar offer these."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from registries.domain.access import Access, Permission
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
    RegistryAction("test", _("Test connection"), "plug-zap", Permission.TEST, many=_("Test selected")),
    RegistryAction("edit", _("Edit information"), "pencil", Permission.EDIT),
    RegistryAction("password", _("Change the password"), "key-round", Permission.CREATE),
    RegistryAction("correct", _("Correct and create again"), "wrench", Permission.CREATE),
    RegistryAction("copy", _("Copy to…"), "copy-plus", Permission.CREATE, many=_("Copy to…")),
    RegistryAction(
        "delete", _("Delete"), "trash-2", Permission.DELETE, many=_("Delete selected"), dangerous=True
    ),
)


def offered(access: Access, namespace: str, *, deleting: bool = False) -> tuple[RegistryAction, ...]:
    """The actions that a person may take on the registries of a namespace. One that is being deleted can only be
    deleted again."""
    held = access.permissions(namespace)
    possible = ACTIONS if not deleting else (action for action in ACTIONS if action.name == "delete")
    return tuple(action for action in possible if action.permission in held)


def offered_for_many(access: Access) -> tuple[RegistryAction, ...]:
    """The actions that a person may take on several registries, in any namespace."""
    return tuple(action for action in ACTIONS if action.many and access.may_anywhere(action.permission))
