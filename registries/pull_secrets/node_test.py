"""Values of a test from a node: two Pods ask for a tag that cannot exist, and what their states prove.

The first Pod has the pull secret. Where the registry accepts its credential, the tag is missing; else the pull is
refused. The second Pod, the control, has no credential: if the tag is missing for it as well, nothing is proven.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from registries.domain.registry import RegistrySecret
from registries.pull_secrets.explain import (
    MESSAGE_MAX,
    Code,
    Explanation,
    PodSecret,
    SecretState,
    Waiting,
    explain,
    is_pull_reason,
)
from registries.pull_secrets.images import auths_keys, usable_host
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.matching import image_name

Json = dict[str, Any]
LABEL = "registry-console/node-test"
"""The label of the Pods of a test; its value is the id of the test."""
CONTROL = "registry-console/control"
"""The label of the control."""
NO_SECRET = "registry-console-no-secret"  # noqa: S105  a name
"""The pull secret of the control, which does not exist. ServiceAccount admission gives a Pod that names none those of
its account, which may have the credential."""
PATIENCE = timedelta(minutes=3)
"""How long a node has for its answer. A kubelet ends a Pod earlier, after DEADLINE seconds."""
DEADLINE = 120
AT_ONCE = 5
"""Nodes that are tested at once in one namespace, and by one person."""
REPOSITORY_MAX = 200
_FOUND = frozenset({Code.IMAGE_MISSING, Code.PLATFORM_MISSING})
_REFUSED = frozenset({Code.SECRET_MISSING, Code.DENIED})
"""The explanations of a control that a registry refuses."""
_STARTS = frozenset({"", "ContainerCreating", "PodInitializing"})


class Outcome(StrEnum):
    """What came of a test."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    """The registry accepts the credential from this node, and refuses pulls without it."""
    OPEN = "open"
    """The tag is missing without the credential as well."""
    UNPROVEN = "unproven"
    """The tag is missing with the credential; the control has no clear answer."""
    EXPLAINED = "explained"
    """The pull failed in another way: see the explanation."""
    STOPPED = "stopped"
    """The node did not run the Pod: see the message."""
    CHANGED = "changed"
    """A rule of the cluster gave a Pod another image or another pull secret: see `pod`."""
    SILENT = "silent"
    """The node did not answer."""
    GONE = "gone"
    """The Pods do not exist any more."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster. `ready` is what it last reported. `group` is its node group, "" without one."""

    name: str
    ready: bool
    architecture: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class NodePod:
    """A Pod of a test, as the cluster has it. `container` is the state of its container, {} before there is one."""

    name: str
    uid: str
    owner: str
    """The uid of the registry."""
    node: str
    image: str
    control: bool
    created: datetime
    container: Json
    phase: str = ""
    message: str = ""
    secrets: tuple[str, ...] = ()
    """The names of its pull secrets."""


@dataclass(frozen=True, slots=True)
class NodeVerdict:
    outcome: Outcome
    node: str = ""
    explanation: Explanation | None = None
    message: str = ""
    """In the words of the kubelet, at most MESSAGE_MAX characters."""
    pod: NodePod | None = None
    """The Pod that was changed."""


