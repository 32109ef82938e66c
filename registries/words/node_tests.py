"""What came of a test from a node, in words."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.domain.shown import shown_words
from registries.pull_secrets.explain import Code
from registries.pull_secrets.node_test import NodeVerdict, Outcome
from registries.words.labels import BUSY, GOOD, IDLE, WARN, Label
from registries.words.language import Text
from registries.words.names import named
from registries.words.pull_failures import LABELS, reason

MESSAGE_MAX = 600
OUTCOMES: dict[Outcome, Label] = {
    Outcome.WAITING: Label(_("Waiting for the node…"), *BUSY),
    Outcome.ACCEPTED: Label(
        _("The node can pull with it"),
        *GOOD,
        _("From this node, the registry accepts the pull secret and refuses pulls without it."),
    ),
    Outcome.OPEN: Label(
        _("The node can pull, password unverified"),
        *WARN,
        _(
            "The registry answers this node without the pull secret as well: the repository is public, or the node has "
            "a credential of its own. Test with a private repository."
        ),
    ),
    Outcome.UNPROVEN: Label(
        _("The node can pull, password unverified"),
        *WARN,
        _(
            "The pull without the pull secret had no clear answer, so the test proves no password. Test again."
        ),
    ),
    Outcome.STOPPED: Label(
        _("The node did not run the test"),
        *WARN,
        _("The node ended the pod before a pull. Choose another node, or look at the message."),
    ),
    Outcome.CHANGED: Label(
        _("A rule of the cluster changed the test pod"),
        *WARN,
        _(
            "A webhook or a policy gave the pod another image or other pull secrets, and probably does so with every "
            "pod. "
            "Test the registry of that image instead. To test this one, exempt pods with the label "
            "`registry-console/node-test`."
        ),
    ),
    Outcome.SILENT: Label(
        _("The node did not answer"),
        "bad",
        "plug-zap",
        _("No answer for three minutes. Check that the node exists and is ready: `kubectl get nodes`"),
    ),
    Outcome.GONE: Label(_("No result"), *IDLE, _("The pods of this test are deleted. Test again.")),
}


@dataclass(frozen=True, slots=True)
class NodeResult:
    """A verdict as a page shows it. `sentence` compares it with the last test of the console; "" where both agree.
    `certain` is False where the message of the node does not have the cause. `message` is in the words of the node.
    `image` and `secrets` are what a Pod has instead of what the test gave it. `expected`: the message proves that the
    node can pull."""

    label: Label
    node: str
    hint: Text
    sentence: str = ""
    certain: bool = True
    message: str = ""
    image: str = ""
    secrets: tuple[str, ...] = ()
    expected: bool = False


def node_result(verdict: NodeVerdict, registry: RegistrySecret) -> NodeResult:
    found = verdict.explanation if verdict.outcome is Outcome.EXPLAINED else None
    label, pod = LABELS[found.code] if found else OUTCOMES[verdict.outcome], verdict.pod
    return NodeResult(
        label=label,
        node=verdict.node,
        hint=reason(found) if found else named({}, label.hint),
        sentence=_sentence(verdict, registry, label),
        certain=found is None or found.certain,
        message=shown_words(verdict.message, MESSAGE_MAX),
        image=shown_words(pod.image, MESSAGE_MAX) if pod else "",
        secrets=tuple(shown_words(it, MESSAGE_MAX) for it in pod.secrets) if pod else (),
        expected=verdict.outcome in (Outcome.ACCEPTED, Outcome.OPEN, Outcome.UNPROVEN),
    )


_OF_TESTS = (Code.CREDENTIAL_GOOD, Code.CREDENTIAL_OLD, Code.CREDENTIAL_UNPROVEN)
"""Their reasons compare with the last test of the console."""


def _sentence(verdict: NodeVerdict, registry: RegistrySecret, label: Label) -> str:
    """Where console and node disagree."""
    status = registry.verification.status
    names = {"node": verdict.node}
    found = verdict.explanation if verdict.outcome is Outcome.EXPLAINED else None
    if status is VerifyStatus.SUCCESS and found and found.code not in _OF_TESTS:
        return named(
            names,
            _("The last test of the console succeeded, but %(node)s cannot pull. %(cause)s."),
            cause=label.text,
        )
    if status is VerifyStatus.FAILED and verdict.outcome is Outcome.ACCEPTED:
        return named(names, _("%(node)s can pull, but the last test of the console failed."))
    return ""
