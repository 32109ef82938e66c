"""The next step for pods that cannot pull: a button where the console can help, else a command for kubectl."""

from dataclasses import replace
from itertools import islice

from django.urls import reverse
from django.utils.translation import gettext as _

from registries.domain.access import Access, Permission
from registries.domain.registry import Key, Provider, RegistrySecret
from registries.domain.shown import shown_words
from registries.probe import Reason
from registries.pull_secrets.explain import Code, Explanation
from registries.pull_secrets.failing import NODE, ROLLED_OUT, FailingPod
from registries.pull_secrets.images import image_hosts
from registries.pull_secrets.kinds import Binding, is_object_name
from registries.pull_secrets.matching import DEFAULT_DOMAIN
from registries.service.pull_failures import Failure
from registries.web.pulls.pod_commands import change_hint, change_of, has_list_of_account, restart_of
from registries.web.pulls.step import (
    BARE,
    Accounts,
    Step,
    change_account,
    delete_secret,
    kubectl,
    look_at,
)
from registries.web.responses import details_url
from registries.wiring import services
from registries.words.names import named
from registries.words.pull_failures import NEXT

BUTTONS = 10
"""Restarts that one step offers."""
ACCOUNTS = 20
"""Service accounts that are read. Each takes a call to the cluster."""
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
_MAY_BE_OF_ACCOUNT = _NEEDS_CREDENTIAL - {Code.NO_SECRET} | {Code.SECRET_BROKEN}
_NEEDS_TEST = (Code.CREDENTIAL_UNTESTED, Code.CREDENTIAL_OLD, Code.CREDENTIAL_UNPROVEN)
_NEEDS_PASSWORD = (Reason.BAD_CREDENTIALS, Reason.CREDENTIALS_EXPIRED, Reason.PAT_REQUIRED)
DEFAULT_ACCOUNT = "default"
STEPS = 5
"""Different steps for the workloads of one group."""


def accounts_of(groups: list[list[Failure]], access: Access) -> Accounts:
    """The service accounts of pods without a pull secret that they need, or with one that is broken or not enough. Read
    together, as each takes a call to the cluster."""
    found = (it[0].explanation for it in groups if any(one.pod.account == DEFAULT_ACCOUNT for one in it))
    keys = dict.fromkeys(it.registry for it in found if it.registry and it.code is Code.NO_SECRET)
    known = [it for it in keys if services().index.known(access, it)]
    pods = (it.pod for group in groups for it in group if it.explanation.code in _MAY_BE_OF_ACCOUNT)
    accounts = list(islice(dict.fromkeys(Key(it.namespace, it.account) for it in pods), ACCOUNTS))
    use = services().pull_secrets
    return Accounts(use.bindings(access=access, keys=known), use.of_accounts(access=access, keys=accounts))


def steps_for(failures: list[Failure], access: Access, accounts: Accounts) -> list[Step]:
    """The next step of failures with one explanation: one, unless their workloads differ in more than the command, for
    example in the service account. `accounts` is of `accounts_of`."""
    workloads: dict[tuple[object, ...], list[FailingPod]] = {}
    for it in failures:
        pod = it.pod
        owner = pod.owner if pod.owner[0] else ("", pod.name)
        workloads.setdefault((owner, pod.account, pod.secrets), []).append(pod)
    pods: dict[Step, list[FailingPod]] = {}
    commands: dict[Step, dict[str, None]] = {}
    for own in workloads.values():
        step = _step(own[0], failures[0].explanation, access, accounts)
        alike = replace(step, command="")
        pods.setdefault(alike, []).extend(own)
        commands.setdefault(alike, {}).update({step.command: None} if step.command else {})
    return [
        _with_restarts(step.with_commands(list(commands[step])), own, access)
        for step, own in islice(pods.items(), STEPS)
    ]


def _step(pod: FailingPod, explanation: Explanation, access: Access, accounts: Accounts) -> Step:
    """The one next step. A button is offered only with its permission."""
    registry = services().index.known(access, explanation.registry) if explanation.registry else None
    if pod.owner[0] == NODE and explanation.code in _NEEDS_CREDENTIAL:
        hint = _(
            "A static pod cannot use a pull secret: its kubelet makes it from a file on the node. Put the credential"
            " on the node, in the configuration of the kubelet (`/var/lib/kubelet/config.json`) or of the runtime."
        )
        return Step(hint=named({}, hint))
    if explanation.code in _NEEDS_CREDENTIAL and explanation.host != explanation.host.lower():
        hint = _(
            "Write the host of the image in small letters in the workload. The pull secrets of the console have it in"
            " small letters, and nodes compare names exactly."
        )
        return Step(hint=hint)
    if explanation.code in NEXT:
        return Step(hint=named({}, NEXT[explanation.code]))
    if explanation.code is Code.SECRET_BROKEN:
        return _broken(pod, explanation, registry, access, accounts)
    if registry is not None:
        return _with_registry(pod, registry, explanation, access, accounts)
    if explanation.code in _NEEDS_CREDENTIAL and access.may(Permission.CREATE, pod.namespace):
        name = explanation.secret if explanation.code is Code.SECRET_MISSING else ""
        hint = _("The console then keeps a pull secret for the registry.")
        return Step(_("Add registry"), _add_url(pod, explanation.host, name), dialog=True, hint=hint)
    return Step(command=kubectl(pod.namespace, "describe", "pod", pod.name))


