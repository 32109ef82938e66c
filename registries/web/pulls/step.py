"""Next steps on the pages of pull secrets: their values, and commands for kubectl that change what names a pull secret,
show it, or write it. Each command can be run a second time.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _

from registries.domain.registry import Key, RegistrySecret
from registries.domain.shown import NOT_VALID
from registries.pull_secrets.failing import NODE, ROLLED_OUT
from registries.pull_secrets.images import auths_keys
from registries.pull_secrets.kinds import Binding
from registries.wiring import services
from registries.words.shell import dockerconfig, with_password

COMMANDS, UNFOLDED = 30, 3
"""Workloads whose commands a step has, and those that are not folded."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """What steps need to know of service accounts. `bindings`: whether the default one names a pull secret; `named`:
    the pull secrets that one names, by namespace and name."""

    bindings: Mapping[Key, Binding] = field(default_factory=dict)
    named: Mapping[Key, frozenset[str]] = field(default_factory=dict)


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
    other: str = ""
    """What the command is for, where the link or button is for another case."""
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

    def with_commands(self, commands: Sequence[str]) -> "Step":
        """The step with the commands of several workloads."""
        more = len(commands[COMMANDS:])
        return replace(self, command=next(iter(commands), ""), commands=tuple(commands[:COMMANDS]), more=more)

    @property
    def is_several(self) -> bool:
        """Whether a person does more than one thing, one after another."""
        return bool(self.look or self.last or (self.posts and self.command))

    @property
    def opens_beside(self) -> bool:
        """Whether the command is the step, and the link only opens a page about it."""
        return bool(self.url and self.command and not self.posts and not self.dialog)

    @property
    def deletes(self) -> bool:
        """Whether a command deletes something and creates it again."""
        return any(shlex.join(_FORCED) in it for it in (self.command, *self.commands))

    @property
    def unfolded(self) -> tuple[str, ...]:
        return self.commands[: self._shown]

    @property
    def folded(self) -> tuple[str, ...]:
        return self.commands[self._shown :]

    @property
    def _shown(self) -> int:
        """A command that deletes has many lines: one is in sight."""
        return 1 if self.deletes else UNFOLDED


SHAPE = """| base64 -d | jq 'walk(if type == "object" or type == "array" then . else type end)'"""
"""Shows the keys of a Secret, and of each value its type alone."""
_WITH_TEMPLATE = (*ROLLED_OUT, "StatefulSet", "ReplicaSet", "ReplicationController")
"""Workloads whose pod template can be changed."""
BARE = ""
"""The kind of the owner of a pod that no controller made."""
_SELECTOR = {"selector": None, "manualSelector": None}
_LABELS = {
    f"{group}{name}": None
    for group in ("", "batch.kubernetes.io/")
    for name in ("controller-uid", "job-name")
}
"""What the API server sets in a new Job. It refuses the values of another Job."""
_VERSION = '"metadata":{"resourceVersion":"{{.metadata.resourceVersion}}"}'
"""The API server refuses a patch of a service account that somebody changed meanwhile."""


FILE_MAX = 200
_FORCED = ("replace", "--force")


def kubectl(namespace: str, *words: str) -> str:
    return shlex.join(["kubectl", "-n", namespace, *words])


def look_at(namespace: str, secret: str) -> str:
    """Shows the keys of a Secret without its values."""
    return f"{kubectl(namespace, 'get', 'secret', secret, '-o', 'jsonpath={.data.*}')} {SHAPE}"


def delete_secret(namespace: str, secret: str) -> str:
    return kubectl(namespace, "delete", "secret", secret)


def change_account(namespace: str, account: str, *, adds: str = "", takes_out: str = "") -> str:
    """Adds a pull secret to a service account, takes one out, or both. The names are those of objects.

    A patch of this list replaces it, so a Go template writes the whole list as it is now.
    """
    others = '{{$comma}}{"name":"{{.name}}"}{{$comma = ","}}'
    for name in filter(None, (takes_out, adds)):
        others = f'{{{{if ne .name "{name}"}}}}{others}{{{{end}}}}'
    added = f'{{{{$comma}}}}{{"name":"{adds}"}}' if adds else ""
    names = f'{{{{$comma := ""}}}}{{{{range .imagePullSecrets}}}}{others}{{{{end}}}}{added}'
    template = f'{{{_VERSION},"imagePullSecrets":[{names}]}}'
    read = kubectl(namespace, "get", "serviceaccount", account, "-o", f"go-template={template}")
    return f'{kubectl(namespace, "patch", "serviceaccount", account, "-p")} "$({read})"'


def change_template(
    namespace: str,
    owner: tuple[str, str],
    pod: str,
    *,
    adds: str = "",
    takes_out: str = "",
    cron_job: str = "",
) -> str:
    """The same for the pod template of a workload (kind, name), and for a `pod` without one; "" where nothing can be
    changed. `cron_job` is the name of the CronJob of a Job.

    A change replaces no waiting pods of most workloads, so `pod` is deleted then. A Job or a bare pod is deleted and
    created again; without `pod`, that is not done.
    """
    kind, name = owner
    gone = [{"$patch": "delete", "name": takes_out}] if takes_out else []
    names = [{"name": adds}] if adds else []
    pods = {"spec": {"imagePullSecrets": [*gone, *names]}}
    if kind == "CronJob" or cron_job:
        patch = _json({"spec": {"jobTemplate": {"spec": {"template": pods}}}})
        command = kubectl(namespace, "patch", "cronjob", cron_job or name, "-p", patch)
        own = change_template(namespace, owner, pod, adds=adds, takes_out=takes_out) if cron_job else ""
        return f"{command}\n{own}".strip()
    if kind in _WITH_TEMPLATE:
        command = kubectl(namespace, "patch", kind.lower(), name, "-p", _json({"spec": {"template": pods}}))
        return command if kind in ROLLED_OUT or not pod else f"{command}\n{restart(namespace, owner, pod)}"
    if kind == "Job" and pod:
        template = {"metadata": {"labels": _LABELS}, **pods}
        return _create_again(namespace, "job", name, {"spec": {**_SELECTOR, "template": template}})
    return _create_again(namespace, "pod", pod, pods) if kind == BARE and pod else ""


def restart(namespace: str, owner: tuple[str, str], pod: str) -> str:
    """Makes a pod again by its owner (kind, name), or from its own definition; "" for a static pod, which its kubelet
    keeps."""
    kind, name = owner
    if kind in ROLLED_OUT:
        return kubectl(namespace, "rollout", "restart", f"{kind.lower()}/{name}")
    if kind == BARE:
        return _create_again(namespace, "pod", pod, {})
    return kubectl(namespace, "delete", "pod", pod) if kind != NODE else ""


def _create_again(namespace: str, kind: str, name: str, patch: dict[str, Any]) -> str:
    """Deletes an object, and creates it from what it was, with a patch.

    The new definition is kept in a file. The API server is asked before the deletion, under another name; a quota, a
    policy or a webhook may refuse. A pod may have had a debug container, which a new pod may not have.
    """
    spec = patch.get("spec", {})
    spec = {"ephemeralContainers": None, **spec} if kind == "pod" else spec
    change = _json({"metadata": {"uid": None, "resourceVersion": None}, "spec": spec})
    read = kubectl(namespace, "get", kind, name, "-o", "json")
    made = shlex.join(["kubectl", "patch", "--local", "-f", "-", "-p", change, "-o", "json"])
    file = _file_of(f"{namespace}-{kind}-{name}")
    asked = _json({"metadata": {"name": None, "generateName": "try-"}})
    other = shlex.join(["kubectl", "patch", "--local", "-f", file, "-p", asked, "-o", "json"])
    return f"""new=$({read} | {made}) &&
