"""Manifests and indexes of images, read within bounds.

Only known fields are kept, and only values that a server cannot choose freely: digests, sizes, and platforms of a fixed
list. Sources: OCI image specification 1.1 (manifest, image-index, config), Docker image manifest version 2, schema 2.
"""

import re
from dataclasses import dataclass
from typing import TypeGuard

from .answer import parsed_json

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
SINGLES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
TYPES = frozenset({*INDEXES, *SINGLES})
ACCEPT = ", ".join((*INDEXES, *SINGLES))
"""All four types: docker-registry 2.8 answers 404 to a request for an OCI index that does not accept indexes."""
DOCUMENT_MAX = 1024 * 1024
"""Bytes of a manifest, an index or a config. Those of real images have up to some ten KiB."""
_MOST_PARTS = 20_000
"""Objects and lists in a document. A parser makes a value of 50 to 200 bytes for each."""
_MOST_ENTRIES = 1_000
_LARGEST = 1 << 50
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SYSTEMS = frozenset({"linux", "windows", "darwin", "freebsd", "wasip1"})
_ARCHITECTURES = frozenset(
    {"386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le"}
    | {"riscv64", "s390x", "wasm"}
)
_OTHER_NAMES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "loongarch64": "loong64"}
_VARIANT = re.compile(r"v?[1-9]")
_USUAL_VARIANT = {"arm": "v7", "arm64": "v8", "amd64": "v1"}
"""The variant of a platform without one (containerd's platforms.Normalize)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One manifest of an index. `platform` is os/architecture[/variant]; "" if the index does not say."""

    digest: str
    platform: str


@dataclass(frozen=True, slots=True)
class Index:
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Single:
    """`config` is the digest of the config. `size` has the bytes of the config and all layers, compressed."""

    config: str
    size: int


def read_manifest(body: bytes) -> Index | Single | None:
    """The parts of a manifest or an index; None for anything else, a schema 1 manifest for example."""
    document = _read(body)
    if document is None:
        return None
    entries = document.get("manifests")
    if isinstance(entries, list):
        if len(entries) > _MOST_ENTRIES:
            return None
        return Index(tuple(entry for it in entries if (entry := _entry(it)) is not None))
    config, layers = document.get("config"), document.get("layers")
    if not isinstance(config, dict) or not isinstance(layers, list) or len(layers) > _MOST_ENTRIES:
        return None
    sizes = [_size(it) for it in (config, *layers)]
    digest = config.get("digest")
    known = [size for size in sizes if size is not None]
    return Single(digest, sum(known)) if len(known) == len(sizes) and is_digest(digest) else None


def read_config(body: bytes) -> str:
    """The platform in the config of an image; "" if it names none that is known."""
    return _platform(_read(body)) or ""


def is_digest(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def platform_of(system: str, architecture: str, variant: str = "") -> str:
    """os/architecture[/variant] in the normal form; "" if it is none that is known."""
    architecture = _OTHER_NAMES.get(architecture, architecture)
    if system not in _SYSTEMS or architecture not in _ARCHITECTURES:
        return ""
    usual = _USUAL_VARIANT.get(architecture, "")
    if not _VARIANT.fullmatch(variant):
        variant = usual
    variant = f"v{variant.removeprefix('v')}" if variant else ""
    shown = variant if architecture == "arm" or variant != usual else ""
    return "/".join(filter(None, (system, architecture, shown)))


def runs_on(platform: str, node: str) -> bool:
    """Whether an image for `platform` runs on a node of another platform string. An arm/v7 node also runs v6 and v5."""
    if platform.startswith("linux/arm/") and node.startswith("linux/arm/"):
        return platform <= node
    return platform == node


def _read(body: bytes) -> dict[str, object] | None:
    if len(body) > DOCUMENT_MAX or body.count(b"{") + body.count(b"[") > _MOST_PARTS:
        return None
    document = parsed_json(body)
    return document if isinstance(document, dict) else None


def _entry(value: object) -> Entry | None:
    """None for an attestation, and for an entry that names no manifest."""
    if not isinstance(value, dict) or not is_digest(value.get("digest")):
        return None
    platform = value.get("platform")
    if not isinstance(platform, dict):
        return Entry(value["digest"], "")
    read = _platform(platform)
    return Entry(value["digest"], read) if read else None


def _platform(value: dict[str, object] | None) -> str:
    """buildkit gives an attestation the platform unknown/unknown, which is none."""
    texts = [(value or {}).get(name) for name in ("os", "architecture", "variant")]
    system, architecture, variant = (it if isinstance(it, str) else "" for it in texts)
    return platform_of(system, architecture, variant)


def _size(value: object) -> int | None:
    size = value.get("size") if isinstance(value, dict) else None
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= _LARGEST else None
