"""拉取故障 (pull failures): pods that cannot pull an image, with the reason and the next step."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registries.domain.access import Access, Permission
from registries.domain.errors import ConsoleError, NotFound, Problem
from registries.domain.registry import Key, Provider, RegistrySecret, name_problem
from registries.domain.shown import shown_words
from registries.log_in.access import ConsoleRequest
from registries.probe import Reason
from registries.pull_secrets.explain import Code, Explanation
from registries.pull_secrets.failing import FailingPod, Phase
from registries.pull_secrets.images import image_hosts
from registries.pull_secrets.kinds import Binding
from registries.pull_secrets.matching import DEFAULT_DOMAIN
from registries.pull_secrets.restart import ROLLED_OUT
from registries.service.pull_failures import Failure
from registries.web.responses import back, details_url, dialog, is_htmx
from registries.wiring import services
from registries.words.labels import Label
from registries.words.problems import error_text, problem_text
from registries.words.pull_failures import LABELS, reason

SHOWN, GROUPS = 10, 100
"""Pods of a group, and groups; the rest are counted."""
UNREAD_SHOWN = 10
IMAGE_MAX, MESSAGE_MAX = 255, 600
_PER_IMAGE = frozenset(
    {
        Code.DENIED,
        Code.IMAGE_MISSING,
        Code.PLATFORM_MISSING,
        Code.INVALID_NAME,
        Code.NEVER_PULLED,
        Code.SIGNATURE,
    }
)
_NEEDS_CREDENTIAL = frozenset(
    {
        Code.NO_SECRET,
        Code.SECRET_MISSING,
        Code.SECRET_TYPE,
        Code.SECRET_UNREAD,
        Code.NO_MATCH,
        Code.CREDENTIAL_FOREIGN,
    }
)
DEFAULT_ACCOUNT = "default"
Bindings = Mapping[Key, Binding]
_WITH_TEMPLATE = (*ROLLED_OUT, "StatefulSet")
"""Workloads whose pod template can be changed."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next step: a link, a button that posts `fields` to `url`, or neither. `command` is for kubectl."""

    text: str = ""
    url: str = ""
    dialog: bool = False
    posts: bool = False
    fields: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    command: str = ""
    again: bool = False
    """Whether new pods alone are the step."""
    restarts: tuple[tuple[str, str], ...] = ()
    """Buttons that make pods again: (text, URL)."""


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
    pods: list[tuple[str, str]]
    """(pod, container)"""
    count: int
    more: int
    step: Step


@require_safe
def pull_failures(request: ConsoleRequest) -> HttpResponse:
    """The page; for htmx, the part that a filter changes. `namespace` and `registry` narrow it; `running` looks into
    running pods; `count` gives the line for the details page. NotFound without a cluster."""
    access = request.access
    namespace, name = request.GET.get("namespace", ""), request.GET.get("registry", "")
    phase = Phase.RUNNING if request.GET.get("running") == "1" else Phase.PENDING
    if not services().pull_failures.available:
        raise NotFound(request.path)
    found = services().pull_failures.find(access=access, namespace=namespace, phase=phase)
    items = [it for it in found.items if not name or it.explanation.registry == Key(namespace, name)]
    grouped = _grouped(items)
    bindings = _bindings(grouped[:GROUPS], request.acting_access)
    context: dict[str, Any] = {
        "namespace": namespace,
        "namespaces": services().index.namespaces(access=access),
        "registry": shown_words(name, IMAGE_MAX),
        "running": phase is Phase.RUNNING,
        "pods": len({(it.pod.namespace, it.pod.name) for it in items}),
        "groups": [_group(it, request.acting_access, bindings) for it in grouped[:GROUPS]],
        "more": found.more or len(grouped) > GROUPS,
        "unread": found.unread[:UNREAD_SHOWN],
        "unread_more": len(found.unread[UNREAD_SHOWN:]),
        "problem": problem_text(found.problem) if found.problem else "",
    }
    part = "registries/_pull_failures.html" if is_htmx(request) else "registries/pull_failures.html"
    return render(
        request, "registries/_pull_failures_count.html" if "count" in request.GET else part, context
    )


def _grouped(items: Iterable[Failure]) -> list[list[Failure]]:
    """The failures with one explanation together, the largest groups first."""
    groups: dict[tuple[str, Explanation, str], list[Failure]] = {}
    for it in items:
        image = it.waiting.image if it.explanation.code in _PER_IMAGE else ""
        groups.setdefault((it.pod.namespace, it.explanation, image), []).append(it)
    return sorted(groups.values(), key=lambda group: -len(group))


