"""Inputs that are drawn without a template are the same as Django's."""

from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import SafeString

from console.form_renderer import FormRenderer

WIDGETS = (forms.TextInput, forms.PasswordInput, forms.HiddenInput, forms.EmailInput, forms.NumberInput)
ATTRIBUTES: tuple[dict[str, Any], ...] = (
    {},
    {"id": "id_x", "class": "form-control", "maxlength": 128},
    {"required": True, "disabled": False, "data-x": '"><script>'},
    {"placeholder": SafeString("&amp;"), "on'click": "&"},
)


@pytest.mark.parametrize("widget", WIDGETS)
@pytest.mark.parametrize("attributes", ATTRIBUTES)
@pytest.mark.parametrize("value", [None, "", "a", 7, "<b>'\"&", "仓库", SafeString("&lt;")])
def test_it_is_what_django_draws(
    widget: type[forms.TextInput], attributes: dict[str, Any], value: object
) -> None:
    drawn = [widget().render("a<b", value, attributes, it) for it in (FormRenderer(), DjangoTemplates())]

    assert drawn[0] == drawn[1]


def test_other_widgets_are_drawn_by_django() -> None:
    select = forms.Select(choices=[("a", "A")])

    drawn = [select.render("x", "a", {}, it) for it in (FormRenderer(), DjangoTemplates())]

    assert "<option" in drawn[0]
    assert drawn[0] == drawn[1]
