"""All addresses: logging in, the language, health, the API, and the app's own."""

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from console import health
from registries.api import urls as api
from registries.log_in.pages import LogIn, PasswordChange

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="registries:list"), name="home"),
    path("logout/", auth_views.LogoutView.as_view(next_page="login"), name="logout"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("oapis", api.nowhere),
    path("oapis/", include("registries.api.urls")),
    path("", include("registries.urls")),
]

if settings.AUTH == "kubernetes":
    from registries.log_in.cluster_pages import ClusterLogIn

    urlpatterns.append(path("login/", ClusterLogIn.as_view(), name="login"))
else:
    urlpatterns += [
        path("login/", LogIn.as_view(), name="login"),
        path("password/", PasswordChange.as_view(), name="password"),
        path(
            "password/changed/",
            auth_views.PasswordChangeDoneView.as_view(template_name="password_changed.html"),
            name="password_changed",
        ),
    ]

handler400 = "registries.web.errors.bad_request"
handler403 = "registries.web.errors.permission_denied"
handler404 = "registries.web.errors.not_found"
handler500 = "registries.web.errors.server_error"
