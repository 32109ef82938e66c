"""What a scan says of a pull secret in use."""

from django.utils.translation import gettext_lazy as _

from registries.pull_secrets.scan import Finding
from registries.words.labels import Label

FINDINGS: dict[Finding, Label] = {
    Finding.BROKEN: Label(
        _("Pull secret cannot be read"),
        "bad",
        "key-round",
        _("Nodes cannot read it. The pods that name it pull nothing, public images neither."),
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
