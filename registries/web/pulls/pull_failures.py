"""拉取故障 (pull failures): pods that cannot pull an image, with the reason and the next step."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from registries.domain.access import Access
from registries.domain.errors import Conflict, ConsoleError, NotFound, Problem
from registries.domain.registry import Key
from registries.domain.shown import shown_words
from registries.log_in.access import ConsoleRequest
from registries.pull_secrets.explain import Code, Explanation
from registries.pull_secrets.failing import Phase
from registries.service.pull_failures import Failure
from registries.web.pulls.pull_steps import accounts_of, steps_for
from registries.web.pulls.step import Accounts, Step
from registries.web.responses import back, dialog, is_htmx, part_of_page
from registries.wiring import services
from registries.words.labels import Label
from registries.words.names import named
from registries.words.problems import error_text, problem_text
from registries.words.pull_failures import LABELS, reason

SHOWN, GROUPS = 50, 100
"""Pods of a group, and groups; the rest are counted."""
UNREAD_SHOWN = 10
PULSE = 30_000
"""Milliseconds until an open page reads the pods again (failures.js)."""
NAME_MAX, IMAGE_MAX, MESSAGE_MAX = 255, 255, 600
POD_OVER = gettext_lazy(
    "The pod %(name)s was replaced or deleted, or it no longer waits for its image. Nothing was restarted."
)
_PER_IMAGE = frozenset(
    {
        Code.DENIED,
        Code.IMAGE_MISSING,
        Code.PLATFORM_MISSING,
        Code.NOT_AN_IMAGE,
        Code.INVALID_NAME,
        Code.NEVER_PULLED,
        Code.SIGNATURE,
    }
)


@dataclass(frozen=True, slots=True)
class Group:
    """Pods of one namespace with one explanation. `more` are those that are not shown."""

    namespace: str
    label: Label
    reason: str
    certain: bool
    image: str
    images: int
    """Further images."""
    message: str
    pods: list[tuple[str, list[str]]]
    """Each with its containers."""
    count: int
    more: int
    steps: list[Step]


@part_of_page(parameter="count")
@require_safe
def pull_failures(request: ConsoleRequest) -> HttpResponse:
    """The page; for htmx, the part that a filter changes. `namespace` and `registry` narrow it; `running` looks into
    running pods; `count` gives the line for the details page. NotFound without a cluster."""
    access = request.access
    namespace, name = request.GET.get("namespace", ""), request.GET.get("registry", "")
    phase = Phase.RUNNING if request.GET.get("running") == "1" else Phase.PENDING
    if not services().pull_failures.available:
        raise NotFound(request.path, Problem.NO_PULL_SECRETS)
    found = services().pull_failures.find(access=access, namespace=namespace, phase=phase)
    items = [it for it in found.items if not name or it.explanation.registry == Key(namespace, name)]
    grouped = _grouped(items)
    accounts = accounts_of(grouped[:GROUPS], request.acting_access)
    context: dict[str, Any] = {
        "namespace": namespace,
        "namespaces": services().index.namespaces(access=access),
        "registry": shown_words(name, IMAGE_MAX),
        "running": phase is Phase.RUNNING,
        "pulse_every": PULSE,
        "pods": len({(it.pod.namespace, it.pod.name) for it in items}),
        "groups": [_group(it, request.acting_access, accounts) for it in grouped[:GROUPS]],
        "more": found.more or len(grouped) > GROUPS,
        "unread": found.unread[:UNREAD_SHOWN],
        "unread_more": len(found.unread[UNREAD_SHOWN:]),
        "unread_all": len(found.unread),
        "problem": problem_text(found.problem) if found.problem else "",
    }
    part = "pulls/_pull_failures.html" if is_htmx(request) else "pulls/pull_failures.html"
    return render(request, "pulls/_pull_failures_count.html" if "count" in request.GET else part, context)


def _grouped(items: Iterable[Failure]) -> list[list[Failure]]:
    """The failures with one explanation together, the largest groups first."""
    groups: dict[tuple[str, Explanation, str], list[Failure]] = {}
    for it in items:
        image = it.waiting.image if it.explanation.code in _PER_IMAGE else ""
        groups.setdefault((it.pod.namespace, it.explanation, image), []).append(it)
    return sorted(groups.values(), key=lambda group: -len(group))


def _group(failures: list[Failure], access: Access, accounts: Accounts) -> Group:
    first, explanation = failures[0], failures[0].explanation
    pods: dict[str, list[str]] = {}
    for it in failures:
        pods.setdefault(it.pod.name, []).append(it.waiting.container)
    told = next((it.waiting.message for it in failures if it.waiting.message), "")
    return Group(
        namespace=first.pod.namespace,
        label=LABELS[explanation.code],
        reason=reason(explanation),
        certain=explanation.certain or explanation.code is Code.UNKNOWN,
        image=shown_words(first.waiting.image, IMAGE_MAX),
        images=len({it.waiting.image for it in failures}) - 1,
        message=shown_words(told, MESSAGE_MAX),
        pods=list(islice(pods.items(), SHOWN)),
        count=len(pods),
        more=max(0, len(pods) - SHOWN),
        steps=steps_for(failures, access, accounts),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def restart_pod(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The dialog that restarts the workload of a failing pod, or the page after it. `uid` is the pod's."""
    service, pod, problem, status = services().pull_failures, Key(namespace, name), "", 200
    is_over = False
    services().index.require_namespace(request.access, namespace)
    if not service.may_restart(request.access):
        raise NotFound(request.path)
    uid = (request.POST if request.method == "POST" else request.GET).get("uid", "")
    if request.method == "POST":
        try:
            restarted = service.restart(access=request.access, pod=pod, uid=uid)
            text = _("Restarted %(name)s") % {"name": "/".join(restarted)}
            return back(request, text, "registries:pull_failures", query={"namespace": namespace})
        except ConsoleError as error:
            if error.code == Problem.SESSION_ENDED:
                raise
            is_over = isinstance(error, NotFound | Conflict)
            over = named({"name": shown_words(name, NAME_MAX)}, POD_OVER)
            problem, status = over if is_over else error_text(error), 409
    title = _("Restart the workload")
    target = ("", "", 0) if problem else service.restart_target(access=request.access, pod=pod, uid=uid)
    context = {"title": title, "name": name, "uid": uid, "problem": problem, "is_over": is_over}
    context |= dict(zip(("kind", "workload", "pods"), target, strict=True))
    context["back"] = reverse("registries:pull_failures", query={"namespace": namespace})
    return dialog(request, "pulls/_restart_pod.html", context, status=status, title=title)
