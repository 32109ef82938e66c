"""The one repository of the demo's registries, demo/app: tag 1.0 for three platforms, tag amd64 for one. Its layers do
not exist, since nothing pulls them."""

import hashlib
import json
from collections.abc import Mapping

from registries.demo.messages import API_VERSION, Answer, Request, error

REPOSITORY = "/v2/demo/app/"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_QUOTA = (("ratelimit-limit", "200;w=21600"), ("ratelimit-remaining", "176;w=21600"))
_SIZES = {"amd64": 94_371_840, "arm64": 91_226_112, "riscv64": 88_080_384}


def contents(request: Request) -> Answer:
    """A manifest, a config, or the error of a registry that has none of that name."""
    kind, _, reference = request.path.removeprefix(REPOSITORY).partition("/")
    if (kind, reference) == ("tags", "list"):
        return Answer(200, json.dumps({"name": "demo/app", "tags": ["1.0", "amd64"]}).encode())
    stored = _STORED.get(_TAGS.get(reference, reference))
    if stored is None:
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
    media, body = stored
    counted = _QUOTA if kind == "manifests" and request.host.startswith("dockerhub.") else ()
    return Answer(200, body, media, (API_VERSION, ("Docker-Content-Digest", _digest(body)), *counted))


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _stored() -> tuple[Mapping[str, tuple[str, bytes]], Mapping[str, str]]:
    """Media type and body by digest, and digests by tag."""
    stored, entries = dict[str, tuple[str, bytes]](), []
    for architecture, size in _SIZES.items():
        platform = {"os": "linux", "architecture": architecture}
        config = json.dumps(platform).encode()
        manifest = {
            "schemaVersion": 2,
            "config": {"digest": _digest(config), "size": len(config)},
            "layers": [{"digest": _digest(architecture.encode()), "size": size}],
        }
        body = json.dumps(manifest).encode()
        stored |= {
            _digest(config): ("application/octet-stream", config),
            _digest(body): (_MANIFEST, body),
        }
        entries.append(
            {"mediaType": _MANIFEST, "digest": _digest(body), "size": len(body), "platform": platform}
        )
    index = json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": entries}).encode()
    tags = {"1.0": _digest(index), "amd64": str(entries[0]["digest"])}
    return {**stored, _digest(index): (_INDEX, index)}, tags


_STORED, _TAGS = _stored()