def _bindings(groups: list[list[Failure]], access: Access) -> Bindings:
    """Whether the default service accounts name the pull secrets that pods without any would need. Read together, as
    each takes a call to the cluster."""
    found = (it[0].explanation for it in groups if it[0].pod.account == DEFAULT_ACCOUNT)
    keys = dict.fromkeys(it.registry for it in found if it.registry and it.code is Code.NO_SECRET)
    known = [it for it in keys if services().index.known(access, it)]
    return services().pull_secrets.bindings(access=access, keys=known)


def _group(failures: list[Failure], access: Access, bindings: Bindings) -> Group:
    first, explanation = failures[0], failures[0].explanation
    told = next((it.waiting.message for it in failures if it.waiting.message), "")
    return Group(
        namespace=first.pod.namespace,
        label=LABELS[explanation.code],
        reason=reason(explanation),
        certain=explanation.certain or explanation.code is Code.UNKNOWN,
        image=shown_words(first.waiting.image, IMAGE_MAX),
        images=len({it.waiting.image for it in failures}) - 1,
        message=shown_words(told, MESSAGE_MAX),
        pods=[(it.pod.name, it.waiting.container) for it in failures[:SHOWN]],
        count=len(failures),
        more=len(failures[SHOWN:]),
        step=_with_restarts(
            _step(first.pod, explanation, access, bindings), [it.pod for it in failures], access
        ),
    )


def _step(pod: FailingPod, explanation: Explanation, access: Access, bindings: Bindings) -> Step:
    """The one next step. A button is offered only with its permission."""
    registry = services().index.known(access, explanation.registry) if explanation.registry else None
    if explanation.code is Code.SECRET_BROKEN:
        return _broken(pod, explanation.secret, registry)
    if registry is not None:
        return _with_registry(pod, registry, explanation, access, bindings)
    if explanation.code in _NEEDS_CREDENTIAL and access.may(Permission.CREATE, pod.namespace):
        provider = Provider.DOCKERHUB if explanation.host == DEFAULT_DOMAIN else Provider.OTHER
        query = {"namespace": pod.namespace, "domain": explanation.host, "provider": provider.value}
        if explanation.code is Code.SECRET_MISSING:
            query["name"] = explanation.secret
        hint = _("The console then keeps a pull secret for it.")
        return Step(_("Add registry"), reverse("registries:add", query=query), dialog=True, hint=hint)
    return Step(command=_kubectl(pod, "describe", "pod", pod.name))


def _with_registry(
    pod: FailingPod,
    registry: RegistrySecret,
    explanation: Explanation,
    access: Access,
    bindings: Bindings,
) -> Step:
    names, code = [registry.namespace, registry.name], explanation.code
    may = access.may(Permission.CREATE, pod.namespace)
    if code is Code.NO_MATCH and explanation.host not in image_hosts(registry.address):
        hint = _("Its address differs from the host of the image.")
        if may and access.may(Permission.DELETE, pod.namespace):
            url = reverse("registries:correct", args=names)
            return Step(_("Correct and create again"), url, dialog=True, hint=hint)
        return Step(_open(registry), details_url(registry.key), hint=hint)
    if code in _NEEDS_CREDENTIAL:
        if code is not Code.NO_SECRET:
            return _named(pod, registry)
        return _bind(pod, registry, access, bindings.get(registry.key))
    if code is Code.CREDENTIAL_BAD and may and _needs_password(registry):
        hint = _("The registry refuses the user name %(name)s or its password.")
        hint %= {"name": shown_words(registry.username, IMAGE_MAX)}
        return Step(
            _("Change the password"), reverse("registries:password", args=names), dialog=True, hint=hint
        )
    if code is Code.CREDENTIAL_OLD and access.may(Permission.TEST, pod.namespace):
        url = reverse("registries:verify", args=names)
        return Step(
            _("Test connection"), url, posts=True, hint=_("The test shows whether the password is wrong.")
        )
    return Step(_open(registry), details_url(registry.key))


def _broken(pod: FailingPod, secret: str, registry: RegistrySecret | None) -> Step:
    """A Secret of somebody else: only they can repair it."""
    if registry is not None:
        hint = _("Delete this Secret. The console then makes it again for %(name)s.") % {
            "name": registry.title
        }
    else:
        hint = _("Correct this Secret, or delete it and add a registry with the same name.")
    command = _kubectl(pod, "delete", "secret", secret) if name_problem(secret) is None else ""
    return Step(hint=hint, command=command)


def _open(registry: RegistrySecret) -> str:
    return _("Open %(name)s") % {"name": registry.title}


