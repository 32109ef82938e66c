"""从节点测试 (test from a node): a dialog of the details page, for people of the cluster who may create Pods."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from registries.domain.access import Access
from registries.domain.errors import Forbidden, Invalid, TooManyRequests
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.pull_secrets.matching import read_image
from registries.pull_secrets.node_test import NodeVerdict, Outcome
from registries.web.forms import CauseForm
from registries.web.responses import details_url, dialog
from registries.wiring import services
from registries.words import labels, presets
from registries.words.node_tests import node_result
from registries.words.problems import error_text

_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "class": "mono"}


class NodeTestForm(CauseForm):
    """The node that pulls, and the repository that it asks for."""

    node = forms.CharField(
        label=gettext_lazy("Node"), widget=forms.TextInput({**_PLAIN, "list": "nodes", "maxlength": "253"})
    )
    repository = forms.CharField(
        label=gettext_lazy("Repository"),
        widget=forms.TextInput({**_PLAIN, "list": "repositories", "maxlength": "200"}),
        help_text=gettext_lazy("One that the account may pull, without host and tag. Nothing is downloaded."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def node_test(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The dialog; posting `node` and `repository` begins a test. `link` gives the button for the details page, or
    nothing."""
    access, key = request.access, Key(namespace, name)
    if "link" in request.GET:
        if not services().node_tests.offered(access=access, key=key):
            return HttpResponse()
        return render(request, "registries/_node_test_link.html", {"url": f"{details_url(key)}node/"})
    registry = services().registries.find(access=access, key=key)
    nodes = services().node_tests.nodes(access=access, key=key)
    repositories = _repositories(access, registry)
    initial = {"repository": next(iter(repositories), "")}
    form, test, status = NodeTestForm(request.POST or None, initial=initial), "", 200
    sample = presets.PRESETS[registry.provider].sample_path
    form.fields["repository"].widget.attrs["placeholder"] = sample.partition(":")[0]
    if request.method == "POST":
        typed = {name: it.strip() for name, it in form.typed().items()}
        try:
            test = services().node_tests.begin(access=access, key=key, **typed)
        except Invalid as error:
            form.add_causes(error.causes)
        except (Forbidden, TooManyRequests) as error:
            form.add_error(None, error_text(error))
        status = 200 if test else 422
    context: dict[str, Any] = {
        "form": form,
        "registry": registry,
        "nodes": nodes,
        "repositories": repositories,
        "back": details_url(key),
    }
    if test:
        waiting = NodeVerdict(Outcome.WAITING, form.typed()["node"].strip())
        context |= {"test": test, "result": node_result(waiting, registry), "waiting": True}
    return dialog(request, "registries/_node_test.html", context, status=status, title=_("Test from a node"))


def _repositories(access: Access, registry: RegistrySecret) -> list[str]:
    """Of the probe image, and of the images that pods of the namespace run from the registry."""
    images = [registry.probe_image, *services().images.of_pods(access=access, key=registry.key)]
    return list(dict.fromkeys(it.repository for it in map(read_image, images) if it))


@require_safe
def progress(request: ConsoleRequest, namespace: str, name: str, test: str) -> HttpResponse:
    """The verdict of a test beside that of the console. It polls until there is one."""
    access, key = request.access, Key(namespace, name)
    registry = services().registries.find(access=access, key=key)
    found = services().node_tests.look(access=access, key=key, test=test)
    context = {
        "registry": registry,
        "test": test,
        "waiting": found.outcome is Outcome.WAITING,
        "result": node_result(found, registry),
        "console": labels.status(registry),
        "console_reason": labels.reason(registry.verification.reason),
    }
    return render(request, "registries/_node_verdict.html", context)
