"""Values about pull secrets: state, binding, users; and the interface that reads and binds.

A pull secret is the Secret of type dockerconfigjson with which kubelets pull images of a registry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from registries.domain.registry import Key, name_problem

IMAGE_MAX = 1_000
"""Characters of an image that are read. The API server does not limit them; one that is cut is not valid."""


class PullSecret(StrEnum):
    """The state of a pull secret."""

    NONE = ""
    READY = "ready"
    MISSING = "missing"
    OUTDATED = "outdated"
    """The Secret belongs to an earlier registry of that name, or was changed."""
    FOREIGN = "foreign"
    """A Secret of that name was not made by the console. It is left alone."""


class Binding(StrEnum):
    """Whether the default service account of a namespace names the pull secret."""

    BOUND = "bound"
    UNBOUND = "unbound"
    ABSENT = "absent"
    """The namespace has no default service account, for example because it was created a moment ago."""
    UNKNOWN = "unknown"
    """The service account cannot be read."""


@dataclass(frozen=True, slots=True)
class Dependent:
    """A service account, workload, pod or Repository that names pull secrets. `kind` is the kind in Kubernetes.

    `registries` are the names of its registries among those in question. `pulls` is True when one of its images comes
    from the address of one of them.
    """

    namespace: str
    kind: str
    name: str
    registries: tuple[str, ...]
    pulls: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """The users of some pull secrets. `unseen` lists the namespaces and kinds that could not be listed."""

    dependents: tuple[Dependent, ...] = ()
    unseen: tuple[tuple[str, str], ...] = ()


class PullSecretUsers(Protocol):
    """Reads and binds users of pull secrets, within the permissions of one person or of the console."""

    def binding(self, key: Key) -> Binding:
        """The binding of one pull secret. Raises no error."""
        ...

    def bind(self, key: Key, *, bound: bool) -> None:
        """Adds the pull secret to the default service account, or removes it. Conflict `no_service_account`;
        Forbidden."""
        ...

    def usage(self, addresses: Mapping[Key, str]) -> Usage:
        """The users of the pull secrets of these registries, given with their addresses.

        Foreign Secrets are left out. Raises no error, and takes a few seconds at most.
        """
        ...


def is_object_name(name: str) -> bool:
    """Whether a Secret, a node or a pod can have this name: a DNS subdomain."""
    return name_problem(name) is None