def _with_restarts(step: Step, pods: list[FailingPod], access: Access) -> Step:
    """Buttons instead of a command that restarts, for a person in whose name it can be done."""
    if not step.again or not services().pull_failures.may_restart(access):
        return step
    targets: dict[tuple[str, str], FailingPod] = {}
    for pod in pods:
        if pod.owner[0]:
            targets.setdefault(pod.owner if pod.owner[0] in ROLLED_OUT else ("Pod", pod.name), pod)
    buttons = [(_restart_words(*target), _restart_url(pod)) for target, pod in islice(targets.items(), SHOWN)]
    return Step(hint=step.hint, restarts=tuple(buttons)) if buttons else step


def _restart_words(kind: str, name: str) -> str:
    text = _("Restart %(name)s") if kind in ROLLED_OUT else _("Re-create %(name)s")
    return text % {"name": name}


def _restart_url(pod: FailingPod) -> str:
    return reverse("registries:restart_pod", args=[pod.namespace, pod.name], query={"uid": pod.uid})


@require_http_methods(["GET", "HEAD", "POST"])
def restart_pod(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The dialog that restarts the workload of a failing pod, or the page after it. `uid` is the pod's."""
    service, pod, problem, status = services().pull_failures, Key(namespace, name), "", 200
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
            problem, status = error_text(error), 409
    title = _("Create the pods again")
    context = {"title": title, "name": name, "uid": uid, "problem": problem}
    context["back"] = reverse("registries:pull_failures", query={"namespace": namespace})
    return dialog(request, "registries/_restart_pod.html", context, status=status, title=title)


def _needs_password(registry: RegistrySecret) -> bool:
    return registry.verification.reason in (
        Reason.BAD_CREDENTIALS,
        Reason.CREDENTIALS_EXPIRED,
        Reason.PAT_REQUIRED,
    )


def _bind(pod: FailingPod, registry: RegistrySecret, access: Access, binding: Binding | None) -> Step:
    """New pods of a service account get its pull secrets, if they name none themselves."""
    restart, opens = _restart(pod), (_open(registry), details_url(registry.key))
    if pod.account != DEFAULT_ACCOUNT:
        bind = _kubectl(pod, "patch", "serviceaccount", pod.account, "-p", _json(_naming(registry)))
        hint = _("Bind it to the service account %(name)s. Only new pods use it.") % {"name": pod.account}
        return Step(*opens, hint=hint, command=f"{bind}\n{restart}".strip())
    if binding is Binding.BOUND:
        hint = _("It is bound to the default service account. These pods are older: restart the workload.")
        if not restart:
            hint = _(
                "It is bound to the default service account. This pod is older: delete and create it again."
            )
        return Step(*opens, hint=hint, command=restart, again=True)
    if binding is Binding.UNBOUND and access.may(Permission.CREATE, pod.namespace):
        hint = _("The default service account then names it. Only new pods use it: restart the workload.")
        url = reverse("registries:pull_secret", args=[registry.namespace, registry.name])
        fields = (("uid", registry.uid), ("bound", "1"), ("from", "pull-failures"))
        text = _("Bind %(name)s") % {"name": registry.name}
        return Step(text, url, posts=True, fields=fields, hint=hint, command=restart)
    return _named(pod, registry)


def _named(pod: FailingPod, registry: RegistrySecret) -> Step:
    """The workload names the pull secret beside those that it has."""
    if registry.name in pod.secrets:
        return Step(_open(registry), details_url(registry.key))
    hint = _("Name the pull secret %(name)s in the workload.") % {"name": registry.name}
    kind, name = pod.owner
    command = ""
    if kind in _WITH_TEMPLATE:
        patch = _json({"spec": {"template": {"spec": _naming(registry)}}})
        command = _kubectl(pod, "patch", kind.lower(), name, "-p", patch)
        if kind not in ROLLED_OUT:
            command += f"\n{_restart(pod)}"
    return Step(_open(registry), details_url(registry.key), hint=hint, command=command)


def _naming(registry: RegistrySecret) -> dict[str, Any]:
    return {"imagePullSecrets": [{"name": registry.name}]}


def _json(patch: dict[str, Any]) -> str:
    return json.dumps(patch, separators=(",", ":"))


def _restart(pod: FailingPod) -> str:
    """The command; "" for a pod that nothing makes again."""
    kind, name = pod.owner
    if kind in ROLLED_OUT:
        return _kubectl(pod, "rollout", "restart", f"{kind.lower()}/{name}")
    return _kubectl(pod, "delete", "pod", pod.name) if kind else ""


def _kubectl(pod: FailingPod, *words: str) -> str:
    return shlex.join(["kubectl", "-n", pod.namespace, *words])
