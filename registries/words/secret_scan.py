"""What a scan says of a pull secret in use."""

from django.utils.translation import gettext_lazy as _

from registries.domain.errors import Problem
from registries.pull_secrets.scan import Finding
from registries.words.labels import Label
from registries.words.problems import problem_text

FINDINGS: dict[Finding, Label] = {
    Finding.BROKEN: Label(
        _("Pull secret cannot be read"),
        "bad",
        "key-round",
        _("Nodes cannot read it. The pods that name it cannot pull any image, not even a public one."),
    ),
    Finding.MISSING: Label(
        _("Pull secret missing"), "bad", "key-round", _("It is named, but does not exist.")
    ),
    Finding.WRONG_TYPE: Label(
        _("Pull secret of a wrong type"),
        "bad",
        "key-round",
        _("Nodes ignore it: its type is not kubernetes.io/dockerconfigjson."),
    ),
    Finding.SHADOWED: Label(
        _("Not used for Docker Hub"),
        "warn",
        "triangle-alert",
        _("Nodes ignore its key index.docker.io, because %(names)s has the key docker.io in the same pods."),
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
            "The console does not test it and does not warn before it expires: no registry here has %(names)s."
        ),
    ),
    Finding.UNREAD: Label(
        _("Pull secret not checked"),
        "idle",
        "circle-dashed",
        _(
            "Its content was not read: the console reads it only for people of the cluster who may get this Secret."
        ),
    ),
}

_NOT_ADOPTED = {
    Problem.FORBIDDEN: _(
        "The password of the Secret %(secret)s cannot be used: the console reads it only for people of the cluster who "
        "may get this Secret. Enter the password. The Secret stays as it is."
    ),
    Problem.NOT_FOUND: _(
        "The Secret %(secret)s does not have this credential any more, or nodes cannot read it. Enter the password."
    ),
}


def not_adopted(problem: Problem | None, secret: str) -> str:
    """Why the password of a Secret is not used for a new registry."""
    text = _NOT_ADOPTED.get(problem or Problem.NOT_FOUND)
    return str(text) % {"secret": secret} if text else problem_text(problem or "")