def one_per_group(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """One node of each node group and architecture, by group and architecture. The first by name that is ready; without
    one, the first."""
    chosen: dict[tuple[str, str], Node] = {}
    for node in sorted(nodes, key=lambda it: (not it.ready, it.name)):
        chosen.setdefault((node.group, node.architecture), node)
    return tuple(chosen[it] for it in sorted(chosen))


def image_of(registry: RegistrySecret, repository: str, test: str) -> str | None:
    """The image of a test, with a tag that cannot exist; None if nodes cannot read the name."""
    host = usable_host(registry.address)
    if host is None or not repository or len(repository) > REPOSITORY_MAX or "@" in repository:
        return None
    image = f"{host}/{repository}:console-test-{test}"
    return image if ":" not in repository and image_name(image) else None


def pod_name(test: str, *, control: bool) -> str:
    return f"registry-console-{test}{'-control' if control else ''}"


def is_test(pod: Json) -> bool:
    """Whether a pod of the API server belongs to a test: by its label and its name. Whoever may change a Pod could
    give it the label, so that the next test deletes it. Nobody can change its name."""
    metadata = pod.get("metadata") or {}
    test = (metadata.get("labels") or {}).get(LABEL)
    return metadata.get("name") in {pod_name(str(test), control=it) for it in (False, True)}


def is_as_made(registry: RegistrySecret, pod: NodePod) -> bool:
    """Whether a Pod still asks this registry for the tag of its test, with its own pull secret. A webhook may have
    given it a mirror or another secret, and people may change the image. More secrets do no harm: both Pods of a test
    get them."""
    begins = f"{usable_host(registry.address)}/"
    ends = f":console-test-{pod.name.removeprefix('registry-console-').removesuffix('-control')}"
    own, other = (secret_of(registry, control=it) for it in (pod.control, not pod.control))
    names_its_own = own in pod.secrets and other not in pod.secrets
    return names_its_own and pod.image.startswith(begins) and pod.image.endswith(ends)


def secret_of(registry: RegistrySecret, *, control: bool) -> str:
    """The pull secret of a Pod of a test."""
    return NO_SECRET if control else registry.name


def judge(
    pods: Sequence[NodePod], registry: RegistrySecret, secret: PullSecret | None, now: datetime
) -> NodeVerdict:
    """The verdict of the Pods of one test. `secret` is the state of the pull secret."""
    tested = next((it for it in pods if not it.control), None)
    if tested is None:
        return NodeVerdict(Outcome.GONE)
    changed = next((it for it in pods if not is_as_made(registry, it)), None)
    if changed is not None:
        return NodeVerdict(Outcome.CHANGED, tested.node, pod=changed)
    late = now - tested.created > PATIENCE
    found = _answer(tested, registry, secret, now)
    if found is None or _unclear(found.explanation):
        if not late:
            return NodeVerdict(Outcome.WAITING, tested.node)
        return found or NodeVerdict(Outcome.SILENT, tested.node)
    if found.outcome is not Outcome.ACCEPTED:
        return found
    control = next((it for it in pods if it.control), None)
    answer = _answer(control, registry, PullSecret.MISSING, now) if control else None
    if control and (answer is None or _unclear(answer.explanation)) and not late:
        return NodeVerdict(Outcome.WAITING, tested.node)
    outcome = _proven(answer)
    if outcome is Outcome.OPEN and control and len(control.secrets) > 1:
        return NodeVerdict(Outcome.CHANGED, tested.node, pod=control)
    return NodeVerdict(outcome, tested.node, message=found.message)


def _proven(control: NodeVerdict | None) -> Outcome:
    if control is None:
        return Outcome.UNPROVEN
    if control.outcome is Outcome.ACCEPTED:
        return Outcome.OPEN
    found = control.explanation
    refused = found and found.code in _REFUSED and not _unclear(found)
    return Outcome.ACCEPTED if refused else Outcome.UNPROVEN


def _unclear(explanation: Explanation | None) -> bool:
    """Whether the message does not have the cause: kubelets before 1.32 say it only now and then."""
    return explanation is not None and (explanation.code is Code.UNKNOWN or not explanation.certain)


def _answer(
    pod: NodePod, registry: RegistrySecret, secret: PullSecret | None, now: datetime
) -> NodeVerdict | None:
    """What one Pod shows: ACCEPTED where the registry looked for the tag. None before an answer."""
    waiting = pod.container.get("waiting") or {}
    reason = str(waiting.get("reason") or "")[:MESSAGE_MAX]
    message = str(waiting.get("message") or "")[:MESSAGE_MAX]
    if reason and is_pull_reason(reason):
        named = [_pod_secret(registry, secret)]
        found = explain(Waiting("test", pod.image, reason, message), named, [registry], now)
        outcome = Outcome.ACCEPTED if found.code in _FOUND else Outcome.EXPLAINED
        return NodeVerdict(outcome, pod.node, found, message)
    if pod.phase == "Failed":
        return NodeVerdict(Outcome.STOPPED, pod.node, message=pod.message)
    if reason in _STARTS and not pod.container.keys() - {"waiting"}:
        return None
    return NodeVerdict(Outcome.ACCEPTED, pod.node, message=message)  # the image is there, against all odds


def _pod_secret(registry: RegistrySecret, state: PullSecret | None) -> PodSecret:
    if state is PullSecret.READY:
        return PodSecret(registry.name, SecretState.READABLE, auths_keys(registry.address))
    return PodSecret(
        registry.name, SecretState.MISSING if state is PullSecret.MISSING else SecretState.UNREAD
    )
