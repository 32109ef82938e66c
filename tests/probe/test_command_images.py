"""The command with an image: whether it can be pulled, and how long that takes."""

import json
from hashlib import sha256

import pytest

from tests.peers.scripted import Reply, Request, scripted
from tests.probe.commands import registry, run


def imaged(request: Request) -> Reply:
    if "/manifests/" not in request.path:
        return registry(request)
    gone = request.path.endswith("/2.0")
    limits = [("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "42;w=21600")]
    kind = [("Content-Type", "application/vnd.oci.image.index.v1+json")]
    return Reply(404) if gone else Reply(200, [*limits, *kind])


@pytest.mark.parametrize(
    ("image", "status", "line"),
    [
        ("team/app:1.0", 0, "  ✓ team/app:1.0: Can be pulled [image_pullable]"),
        ("team/app:2.0", 1, "  ✗ team/app:2.0: The repository has no such tag [image_tag_missing]"),
    ],
)
def test_an_image_is_looked_at_after_the_log_in(image: str, status: int, line: str) -> None:
    with scripted(imaged) as server:
        options = ("--username", "admin", "--password-stdin", "--allow-loopback", "--image", image)
        done = run(server.address, *options)
    assert (done.returncode, done.stderr) == (status, "")
    assert line in done.stdout.splitlines()
    assert ("    pulls left in 6 h: 42/100" in done.stdout.splitlines()) is (status == 0)


CONFIG = b'{"os": "linux", "architecture": "amd64"}'


def large(request: Request) -> Reply:
    """A single image of 750 MB."""
    if "/blobs/" in request.path:
        return Reply(200, [], CONFIG)
    if "/manifests/" not in request.path:
        return registry(request)
    kind = "application/vnd.oci.image.manifest.v1+json"
    config = {"digest": f"sha256:{sha256(CONFIG).hexdigest()}", "size": len(CONFIG)}
    layers = [{"digest": f"sha256:{'a' * 64}", "size": 750_000_000 - len(CONFIG)}]
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers}
    return Reply(200, [("Content-Type", kind)], json.dumps(manifest).encode())


@pytest.mark.parametrize(("given", "minutes"), [((), 10.0), (("--uplink", "100"), 1.0)])
def test_a_pull_is_timed_at_the_given_uplink(given: tuple[str, ...], minutes: float) -> None:
    options = (
        "--username",
        "admin",
        "--password-stdin",
        "--allow-loopback",
        "--image",
        "team/app:1.0",
        *given,
    )
    with scripted(large) as server:
        shown, plain = run(server.address, *options).stdout, run(server.address, *options, "--json").stdout

    assert f"     750,000,000 B  linux/amd64  {minutes} min" in shown.splitlines()
    [platform] = json.loads(plain)["image"]["platforms"]
    assert platform == {"name": "linux/amd64", "size": 750_000_000, "minutes": minutes}


@pytest.mark.parametrize("rate", ["0", "-1", "x", "nan", "inf"])
def test_no_rate_is_wrong_usage(rate: str) -> None:
    done = run("x", "--username", "a", "--password-stdin", "--uplink", rate)
    assert (done.returncode, "Mbit/s" in done.stderr) == (2, True)


@pytest.mark.parametrize("image", ["", "UPPER", "a b", "x:", "../x", "a//b", "a@sha256:1", "a?b", "a#b"])
def test_an_image_with_other_signs_is_wrong_usage(image: str) -> None:
    done = run("x", "--username", "a", "--password-stdin", "--image", image)
    assert (done.returncode, "project/app:1.0" in done.stderr) == (2, True)
