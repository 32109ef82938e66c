"""What is said of pull secrets: the state of one, its binding, what uses it, and who can tell.

A pull secret is the Secret of type dockerconfigjson with which kubelets pull images of a registry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from registries.domain.registry import Key


class PullSecret(StrEnum):
    """How the Secret stands that kubelets use for a registry."""

    NONE = ""
    READY = "ready"
    MISSING = "missing"
    OUTDATED = "outdated"
    """It is of an earlier registry of that name, or somebody changed it."""
    FOREIGN = "foreign"
    """Somebody else made one of that name; it is left alone."""


class Binding(StrEnum):
    """Whether the default service account of a namespace names a registry's pull secret."""

    BOUND = "bound"
    UNBOUND = "unbound"
    ABSENT = "absent"
    """There is no such service account, as in a namespace that was made a moment ago."""
    UNKNOWN = "unknown"
    """It may not be read, or the store is away."""


@dataclass(frozen=True, slots=True)
class Dependent:
    """Something that names pull secrets: a service account, a workload or a pod. `kind` is Kubernetes' own word.

    `registries` are those of its namespace that were asked about; `pulls`, whether an image of it comes from the
    address of one of them.
    """

    namespace: str
    kind: str
    name: str
    registries: tuple[str, ...]
    pulls: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """What names some pull secrets; `unseen` are the namespaces and kinds that could not be looked at."""

    dependents: tuple[Dependent, ...] = ()
    unseen: tuple[tuple[str, str], ...] = ()


class PullSecretUsers(Protocol):
    """Who uses pull secrets, as far as whoever asks may see it."""

    def binding(self, key: Key) -> Binding:
        """Never an error."""
        ...

    def bind(self, key: Key, *, bound: bool) -> None:
        """Let the default service account name it, or not. Conflict `no_service_account`; Forbidden."""
        ...

    def usage(self, domains: Mapping[Key, str]) -> Usage:
        """What names the pull secrets of these registries, given with their domains; of Secrets that somebody else
        made, nothing. Never an error, and never longer than some seconds."""
        ...
