"""Images of every kind, made here and pushed into a registry: single manifests, indexes, attestations."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests

OCI = {
    "index": "application/vnd.oci.image.index.v1+json",
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}
DOCKER = {
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
Json = dict[str, Any]


@dataclass(frozen=True)
class Blob:
    """A blob or a manifest with its media type."""

    kind: str
    body: bytes

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.body).hexdigest()}"

    def descriptor(self, **more: Any) -> Json:
        return {"mediaType": self.kind, "digest": self.digest, "size": len(self.body), **more}


@dataclass
class Image:
    """`top` is the manifest or the index; `manifests` are those of an index; `sizes` has the bytes per platform."""

    top: Blob
    manifests: list[Blob] = field(default_factory=list)
    blobs: list[Blob] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)


def platform(name: str) -> Json:
    system, architecture, *variant = name.split("/")
    return {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}


def single(name: str, types: Json = OCI, *, content: str = "") -> Image:
    """An image of one platform, linux/arm64 for example."""
    plain = _tar(content or name)
    layer = Blob(types["layer"], gzip.compress(plain, mtime=0))
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(plain).hexdigest()}"]}
    config = Blob(types["config"], _json({**platform(name), "config": {}, "rootfs": rootfs}))
    document = {"schemaVersion": 2, "mediaType": types["manifest"]}
    document |= {"config": config.descriptor(), "layers": [layer.descriptor()]}
    size = len(config.body) + len(layer.body)
    return Image(Blob(types["manifest"], _json(document)), [], [config, layer], {name: size})


def index(names: Iterable[str], types: Json = OCI, *, attested: bool = False) -> Image:
    """An image of several platforms; with `attested` as buildkit makes it, with an attestation for each."""
    parts = [(name, single(name, types)) for name in names]
    entries = [part.top.descriptor(platform=platform(name)) for name, part in parts]
    notes = [_attestation(part.top.digest) for _, part in parts] if attested else []
    for (_, part), note in zip(parts, notes, strict=False):
        annotations = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": part.top.digest,
        }
        entries.append(note.top.descriptor(platform=platform("unknown/unknown"), annotations=annotations))
    images = [*(part for _, part in parts), *notes]
    document = {"schemaVersion": 2, "mediaType": types["index"], "manifests": entries}
    return Image(
        Blob(types["index"], _json(document)),
        [it.top for it in images],
        [blob for it in images for blob in it.blobs],
        {name: size for _, part in parts for name, size in part.sizes.items()},
    )


def _attestation(subject: str) -> Image:
    return single("unknown/unknown", content=f"in-toto statement of {subject}")


def push(url: str, repository: str, tag: str, image: Image, authorization: str = "") -> None:
    """Pushes into the registry at `url`. `authorization` is the header for all requests."""
    headers = {"Authorization": authorization} if authorization else {}
    base = f"{url}/v2/{repository}"
    with requests.Session() as session:
        session.headers.update(headers)
        for blob in image.blobs:
            begun = session.post(f"{base}/blobs/uploads/")
            assert begun.status_code == 202, begun.text
            place = urljoin(base, begun.headers["Location"])
            done = session.put(place, params={"digest": blob.digest}, data=blob.body)
            assert done.status_code == 201, done.text
        for manifest, reference in [*((it, it.digest) for it in image.manifests), (image.top, tag)]:
            done = session.put(
                f"{base}/manifests/{reference}", data=manifest.body, headers={"Content-Type": manifest.kind}
            )
            assert done.status_code == 201, done.text


def push_scope(repository: str) -> str:
    return f"repository:{repository}:pull,push"


def _json(document: Json) -> bytes:
    return json.dumps(document).encode()


def _tar(content: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("content")
        entry.size = len(content.encode())
        archive.addfile(entry, io.BytesIO(content.encode()))
    return packed.getvalue()


def dockerconfig(registry: str, username: str, password: str) -> str:
    """The content of an authfile for skopeo."""
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return json.dumps({"auths": {registry: {"auth": pair}}})
