"""The installation on a cluster: the definition of RegistrySecret (crd.yaml) and the cluster roles (rbac.yaml)."""

import time
from pathlib import Path
from typing import Any

import yaml

from registries.cluster.connection import MERGE_PATCH, Connection
from registries.domain.errors import NotFound, Problem, Unavailable

FILES = ("crd.yaml", "rbac.yaml")
PATIENCE = 15.0
"""Seconds to wait until a new definition is served."""
_COLLECTIONS = {
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
}


def manifest() -> str:
    """All manifests as one YAML stream, for `kubectl apply -f -`."""
    return "---\n".join((Path(__file__).parent / name).read_text() for name in FILES)


def apply(connection: Connection) -> list[str]:
    """Installs or updates all objects and waits until the resource is served. Returns "Kind/name" of each object.

    Uses merge patches, since servers without CEL rules refuse a server-side apply. Unavailable;
    `installation_forbidden` when the credentials do not permit it.
    """
    done = []
    try:
        for item in yaml.safe_load_all(manifest()):
            name = item["metadata"]["name"]
            _put(connection, _COLLECTIONS[item["kind"]], name, item)
            done.append(f"{item['kind']}/{name}")
            if item["kind"] == "CustomResourceDefinition":
                _wait_until_served(connection, name)
    except Unavailable as error:
        if error.problem != Problem.CLUSTER_FORBIDDEN:
            raise
        raise Unavailable(error.subject, Problem.INSTALLATION_FORBIDDEN) from error
    return done


def _put(connection: Connection, collection: str, name: str, item: dict[str, Any]) -> None:
    try:
        connection.call("PATCH", f"{collection}/{name}", subject=name, body=item, kind=MERGE_PATCH)
    except NotFound:
        connection.call("POST", collection, subject=name, body=item)


def _wait_until_served(connection: Connection, name: str) -> None:
    path = f"{_COLLECTIONS['CustomResourceDefinition']}/{name}"
    until = time.monotonic() + PATIENCE
    while not _is_established(connection.call("GET", path, subject=name)):
        if time.monotonic() > until:
            raise Unavailable(name, Problem.CRD_MISSING)
        time.sleep(0.1)


def _is_established(definition: dict[str, Any]) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(it.get("type") == "Established" and it.get("status") == "True" for it in conditions)
