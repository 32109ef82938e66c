"""Form fields, widgets and labels. No form renders a password."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registries.addresses import may_hold_password
from registries.domain.errors import Cause, Problem
from registries.domain.registry import (
    CONTACT_MAX,
    DESCRIPTION_MAX,
    DISPLAY_NAME_MAX,
    INFORMATION,
    PROBE_IMAGE_MAX,
    Provider,
)
from registries.intake import Tls
from registries.words.causes import cause_text
from registries.words.labels import FIELDS, PROVIDERS
from registries.words.language import sentences


class PlainForm(forms.Form):
    """What all forms of the console have."""

    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.use_required_attribute = False

    def add_causes(self, causes: Iterable[Cause]) -> None:
        """Shows each cause at its field, or above the form when there is no such field."""
        for cause in causes:
            self.add_error(cause.field if cause.field in self.fields else None, self._text(cause))

    def _text(self, cause: Cause) -> str:
        """The sentence of a cause; of a text that is too long with its length."""
        text, typed = cause_text(cause), str(self.data.get(cause.field, ""))
        if cause.problem is not Problem.TOO_LONG or cause.limit is None or len(typed) <= cause.limit:
            return text
        return sentences(text, gettext("This text has %(size)s.") % {"size": f"{len(typed.strip()):,}"})


class ConsoleForm(PlainForm):
    """A form that Django validates, with the console's texts for empty fields and unknown choices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.error_messages["required"] = cause_text(Cause(name, Problem.REQUIRED))
            field.error_messages["invalid_choice"] = cause_text(Cause(name, Problem.UNKNOWN))


class CauseForm(PlainForm):
    """A form without validation: intake and the service validate, and every error is a cause."""

    def full_clean(self) -> None:
        self._errors = ErrorDict()
        self.cleaned_data = {}

    def typed(self) -> dict[str, str]:
        """The typed texts, unchanged: a password is not trimmed."""
        return {name: str(self.data.get(name, "")) for name in self.fields}


class RegistryPasswordForm(CauseForm):
    """A form with a password of a registry. A new form takes none over from the last one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            del self.fields["password"].widget.attrs["hx-preserve"]


def plain_input(attributes: dict[str, str] | None = None) -> forms.TextInput:
    """A text input without correction, completion and spell check."""
    attrs = {"autocomplete": "off", "autocapitalize": "off", "autocorrect": "off", "spellcheck": "false"}
    return forms.TextInput({**attrs, "class": "mono", **(attributes or {})})


class AddressInput(forms.TextInput):
    """The address of a registry. One that may have a password in it does not come back in a page."""

    def format_value(self, value: Any) -> str | None:
        return None if may_hold_password(str(value or "")) else super().format_value(value)


def password_field(label: Any, *, required: bool = True, **attributes: Any) -> forms.CharField:
    """A password of a registry. "new-password": browsers do not fill in the console's password. hx-preserve: the typed
    password stays when the server returns the form without it."""
    attrs = {"autocomplete": "new-password", "hx-preserve": "", "class": "form-control mono", **attributes}
    widget = forms.PasswordInput(render_value=False, attrs=attrs)
    return forms.CharField(label=label, strip=False, required=required, widget=widget)


def probe_image_field() -> forms.CharField:
    return forms.CharField(
        label=FIELDS["probe_image"],
        required=False,
        help_text=_(
            "A private image of this registry. If the registry accepts any login, tests check that this image"
            " can be pulled."
        ),
        widget=plain_input({"maxlength": str(PROBE_IMAGE_MAX)}),
    )


class AddForm(RegistryPasswordForm):
    """添加镜像源 (add registry): the eight fields of the guide, provider first, and the certificate's trust."""

    provider = forms.ChoiceField(
        label=FIELDS["provider"],
        choices=[(provider.value, PROVIDERS[provider].text) for provider in Provider],
        widget=forms.RadioSelect,
    )
    namespace = forms.ChoiceField(label=FIELDS["namespace"])
    domain = forms.CharField(
        label=FIELDS["domain"],
        widget=AddressInput(plain_input({"inputmode": "url", "placeholder": "harbor.example.com"}).attrs),
    )
    username = forms.CharField(label=FIELDS["username"], widget=plain_input())
    password = password_field(FIELDS["password"])
    tls = forms.ChoiceField(
        label=FIELDS["tls"],
        choices=[
            (Tls.SYSTEM.value, _("Trusted by the system")),
            (Tls.CA.value, _("Custom CA")),
            (Tls.SKIP.value, _("Skip verification")),
        ],
        initial=Tls.SYSTEM.value,
        required=False,
        widget=forms.RadioSelect,
    )
    ca_bundle = forms.CharField(
        label=FIELDS["ca_bundle"],
        required=False,
        widget=forms.Textarea(
            {
                "rows": 4,
                "class": "mono",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "-----BEGIN CERTIFICATE-----",
            }
        ),
    )
    name = forms.CharField(label=FIELDS["name"], widget=plain_input({"placeholder": "harbor-prod"}))
    display_name = forms.CharField(
        label=FIELDS["display_name"],
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": _("Production Harbor")}),
    )
    description = forms.CharField(
        label=FIELDS["description"],
        required=False,
        widget=forms.Textarea({"rows": 2, "placeholder": _("Main image registry of production")}),
    )
    probe_image = probe_image_field()

    def __init__(self, *args: Any, namespaces: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["namespace"])
        field.choices = [(name, name) for name in namespaces]


