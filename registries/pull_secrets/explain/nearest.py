"""The key of `auths` that was probably meant for an image, and why kubelets do not use it."""

from collections.abc import Iterable
from enum import StrEnum

from registries.pull_secrets.matching import DEFAULT_DOMAIN, matches, split_domain

_HUB = frozenset(
    {"docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com"}
)
KEY_MAX = 255


class Near(StrEnum):
    SPACE = "space"
    SCHEME = "scheme"
    CASE = "case"
    VERSION = "version"
    """It ends with `/v1` or `/v2` without a slash."""
    PORT = "port"
    PATH = "path"
    PATTERN = "pattern"
    """`*` does not stand for the host: it covers exactly one label."""
    HUB = "hub"
    """A name of Docker Hub that image names do not have."""


def nearest_key(keys: Iterable[str], image: str) -> tuple[str, Near] | None:
    """The nearest key of those that do not match, and what is wrong with it. None if all are for other hosts."""
    found = ((key, near) for key in keys if len(key) <= KEY_MAX and (near := _near(key, image)))
    order = list(Near)
    return min(found, key=lambda it: (order.index(it[1]), it[0]), default=None)


def _near(key: str, image: str) -> Near | None:
    host = split_domain(image)[0]
    place = key.strip().lower()
    schemes = 0
    while place.startswith(("https://", "http://")):
        place, schemes = place.partition("://")[2], schemes + 1
    authority, slash, path = place.partition("/")
    authority = authority.rpartition("@")[2]
    if authority != host.lower():
        return _other_host(authority, host)
    for near, changed in (
        (Near.SPACE, key.strip()),
        (Near.SCHEME, f"{authority}{slash}{path}" if schemes > 1 else key),
        (Near.CASE, key.lower()),
    ):
        if changed != key and matches([changed], image):
            return near
    return Near.VERSION if path in ("v1", "v2") else Near.PATH


def _other_host(authority: str, host: str) -> Near | None:
    if host == DEFAULT_DOMAIN:
        return Near.HUB if authority in _HUB else None
    if "*" in authority:
        labels = authority.replace("*", "").strip(".").partition(":")[0]
        return Near.PATTERN if labels and _bare(host).endswith(labels) else None
    return Near.PORT if _bare(authority) == _bare(host) else None


def _bare(authority: str) -> str:
    """The host without its port."""
    host, colon, port = authority.lower().rpartition(":")
    return host if colon and port.isdigit() else authority.lower()
