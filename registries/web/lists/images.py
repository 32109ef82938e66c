"""测试拉取镜像 (test an image): the images that pods run, offered as choices, and the answer beside a verdict."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registries.domain.registry import Key
from registries.log_in.access import ConsoleRequest
from registries.probe.image import ImageResult, NodePlatform, PlatformSize, PullQuota
from registries.wiring import services

CHOICES = 12


@dataclass(frozen=True, slots=True)
class ImageView:
    """The answer about one image. `platforms` are (name, size and time); `nodes` are (text, whether covered)."""

    name: str
    kind: str
    icon: str
    message: str
    hint: str
    note: str
    platforms: tuple[tuple[str, str], ...]
    nodes: tuple[tuple[str, bool], ...]
    pulls: str


def image_view(result: ImageResult) -> ImageView:
    whole = result.ok and all(it.covered for it in result.nodes)
    kind = "ok" if whole else "warn" if result.ok else "bad"
    return ImageView(
        name=result.image,
        kind=kind,
        icon={"ok": "circle-check", "warn": "triangle-alert", "bad": "circle-x"}[kind],
        message=result.message(get_language()),
        hint=result.hint(get_language()),
        note=result.note_text(get_language()),
        platforms=tuple((it.name, _size(it)) for it in result.platforms),
        nodes=tuple((_nodes(it), it.covered) for it in result.nodes),
        pulls=_pulls(result.quota) if result.quota else "",
    )


def _nodes(platform: NodePlatform) -> str:
    text = ngettext("%(n)d node %(name)s", "%(n)d nodes %(name)s", platform.count)
    return text % {"n": platform.count, "name": platform.name}


def _size(platform: PlatformSize) -> str:
    """Size, and the time of a pull where it takes a minute or more."""
    minutes = platform.minutes(settings.UPLINK)
    if platform.size is None or minutes is None:
        return ""
    size = f"{platform.size / 1e6:.1f} MB" if platform.size < 1e9 else f"{platform.size / 1e9:.1f} GB"
    if minutes < 1:
        return size
    text = _("%(size)s, %(n)d min at %(rate)s Mbit/s")
    return text % {"size": size, "n": round(minutes), "rate": f"{settings.UPLINK:g}"}


def _pulls(quota: PullQuota) -> str:
    values = {"left": quota.remaining, "limit": quota.limit, "hours": round(quota.seconds / 3600)}
    return _("%(left)d of %(limit)d pulls left in %(hours)d h") % values


@require_safe
def choices(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The images of this registry that pods of the namespace run, as buttons."""
    images = services().images.of_pods(access=request.access, key=Key(namespace, name))
    context = {"images": images[:CHOICES], "more": max(0, len(images) - CHOICES)}
    return render(request, "lists/_image_choices.html", context)
