"""Where an image may be fetched from: the storage behind a registry, and redirects."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from registries.probe import probe
from registries.probe.pull import MOST_REQUESTS
from registries.probe.reason import ImageReason
from registries.probe.transport import MOST_REQUESTS as MOST_OF_LOG_IN
from tests.peers.scripted import HERE, Reply, Request, scripted, silent_port
from tests.probe.one_image import INDEX, ONE, PASSWORD, QUERY, USER, Registry, image_of, look


def redirecting(to: str) -> dict[str, Reply | Callable[[Request], Reply]]:
    return {f"blobs/{ONE.blobs[0].digest}": Reply(307, [("Location", to)])}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_storage_gets_no_credentials(host: str) -> None:
    with scripted(lambda request: Reply(200, [], ONE.blobs[0].body)) as storage:
        to = f"http://{host}:{storage.port}/bucket/x?X-Amz-Signature=of-the-url"
        result, _ = look(Registry(ONE, redirecting(to)))

    found = image_of(result)
    assert {it.name: it.size for it in found.platforms} == ONE.sizes
    assert storage.authorizations() == [None]
    assert "of-the-url" not in json.dumps(result.to_json())
    assert str(storage.port) not in json.dumps(result.to_json())


NOT_FOLLOWED = [
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://10.1.2.3/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://0.0.0.0:1/",
]


@pytest.mark.parametrize("to", NOT_FOLLOWED)
def test_a_storage_at_a_refused_address_is_not_contacted(to: str) -> None:
    result, _ = look(Registry(ONE, redirecting(to)), policy=replace(HERE, total_timeout=20.0))

    assert (image_of(result).note, image_of(result).platforms) == ("storage_not_followed", ())
    assert image_of(result).reason is ImageReason.PULLABLE


@pytest.mark.parametrize("to", ["ftp://x/", "javascript:alert(1)", "http://user:word@x/", "http://\x7f/"])
def test_a_storage_that_is_no_url(to: str) -> None:
    result, _ = look(Registry(ONE, redirecting(to)))

    assert image_of(result).reason is ImageReason.FAILED
    assert image_of(result).cause == "redirect_blocked"


def test_a_storage_that_is_down_stops_nodes_too() -> None:
    with silent_port() as port:
        result, _ = look(Registry(ONE, redirecting(f"http://localhost:{port}/x")))

    found = image_of(result)
    assert (found.reason, found.cause) == (ImageReason.STORAGE_UNREACHABLE, "connection_refused")
    assert all(it.ok for it in result.steps if it.name != "image")


# Other origins


def test_a_manifest_is_not_sought_elsewhere() -> None:
    with scripted(lambda request: Reply(200)) as other:
        reply = Reply(307, [("Location", other.url("/v2/team/app/manifests/1"))])
        result, _ = look(Registry(INDEX, {"manifests/1": reply}))

    assert image_of(result).cause == "redirect_blocked"
    assert other.requests == []


def test_redirects_on_one_origin_are_followed_a_few_times() -> None:
    path = "/v2/team/app/manifests/other"
    registry = Registry(INDEX, {"manifests/1": Reply(307, [("Location", path)])})
    registry.changed["manifests/other"] = lambda it: registry._stored(
        replace(it, target=it.target), "manifests/1"
    )
    assert image_of(look(registry)[0]).reason is ImageReason.PULLABLE

    registry.changed["manifests/other"] = Reply(307, [("Location", path)])
    result, server = look(registry)
    assert image_of(result).reason is ImageReason.FAILED
    assert len(server.requests) <= MOST_OF_LOG_IN + MOST_REQUESTS


def test_a_name_that_turns_to_a_refused_address_is_not_followed() -> None:
    """The storage has the name of the registry, and the second answer of the DNS server is another one."""
    answers = iter([["127.0.0.1"]])
    policy = replace(HERE, resolver=lambda host, port: next(answers, ["169.254.169.254"]))
    with scripted(Registry(ONE, redirecting("http://registry.test:9/x"))) as server:
        result = probe(f"http://registry.test:{server.port}", USER, PASSWORD, policy, QUERY)

    assert image_of(result).note == "storage_not_followed"
