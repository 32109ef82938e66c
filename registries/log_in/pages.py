"""Logging in and out, one's own password, and what throttling needs to know.

Somebody who types the password into the field for the name must not find it in a table later: throttling
keeps a keyed digest of the name, and the audit log keeps a name only when there is such an account.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.crypto import salted_hmac
from django.utils.decorators import method_decorator
from django_htmx.http import trigger_client_event
from django_htmx.middleware import HtmxDetails

SALT = "console.login"
"""Never change it: a new salt would release every locked log-in when the console is updated."""


def client_address(request: HttpRequest) -> str:
    """Where a request came from; behind a proxy, what that proxy (the last one) says."""
    if settings.BEHIND_PROXY:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded[:45]
    return str(request.META.get("REMOTE_ADDR", ""))


def throttled_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """What axes counts failures by: a keyed digest of the user name. A credential of the cluster has none before it
    is accepted, so those are counted by address alone."""
    if settings.AUTH == "kubernetes":
        return salted_hmac(SALT, "").hexdigest()
    name = (credentials or {}).get("username") or (request.POST.get("username", "") if request else "")
    return salted_hmac(SALT, str(name)).hexdigest()


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """The answer to a log-in that came after too many failed ones."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    form = None if settings.AUTH == "kubernetes" else AuthenticationForm(request)
    context = {"form": form, "locked_minutes": minutes, "demo": settings.DEMO}
    response = render(request, LogIn.template_for(request), context, status=429)
    response.headers["Retry-After"] = str(minutes * 60)
    return response


@method_decorator(login_not_required, name="dispatch")
class LogIn(auth_views.LoginView):
    """The login page, and the same form in the dialog that a page shows when its session has ended."""

    redirect_authenticated_user = True

    @staticmethod
    def template_for(request: HttpRequest) -> str:
        return "_login_form.html" if HtmxDetails(request) else "login.html"

    def get_template_names(self) -> list[str]:
        return [self.template_for(self.request)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(demo=settings.DEMO, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if not HtmxDetails(self.request):
            return response
        return trigger_client_event(HttpResponse(status=204), "signed-in", self.event_details(form))

    def event_details(self, form: Any) -> dict[str, str]:
        """What the event `signed-in` tells the page about the new session."""
        return {}

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = 422
        return response


@login_not_required
def log_in(request: HttpRequest) -> HttpResponseBase:
    """The log-in page of accounts, or of people of the cluster."""
    from registries.log_in.cluster_pages import ClusterLogIn  # it builds on this module

    view = ClusterLogIn if settings.AUTH == "kubernetes" else LogIn
    return view.as_view()(request)


class PasswordChange(auth_views.PasswordChangeView):
    """One's own password. Every other session of the account ends with it."""

    template_name = "password.html"
    success_url = reverse_lazy("password_changed")

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = 422
        return response
