"""The interface of a store. There are two stores, the embedded one and a cluster; one contract test runs against both.

A registry goes in as a Draft, with its password, and comes out as a RegistrySecret, without it: `credential` is
the only way to read a password. The document of a RegistrySecret is its resource as JSON, made once by the store.
Every patch and delete carries the uid that was read, so that another registry of the same name is never touched.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

from registries.domain.errors import Conflict, Problem, Unavailable
from registries.domain.registry import Credential, Draft, Key, RegistrySecret, Removal, Verification
from registries.domain.resource import Resource
from registries.domain.writer import Writer
from registries.pull_secrets.kinds import PullSecret
from registries.stores.room import LeftOut

if TYPE_CHECKING:  # they import the kubernetes package, which takes half a second
    from registries.pull_secrets.node_pods import NodePods
    from registries.pull_secrets.pods import PodReader
    from registries.pull_secrets.usage import Users


class SecretWaits(Unavailable):
    """A registry has its new password, and its pull secret cannot be written for a moment."""

    def __init__(self, registry: RegistrySecret, cause: Unavailable) -> None:
        lost = Problem.CLUSTER_TIMEOUT if cause.problem is Problem.CLUSTER_UNCERTAIN else cause.problem
        super().__init__(str(registry.key), lost, passing=True)
        self.registry = registry


class ChangeType(StrEnum):
    """The event types of a Kubernetes watch."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one registry. A deleted registry has its last state and the version of the deletion."""

    type: ChangeType
    registry: RegistrySecret


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes since a version. When `complete` is True, `upserted` is everything and replaces all earlier changes.

    `version` is the argument of the next call. `removed` may name keys that the caller has never seen. `upserted` and
    `removed` are the outcome. `events` are the single changes in the order of their versions, none left out. A local
    write on a cluster can be in `upserted` before its event is in `events`.
    """

    version: str
    complete: bool
    upserted: tuple[RegistrySecret, ...] = ()
    removed: tuple[Removal, ...] = ()
    namespaces: frozenset[str] | None = None
    """All namespaces; None when they did not change."""
    events: tuple[Event, ...] = ()
    mark: int = 0
    """The resource version up to which all events are known. It only grows, unless the store was restored from a
    backup: then the changes are complete."""
    left_out: LeftOut = field(default_factory=dict)
    """What exists in namespaces that have no room for it. It is in no list, and is not gone."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """The state of the connection to the store. `problem` is None while the store answers.

    With a problem, nothing newer than `as_of` is known and nothing can be written.
    """

    problem: Problem | None = None
    as_of: datetime | None = None
    known: bool = True
    """Whether everything was read at least once, however long ago."""
    steady: float = field(default=inf, compare=False)
    """Seconds since the store last failed to answer. A refusal soon after that may be wrong: an API server that has
    just started does not know all roles."""


class Store(ABC):
    """Raises the errors of domain/errors.py. While the store is away, every method raises Unavailable.

    Every store has the abstract methods. The others are for a store that has what they are about.
    """

    manages_namespaces: bool = False
    """Whether namespaces are created and deleted here. A cluster manages its own."""
    keeps_secrets: bool = False
    """Whether there are pull secrets."""

    def stop(self) -> None:
        """Ends the background threads of the store in this process."""
        return

    @abstractmethod
    def freshness(self) -> Freshness:
        """The freshness of `changes`, from memory and without waiting."""

    def overfull(self) -> frozenset[str]:
        """The namespaces that have more registries than there is room for: some are not in `changes`."""
        return frozenset()

    @abstractmethod
    def changes(self, since: str | None) -> Changes:
        """The changes since a version. For None, or for a version that is too old: everything."""

    @abstractmethod
    def wait(self, since: str | None, seconds: float) -> None:
        """Returns when `changes(since)` has news, at most 20 ms later than the write, or after `seconds`."""

    def reached(self, version: int) -> bool:
        """Whether a resource version that `changes` has not seen can still be a version of this store."""
        return False

    @abstractmethod
    def get(self, key: Key) -> RegistrySecret:
        """One registry as it is now. NotFound."""

    def writer(self, key: Key, annotation: str) -> Writer | None:
        """The program that last wrote an annotation or the PASSWORD of writer.py; None if the console did. NotFound."""
        return None

    @abstractmethod
    def create(self, draft: Draft, *, dry_run: bool = False) -> RegistrySecret:
        """Stores a new registry and returns it as stored. AlreadyExists; NotFound for its namespace.

        A dry run, also of `annotate` and `delete`, raises the same errors and changes nothing. The registry returned
        by a dry run of `create` may have an empty uid and resource_version.
        """

    @abstractmethod
    def annotate(
        self,
        key: Key,
        annotations: Mapping[str, str | None],
        *,
        uid: str,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> RegistrySecret:
        """Merges annotations (None removes one) and returns the changed registry.

        NotFound; Conflict `recreated` for another uid, `changed` for another version.
        """

    def annotate_all(self, places: Sequence[tuple[Key, str]], annotations: Mapping[str, str | None]) -> bool:
        """Merges the same annotations into several registries, by key and uid, in one step. Those that are gone are
        left out, and so are those with another generation than a verdict among the annotations. False, and nothing
        done, where each registry takes a call of its own."""
        return False

    @abstractmethod
    def set_password(
        self,
        key: Key,
        password: str,
        *,
        uid: str,
        resource_version: str | None = None,
        dry_run: bool = False,
        set_at: datetime | None = None,
        verdict: Verification | None = None,
        with_secret: bool = False,
    ) -> RegistrySecret:
        """Stores another password in one write: uid, annotations and pull secret stay, the verdict is removed, and
        `generation` changes. Returns the changed registry. `set_at` is the time of a password that is put back,
        `verdict` the one on another registry with the new credential.

        NotFound; Conflict as for `annotate`; Refused `password_fixed` where the cluster's definition forbids it.
        `with_secret`: SecretWaits when the password is stored, but its pull secret is not written yet.
        """

    @abstractmethod
    def draft(self, key: Key, *, uid: str) -> Draft:
        """What creates a registry again, with its password. NotFound; Conflict `recreated`; Unavailable."""

    @abstractmethod
    def replace(self, draft: Draft, *, uid: str) -> RegistrySecret:
        """Deletes the registry with this uid and creates another one in its place. Its pull secret is never absent.

        On a cluster these are several writes. After an error, or a crash, the same call does the rest: one that is
        gone is only created. Conflict `recreated` when another registry has the name, `being_deleted` when finalizers
        hold the old one; and the errors of `create`.
        """

    @abstractmethod
    def delete(self, key: Key, *, uid: str, dry_run: bool = False) -> bool:
        """Deletes a registry. False if finalizers hold it: it is gone later. NotFound; Conflict `recreated`."""

    @abstractmethod
    def credential(self, key: Key, *, uid: str) -> Credential:
        """The address, user name and password for one test. NotFound; Conflict `recreated`; Unavailable."""

    @abstractmethod
    def whole(self, key: Key, *, uid: str) -> Resource:
        """The resource with its password, to `restore` it after a deletion. Seal it before it is stored; never show it.

        NotFound; Conflict `recreated`; Unavailable.
        """

    @abstractmethod
    def restore(self, resource: Resource) -> RegistrySecret:
        """Creates a resource of `whole` again, under a new uid. The errors of `create`."""

    @abstractmethod
    def fingerprint(self, registry: RegistrySecret) -> bytes:
        """The digest of domain/resource.py for a registry of `changes` or `get`. NotFound; Conflict `recreated`;
        Unavailable. Empty for a registry without a password."""

    @abstractmethod
    def acting_as(self, acting: object | None) -> "Store":
        """This store, with writes, `credential`, `whole` and `draft` in the name of a person.

        The embedded store has no names and returns itself. On a cluster each of these calls can also raise Forbidden,
        and Unavailable `session_ended` when the person's credential is gone or no longer accepted.
        """

    def pull_secret(self, key: Key) -> PullSecret:
        """The state of a pull secret, after a repair where one was necessary. NONE where the store has none."""
        return PullSecret.NONE

    def upkeep_problem(self) -> Unavailable | None:
        """Why no replica maintains pull secrets in the background; the subject is the console's own namespace.

        None while a replica does, and where the store has no pull secrets.
        """
        return None

    def pull_secret_users(self) -> "Users | None":
        """The users of pull secrets; None where the store has none. After `acting_as`, in that person's name."""
        return None

    def pull_failures(self) -> "PodReader | None":
        """The pods that cannot pull; None where the store has no pull secrets. After `acting_as`, as that person."""
        return None

    def namespaces_with(self, labels: str) -> frozenset[str] | None:
        """The namespaces that a label selector selects, as the store has them now; None where namespaces have no
        labels, or may not be listed."""
        return None

    def node_pods(self) -> "NodePods | None":
        """The Pods of tests from a node, as the person of `acting_as`; None without one, or without pull secrets.
        Unavailable `session_ended`."""
        return None

    def create_namespace(self, name: str) -> None:
        """Creates a namespace. AlreadyExists; Conflict `namespaces_elsewhere` on a cluster."""
        raise Conflict(name, Problem.NAMESPACES_ELSEWHERE)

    def delete_namespace(self, name: str) -> None:
        """Deletes a namespace. NotFound; Conflict `not_empty` while it contains a registry, and as above."""
        raise Conflict(name, Problem.NAMESPACES_ELSEWHERE)
