"""The next step for pods that cannot pull: a button where the console can help, else a command for kubectl."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from registries.domain.access import Access, Permission
from registries.domain.registry import Key, Provider, RegistrySecret, name_problem
from registries.domain.shown import shown_words
from registries.probe import Reason
from registries.pull_secrets.explain import Code, Explanation
from registries.pull_secrets.failing import FailingPod
from registries.pull_secrets.images import image_hosts
from registries.pull_secrets.kinds import Binding
from registries.pull_secrets.matching import DEFAULT_DOMAIN
from registries.pull_secrets.restart import ROLLED_OUT
from registries.service.pull_failures import Failure
from registries.web.responses import details_url
from registries.wiring import services

BUTTONS = 10
"""Restarts that one step offers."""
NAME_MAX = 255
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


def bindings_of(groups: list[list[Failure]], access: Access) -> Bindings:
    """Whether the default service accounts name the pull secrets that pods without any would need. Read together, as
    each takes a call to the cluster."""
    found = (it[0].explanation for it in groups if it[0].pod.account == DEFAULT_ACCOUNT)
    keys = dict.fromkeys(it.registry for it in found if it.registry and it.code is Code.NO_SECRET)
    known = [it for it in keys if services().index.known(access, it)]
    return services().pull_secrets.bindings(access=access, keys=known)


def step_for(failures: list[Failure], access: Access, bindings: Bindings) -> Step:
    """The one next step of failures with one explanation. `bindings` is of `bindings_of`."""
    first = failures[0]
    step = _step(first.pod, first.explanation, access, bindings)
    return _with_restarts(step, [it.pod for it in failures], access)


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
        hint %= {"name": shown_words(registry.username, NAME_MAX)}
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
    buttons = [
        (_restart_words(*target), _restart_url(pod)) for target, pod in islice(targets.items(), BUTTONS)
    ]
    return Step(hint=step.hint, restarts=tuple(buttons)) if buttons else step


def _restart_words(kind: str, name: str) -> str:
    text = _("Restart %(name)s") if kind in ROLLED_OUT else _("Re-create %(name)s")
    return text % {"name": name}


def _restart_url(pod: FailingPod) -> str:
    return reverse("registries:restart_pod", args=[pod.namespace, pod.name], query={"uid": pod.uid})


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
