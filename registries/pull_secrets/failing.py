"""Values about pods that cannot pull, and the parts of pods and Secrets that an explanation needs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate, islice, starmap
from typing import Any

from registries.domain.errors import Problem
from registries.domain.metadata import NAME_MAX, name_problem
from registries.probe.manifest import platform_of
from registries.pull_secrets.content import CONFIG_TYPES, Unreadable, read_auths
from registries.pull_secrets.explain import (
    MESSAGE_MAX,
    PodSecret,
    SecretState,
    Waiting,
    is_pull_reason,
)
from registries.pull_secrets.kinds import IMAGE_MAX
from registries.pull_secrets.matching import KEYS_TEXT, host_of_key
from registries.pull_secrets.node_test import is_test

Json = dict[str, Any]
USER_MAX = 255
NAMES_MAX = 50
"""Containers and Secrets of one pod that are read."""
ROLLED_OUT = {"Deployment": "deployments", "DaemonSet": "daemonsets"}
"""Workloads whose controller replaces failing pods after a change. A StatefulSet waits for them instead
(kubernetes issue 67250): its pod is deleted."""
NODE = "Node"
"""The kind of the owner of a static pod: its kubelet makes it from a file, and the API server has a mirror of it."""
MIRROR = "kubernetes.io/config.mirror"
_STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


class Phase(StrEnum):
    """The pods that are looked at. A pod that starts is Pending until all of its containers have run; a later container
    of a Running one can wait for its image, too."""

    PENDING = "Pending"
    RUNNING = "Running"


@dataclass(frozen=True, slots=True)
class FailingPod:
    """`owner` is kind and name of its controller; ("", "") without one. `cron_job` is the CronJob of its Job, or ""."""

    namespace: str
    name: str
    account: str
    secrets: tuple[str, ...]
    waiting: tuple[Waiting, ...]
    owner: tuple[str, str] = ("", "")
    uid: str = ""
    cron_job: str = ""


@dataclass(frozen=True, slots=True)
class SecretCredential:
    """One credential of a Secret. `key` is its key of `auths`, and `host` the host[:port] of the images that it is
    for."""

    key: str
    host: str
    username: str
    password: str = field(repr=False)


@dataclass(slots=True)
class FailingPods:
    """`unread` are the namespaces whose pods this person may not list. `problem` is why others could not be read now.
    `more` says that there are more pods than these. `containers` counts those that wait."""

    pods: list[FailingPod] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    problem: Problem | None = None
    more: bool = False
    containers: int = 0


def failing_pod(item: Json) -> FailingPod | None:
    """The parts of a pod that an explanation needs; None if no container waits for its image, and for a test."""
    spec, status, metadata = (item.get(it) or {} for it in ("spec", "status", "metadata"))
    waiting = tuple(islice(_waiting(spec, status), NAMES_MAX))
    if not waiting or is_test(item):
        return None
    return FailingPod(
        namespace=str(metadata.get("namespace")),
        name=str(metadata.get("name")),
        account=str(spec.get("serviceAccountName") or "default"),
        secrets=tuple(
            str(it["name"])[: NAME_MAX + 1]
            for it in (spec.get("imagePullSecrets") or ())[:NAMES_MAX]
            if it.get("name")
        ),
        waiting=waiting,
        owner=_owner(metadata),
        uid=str(metadata.get("uid")),
    )


def images_of(item: Json) -> Iterator[str]:
    """The images of a pod's containers, as its specification names them."""
    spec = item.get("spec") or {}
    for group in _CONTAINERS:
        for container in (spec.get(group) or ())[:NAMES_MAX]:
            yield str(container.get("image") or "")[:IMAGE_MAX]


def node_platform(item: Json) -> str:
    """os/architecture[/variant] of a node; "" if the kubelet reported none that is known."""
    info = (item.get("status") or {}).get("nodeInfo") or {}
    return platform_of(str(info.get("operatingSystem")), str(info.get("architecture")))


def controller_of(metadata: Json) -> Json | None:
    """The owner reference of the controller. One without a name is left out: the API server checks no names there, and
    people paste a command with the name into a terminal."""
    owners = (it for it in metadata.get("ownerReferences") or () if it.get("controller"))
    return next((it for it in owners if name_problem(str(it.get("name"))) is None), None)


def is_mirror(metadata: Json) -> bool:
    """Whether a pod is the mirror of a static one."""
    return MIRROR in (metadata.get("annotations") or {})


def _owner(metadata: Json) -> tuple[str, str]:
    """Kind and name of the workload. A Deployment owns its pods through a ReplicaSet with a hash in the name."""
    if is_mirror(metadata):
        return NODE, ""
    owner = controller_of(metadata)
    kind, name = (str(owner.get("kind")), str(owner.get("name"))) if owner else ("", "")
    hashed = f"-{(metadata.get('labels') or {}).get('pod-template-hash') or ''}"
    if kind == "ReplicaSet" and len(hashed) > 1 and name.endswith(hashed):
        return "Deployment", name.removesuffix(hashed)
    return (kind, "") if kind == NODE else (kind, name)


def _waiting(spec: Json, status: Json) -> Iterator[Waiting]:
    images = {it.get("name"): it.get("image") for group in _CONTAINERS for it in spec.get(group) or ()}
    for group in _STATUSES:
        for container in status.get(group) or ():
            state = (container.get("state") or {}).get("waiting") or {}
            reason = str(state.get("reason") or "")
            if reason and is_pull_reason(reason):
                name = str(container.get("name"))
                image = str(images.get(name) or container.get("image") or "")
                message = str(state.get("message") or "")[:MESSAGE_MAX]
                yield Waiting(name[: NAME_MAX + 1], image[:IMAGE_MAX], reason[:MESSAGE_MAX], message)


def read_secret(name: str, secret: Json) -> PodSecret:
    """The keys and user names of a Secret as kubelets read it. The rest of its content is dropped."""
    if secret.get("type") not in CONFIG_TYPES:
        return PodSecret(name, SecretState.WRONG_TYPE)
    try:
        auths = read_auths(secret)
    except Unreadable as broken:
        return PodSecret(name, SecretState.BROKEN, flaw=broken.flaw, flawed=broken.key)
    users = list(starmap(_shown_user, auths.pairs.values()))
    kept = tuple(it for it, end in zip(users, accumulate(map(len, users)), strict=True) if end <= KEYS_TEXT)
    cut = auths.cut or len(kept) < len(users)
    return PodSecret(name, SecretState.READABLE, tuple(islice(auths.pairs, len(kept))), kept, cut=cut)


def credentials_in(secret: Json) -> tuple[SecretCredential, ...]:
    """The credentials of a Secret that a registry can have, as kubelets read them: with a host, a user name and a
    password in UTF-8. () for a Secret that kubelets cannot read."""
    try:
        pairs = read_auths(secret).pairs
    except Unreadable:
        return ()
    found = ((key, host_of_key(key), *pair) for key, pair in pairs.items())
    return tuple(SecretCredential(*it) for it in found if all(it) and "\ufffd" not in it[3])


def _shown_user(name: str, password: str) -> str:
    """The user name of an entry. "" without a password, since the name may be a token then, and for a name that is too
    long."""
    return name if password and len(name) <= USER_MAX else ""
