"""Pull secrets in words: state, binding, users, problems of the upkeep, and what a scan says of one in use."""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from registries.domain.errors import Problem, Unavailable
from registries.domain.registry import RegistrySecret
from registries.pull_secrets.images import image_hosts, usable_host
from registries.pull_secrets.kinds import Binding, PullSecret
from registries.pull_secrets.scan import Finding
from registries.words.labels import BAD, BEING_DELETED, GOOD, IDLE, KEY, WARN, Label
from registries.words.language import Text
from registries.words.names import named
from registries.words.problems import problem_text

PULL_SECRETS = {
    PullSecret.READY: Label(
        _("Ready"),
        *GOOD,
        _("Pods of this namespace can pull with this Secret. It is deleted with the registry."),
    ),
    PullSecret.MISSING: Label(
        _("Missing"),
        *WARN,
        _(
            "The pull secret could not be created; the reason is in the console's log. The console retries when"
            " this page is opened."
        ),
    ),
    PullSecret.OUTDATED: Label(
        _("Unexpected content"),
        *WARN,
        _(
            "The pull secret was changed, or belongs to an earlier registry with this name, and could not be "
            "restored; the reason is in the console's log. The console retries when this page is "
            "opened."
        ),
    ),
    PullSecret.FOREIGN: Label(
        _("Name taken"),
        *BAD,
        _(
            "Someone else created a Secret with this name. It was not changed. Delete it, and the "
            "console creates the pull secret."
        ),
    ),
    None: Label(
        _("Unknown"),
        *IDLE,
        _("The cluster did not answer, or the console has no permission to read Secrets."),
    ),
}

LEAVING = replace(BEING_DELETED, hint=_("The registry is being deleted, and its pull secret with it."))
FOREIGN_STAYS = replace(
    PULL_SECRETS[PullSecret.FOREIGN],
    hint=_("Someone else created a Secret with this name. It stays when the registry is deleted."),
)
WITHOUT_ADDRESS = Label(
    _("Address not valid"),
    *WARN,
    _("The pull secret has no password until the address is valid."),
)


def state_label(state: PullSecret | None, registry: RegistrySecret) -> Label:
    """The state of a pull secret. Neither one that goes with its registry nor its absence is an error; one without a
    valid address is empty, and not ready."""
    if registry.deleting:
        return FOREIGN_STAYS if state is PullSecret.FOREIGN else LEAVING
    if state is PullSecret.READY and registry.address_problem:
        return WITHOUT_ADDRESS
    return PULL_SECRETS[state]


BINDINGS: dict[Binding, Text] = {
    Binding.BOUND: _("Bound to the default service account: new pods without their own pull secret use it."),
    Binding.UNBOUND: _("Not bound to the default service account: a pod must name it, as below."),
    Binding.ABSENT: _("This namespace has no default service account yet."),
    Binding.UNKNOWN: _("The binding to the default service account is unknown: no permission to read it."),
}

KINDS: dict[str, Text] = {
    "ServiceAccount": _("Service accounts"),
    "Workload": _("Workloads"),
    "Pod": _("Pods"),
    "Repository": _("Image repositories"),
}
"""The groups of users of a pull secret. Every other kind creates pods: it is a workload."""

UPKEEP: dict[Problem, Text] = {
    Problem.NAMESPACE_MISSING: _(
        "The console writes a pull secret only when a registry is added or opened here, because "
        "its own namespace %(namespace)s does not exist. Create the namespace, or set another one"
        " in `CONSOLE_NAMESPACE`."
    ),
    Problem.CLUSTER_FORBIDDEN: _(
        "The console writes a pull secret only when a registry is added or opened here, because "
        "it is not allowed to use its Lease in the namespace %(namespace)s. Bind the console's service "
        "account to the cluster role `registry-console`."
    ),
    Problem.TERMINATING: _(
        "The console writes a pull secret only when a registry is added or opened here, because "
        "its own namespace %(namespace)s is being deleted. Set another one in "
        "`CONSOLE_NAMESPACE`."
    ),
}
"""Why no replica maintains pull secrets in the background. Other problems are shown elsewhere on the page."""