def _add_url(pod: FailingPod, host: str, name: str = "") -> str:
    provider = Provider.DOCKERHUB if host == DEFAULT_DOMAIN else Provider.OTHER
    query = {"namespace": pod.namespace, "domain": host, "provider": provider.value}
    return reverse("registries:add", query={**query, **({"name": name} if name else {})})


def _with_registry(
    pod: FailingPod,
    registry: RegistrySecret,
    explanation: Explanation,
    access: Access,
    accounts: Accounts,
) -> Step:
    names, code = [registry.namespace, registry.name], explanation.code
    may = access.may(Permission.CREATE, pod.namespace)
    if code is Code.NO_MATCH and explanation.host not in image_hosts(registry.address):
        differs = {"name": registry.name, "host": shown_words(explanation.host, NAME_MAX)}
        if may and access.may(Permission.DELETE, pod.namespace):
            hint = _("Change the address of the registry %(name)s to %(host)s, or add a registry for it.")
            url = reverse("registries:correct", args=names)
            return Step(_("Correct and create again"), url, dialog=True, hint=named(differs, hint))
        hint = _("The address of the registry %(name)s is not the host of the image, %(host)s.")
        return Step(_open(registry), details_url(registry.key), hint=named(differs, hint))
    if code in _NEEDS_CREDENTIAL:
        if code is not Code.NO_SECRET:
            return _named(pod, registry, accounts)
        return _bind(pod, registry, access, accounts.bindings.get(registry.key))
    if code is Code.CREDENTIAL_BAD and may and registry.verification.reason in _NEEDS_PASSWORD:
        hint = _("The registry refuses the user name %(name)s or its password.")
        hint = named({"name": shown_words(registry.username, NAME_MAX)}, hint)
        return Step(
            _("Change the password"), reverse("registries:password", args=names), dialog=True, hint=hint
        )
    if code in _NEEDS_TEST and access.may(Permission.TEST, pod.namespace):
        url = reverse("registries:verify", args=names)
        return Step(
            _("Test connection"), url, posts=True, hint=_("The test shows whether the password is wrong.")
        )
    return Step(_open(registry), details_url(registry.key))


def _broken(
    pod: FailingPod,
    explanation: Explanation,
    registry: RegistrySecret | None,
    access: Access,
    accounts: Accounts,
) -> Step:
    """A Secret of somebody else stops every pull. The service account or the workload names another one instead of it;
    it is deleted last, and first only where nothing else helps."""
    secret = explanation.secret
    if not is_object_name(secret):
        return Step(hint=_("Correct this Secret, or name another one in the workload."))
    delete, look = delete_secret(pod.namespace, secret), look_at(pod.namespace, secret)
    if registry is not None and registry.name == secret:
        hint = _(
            "The console keeps a Secret of this name for %(name)s, and makes it again after its deletion."
        )
        return Step(hint=named({"name": registry.name}, hint), command=delete, look=look)
    instead, of_account = _instead(pod, secret, registry, accounts)
    if not instead:
        hint = _("These pods cannot be changed. Delete the Secret, and add a registry with its name.")
        return Step(hint=hint, command=delete, look=look)
    step = Step(command=instead, look=look, last=delete)
    if registry is not None:
        hint = _("Let each workload use the pull secret %(name)s instead of this Secret.")
        if of_account:
            hint = _(
                "Let the service account %(account)s use the pull secret %(name)s instead of this Secret."
            )
        hint = named({"name": registry.name, "account": pod.account}, hint)
        return replace(step, text=_open(registry), url=details_url(registry.key), hint=hint)
    may_add = access.may(Permission.CREATE, pod.namespace)
    if may_add:
        step = replace(step, text=_("Add registry"), url=_add_url(pod, explanation.host), dialog=True)
        other = _("For a public image, remove the Secret from the workload.")
        if of_account:
            other = _("For a public image, remove the Secret from the service account %(account)s.")
        other = named({"account": pod.account}, other)
        return replace(step, hint=_("For a private image, add its registry."), other=other)
    hint = _without_registry(of_account)
    return replace(step, hint=named({"account": pod.account}, hint))


