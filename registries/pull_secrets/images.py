"""The registry of an image, by the rules of kubelets."""

from registries.addresses.address import DOCKER_HUB, AddressError, parse_address

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
"""The key for Docker Hub in a docker config. With `docker.io` kubelets fail to pull (kubernetes.md)."""


def registry_host(domain: str) -> str:
    """host[:port] of a registry in image references. Docker Hub has several names, and kubectl accepts any text."""
    try:
        return DOCKER_HUB if parse_address(domain).is_docker_hub else domain
    except AddressError:
        return domain


def auths_key(domain: str) -> str:
    """The key of a registry in a docker config."""
    host = registry_host(domain)
    return DOCKER_HUB_KEY if host == DOCKER_HUB else host


def image_host(image: str) -> str:
    """host[:port] that an image is pulled from: the first part of the reference if it looks like a host, otherwise
    Docker Hub (distribution/reference, "domain")."""
    host, slash, _ = image.partition("/")
    if not slash or not (set(host) & set(".:") or host == "localhost"):
        return DOCKER_HUB
    return DOCKER_HUB if host == "index.docker.io" else host
