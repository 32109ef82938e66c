"""Values about pull secrets: state, binding, users; and the interface that reads and binds.

A pull secret is the Secret of type dockerconfigjson with which kubelets pull images of a registry.
"""

from dataclasses import dataclass
from enum import StrEnum

from registries.domain.metadata import name_problem

ACCOUNT = "ServiceAccount"
"""The kind of a dependent that is a service account."""
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


def is_object_name(name: str) -> bool:
    """Whether a Secret, a node or a pod can have this name: a DNS subdomain."""
    return name_problem(name) is None
