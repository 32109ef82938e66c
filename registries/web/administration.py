"""系统管理: accounts with their roles, and namespaces. For people who are image-admin everywhere."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registries.domain.access import EVERYWHERE, Role
from registries.domain.errors import AlreadyExists, Cause, Conflict, ConsoleError, Invalid
from registries.log_in.access import access_to
from registries.people.grants import forget_namespace
from registries.web.forms import AccountForm, CauseForm, GrantForm, NamespaceForm, PasswordForm
from registries.web.responses import back, dialog
from registries.web.rows import share
from registries.wiring import services
from registries.words import labels

Change = Callable[[], None]


@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    found = services().accounts.all(access=access_to(request))
    return render(request, "administration/accounts.html", {"accounts": found, "everywhere": EVERYWHERE})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def account_add(request: HttpRequest) -> HttpResponse:
    access = access_to(request)
    access.require_administration()
    form = AccountForm(request.POST or None, namespaces=_scopes(request))
    typed = form.typed() if request.method == "POST" else {}

    def change() -> None:
        name = typed["username"].strip()
        services().accounts.create(access=access, name=name, password=typed["password"])
        if typed["role"] and typed["namespace"]:
            role, namespace = Role(typed["role"]), typed["namespace"]
            services().accounts.grant(access=access, name=name, namespace=namespace, role=role)

    text = _("Added the account %(name)s.") % {"name": typed.get("username", "").strip()}
    return _form(request, form, change, text, _("Add account"), "accounts")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def account_password(request: HttpRequest, name: str) -> HttpResponse:
    access = access_to(request)
    services().accounts.one(access=access, name=name)
    form = PasswordForm(request.POST or None)

    def change() -> None:
        services().accounts.reset_password(access=access, name=name, password=form.typed()["password"])

    title = _("Reset the password of %(name)s") % {"name": name}
    return _form(
        request, form, change, _("The password of %(name)s is new.") % {"name": name}, title, "accounts"
    )


@require_http_methods(["GET", "HEAD", "POST"])
def account_grant(request: HttpRequest, name: str) -> HttpResponse:
    """Give a role; also the list of those held, each with a way to take it back."""
    access = access_to(request)
    account = services().accounts.one(access=access, name=name)
    form = GrantForm(request.POST or None, namespaces=_scopes(request))

    def change() -> None:
        typed = form.typed()
        role = Role(typed["role"])
        services().accounts.grant(access=access, name=name, namespace=typed["namespace"], role=role)

    title = _("Roles of %(name)s") % {"name": name}
    text = _("Saved the roles of %(name)s.") % {"name": name}
    return _form(
        request,
        form,
        change,
        text,
        title,
        "accounts",
        template="administration/_grants.html",
        account=account,
    )


@require_POST
def account_revoke(request: HttpRequest, name: str) -> HttpResponse:
    namespace = request.POST.get("namespace", "")
    services().accounts.revoke(access=access_to(request), name=name, namespace=namespace)
    return back(request, _("Saved the roles of %(name)s.") % {"name": name}, "registries:accounts")


@require_POST
def account_active(request: HttpRequest, name: str) -> HttpResponse:
    active = request.POST.get("active") == "1"
    services().accounts.set_active(access=access_to(request), name=name, active=active)
    text = _("%(name)s can log in again.") if active else _("%(name)s can no longer log in.")
    return back(request, text % {"name": name}, "registries:accounts")


@require_http_methods(["GET", "HEAD", "POST"])
def account_delete(request: HttpRequest, name: str) -> HttpResponse:
    access = access_to(request)
    services().accounts.one(access=access, name=name)
    title = _("Delete the account %(name)s") % {"name": name}
    return _confirmed(
        request,
        name,
        lambda: services().accounts.delete(access=access, name=name),
        title,
        _("Deleted the account %(name)s.") % {"name": name},
        "accounts",
    )


@require_safe
def namespaces(request: HttpRequest) -> HttpResponse:
    access = access_to(request)
    access.require_administration()
    rows = [(name, tally, share(tally)) for name, tally in services().index.tallies(access=access).items()]
    context = {"namespaces": rows, "managed": services().registries.manages_namespaces}
    return render(request, "administration/namespaces.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def namespace_add(request: HttpRequest) -> HttpResponse:
    access = access_to(request)
    access.require_administration()
    form = NamespaceForm(request.POST or None)
    name = form.typed()["namespace"].strip() if request.method == "POST" else ""
    return _form(
        request,
        form,
        lambda: services().registries.create_namespace(access=access, name=name),
        _("Added the namespace %(name)s.") % {"name": name},
        _("Add namespace"),
        "namespaces",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def namespace_delete(request: HttpRequest, name: str) -> HttpResponse:
    access = access_to(request)
    access.require_administration()

    def change() -> None:
        services().registries.delete_namespace(
            access=access, name=name, and_then=lambda: forget_namespace(name)
        )

    title = _("Delete the namespace %(name)s") % {"name": name}
    text = _("Deleted the namespace %(name)s.") % {"name": name}
    return _confirmed(request, name, change, title, text, "namespaces")


def _form(
    request: HttpRequest,
    form: CauseForm,
    change: Change,
    text: str,
    title: str,
    page: str,
    template: str = "administration/_form.html",
    **extra: Any,
) -> HttpResponse:
    """Show a form; when it was sent, make its change and go back to the page, or show what is wrong."""
    status = 200
    if request.method == "POST":
        try:
            form.require()
            change()
        except Invalid as error:
            form.add_causes(error.causes)
        except AlreadyExists:
            form.add_causes([Cause(next(iter(form.fields)), "taken")])
        except Conflict as error:
            form.add_error(None, labels.error_text(error))
        else:
            return back(request, text, f"registries:{page}")
        status = 422
    context = {"form": form, "title": title, "back": reverse(f"registries:{page}"), **extra}
    return dialog(request, template, context, status=status, title=title)


def _confirmed(
    request: HttpRequest, name: str, change: Change, title: str, text: str, page: str
) -> HttpResponse:
    """Ask for the name to be typed, then make the change."""
    wrong, problem = False, ""
    if request.method == "POST":
        wrong = request.POST.get("confirm", "").strip() != name
        try:
            if not wrong:
                change()
                return back(request, text, f"registries:{page}")
        except ConsoleError as error:
            problem = labels.error_text(error)
    context = {
        "name": name,
        "title": title,
        "wrong": wrong,
        "problem": problem,
        "back": reverse(f"registries:{page}"),
    }
    status = 422 if wrong else 409 if problem else 200
    return dialog(request, "administration/_confirm.html", context, status=status, title=title)


def _scopes(request: HttpRequest) -> list[tuple[str, str]]:
    names = services().index.namespaces(access=access_to(request))
    return [(EVERYWHERE, labels.role_scope(EVERYWHERE)), *((name, name) for name in names)]
