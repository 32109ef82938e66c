"""What the tests of pull secrets share: a registry, and the Secret beside it."""

import base64
import json
from typing import Any

from registries.cluster.paths import secret
from registries.domain.registry import Draft, Key, Provider
from tests.canary import CANARY
from tests.peers.cluster import Cluster

KEY = Key("team-a", "harbor-prod")
HOSTS = ["harbor.example.com", "harbor.example.com:443"]


def make(key: Key = KEY, domain: str = "harbor.example.com") -> Draft:
    return Draft(key, domain, "robot$ci", Provider.OTHER, CANARY)


def secret_on(cluster: Cluster, key: Key = KEY) -> dict[str, Any]:
    answer = cluster.server.call("GET", secret(key))
    return answer.body if answer.status == 200 else {}


def auths(found: dict[str, Any]) -> dict[str, Any]:
    raw = (found.get("data") or {}).get(".dockerconfigjson", "")
    return dict(json.loads(base64.b64decode(raw)).get("auths") or {}) if raw else {}
