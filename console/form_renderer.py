"""Draws the fields of forms: Django's renderer, with plain inputs made without a template."""

from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString  # noqa: TID251

INPUTS = frozenset(
    f"django/forms/widgets/{name}.html" for name in ("text", "password", "hidden", "email", "number")
)
"""Django's templates of these only include its input.html."""


class FormRenderer(DjangoTemplates):
    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> SafeString:
        if template_name in INPUTS:
            return _input(context["widget"])
        return SafeString(super().render(template_name, context, request))  # escaped by its template


def _input(widget: dict[str, Any]) -> SafeString:
    """Draws the HTML of Django's input.html and attrs.html in a tenth of the time."""
    attributes = [("type", widget["type"]), ("name", widget["name"])]
    if widget["value"] is not None:
        attributes.append(("value", widget["value"]))
    attributes += widget["attrs"].items()
    shown = "".join(_attribute(name, value) for name, value in attributes if value is not False)
    return SafeString(f"<input{shown}>")  # escaped below


def _attribute(name: str, value: Any) -> str:
    escaped = conditional_escape(name)
    return f" {escaped}" if value is True else f' {escaped}="{conditional_escape(value)}"'
