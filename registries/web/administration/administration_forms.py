"""Forms of accounts, roles, namespaces and access tokens."""

from collections.abc import Iterable
from datetime import date
from typing import Any, cast

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from registries.domain.access import Role
from registries.domain.errors import Cause, Problem
from registries.web.forms import ConsoleForm, plain_input
from registries.words.causes import cause_text
from registries.words.labels import FIELDS, ROLES

_ROLES = [(role.value, format_lazy("{} · {}", role.value, ROLES[role])) for role in Role]


class _RoleFields(ConsoleForm):
    """A namespace and a role in it; `namespaces` are (value, label) pairs."""

    namespace = forms.ChoiceField(label=FIELDS["namespace"])
    role = forms.ChoiceField(
        label=FIELDS["role"],
        choices=[("", _("Choose a role")), *_ROLES],
    )

    def __init__(self, *args: Any, namespaces: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["namespace"])
        field.choices = [("", _("Choose a namespace")), *namespaces]


ALL, CHOSEN = "all", "chosen"
"""The scope of a token: all namespaces of its owner, or the chosen ones."""


class TokenForm(ConsoleForm):
    """A new API token. Its role and namespaces only restrict the owner's access."""

    name = forms.CharField(
        label=FIELDS["name"],
        help_text=_("The purpose of the token, so that you know later what revoking it affects."),
        widget=forms.TextInput({"autocomplete": "off", "maxlength": "64", "placeholder": "CI"}),
    )
    role = forms.ChoiceField(
        label=FIELDS["role"],
        choices=_ROLES,
        help_text=_("The maximum role of the token. It never exceeds your own role."),
    )
    scope = forms.ChoiceField(
        label=FIELDS["namespaces"],
        choices=[
            (ALL, _("All namespaces that you can see, including new ones")),
            (CHOSEN, _("Selected namespaces")),
        ],
        initial=ALL,
        required=False,
        widget=forms.RadioSelect,
    )
    namespaces = forms.MultipleChoiceField(
        label=FIELDS["namespaces"], required=False, widget=forms.CheckboxSelectMultiple
    )
    expires = forms.DateField(
        label=FIELDS["expires"],
        help_text=_("The last valid day, at most one year from now."),
        widget=forms.DateInput({"type": "date", "class": "form-control"}),
    )

    def __init__(self, *args: Any, namespaces: Iterable[str], last: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.MultipleChoiceField, self.fields["namespaces"])
        field.choices = [(name, name) for name in namespaces]
        self.fields["scope"].error_messages["invalid_choice"] = cause_text(
            Cause("namespaces", Problem.UNKNOWN)
        )
        expires = self.fields["expires"]
        expires.widget.attrs["max"] = last.isoformat()
        expires.error_messages["invalid"] = cause_text(Cause("expires", Problem.EXPIRY))

    def clean_namespaces(self) -> list[str]:
        """Empty for all namespaces. A form without `scope` means what its namespaces say."""
        chosen: list[str] = self.cleaned_data["namespaces"]
        scope = self.cleaned_data.get("scope", CHOSEN)  # no value: an unknown scope
        if scope == CHOSEN and not chosen:
            raise forms.ValidationError(_("Select at least one namespace, or choose all namespaces."))
        return [] if scope == ALL else chosen


class GrantForm(_RoleFields):
    """Another role for an account."""


def _new_password() -> forms.CharField:
    return forms.CharField(
        label=FIELDS["password"],
        strip=False,
        help_text=_("At least 8 characters, not a common password, not similar to the user name."),
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "hx-preserve": ""}
        ),
    )


class AccountForm(_RoleFields):
    """A new account with an optional first role."""

    username = forms.CharField(label=FIELDS["username"], max_length=150, widget=plain_input())
    password = _new_password()
    field_order = ("username", "password", "namespace", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("namespace", "role"):
            self.fields[name].required = False
        self.fields["role"].help_text = _("Without a role the account can log in, but sees nothing.")

    def clean(self) -> None:
        """Requires the namespace and the role together, or neither."""
        chosen = {name: self.cleaned_data.get(name) for name in ("namespace", "role")}
        if any(chosen.values()):
            self.add_causes([Cause(name, Problem.REQUIRED) for name, value in chosen.items() if value == ""])


class PasswordForm(ConsoleForm):
    """A new password for an account."""

    password = _new_password()
    password.label = _("New password")


class NamespaceForm(ConsoleForm):
    """A new namespace."""

    namespace = forms.CharField(
        label=FIELDS["namespace"],
        help_text=_("At most 63 characters: lower-case letters, digits and hyphens."),
        widget=plain_input({"placeholder": "team-c"}),
    )
