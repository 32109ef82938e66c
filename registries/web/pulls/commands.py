"""Commands for kubectl that change what names a pull secret, or show it. Each can be run a second time."""

import json
import shlex
from typing import Any

from registries.pull_secrets.failing import ROLLED_OUT

SHAPE = """| base64 -d | jq 'walk(if type == "object" or type == "array" then . else type end)'"""
"""Shows the keys of a Secret, and of each value its type alone."""
_WITH_TEMPLATE = (*ROLLED_OUT, "StatefulSet")
"""Workloads whose pod template can be changed."""
_VERSION = '"metadata":{"resourceVersion":"{{.metadata.resourceVersion}}"}'
"""The API server refuses a patch of a service account that somebody changed meanwhile."""


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
    namespace: str, owner: tuple[str, str], pod: str, *, adds: str = "", takes_out: str = ""
) -> str:
    """The same for the pod template of a workload (kind, name); "" for one without. Pods of a StatefulSet that wait are
    not replaced by a change, so `pod` is deleted then."""
    kind, name = owner
    if kind not in _WITH_TEMPLATE:
        return ""
    gone = [{"$patch": "delete", "name": takes_out}] if takes_out else []
    names = [{"name": adds}] if adds else []
    patch = _json({"spec": {"template": {"spec": {"imagePullSecrets": [*gone, *names]}}}})
    command = kubectl(namespace, "patch", kind.lower(), name, "-p", patch)
    return command if kind in ROLLED_OUT or not pod else f"{command}\n{restart(namespace, owner, pod)}"


def restart(namespace: str, owner: tuple[str, str], pod: str) -> str:
    """Makes a pod again by its owner (kind, name); "" for a pod that nothing makes again."""
    kind, name = owner
    if kind in ROLLED_OUT:
        return kubectl(namespace, "rollout", "restart", f"{kind.lower()}/{name}")
    return kubectl(namespace, "delete", "pod", pod) if kind else ""


def _json(patch: dict[str, Any]) -> str:
    return json.dumps(patch, separators=(",", ":"))
