"""Values about pods that cannot pull, and the parts of pods and Secrets that an explanation needs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any

from registries.domain.errors import Problem
from registries.domain.metadata import NAME_MAX, name_problem
from registries.domain.resource import decode_base64
from registries.probe.manifest import platform_of
from registries.pull_secrets.explain import (
    KEY_MAX,
    MESSAGE_MAX,
    Flaw,
    PodSecret,
    SecretState,
    Waiting,
    is_pull_reason,
)
from registries.pull_secrets.kinds import IMAGE_MAX
from registries.pull_secrets.matching import host_of_key
from registries.pull_secrets.node_test import is_test

Json = dict[str, Any]
CONFIG_TYPES = {
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/dockercfg": ".dockercfg",
}
"""The types of pull secrets, and their field in `data`. The second one is older, and has the `auths` alone."""
CONFIG_MAX = 1_048_576
KEYS_MAX = 1_000
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
    `more` says that there are more pods than these."""

    pods: list[FailingPod] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    problem: Problem | None = None
    more: bool = False


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
    field_name = CONFIG_TYPES.get(str(secret.get("type")))
    if field_name is None:
        return PodSecret(name, SecretState.WRONG_TYPE)
    encoded = str((secret.get("data") or {}).get(field_name) or "")
    try:
        auths = _auths(encoded, nested=field_name == ".dockerconfigjson")
    except _Unreadable as broken:
        return PodSecret(name, SecretState.BROKEN, flaw=broken.flaw, flawed=broken.key)
    users = tuple(_user(it or {}) for it in auths.values())
    return PodSecret(name, SecretState.READABLE, tuple(auths), users)


def credentials_in(secret: Json) -> tuple[SecretCredential, ...]:
    """The credentials of a Secret that a registry can have, as kubelets read them: with a host, a user name and a
    password in UTF-8. () for a Secret that kubelets cannot read."""
    field_name = CONFIG_TYPES.get(str(secret.get("type")), "")
    encoded = str((secret.get("data") or {}).get(field_name) or "")
    try:
        auths = _auths(encoded, nested=field_name == ".dockerconfigjson")
    except _Unreadable:
        return ()
    found = ((key, host_of_key(key), *_pair_of(it or {})) for key, it in auths.items())
    return tuple(SecretCredential(*it) for it in found if all(it) and "\ufffd" not in it[3])


class _Unreadable(Exception):
    """A kubelet cannot read a Secret: its flaw, and the key of the entry with it."""

    def __init__(self, flaw: Flaw, key: str = "") -> None:
        super().__init__(flaw)
        self.flaw, self.key = flaw, key


def _auths(encoded: str, *, nested: bool) -> Json:
    """The `auths` of a Secret, up to KEYS_MAX entries. Raises _Unreadable."""
    if len(encoded) > CONFIG_MAX:
        raise _Unreadable(Flaw.JSON)
    try:
        config = json.loads(decode_base64(encoded))
    except (ValueError, RecursionError):
        raise _Unreadable(Flaw.JSON) from None
    auths = config.get("auths") if nested and isinstance(config, dict) else config
    if auths is None:
        return {}
    if not isinstance(auths, dict):
        raise _Unreadable(Flaw.AUTHS)
    for key, entry in auths.items():
        if flaw := _flaw_of(entry):
            raise _Unreadable(flaw, key[:KEY_MAX])
    return dict(islice(auths.items(), KEYS_MAX))


def _user(entry: Json) -> str:
    """The user name of an entry that kubelets can read. "" without a password, since the name may be a token then, and
    for a name that is too long."""
    name, password = _pair_of(entry)
    return name if password and len(name) <= USER_MAX else ""


def _pair_of(entry: Json) -> tuple[str, str]:
    """User name and password of an entry that kubelets can read: of `auth`, if there is one."""
    if pair := entry.get("auth"):
        name, _, password = _pair(pair).decode(errors="replace").partition(":")
        return name, password
    return entry.get("username") or "", entry.get("password") or ""


def _flaw_of(entry: object) -> Flaw | None:
    """Why a kubelet cannot read an entry. An empty one is a credential, too."""
    if entry is None:
        return None
    if not isinstance(entry, dict):
        return Flaw.ENTRY
    texts = [entry.get(it) for it in ("username", "password", "auth", "email")]
    if any(it is not None and not isinstance(it, str) for it in texts):
        return Flaw.ENTRY
    pair = str(entry.get("auth") or "")
    try:
        return None if not pair or b":" in _pair(pair) else Flaw.COLON
    except ValueError:
        return Flaw.BASE64


def _pair(auth: str) -> bytes:
    """user:password of `auth`. ValueError."""
    padded = auth.strip().endswith("=")  # else Go reads it as base64 without padding
    letters = auth.replace("\r", "").replace("\n", "")
    return decode_base64(letters if padded else letters + "=" * (-len(letters) % 4))
