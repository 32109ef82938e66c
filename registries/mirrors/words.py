"""What a probe of a mirror showed, in the reader's language."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from registries.mirrors.listing import MirrorView, Verdict
from registries.words import labels
from registries.words.labels import BAD, GOOD, IDLE, WARN, Label
from registries.words.language import Text
from registries.words.names import named

VERDICTS = {
    Verdict.SAME: Label(_("Same as upstream"), *GOOD),
    Verdict.DIFFERENT: Label(
        _("Differs from upstream"),
        *BAD,
        _("The mirror has another image under this name: an older one, or a changed one."),
    ),
    Verdict.MISSING: Label(_("Image missing"), *WARN, _("Nodes pull the image from the upstream.")),
    Verdict.REFUSED: Label(
        _("Login required"),
        *WARN,
        _(
            "The mirror requires a login. Nodes send it the user name and the password in the pull "
            "secret of the upstream."
        ),
    ),
    Verdict.ANSWERS: Label(_("Reachable"), *GOOD),
    Verdict.FAILED: Label(_("No answer"), *BAD),
}
UNTESTED = Label(_("Not probed"), *IDLE)
_UPSTREAM: dict[str, Text] = {
    "upstream_missing": _("The upstream does not have this image, so nothing was compared."),
    "upstream_refused": _("The upstream requires a login for this image, so nothing was compared."),
    "upstream_": _("The upstream gave no digest, so nothing was compared."),
}
_UPSTREAM_FAILED = _("The upstream did not answer (%(reason)s), so nothing was compared.")


SHOWN = 5


def credential_warning(hosts: Sequence[str]) -> str:
    """Who else gets the credential of a registry with these mirrors; "" without mirrors."""
    if not hosts:
        return ""
    text = _(
        "Nodes that use these mirrors send them this user name and password when they ask: %(hosts)s. Use a read-only "
        "access token."
    )
    shown = list(hosts[:SHOWN])
    if more := len(hosts[SHOWN:]):
        return named({}, text, hosts=named({"names": shown}, _("%(names)s, and %(n)s more"), n=more))
    return named({"hosts": shown}, text)


def verdict(mirror: MirrorView) -> Label:
    return VERDICTS[mirror.verdict] if mirror.verdict else UNTESTED


def explanation(mirror: MirrorView) -> str:
    """A sentence below the verdict; "" where the verdict says everything."""
    if mirror.verdict is Verdict.FAILED:
        return labels.reason(mirror.reason)
    if mirror.reason in _UPSTREAM:
        return str(_UPSTREAM[mirror.reason])
    if mirror.reason:
        return str(_UPSTREAM_FAILED) % {"reason": labels.reason(mirror.reason)}
    return str(VERDICTS[mirror.verdict].hint) if mirror.verdict else ""
