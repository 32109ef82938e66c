"""镜像加速器 (mirrors): the list that administrators keep, its probes, and the configuration of nodes for it."""

from functools import partial
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registries.domain.errors import TooManyRequests
from registries.log_in.access import ConsoleRequest
from registries.mirrors import files, words
from registries.mirrors.files import ConfigFile
from registries.mirrors.listing import IMAGE_MAX, Verdict
from registries.web.form_dialogs import confirm, submit
from registries.web.forms import CauseForm, plain_input
from registries.web.responses import back
from registries.wiring import services
from registries.words.times import ago

PAGE = "registries:mirrors"
UPSTREAMS = ("docker.io", "ghcr.io", "quay.io", "registry.k8s.io")
"""The suggestions of the form. Any other host can be typed."""
DOUBTFUL = (Verdict.DIFFERENT, Verdict.MISSING, Verdict.FAILED)
"""Verdicts of mirrors that an administrator may not want on the nodes. The console knows only what it reached itself,
so their mirrors stay in the files."""


class MirrorForm(CauseForm):
    upstream = forms.CharField(
        label=gettext_lazy("Upstream registry"),
        help_text=gettext_lazy(
            "The host in the names of images, such as docker.io or a registry of your own."
        ),
        widget=plain_input({"list": "upstreams", "maxlength": "2048", "placeholder": "docker.io"}),
    )
    address = forms.CharField(
        label=gettext_lazy("Address of the mirror"),
        help_text=gettext_lazy("Host, with the port if it is not 443, and without a path."),
        widget=plain_input({"inputmode": "url", "maxlength": "2048", "placeholder": "mirror.example.com"}),
    )
    image = forms.CharField(
        label=gettext_lazy("Image to compare"),
        required=False,
        help_text=gettext_lazy("A public image of the upstream. The mirror must have the same digest."),
        widget=plain_input({"maxlength": str(IMAGE_MAX), "placeholder": "docker.io/library/busybox:latest"}),
    )
    resolves = forms.BooleanField(
        label=gettext_lazy("Resolve tags through this mirror"),
        required=False,
        help_text=gettext_lazy(
            "Turn this off for a mirror that others operate: it could return another image for a tag."
            " Nodes then need the upstream to resolve tags."
        ),
    )


@require_safe
def mirrors(request: ConsoleRequest) -> HttpResponse:
    found, now = services().mirrors.all(access=request.access), timezone.now()
    authorities = services().mirror_authorities(request.access)
    context = {
        "rows": [(it, words.verdict(it), words.explanation(it), ago(it.probed_at, now)) for it in found],
        "runtimes": [
            _runtime("containerd", "containerd", files.containerd_files(found, authorities)),
            _runtime("docker", "Docker", files.docker_files(found, authorities)),
            _runtime("rancher", "K3s / RKE2", files.rancher_files(found, authorities)),
        ],
        "left_out": files.left_out(found),
        "doubtful": [(it.host, words.verdict(it).text) for it in found if it.verdict in DOUBTFUL],
    }
    return render(request, "mirrors/mirrors.html", context)


def _runtime(name: str, title: str, found: list[ConfigFile]) -> dict[str, Any]:
    return {"id": f"files-{name}", "title": title, "files": found}


@require_http_methods(["GET", "HEAD", "POST"])
def mirror_add(request: ConsoleRequest) -> HttpResponse:
    request.access.require_administration()
    form = MirrorForm(request.POST or None, initial={"resolves": True})

    def change(_values: dict[str, Any]) -> str:
        typed = form.typed()
        made = services().mirrors.create(
            access=request.access,
            upstream=typed["upstream"],
            address=typed["address"],
            image=typed["image"].strip(),
            resolves=typed["resolves"] == "on",
        )
        return _("Added the mirror %(host)s.") % {"host": made.host}

    title, template = _("Add mirror"), "mirrors/_form.html"
    return submit(request, form, change, title=title, page=PAGE, template=template, upstreams=UPSTREAMS)


@require_http_methods(["GET", "HEAD", "POST"])
def mirror_delete(request: ConsoleRequest, mirror: int) -> HttpResponse:
    found = services().mirrors.one(access=request.access, mirror=mirror)
    change = partial(services().mirrors.delete, access=request.access, mirror=mirror)
    title, done = (
        _("Delete mirror: %(name)s") % {"name": found.host},
        _("Deleted the mirror %(host)s.") % {"host": found.host},
    )
    return confirm(request, "mirrors/_delete.html", change, title=title, done=done, page=PAGE)


@require_POST
def mirror_probe(request: ConsoleRequest, mirror: int) -> HttpResponse:
    """Probes one mirror, within the time of two tests."""
    services().mirrors.one(access=request.access, mirror=mirror)
    if wait := services().mirror_probes.wait(request.access.owner):
        raise TooManyRequests(retry_after=wait)
    look = services().mirror_look(request.access)
    found = services().mirrors.probe(access=request.access, mirror=mirror, look=look)
    values = {"host": found.host, "verdict": words.verdict(found).text}
    return back(request, _("%(host)s: %(verdict)s") % values, PAGE)
