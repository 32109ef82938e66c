"""The names of a registry in images, and in the docker config of its pull secret."""

from dataclasses import replace

from registries.addresses import DOCKER_HUB, Address, AddressError, netloc, parse_address
from registries.pull_secrets.matching import matches, split_domain

DOCKER_HUB_KEYS = ("https://index.docker.io/v1/", DOCKER_HUB)
"""The keys for Docker Hub in a docker config. The first is the one of `docker login`. Kubelets ignore it if another
pull secret of the pod has the second."""
_DEFAULT_PORTS = {"https": 443, "http": 80}


def image_hosts(address: str) -> tuple[str, ...]:
    """host[:port] of a registry in image names, first as the address has it.

    `address` has a scheme for plain HTTP only.

    With the default port of its scheme a registry has two names: kubelets compare ports as text. `docker.io:443` has
    one: without its port it is Docker Hub, which must not get the credential. kubectl accepts any text as an address;
    one that cannot be parsed is its own name.
    """
    parsed = _parsed(address)
    if parsed is None:
        return (address,)
    if parsed.is_docker_hub:
        return (DOCKER_HUB,)
    default = _DEFAULT_PORTS[parsed.scheme]
    if parsed.port not in (None, default):
        return (parsed.canonical,)
    other = replace(parsed, port=default if parsed.port is None else None)
    return (parsed.canonical,) if other.is_docker_hub else (parsed.canonical, netloc(other.host, other.port))


def auths_keys(address: str) -> tuple[str, ...]:
    """The keys of a registry in a docker config. None for an address that is not valid: kubelets take `*` in a key for
    any label, and would send the credential wherever its text says."""
    if _parsed(address) is None:
        return ()
    hosts = image_hosts(address)
    return DOCKER_HUB_KEYS if hosts == (DOCKER_HUB,) else hosts


def usable_host(address: str) -> str | None:
    """host[:port] with which kubelets find the pull secret of a registry. It is not the address for a host that image
    names cannot contain alone: `registry:443` for `registry`, `[::1]:443` for `[::1]`. None if there is none, or if
    the address is not valid."""
    keys = auths_keys(address)
    return next((host for host in image_hosts(address) if matches(keys, f"{host}/project/app")), None)


def image_host(image: str) -> str:
    """host[:port] that an image is pulled from."""
    return split_domain(image)[0]


def _parsed(address: str) -> Address | None:
    try:
        return parse_address(address)
    except AddressError:
        return None
