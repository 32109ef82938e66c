"""The keys of a pull secret, and the hosts that image names begin with."""

import json
from datetime import UTC, datetime

import pytest

from registries.domain.registry import Key, Provider, RegistrySecret
from registries.pull_secrets.images import auths_keys, image_host, usable_host
from registries.pull_secrets.secret import docker_config


@pytest.mark.parametrize(
    "domain",
    [
        *(
            "docker.io",
            "index.docker.io",
            "registry-1.docker.io",
            "hub.docker.com",
            "registry.hub.docker.com",
        ),
        *("www.docker.com", "Docker.IO", "index.docker.io."),
    ],
)
def test_docker_hub_has_two_keys_for_kubelets(domain: str) -> None:
    assert auths_keys(domain) == ("https://index.docker.io/v1/", "docker.io")


@pytest.mark.parametrize(
    "domain",
    ["h.example.com:5000", "docker.io:5000", "docker.io:443", "index.docker.io:443"],
)
def test_any_other_registry_has_its_own(domain: str) -> None:
    assert auths_keys(domain) == (domain,)


@pytest.mark.parametrize(
    "domain",
    ["not a host", "", "*", "*.example.com", "h.example.com:*", "h?.example.com", "[a-z].example.com"],
)
def test_without_a_valid_address_nodes_get_no_credential(domain: str) -> None:
    """Kubelets take such keys for patterns: whoever has a host that one matches would get the password."""
    now = datetime.now(UTC)
    registry = RegistrySecret(Key("team-a", "r"), "uid", "1", now, domain, "u", Provider.OTHER)

    assert json.loads(docker_config(registry, "p")) == {"auths": {}}


@pytest.mark.parametrize(
    ("address", "keys"),
    [
        ("h.example.com", ("h.example.com", "h.example.com:443")),
        ("h.example.com:443", ("h.example.com:443", "h.example.com")),
        ("http://h.example.com", ("h.example.com", "h.example.com:80")),
        ("http://h.example.com:80", ("h.example.com:80", "h.example.com")),
        ("http://h.example.com:443", ("h.example.com:443",)),
        ("h.example.com:80", ("h.example.com:80",)),
        ("my.docker.io", ("my.docker.io", "my.docker.io:443")),
        ("localhost", ("localhost", "localhost:443")),
        ("[2001:db8::1]", ("[2001:db8::1]", "[2001:db8::1]:443")),
        ("10.0.0.1", ("10.0.0.1", "10.0.0.1:443")),
    ],
)
def test_a_default_port_is_in_both_spellings(address: str, keys: tuple[str, ...]) -> None:
    assert auths_keys(address) == keys


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("h.example.com", "h.example.com"),
        ("H.Example.com:443", "h.example.com:443"),
        ("registry-1.docker.io", "docker.io"),
        ("localhost", "localhost"),
        ("registry", "registry:443"),
        ("http://registry", "registry:80"),
        ("registry:5000", "registry:5000"),
        ("[2001:db8::1]", "[2001:db8::1]:443"),
        ("http://[2001:db8::1]:5000", "[2001:db8::1]:5000"),
        ("not a host", None),
        ("", None),
    ],
)
def test_the_host_for_image_names(address: str, host: str | None) -> None:
    assert usable_host(address) == host


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("nginx", "docker.io"),
        ("library/nginx:1", "docker.io"),
        ("index.docker.io/library/nginx", "docker.io"),
        ("docker.io/library/nginx", "docker.io"),
        ("harbor.example.com/p/a@sha256:00", "harbor.example.com"),
        ("localhost/a", "localhost"),
        ("registry:5000/a", "registry:5000"),
        ("", "docker.io"),
    ],
)
def test_where_an_image_comes_from(image: str, host: str) -> None:
    assert image_host(image) == host
