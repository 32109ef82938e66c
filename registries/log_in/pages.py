"""The log-in page of accounts, password change, and the functions that django-axes calls.

A password typed into the name field must not be stored: django-axes gets a keyed digest of the name, and the
audit log keeps only names of existing accounts.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.crypto import salted_hmac
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django_htmx.http import trigger_client_event
from django_htmx.middleware import HtmxDetails

from registries.domain.errors import Cause, Problem, TooManyRequests
from registries.log_in.sender import client_address
from registries.log_in.throttle import Throttle
from registries.words.causes import cause_text
from registries.words.problems import error_text

SALT = "console.login"
"""Never change it: a new salt would release every locked log-in when the console is updated."""


def throttled_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """The key for failed log-ins: a keyed digest of the user name; "" for a cluster credential, which has no name."""
    if settings.AUTH == "kubernetes":
        return salted_hmac(SALT, "").hexdigest()
    name = (credentials or {}).get("username") or (typed_name(request) if request else "")
    return salted_hmac(SALT, str(name)).hexdigest()


def typed_name(request: HttpRequest) -> str:
    """The user name as the form reads it: all spellings of a name are one, such as those with spaces around it."""
    return str(AuthenticationForm().fields["username"].to_python(request.POST.get("username", "")))


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """The response after too many failed log-ins."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    form = None if settings.AUTH == "kubernetes" else AuthenticationForm(request)
    context = {"form": form, "locked_minutes": minutes, "demo": settings.DEMO}
    response = render(request, LogIn.template_for(request), context, status=429)
    response.headers["Retry-After"] = str(minutes * 60)
    return response


@method_decorator(login_not_required, name="dispatch")
class LogIn(auth_views.LoginView):
    """The log-in page, and the log-in dialog of a page whose session ended."""

    redirect_authenticated_user = True

    @staticmethod
    def template_for(request: HttpRequest) -> str:
        return "_login_form.html" if HtmxDetails(request) else "login.html"

    def get_template_names(self) -> list[str]:
        return [self.template_for(self.request)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(demo=settings.DEMO, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        throttle, typed = Throttle(), typed_name(request)
        try:
            throttle.log_in(request, client_address(request), typed, throttled_name(request, None))
            response = super().post(request, *args, **kwargs)
        except TooManyRequests as error:
            if error.problem:
                throttle.give_back()
            return self._too_many(error, typed)
        if response.status_code < 400:
            throttle.give_back()
        return response

    def _too_many(self, error: TooManyRequests, typed: str) -> HttpResponse:
        local = settings.AUTH == "local"
        form = AuthenticationForm(self.request, initial={"username": typed}) if local else None
        context = self.get_context_data(form=form, busy=error_text(error))
        response = render(self.request, self.template_for(self.request), context, status=error.status)
        response.headers["Retry-After"] = str(error.retry_after)
        return response

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if not HtmxDetails(self.request):
            return response
        return trigger_client_event(HttpResponse(status=204), "signed-in", self.event_details(form))

    def event_details(self, form: Any) -> dict[str, str]:
        """Data of the event `signed-in` about the new session."""
        return {}

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = 422
        return response


class OwnPasswordForm(PasswordChangeForm):
    """Django's form with the console's texts: field -> label, help."""

    TEXTS: dict[str, tuple[Any, Any]] = {
        "old_password": (_("Current password"), ""),
        "new_password1": (
            _("New password"),
            _("At least 8 characters, not a common password, not similar to the user name."),
        ),
        "new_password2": (_("Repeat the new password"), ""),
    }

    error_messages = {
        **PasswordChangeForm.error_messages,
        "password_incorrect": _("The current password is wrong."),
        "password_mismatch": _("The two new passwords differ."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, help_text) in self.TEXTS.items():
            field = self.fields[name]
            field.label, field.help_text = str(label), str(help_text)
            field.error_messages["required"] = cause_text(Cause(name, Problem.REQUIRED))


class PasswordChange(auth_views.PasswordChangeView):
    """Changes the person's own password, which ends all other sessions of the account."""

    form_class = OwnPasswordForm
    template_name = "password.html"
    success_url = reverse_lazy("password_changed")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        throttle = Throttle()
        throttle.old_password(f"account:{request.user.pk}")
        response = super().post(request, *args, **kwargs)
        if response.status_code < 400:
            throttle.give_back()
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = 422
        return response