class EditForm(CauseForm):
    """编辑信息 (edit): the editable fields, as they were when the form was opened, and the version of the registry."""

    display_name = forms.CharField(
        label=FIELDS["display_name"],
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "maxlength": str(DISPLAY_NAME_MAX)}),
    )
    description = forms.CharField(
        label=FIELDS["description"],
        required=False,
        widget=forms.Textarea({"rows": 3, "maxlength": str(DESCRIPTION_MAX)}),
    )
    owner = forms.CharField(
        label=FIELDS["owner"],
        required=False,
        help_text=_("The person or team that is responsible for this registry. Named in messages."),
        widget=forms.TextInput({"autocomplete": "off", "maxlength": str(CONTACT_MAX)}),
    )
    support_contact = forms.CharField(
        label=FIELDS["support_contact"],
        required=False,
        help_text=_("Whom to contact when the registry fails: a group, a phone number or a mail address."),
        widget=forms.TextInput({"autocomplete": "off", "maxlength": str(CONTACT_MAX)}),
    )
    expires_at = forms.CharField(
        label=FIELDS["expires_at"],
        required=False,
        help_text=_("The last day of the robot account or token. The list warns 30 days before."),
        widget=forms.DateInput({"type": "date"}),
    )
    probe_image = probe_image_field()
    uid = forms.CharField(widget=forms.HiddenInput)
    resource_version = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in INFORMATION:
            self.fields[f"seen_{name}"] = forms.CharField(widget=forms.HiddenInput, required=False)


class NewPasswordForm(RegistryPasswordForm):
    """更换密码 (change password): one field, and what the form was opened for."""

    password = password_field(_("New password"))
    uid = forms.CharField(widget=forms.HiddenInput)
    version = forms.CharField(widget=forms.HiddenInput, required=False)


class HarborForm(CauseForm):
    """The Harbor account of a person who lets the console renew the secret of a robot account."""

    harbor_username = forms.CharField(
        label=_("Harbor user name"), widget=plain_input({"class": "form-control mono"})
    )
    harbor_password = forms.CharField(
        label=_("Harbor password"),
        strip=False,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "off", "class": "form-control mono"}
        ),
    )


class CorrectForm(RegistryPasswordForm):
    """修正并重建 (correct and re-create): the fields of the add form that only a new registry may have."""

    provider = AddForm.base_fields["provider"]
    domain = AddForm.base_fields["domain"]
    username = AddForm.base_fields["username"]
    password = password_field(FIELDS["password"], required=False, placeholder=_("Leave empty to keep it"))
    tls = AddForm.base_fields["tls"]
    ca_bundle = AddForm.base_fields["ca_bundle"]
    uid = forms.CharField(widget=forms.HiddenInput)
    version = forms.CharField(widget=forms.HiddenInput, required=False)
