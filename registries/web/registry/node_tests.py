"""从节点测试 (test from a node): a dialog of the details page, for people of the cluster who may create Pods."""

from dataclasses import replace
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from registries.domain.access import Access
from registries.domain.errors import Forbidden, Invalid, TooManyRequests
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.pull_secrets.matching import read_image
from registries.pull_secrets.node_test import AT_ONCE, NodeVerdict, Outcome, one_per_group
from registries.web.forms import CauseForm
from registries.web.responses import details_url, dialog, part_of_page
from registries.wiring import services
from registries.words import labels, providers
from registries.words.node_tests import NodeResult, node_result
from registries.words.problems import error_text

NODES_OFFERED, GROUPS_SHOWN = 500, 50
_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "class": "mono"}


class NodeTestForm(CauseForm):
    """The node that pulls, or one of each group, and the repository that it asks for."""

    node = forms.CharField(
        label=gettext_lazy("Node"),
        widget=forms.TextInput({**_PLAIN, "list": "nodes", "maxlength": "253"}),
        help_text=gettext_lazy("To see the names: kubectl get nodes"),
    )
    groups = forms.MultipleChoiceField(label=gettext_lazy("Nodes"))
    repository = forms.CharField(
        label=gettext_lazy("Repository"),
        widget=forms.TextInput({**_PLAIN, "list": "repositories", "maxlength": "200"}),
        help_text=gettext_lazy("A repository that the account may pull, without host and tag."),
    )


@part_of_page(parameter="link")
@require_http_methods(["GET", "HEAD", "POST"])
def node_test(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The dialog; posting `node` and `repository` begins a test. `link` gives the button for the details page, or
    nothing."""
    access, key = request.access, Key(namespace, name)
    if "link" in request.GET:
        if not services().node_tests.offered(access=access, key=key):
            return HttpResponse()
        return render(request, "registry/_node_test_link.html", {"url": f"{details_url(key)}node/"})
    registry = services().registries.find(access=access, key=key)
    nodes = services().node_tests.nodes(access=access, key=key)
    groups = one_per_group(nodes)
    several = len(groups) > 1 and request.POST.get("scope") == "groups"
    repositories = _repositories(access, registry)
    initial = {"repository": next(iter(repositories), "")}
    form, tests = NodeTestForm(request.POST or None, initial=initial), dict[str, str]()
    sample = providers.PRESETS[registry.provider].sample_path
    form.fields["repository"].widget.attrs["placeholder"] = sample.partition(":")[0]
    if request.method == "POST":
        tests = _begin(request, key, form, several=several)
    status = 422 if request.method == "POST" and not tests else 200
    checked = request.POST.getlist("groups") if several else [it.name for it in groups[:AT_ONCE]]
    context: dict[str, Any] = {
        "form": form,
        "registry": registry,
        "nodes": nodes[:NODES_OFFERED],
        "groups": [(it, it.name in checked) for it in groups[:GROUPS_SHOWN]] if len(groups) > 1 else (),
        "groups_more": len(groups[GROUPS_SHOWN:]),
        "at_once": AT_ONCE if len(groups) > AT_ONCE else 0,
        "chosen": len(checked) if several and len(checked) > AT_ONCE else 0,
        "several": several,
        "repositories": repositories,
        "back": details_url(key),
        "tests": [(test, it, _waiting(it, registry)) for test, it in tests.items()],
        "waiting": True,
        **_of_console(registry),
    }
    return dialog(request, "registry/_node_test.html", context, status=status, title=_("Test from a node"))


def _begin(request: ConsoleRequest, key: Key, form: NodeTestForm, *, several: bool) -> dict[str, str]:
    """The tests that began, with the node of each; {} with the reason in the form."""
    typed = {name: it.strip() for name, it in form.typed().items()}
    nodes = list(dict.fromkeys(request.POST.getlist("groups") if several else [typed["node"]]))
    try:
        begun = services().node_tests.begin(
            access=request.access, key=key, nodes=nodes, repository=typed["repository"]
        )
    except Invalid as error:
        field = "groups" if several else "node"
        form.add_causes(replace(it, field=field) if it.field == "node" else it for it in error.causes)
    except (Forbidden, TooManyRequests) as error:
        form.add_error(None, error_text(error))
    else:
        return dict(zip(begun, nodes, strict=True))
    return {}


def _waiting(node: str, registry: RegistrySecret) -> NodeResult:
    return node_result(NodeVerdict(Outcome.WAITING, node), registry)


def _of_console(registry: RegistrySecret) -> dict[str, Any]:
    """The last verdict of the console, for the templates."""
    reason = labels.reason(registry.verification.reason)
    stale = registry.verification.is_stale(timezone.now())
    return {"console": labels.status(registry), "console_reason": reason, "stale": stale}


def _repositories(access: Access, registry: RegistrySecret) -> list[str]:
    """Of the probe image, and of the images that pods of the namespace run from the registry."""
    images = [registry.probe_image, *(services().images.of_pods(access=access, key=registry.key) or ())]
    return list(dict.fromkeys(it.repository for it in map(read_image, images) if it))


@require_safe
def progress(request: ConsoleRequest, namespace: str, name: str, test: str) -> HttpResponse:
    """The verdict of a test beside that of the console, which `several` leaves out. It polls until there is one."""
    access, key = request.access, Key(namespace, name)
    registry = services().registries.find(access=access, key=key)
    found = services().node_tests.look(access=access, key=key, test=test)
    context = {
        "registry": registry,
        "test": test,
        "waiting": found.outcome is Outcome.WAITING,
        "result": node_result(found, registry),
        "several": "several" in request.GET,
        **_of_console(registry),
    }
    return render(request, "registry/_node_verdict.html", context)
