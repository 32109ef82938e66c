"""All URLs: log-in, language, health, the API and the app."""

from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from console import health
from registries.api import urls as api
from registries.log_in.pages import PasswordChange
from registries.log_in.view import log_in
from registries.web.responses import with_accounts_only

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="registries:list"), name="home"),
    path("logout/", auth_views.LogoutView.as_view(next_page="login"), name="logout"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("oapis", api.nowhere),
    path("oapis/", include("registries.api.urls")),
    path("", include("registries.urls")),
    path("login/", log_in, name="login"),
    path("password/", with_accounts_only(PasswordChange.as_view()), name="password"),
    path(
        "password/changed/",
        with_accounts_only(auth_views.PasswordChangeDoneView.as_view(template_name="password_changed.html")),
        name="password_changed",
    ),
]

handler400 = "registries.web.errors.bad_request"
handler403 = "registries.web.errors.permission_denied"
handler404 = "registries.web.errors.not_found"
handler500 = "registries.web.errors.server_error"
