"""How kubelets tell which registry an image is of. May import what the probe knows of addresses."""

from registries.probe.address import DOCKER_HUB, AddressError, parse_address

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
"""The key under which kubelets look for Docker Hub; `docker.io` logs in, then fails to pull (kubernetes.md)."""


def registry_host(domain: str) -> str:
    """host[:port] of a registry as images name it: Docker Hub has several names, and kubectl takes any."""
    try:
        return DOCKER_HUB if parse_address(domain).is_docker_hub else domain
    except AddressError:
        return domain


def auths_key(domain: str) -> str:
    """Under what the credential of a registry stands in a docker config."""
    host = registry_host(domain)
    return DOCKER_HUB_KEY if host == DOCKER_HUB else host


def image_host(image: str) -> str:
    """host[:port] that an image is pulled from: its first part if it looks like a host, else Docker Hub
    (distribution/reference, "domain")."""
    host, slash, _ = image.partition("/")
    if not slash or not (set(host) & set(".:") or host == "localhost"):
        return DOCKER_HUB
    return DOCKER_HUB if host == "index.docker.io" else host
