"""The icon sprite, under a URL that changes with its content."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from registries.web import sprite as icons


@login_not_required
@require_safe
def sprite(request: HttpRequest, version: str) -> HttpResponse:
    response = HttpResponse(icons.sprite(), content_type="image/svg+xml")
    if version == icons.version():
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