def _without_registry(of_account: bool) -> str:
    """What somebody who may not add registries does about a Secret for a host that has none."""
    if of_account:
        return _(
            "The service account %(account)s names this Secret. A public image needs none: remove it there."
        )
    return _("A public image needs no Secret: remove it from the workload.")


def _instead(
    pod: FailingPod, secret: str, registry: RegistrySecret | None, accounts: Accounts
) -> tuple[str, bool]:
    """The command after which new pods do not get a Secret, but the pull secret of `registry`; "" without one. Whether
    it changes the service account: a pod without a list of its own got that of its account."""
    adds = registry.name if registry else ""
    if has_list_of_account(pod, accounts):
        change = change_account(pod.namespace, pod.account, adds=adds, takes_out=secret)
        return f"{change}\n{restart_of(pod)}".strip(), True
    return change_of(pod, adds=adds, takes_out=secret), False


def _open(registry: RegistrySecret) -> str:
    return _("Open registry %(name)s") % {"name": registry.title}


def _with_restarts(step: Step, pods: list[FailingPod], access: Access) -> Step:
    """Buttons instead of a command that restarts, for a person in whose name it can be done."""
    if not step.again or not services().pull_failures.may_restart(access):
        return step
    targets: dict[tuple[str, str], FailingPod] = {}
    for pod in pods:
        if pod.owner[0] not in (BARE, NODE):
            targets.setdefault(pod.owner if pod.owner[0] in ROLLED_OUT else ("Pod", pod.name), pod)
    if not targets:
        return step
    buttons = tuple(_restart_button(*it, pod) for it, pod in islice(targets.items(), BUTTONS))
    return replace(step, text="", url="", command="", commands=(), more=0, restarts=buttons)


def _restart_button(kind: str, name: str, pod: FailingPod) -> tuple[str, str]:
    text = _("Restart %(name)s") if kind in ROLLED_OUT else _("Re-create %(name)s")
    url = reverse("registries:restart_pod", args=[pod.namespace, pod.name], query={"uid": pod.uid})
    return text % {"name": name}, url


def _bind(pod: FailingPod, registry: RegistrySecret, access: Access, binding: Binding | None) -> Step:
    """New pods of a service account get its pull secrets, if they name none themselves."""
    restart, opens = restart_of(pod), (_open(registry), details_url(registry.key))
    if pod.account != DEFAULT_ACCOUNT:
        return _bind_by_command(pod, registry)
    if binding is Binding.BOUND:
        hint = _(
            "The pull secret is bound to the default service account. These pods are older: restart the workload."
        )
        if pod.owner[0] == BARE:
            hint = _(
                "The pull secret is bound to the default service account. This pod is older: delete and create "
                "it again."
            )
        if pod.owner[0] == "Job":
            hint = _(
                "The pull secret is bound to the default service account. This pod is older: delete it, and the "
                "Job makes another one. That counts as one failure for the `backoffLimit` of the Job."
            )
        return Step(*opens, hint=named({}, hint), command=restart, again=True)
    if binding is Binding.UNBOUND and access.may(Permission.CREATE, pod.namespace):
        hint = _("Bind the pull secret to the default service account.")
        url = reverse("registries:pull_secret", args=[registry.namespace, registry.name])
        fields = (("uid", registry.uid), ("bound", "1"), ("from", "pull-failures"))
        text = _("Bind %(name)s") % {"name": registry.name}
        return Step(text, url, posts=True, fields=fields, hint=hint, command=restart)
    return _named_by_workload(pod, registry)


def _bind_by_command(pod: FailingPod, registry: RegistrySecret) -> Step:
    bind = change_account(pod.namespace, pod.account, adds=registry.name)
    hint = named(
        {"name": pod.account},
        _("Bind the pull secret to the service account %(name)s. Only new pods use it."),
    )
    command = f"{bind}\n{restart_of(pod)}".strip()
    return Step(_open(registry), details_url(registry.key), hint=hint, command=command)


def _named(pod: FailingPod, registry: RegistrySecret, accounts: Accounts) -> Step:
    """The workload names the pull secret beside those that it has, or its service account does where it has them from
    there: a list of its own would replace that one."""
    if registry.name in pod.secrets:
        return Step(_open(registry), details_url(registry.key))
    if has_list_of_account(pod, accounts):
        return _bind_by_command(pod, registry)
    return _named_by_workload(pod, registry)


def _named_by_workload(pod: FailingPod, registry: RegistrySecret) -> Step:
    command = change_of(pod, adds=registry.name)
    hint = named({"name": registry.name, "cron_job": pod.cron_job}, change_hint(pod))
    return Step(_open(registry), details_url(registry.key), hint=hint, command=command)
