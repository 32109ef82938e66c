"""Pages of accounts and roles, for image-admin in all namespaces."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registries.domain.access import EVERYWHERE, Role
from registries.domain.errors import Conflict
from registries.log_in.access import ConsoleRequest
from registries.web.administration.administration_forms import AccountForm, GrantForm, PasswordForm
from registries.web.form_dialogs import confirm_by_name, submit
from registries.web.responses import back, dialog
from registries.wiring import services
from registries.words import labels
from registries.words.problems import error_text

PAGE = "registries:accounts"


@require_safe
def accounts(request: ConsoleRequest) -> HttpResponse:
    found = services().accounts.all(access=request.access)
    return render(request, "administration/accounts.html", {"accounts": found})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def account_add(request: ConsoleRequest) -> HttpResponse:
    access = request.access
    access.require_administration()
    form = AccountForm(request.POST or None, namespaces=_scopes(request))

    def change(values: dict[str, Any]) -> str:
        name = values["username"]
        services().accounts.create(access=access, name=name, password=values["password"])
        if values["role"] and values["namespace"]:
            role, namespace = Role(values["role"]), values["namespace"]
            services().accounts.grant(access=access, name=name, namespace=namespace, role=role)
        return _("Added the account %(name)s.") % {"name": name}

    text = _("Add account")
    return submit(request, form, change, title=text, page=PAGE, button=text)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def account_password(request: ConsoleRequest, name: str) -> HttpResponse:
    access = request.access
    services().accounts.one(access=access, name=name)

    def change(values: dict[str, Any]) -> str:
        services().accounts.reset_password(access=access, name=name, password=values["password"])
        return _("Reset the password of account %(name)s.") % {"name": name}

    title = _("Reset the password of %(name)s") % {"name": name}
    lead = _("All sessions and access tokens of the account end immediately.")
    form, button = PasswordForm(request.POST or None), _("Reset password")
    return submit(request, form, change, title=title, page=PAGE, lead=lead, button=button)


@require_http_methods(["GET", "HEAD", "POST"])
def account_grant(request: ConsoleRequest, name: str) -> HttpResponse:
    """Assigns a role. The dialog also lists the roles of the account, each with a button that removes it."""
    access = request.access
    account = services().accounts.one(access=access, name=name)
    form = GrantForm(request.POST or None, namespaces=_scopes(request))

    def change(values: dict[str, Any]) -> str:
        role = Role(values["role"])
        services().accounts.grant(access=access, name=name, namespace=values["namespace"], role=role)
        return _saved(name)

    template = "administration/_grants.html"
    return submit(request, form, change, title=_roles_of(name), page=PAGE, template=template, account=account)


@require_POST
def account_revoke(request: ConsoleRequest, name: str) -> HttpResponse:
    access = request.access
    try:
        services().accounts.revoke(access=access, name=name, namespace=request.POST.get("namespace", ""))
        return back(request, _saved(name), PAGE)
    except Conflict as error:
        context = {
            "account": services().accounts.one(access=access, name=name),
            "form": GrantForm(namespaces=_scopes(request)),
            "title": _roles_of(name),
            "back": reverse(PAGE),
            "problem": error_text(error),
        }
    return dialog(request, "administration/_grants.html", context, status=409, title=_roles_of(name))


@require_http_methods(["GET", "HEAD", "POST"])
def account_active(request: ConsoleRequest, name: str) -> HttpResponse:
    """Activates or deactivates an account. GET is the dialog that asks before a deactivation."""
    access = request.access
    services().accounts.one(access=access, name=name)
    title = _("Deactivate the account %(name)s") % {"name": name}
    status, context = 200, {"name": name, "title": title, "back": reverse(PAGE)}
    if request.method == "POST":
        active = request.POST.get("active") == "1"
        text = (
            _("%(name)s can log in again.")
            if active
            else _("%(name)s can no longer log in. All sessions and access tokens of the account have ended.")
        )
        try:
            services().accounts.set_active(access=access, name=name, active=active)
            return back(request, text % {"name": name}, PAGE)
        except Conflict as error:
            status, context = 409, {**context, "problem": error_text(error)}
    return dialog(request, "administration/_deactivate.html", context, status=status, title=title)


@require_http_methods(["GET", "HEAD", "POST"])
def account_delete(request: ConsoleRequest, name: str) -> HttpResponse:
    access = request.access
    services().accounts.one(access=access, name=name)

    def change() -> str:
        services().accounts.delete(access=access, name=name)
        return _("Deleted the account %(name)s.") % {"name": name}

    title = _("Delete the account %(name)s") % {"name": name}
    lead = _(
        "The roles, sessions and access tokens of the account are deleted. Its entries in the audit log stay."
    )
    return confirm_by_name(request, name, change, title=title, page=PAGE, lead=lead)


def _roles_of(name: str) -> str:
    return _("Roles of %(name)s") % {"name": name}


def _saved(name: str) -> str:
    return _("Saved the roles of %(name)s.") % {"name": name}


def _scopes(request: ConsoleRequest) -> list[tuple[str, str]]:
    """Choices for a form: all namespaces together, and each namespace."""
    names = services().index.namespaces(access=request.access)
    return [(EVERYWHERE, labels.role_scope(EVERYWHERE)), *((name, name) for name in names)]
