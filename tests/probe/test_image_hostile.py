"""Images at registries that answer badly, slowly or with malice: what is read is bounded, and nothing that a server
chose is shown."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from registries.probe import probe
from registries.probe.manifest import DOCUMENT_MAX, platform_of, read_config, read_manifest
from registries.probe.pull import MOST_REQUESTS
from registries.probe.reason import ImageReason
from registries.probe.transport import MOST_REQUESTS as MOST_OF_LOG_IN
from tests.peers.images import OCI, Blob, Image, index
from tests.peers.scripted import HERE, V2, Reply, Request, basic, json_reply, scripted
from tests.probe.one_image import INDEX, ONE, PASSWORD, QUERY, RIGHT, USER, Registry, image_of, look


def manifest(body: bytes, kind: str = OCI["index"]) -> Image:
    return Image(Blob(kind, body))


GOOD = json.loads(INDEX.top.body)
UNREADABLE = {
    "empty": b"",
    "not JSON": b"<html>",
    "a list": b"[]",
    "null": b"null",
    "too large": b" " * DOCUMENT_MAX + INDEX.top.body,
    "a million entries": b'{"manifests":[' + b",".join([b"{}"] * 1_000_000) + b"]}",
    "a byte order mark": b"\xef\xbb\xbf" + INDEX.top.body,
    "many small lists": b'{"manifests":[' + b",".join([b"[]"] * 300_000) + b"]}",
    "deep": b'{"a":' * 15_000 + b"1" + b"}" * 15_000,
    "too many entries": json.dumps({"manifests": [{}] * 1_001}).encode(),
    "too many layers": json.dumps({"config": {}, "layers": [{}] * 1_001}).encode(),
    "schema 1": json.dumps({"schemaVersion": 1, "fsLayers": [], "history": []}).encode(),
    "no layers": json.dumps({"config": ONE.blobs[0].descriptor()}).encode(),
    "a layer without size": json.dumps({"config": ONE.blobs[0].descriptor(), "layers": [{}]}).encode(),
    "a negative size": json.dumps({"config": ONE.blobs[0].descriptor(), "layers": [{"size": -1}]}).encode(),
    "a huge size": json.dumps({"config": ONE.blobs[0].descriptor(), "layers": [{"size": 1 << 60}]}).encode(),
    "a size of another type": json.dumps(
        {"config": ONE.blobs[0].descriptor(), "layers": [{"size": "1"}]}
    ).encode(),
    "true for a size": json.dumps({"config": ONE.blobs[0].descriptor(), "layers": [{"size": True}]}).encode(),
    "NaN for a size": b'{"config":{"digest":"sha256:%s","size":NaN},"layers":[]}' % (b"0" * 64),
    "a config without digest": json.dumps({"config": {"size": 1}, "layers": []}).encode(),
    "a digest of another algorithm": json.dumps(
        {"config": {"size": 1, "digest": "md5:00"}, "layers": []}
    ).encode(),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_manifest_that_is_none_is_unreadable(body: bytes) -> None:
    result, server = look(Registry(manifest(body)))

    assert image_of(result).reason is ImageReason.UNREADABLE
    assert image_of(result).platforms == ()
    assert len(server.requests) == 4


WRONG: list[Any] = [None, 1, "x", True, [], {}, [[]], [None], {"a": 1}]


@pytest.mark.parametrize(
    "name", ["manifests", "config", "layers", "platform", "digest", "os", "architecture"]
)
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_fields_of_other_types_break_nothing(name: str, value: object) -> None:
    document = {**GOOD, **({name: value} if name in ("manifests", "config", "layers") else {})}
    if name in ("platform", "digest"):
        document["manifests"] = [{**GOOD["manifests"][0], name: value}]
    if name in ("os", "architecture"):
        platform = {**GOOD["manifests"][0]["platform"], name: value}
        document["manifests"] = [{**GOOD["manifests"][0], "platform": platform}]
    read_manifest(json.dumps(document).encode())
    read_config(json.dumps({**document, name: value}).encode())
    result, _ = look(Registry(manifest(json.dumps(document).encode())))

    assert image_of(result).reason in (
        ImageReason.PULLABLE,
        ImageReason.UNREADABLE,
        ImageReason.PLATFORM_MISSING,
    )


TELLING = [
    PASSWORD,
    RIGHT,
    RIGHT.removeprefix("Basic "),
    f"linux/{PASSWORD}",
    "\x1b[31mamd64",
    "amd64\n",
    "amd64\u202e",
    "<b>",
]


@pytest.mark.parametrize("text", TELLING)
def test_no_text_of_a_server_is_shown(text: str) -> None:
    platform = {"os": text, "architecture": text, "variant": text, "os.version": text}
    document = {
        **GOOD,
        "annotations": {text: text},
        "manifests": [
            {**GOOD["manifests"][0], "platform": platform},
            {**GOOD["manifests"][1], "mediaType": text, "annotations": {text: text}},
        ],
    }
    headers = [
        ("Docker-Content-Digest", text.encode("ascii", "replace").decode().replace("\n", "")),
        ("ratelimit-source", "x"),
    ]
    image = manifest(json.dumps(document).encode())
    result, _ = look(Registry(image, headers=headers))

    assert [it.name for it in image_of(result).platforms] == ["linux/arm64"]
    assert text not in json.dumps(result.to_json("en"), ensure_ascii=False)


def test_a_digest_that_is_the_password_is_not_asked_for() -> None:
    password = "0123456789abcdef" * 4
    document = {**GOOD, "manifests": [{**GOOD["manifests"][0], "digest": f"sha256:{password}"}]}
    registry = Registry(manifest(json.dumps(document).encode()), opens=lambda it: bool(it.authorization))
    registry.opens = lambda it: it.authorization == basic(USER, password)
    with scripted(registry) as server:
        registry.headers = [("Docker-Content-Digest", f"sha256:{password}")]
        result = probe(server.address, USER, password, HERE, QUERY)

    assert not [it for it in server.requests if password in it.target]
    assert password not in json.dumps(result.to_json())


def test_a_manifest_with_another_digest_counts_for_nothing() -> None:
    path = f"manifests/{INDEX.manifests[0].digest}"
    result, _ = look(Registry(INDEX, {path: Reply(200, [], ONE.top.body + b" ")}))

    assert {it.name: it.size is None for it in image_of(result).platforms} == {
        "linux/amd64": True,
        "linux/arm64": False,
    }
    assert (image_of(result).note, image_of(result).reason) == ("sizes_unread", ImageReason.PULLABLE)


STATUSES = {
    401: (ImageReason.DENIED, None),
    403: (ImageReason.DENIED, None),
    429: (ImageReason.RATE_LIMITED, None),
    500: (ImageReason.FAILED, "server_error"),
    503: (ImageReason.FAILED, "server_error"),
    400: (ImageReason.FAILED, "unexpected_response"),
    418: (ImageReason.FAILED, "unexpected_response"),
    302: (ImageReason.FAILED, "redirect_blocked"),
}


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize(("status", "wanted"), STATUSES.items())
def test_each_status_of_a_manifest(status: int, wanted: tuple[ImageReason, str | None], method: str) -> None:
    reply = Reply(status, [("Retry-After", "77"), ("Location", "http://elsewhere.example/v2/")])
    result, _ = look(Registry(INDEX, {f"{method} manifests/1": reply}))

    found = image_of(result)
    assert (found.reason, found.cause) == wanted
    assert found.retry_after == (77 if status == 429 else None)
    assert [it.ok for it in result.steps if it.name == "image"] == [False]
    assert all(it.ok for it in result.steps if it.name != "image")


@pytest.mark.parametrize("status", [405, 501])
def test_a_server_without_head_is_asked_with_get(status: int) -> None:
    result, _ = look(Registry(INDEX, {"HEAD manifests/1": Reply(status)}))

    assert image_of(result).reason is ImageReason.PULLABLE
    assert {it.name: it.size for it in image_of(result).platforms} == INDEX.sizes


UNKNOWN = {
    "the manifest says it": ("NAME_UNKNOWN", 404, "X", ImageReason.REPOSITORY_UNKNOWN),
    "the tags say it": ("MANIFEST_UNKNOWN", 404, "NAME_UNKNOWN", ImageReason.REPOSITORY_UNKNOWN),
    "there are tags": ("MANIFEST_UNKNOWN", 200, "", ImageReason.TAG_MISSING),
    "tags are denied": ("MANIFEST_UNKNOWN", 401, "UNAUTHORIZED", ImageReason.TAG_MISSING),
    "nothing is said": ("", 404, "", ImageReason.TAG_MISSING),
}


@pytest.mark.parametrize(("code", "status", "of_tags", "wanted"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_missing(code: str, status: int, of_tags: str, wanted: ImageReason) -> None:
    changed = {
        "HEAD manifests/1": Reply(404),
        "GET manifests/1": json_reply({"errors": [{"code": code}]}, 404),
        "tags/list": json_reply({"errors": [{"code": of_tags}]}, status),
    }
    result, _ = look(Registry(INDEX, changed))  # type: ignore[arg-type]

    assert image_of(result).reason is wanted


@pytest.mark.parametrize("body", [b"", b"{}", ONE.blobs[0].body + b" ", b"x" * (DOCUMENT_MAX + 1)])
def test_a_config_with_another_digest_counts_for_nothing(body: bytes) -> None:
    result, _ = look(Registry(ONE, {f"blobs/{ONE.blobs[0].digest}": Reply(200, [], body)}))

    assert (image_of(result).reason, image_of(result).platforms) == (ImageReason.UNREADABLE, ())


def test_a_server_that_drips_does_not_make_it_longer() -> None:
    def drip() -> Iterator[bytes]:
        yield from (b" " for _ in range(1_200))

    def slow(request: Request) -> Reply:
        return Reply(200, [*V2, ("Content-Length", "5000")], pieces=drip(), pause=0.1)

    registry = Registry(INDEX, {"GET manifests/1": slow})
    result, _ = look(registry, policy=replace(HERE, total_timeout=2.0))

    assert result.ok
    assert image_of(result).reason is ImageReason.FAILED
    assert image_of(result).cause == "timeout"
    assert result.duration_ms < 60_000


def test_many_platforms_cost_a_few_requests() -> None:
    names = [
        f"linux/{it}" for it in ("386", "amd64", "arm64", "loong64", "mips", "mips64", "ppc64le", "riscv64")
    ]
    result, server = look(Registry(index((*names, "linux/s390x"))))

    found = image_of(result)
    assert len(server.requests) <= MOST_OF_LOG_IN + MOST_REQUESTS
    assert [it.name for it in found.platforms if it.size is None]
    sized = {it.name for it in found.platforms if it.size is not None}
    assert {"linux/amd64", "linux/arm64"} <= sized  # those of the nodes first
    assert found.note == "sizes_unread"


PLATFORMS = {
    ("linux", "amd64", ""): "linux/amd64",
    ("linux", "amd64", "v1"): "linux/amd64",
    ("linux", "amd64", "v3"): "linux/amd64/v3",
    ("linux", "x86_64", ""): "linux/amd64",
    ("linux", "aarch64", ""): "linux/arm64",
    ("linux", "arm64", "v8"): "linux/arm64",
    ("linux", "arm64", "8"): "linux/arm64",
    ("linux", "arm", ""): "linux/arm/v7",
    ("linux", "arm", "7"): "linux/arm/v7",
    ("linux", "arm", "v6"): "linux/arm/v6",
    ("linux", "riscv64", ""): "linux/riscv64",
    ("linux", "loong64", ""): "linux/loong64",
    ("linux", "loongarch64", ""): "linux/loong64",
    ("windows", "amd64", ""): "windows/amd64",
    ("unknown", "unknown", ""): "",
    ("Linux", "amd64", ""): "",
    ("linux", "", ""): "",
    ("", "amd64", ""): "",
}


@pytest.mark.parametrize(("parts", "wanted"), PLATFORMS.items())
def test_names_of_platforms(parts: tuple[str, str, str], wanted: str) -> None:
    assert platform_of(*parts) == wanted
