"""What a store is. Two exist, the embedded one and a cluster; one contract test runs against both.

A registry goes in as a Draft, with its password, and comes out as a RegistrySecret, without it: `credential` is
the only way to read a password. The document of a RegistrySecret is its resource as JSON, made once by the store.
Every patch and delete carries the uid that was read, so that a re-created namesake is never touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Protocol

from registries.domain.errors import Problem, Unavailable
from registries.domain.registry import Credential, Draft, Key, RegistrySecret, Removal
from registries.pull_secrets.kinds import PullSecret, PullSecretUsers


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened since a version. When `complete`, it is everything there is and replaces all before.

    `version` goes into the next call. `removed` may name keys that the caller never saw.
    """

    version: str
    complete: bool
    upserted: tuple[RegistrySecret, ...] = ()
    removed: tuple[Removal, ...] = ()
    namespaces: frozenset[str] | None = None
    """All namespaces, or None when they did not change."""
    mark: int = 0
    """The newest resource version that was seen by then, those of deletions included. It only grows, unless the store
    has another history: then the changes are complete."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far what `changes` tells can be trusted. `problem` is None while all is well;
    with one, nothing newer than `as_of` is known and nothing can be written."""

    problem: Problem | None = None
    as_of: datetime | None = None
    known: bool = True
    """Whether what there is was read once, however long ago."""
    steady: float = field(default=inf, compare=False)
    """Seconds since it was last found not to answer. Soon after, what it refuses may be what it does not know yet."""

    @property
    def away(self) -> bool:
        return bool(self.problem)


class Store(Protocol):
    """Errors are those of registries.errors, Unavailable from every method of a store that is away."""

    @property
    def manages_namespaces(self) -> bool:
        """Whether namespaces are created and deleted here; a cluster's have lives of their own."""
        ...

    def stop(self) -> None:
        """Nothing of it goes on beside the calls from now on, in this process."""
        ...

    def freshness(self) -> Freshness:
        """At once, from memory."""
        ...

    def changes(self, since: str | None) -> Changes:
        """What changed since a version; everything for None or for a version that is too old."""
        ...

    def reached(self, version: int) -> bool:
        """Whether a resource version that `changes` has not seen may be one of this store all the same."""
        ...

    def get(self, key: Key) -> RegistrySecret:
        """One registry as it is now. NotFound."""
        ...

    def create(self, draft: Draft, *, dry_run: bool = False) -> RegistrySecret:
        """Store a new registry and give it as stored. AlreadyExists; NotFound for its namespace.

        A dry run, also of `annotate` and `delete`, raises the same errors and changes nothing. The registry that
        a dry run of `create` gives may have an empty uid and resource_version.
        """
        ...

    def annotate(
        self,
        key: Key,
        annotations: Mapping[str, str | None],
        *,
        uid: str,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> RegistrySecret:
        """Merge annotations (None removes one) and give the registry as changed. There is no other update.

        NotFound; Conflict `recreated` when the uid is another one, `changed` when the version is.
        """
        ...

    def delete(self, key: Key, *, uid: str, dry_run: bool = False) -> None:
        """NotFound; Conflict `recreated`."""
        ...

    def credential(self, key: Key, *, uid: str) -> Credential:
        """The address, user name and password of one test. NotFound; Conflict `recreated`; Unavailable."""
        ...

    def acting_as(self, acting: object | None) -> "Store":
        """This store, whose `create`, `annotate`, `delete` and `credential` are done in somebody's name.

        A store that asks nobody gives itself. Of the other one every such call may also raise Forbidden, and
        Unavailable `session_ended` once the credential is forgotten or no longer taken.
        """
        ...

    def pull_secret(self, key: Key) -> PullSecret:
        """How it stands, after it was put right if need be; NONE where there are none."""
        ...

    def upkeep_problem(self) -> Unavailable | None:
        """Why nobody keeps pull secrets in the background, as far as it is known: about the console's own namespace
        there. None while somebody does, and where there are none."""
        ...

    def pull_secret_users(self) -> PullSecretUsers | None:
        """None where there are no pull secrets. After `acting_as` it reads and binds in that person's name."""
        ...

    def create_namespace(self, name: str) -> None:
        """AlreadyExists."""
        ...

    def delete_namespace(self, name: str) -> None:
        """NotFound; Conflict `not_empty` while a registry is in it."""
        ...