def upkeep(problem: Unavailable | None) -> str:
    text = UPKEEP.get(problem.code) if problem else None
    return named({"namespace": problem.subject}, text) if problem and text else ""


def image_problem(address: str) -> str:
    """The warning about an address that image names cannot contain; "" for any other, and for an invalid one."""
    host = image_hosts(address)[0]
    usable = usable_host(address)
    if usable is None or usable == host:
        return ""
    if host.startswith("["):
        text = _(
            "Use %(host)s in image names: an IPv6 address needs a port there. Older kubelets refuse IPv6 addresses."
        )
    else:
        text = _(
            "Use %(host)s in image names: without a dot or a port, nodes take this host for a path on Docker Hub."
        )
    return named({"host": usable}, text)


def group_of(kind: str) -> str:
    return kind if kind in KINDS else "Workload"


FINDINGS: dict[Finding, Label] = {
    Finding.BROKEN: Label(
        _("Pull secret cannot be read"),
        *KEY,
        _(
            "Nodes cannot read this Secret. The pods that name it cannot pull any image, not even a public one."
        ),
    ),
    Finding.MISSING: Label(
        _("Pull secret missing"),
        *KEY,
        _("Add a registry with the name of this Secret, or remove the reference."),
    ),
    Finding.WRONG_TYPE: Label(
        _("Wrong Secret type"),
        *KEY,
        _(
            "Nodes ignore this Secret: its type is not `kubernetes.io/dockerconfigjson`. A type cannot be "
            "changed: create another Secret, and name that one instead."
        ),
    ),
    Finding.SHADOWED: Label(
        _("Not used for Docker Hub"),
        *WARN,
        _(
            "Nodes ignore the key `index.docker.io` of this Secret, because %(names)s has the key `docker.io` "
            "in the same pods."
        ),
    ),
    Finding.DUPLICATE: Label(
        _("Same credential twice"),
        "warn",
        "layers",
        _("%(names)s has the same host and user name. A new password must be entered in each."),
    ),
    Finding.FOREIGN: Label(
        _("No registry"),
        "warn",
        "boxes",
        _(
            "The console does not test this credential and does not warn before it expires: no registry here "
            "has %(names)s."
        ),
    ),
    Finding.CUT: Label(
        _("Not all keys checked"),
        *IDLE,
        _(
            "This Secret has more keys than the console compares: 1,000 of one Secret, 64 KiB of text, and "
            "20,000 on this page. Nodes read all of them."
        ),
    ),
    Finding.UNREAD: Label(
        _("Pull secret not checked"),
        *IDLE,
        _(
            "The content of this Secret was not read. The console reads a Secret only in the name of "
            "a person who may get it, and one page reads for at most 8 seconds. Ask for `get` on this"
            " Secret, or refresh the page."
        ),
    ),
}
MISSING_ASKED = _(
    "Ask an image-admin of %(place)s to add a registry with the name of this Secret, or remove the reference."
)
"""The hint of Finding.MISSING for a person who may not add a registry there."""
UNREAD_LOCAL = _("The console reads other Secrets only for people who log in with a cluster account.")
"""The hint of Finding.UNREAD where the people are not those of the cluster."""

_NOT_ADOPTED = {
    Problem.FORBIDDEN: _(
        "Enter the password: you are not allowed to read the Secret %(secret)s, so the console does not read"
        " it for you. The Secret stays as it is."
    ),
    Problem.NOT_FOUND: _(
        "Enter the password: the Secret %(secret)s does not have this credential any more, or "
        "nodes cannot read it."
    ),
}


def not_adopted(problem: Problem | None, secret: str) -> str:
    """Why the password of a Secret is not used for a new registry."""
    text = _NOT_ADOPTED.get(problem or Problem.NOT_FOUND)
    return named({"secret": secret}, text) if text else problem_text(problem or "")
