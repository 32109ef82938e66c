"""Resource versions are compared as numbers. Kubernetes calls them opaque, but every API server that serves custom
resources takes them from the revision of etcd, which only grows, over all objects. client-go and the cache of the API
server rely on this, too. A version that is not a number is always taken as newer.
"""

from registries.domain.registry import RegistrySecret


def number_of(version: str) -> int | None:
    return int(version) if version.isdigit() else None


def newer(version: str, other: str) -> bool:
    """Whether a version is newer than another. False when one of them is not a number."""
    mine, theirs = number_of(version), number_of(other)
    return mine is not None and theirs is not None and mine > theirs


def supersedes(registry: RegistrySecret, known: RegistrySecret | None) -> bool:
    if known is None:
        return True
    mine, theirs = number_of(registry.resource_version), number_of(known.resource_version)
    return mine is None or theirs is None or mine > theirs