printf '%s' "$new" > {file} &&
{other} | {kubectl(namespace, "create", "--dry-run=server", "-f", "-")} &&
{kubectl(namespace, *_FORCED, "-f", file)}"""


def _file_of(name: str) -> str:
    """A file for one object. A file system has no names of more than 255 characters, but an object may."""
    return f"{name if len(name) <= FILE_MAX else f'{name[:FILE_MAX]}-{sha256(name.encode()).hexdigest()[:8]}'}.json"


def _json(patch: dict[str, Any]) -> str:
    return json.dumps(patch, separators=(",", ":"))


def export_command(registry: RegistrySecret) -> str:
    """Writes the pull secret to a cluster, or changes it in place. It asks for the password (words/shell.py).

    "" where the console maintains pull secrets itself.
    """
    return "" if services().on_cluster else pull_secret_command(registry)


def pull_secret_command(registry: RegistrySecret) -> str:
    """The same anywhere; "" for an address or a user name that is not valid, since a placeholder is shown for it."""
    if registry.address_problem or registry.username == NOT_VALID:
        return ""
    write = dockerconfig(auths_keys(registry.address), registry.username)
    words = (
        *("kubectl", "create", "secret", "generic", registry.name, "-n", registry.namespace),
        "--type=kubernetes.io/dockerconfigjson",
        "--from-file=.dockerconfigjson=/dev/stdin",
        *("--dry-run=client", "-o", "yaml"),
    )
    return with_password(write, f"{shlex.join(words)} | kubectl apply --server-side -f -")


def asked_note() -> str:
    """Why a command does not have the password in it."""
    return _(
        "A command that needs the password asks for it (bash or zsh). The password does not appear in the process list"
        " or in the shell history."
    )


def before_revoking() -> str:
    """What to do before the old password is revoked, in a sentence; "" where the console does it."""
    if services().on_cluster:
        return ""
    return _(
        "Where a cluster has the pull secret of this registry, apply it again before you revoke the old password."
    )
