"""The next step for pods that cannot pull: a button where the console can help, else a command for kubectl."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from registries.domain.access import Access, Permission
from registries.domain.registry import Key, Provider, RegistrySecret
from registries.domain.shown import shown_words
from registries.probe import Reason
from registries.pull_secrets.explain import Code, Explanation
from registries.pull_secrets.failing import FailingPod
from registries.pull_secrets.images import image_hosts
from registries.pull_secrets.kinds import Binding, is_object_name
from registries.pull_secrets.matching import DEFAULT_DOMAIN
from registries.pull_secrets.restart import ROLLED_OUT
from registries.service.pull_failures import Failure
from registries.web.responses import details_url
from registries.wiring import services

BUTTONS = 10
"""Restarts that one step offers."""
COMMANDS, UNFOLDED = 30, 3
"""Workloads whose commands a step has, and those that are not folded."""
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
STEPS = 5
"""Different steps for the workloads of one group."""
SHAPE = """| base64 -d | jq 'walk(if type == "object" or type == "array" then . else type end)'"""
"""Shows the keys of a Secret, and of each value its type alone."""
_WITH_TEMPLATE = (*ROLLED_OUT, "StatefulSet")
"""Workloads whose pod template can be changed."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next step: a link, a button that posts `fields` to `url`, or neither. `command` is for kubectl. `look` shows
    a Secret without its passwords, and `last` deletes it when nothing names it any more."""

    text: str = ""
    url: str = ""
    dialog: bool = False
    posts: bool = False
    fields: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    command: str = ""
    look: str = ""
    last: str = ""
    again: bool = False
    """Whether new pods alone are the step."""
    restarts: tuple[tuple[str, str], ...] = ()
    """Buttons that make pods again: (text, URL)."""
    commands: tuple[str, ...] = ()
    """The commands of all workloads, the one of `command` first."""
    more: int = 0
    """Workloads whose commands are left out."""

    @property
    def unfolded(self) -> tuple[str, ...]:
        return self.commands[:UNFOLDED]

    @property
    def folded(self) -> tuple[str, ...]:
        return self.commands[UNFOLDED:]


def bindings_of(groups: list[list[Failure]], access: Access) -> Bindings:
    """Whether the default service accounts name the pull secrets that pods without any would need. Read together, as
    each takes a call to the cluster."""
    found = (it[0].explanation for it in groups if any(one.pod.account == DEFAULT_ACCOUNT for one in it))
    keys = dict.fromkeys(it.registry for it in found if it.registry and it.code is Code.NO_SECRET)
    known = [it for it in keys if services().index.known(access, it)]
    return services().pull_secrets.bindings(access=access, keys=known)


def steps_for(failures: list[Failure], access: Access, bindings: Bindings) -> list[Step]:
    """The next step of failures with one explanation: one, unless their workloads differ in more than the command, for
    example in the service account. `bindings` is of `bindings_of`."""
    workloads: dict[tuple[object, ...], list[FailingPod]] = {}
    for it in failures:
        pod = it.pod
        owner = pod.owner if pod.owner[0] else ("", pod.name)
        workloads.setdefault((owner, pod.account, pod.secrets), []).append(pod)
    pods: dict[Step, list[FailingPod]] = {}
    commands: dict[Step, dict[str, None]] = {}
    for own in workloads.values():
        step = _step(own[0], failures[0].explanation, access, bindings)
        alike = replace(step, command="")
        pods.setdefault(alike, []).extend(own)
        commands.setdefault(alike, {}).update({step.command: None} if step.command else {})
    return [_whole(step, list(commands[step]), own, access) for step, own in islice(pods.items(), STEPS)]


def _whole(step: Step, commands: list[str], pods: list[FailingPod], access: Access) -> Step:
    """With the commands of its workloads, or the buttons instead of them."""
    shown = replace(
        step,
        command=next(iter(commands), ""),
        commands=tuple(commands[:COMMANDS]),
        more=len(commands[COMMANDS:]),
    )
    return _with_restarts(shown, pods, access)


def _step(pod: FailingPod, explanation: Explanation, access: Access, bindings: Bindings) -> Step:
    """The one next step. A button is offered only with its permission."""
    registry = services().index.known(access, explanation.registry) if explanation.registry else None
    if explanation.code is Code.SECRET_BROKEN:
        return _broken(pod, explanation, registry, access)
    if registry is not None:
        return _with_registry(pod, registry, explanation, access, bindings)
    if explanation.code in _NEEDS_CREDENTIAL and access.may(Permission.CREATE, pod.namespace):
        name = explanation.secret if explanation.code is Code.SECRET_MISSING else ""
        hint = _("The console then keeps a pull secret for it.")
        return Step(_("Add registry"), _add_url(pod, explanation.host, name), dialog=True, hint=hint)
    return Step(command=_kubectl(pod, "describe", "pod", pod.name))


def _add_url(pod: FailingPod, host: str, name: str = "") -> str:
    provider = Provider.DOCKERHUB if host == DEFAULT_DOMAIN else Provider.OTHER
    query = {"namespace": pod.namespace, "domain": host, "provider": provider.value}
    return reverse("registries:add", query={**query, **({"name": name} if name else {})})


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


def _broken(
    pod: FailingPod, explanation: Explanation, registry: RegistrySecret | None, access: Access
) -> Step:
    """A Secret of somebody else stops every pull. The workload names another one instead of it; it is deleted last, and
    first only where nothing else helps."""
    secret = explanation.secret
    if not is_object_name(secret):
        return Step(hint=_("Correct this Secret, or name another one in the workload."))
    delete = _kubectl(pod, "delete", "secret", secret)
    look = f"{_kubectl(pod, 'get', 'secret', secret, '-o', 'jsonpath={.data.*}')} {SHAPE}"
    if registry is not None and registry.name == secret:
        hint = _(
            "The console keeps a Secret of this name for %(name)s, and makes it again after its deletion."
        )
        return Step(hint=hint % {"name": registry.title}, command=delete, look=look)
    instead = _template(pod, [{"$patch": "delete", "name": secret}, *(_names(registry) if registry else ())])
    if not instead:
        hint = _("These pods cannot be changed. Delete the Secret, and add a registry with its name.")
        return Step(hint=hint, command=delete, look=look)
    if registry is not None:
        hint = _("The workload then names the pull secret %(name)s instead of this Secret.")
        opens = _open(registry), details_url(registry.key)
        hint %= {"name": registry.name}
        return Step(*opens, hint=hint, command=instead, look=look, last=delete)
    hint = _("A public image needs no Secret: take it out of the workload.")
    if not access.may(Permission.CREATE, pod.namespace):
        return Step(hint=hint, command=instead, look=look, last=delete)
    hint = _("For a private image. A public one needs no Secret: take it out of the workload.")
    url = _add_url(pod, explanation.host)
    return Step(_("Add registry"), url, dialog=True, hint=hint, command=instead, look=look, last=delete)


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
    return (
        replace(step, text="", url="", command="", commands=(), more=0, restarts=tuple(buttons))
        if buttons
        else step
    )


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
        patch = _json({"imagePullSecrets": _names(registry)})
        bind = _kubectl(pod, "patch", "serviceaccount", pod.account, "-p", patch)
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
    command = _template(pod, _names(registry))
    return Step(_open(registry), details_url(registry.key), hint=hint, command=command)


def _template(pod: FailingPod, names: list[dict[str, str]]) -> str:
    """The command that merges pull secrets into the template of a workload; "" for a pod without one."""
    kind, name = pod.owner
    if kind not in _WITH_TEMPLATE:
        return ""
    patch = _json({"spec": {"template": {"spec": {"imagePullSecrets": names}}}})
    command = _kubectl(pod, "patch", kind.lower(), name, "-p", patch)
    return command if kind in ROLLED_OUT else f"{command}\n{_restart(pod)}"


def _names(registry: RegistrySecret) -> list[dict[str, str]]:
    return [{"name": registry.name}]


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
