"""Kubeconfig files as people have them."""

import base64
from typing import Any

import yaml

from tests.peers.certificates import Pair


def kubeconfig(server: str, user: dict[str, Any], **cluster: str) -> str:
    """One context with that server and user."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    return yaml.safe_dump(config)


def client_certificate(pair: Pair) -> dict[str, str]:
    """The user of a kubeconfig with an embedded certificate and key."""
    return {
        "client-certificate-data": base64.b64encode(pair.certificate_file.read_bytes()).decode(),
        "client-key-data": base64.b64encode(pair.key_file.read_bytes()).decode(),
    }
