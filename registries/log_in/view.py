"""The log-in page of this console: for accounts, or for people of the cluster."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from registries.log_in.cluster_pages import ClusterLogIn
from registries.log_in.pages import LogIn


@login_not_required
def log_in(request: HttpRequest) -> HttpResponseBase:
    view = ClusterLogIn if settings.AUTH == "kubernetes" else LogIn
    return view.as_view()(request)
