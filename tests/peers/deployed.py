"""What the overlays in deploy/ contain, as `kubectl kustomize` prints it."""

from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
VARIANTS = ("local-accounts", "cluster-people", "namespaced")
ACCOUNT = "system:serviceaccount:registry-console:registry-console"

Json = dict[str, Any]


def documents(variant: str) -> list[Json]:
    """All objects of an overlay. Of kustomize, this knows only what the overlays use: files, folders, and patches of
    the ConfigMap."""
    folder = DEPLOY / variant
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found: list[Json] = []
    for name in kustomization["resources"]:
        if (folder / name).is_dir():
            found += documents(str((folder / name).resolve().relative_to(DEPLOY)))
        else:
            found += yaml.safe_load_all((folder / name).read_text())
    for patch in kustomization.get("patches", ()):
        change = yaml.safe_load((folder / patch["path"]).read_text())
        for item in found:
            if (item["kind"], item["metadata"]["name"]) == (change["kind"], change["metadata"]["name"]):
                item["data"] |= change["data"]
    return found


def settings_of(variant: str) -> dict[str, str]:
    """The environment of the console's pods."""
    return dict(next(it["data"] for it in documents(variant) if it["kind"] == "ConfigMap"))


def rights_of(variant: str) -> list[tuple[str, str]]:
    """The cluster roles of the console's account, each with its namespace; "" for the whole cluster."""
    return [
        (item["roleRef"]["name"], item["metadata"].get("namespace", ""))
        for item in documents(variant)
        if item["kind"] in ("RoleBinding", "ClusterRoleBinding")
        and item["subjects"]
        == [{"kind": "ServiceAccount", "name": "registry-console", "namespace": "registry-console"}]
    ]
