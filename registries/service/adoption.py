"""A credential of somebody's Secret becomes a registry: the password goes from the cluster into the store, and to no
browser."""

from dataclasses import dataclass

from registries.domain.access import Access
from registries.domain.errors import Cause, ConsoleError, Forbidden, Invalid, NotFound, Problem
from registries.domain.registry import Key
from registries.index.search import Index
from registries.pull_secrets.failing import SecretCredential
from registries.pull_secrets.images import image_hosts
from registries.pull_secrets.kinds import is_object_name
from registries.stores.base import Store

FIELD = "adopted"
"""The field of the causes."""


@dataclass(frozen=True, slots=True)
class Adoptable:
    """What a Secret has for a registry. Without credentials, `problem` is why: `Forbidden`, also for people of the
    console's own accounts, `NotFound` without one that can be used, or why the cluster did not answer."""

    credentials: tuple[SecretCredential, ...] = ()
    problem: Problem | None = None


class Adoption:
    """Secrets are read with the rights of the person, each time, and are not kept."""

    def __init__(self, store: Store, index: Index) -> None:
        self._store = store
        self._index = index

    def look(self, *, access: Access, secret: Key) -> Adoptable:
        """The credentials of a Secret, without those for a host that no registry has, such as hub.docker.com. NotFound
        for a namespace that this person does not see; Unavailable `session_ended`."""
        self._index.require_namespace(access, secret.namespace)
        reader = self._store.acting_as(access.acting).pull_failures()
        if reader is None or not is_object_name(secret.name):
            return Adoptable(problem=Problem.NOT_FOUND)
        try:
            found = reader.credentials(secret)
        except Forbidden:
            return Adoptable(problem=Problem.FORBIDDEN)
        except ConsoleError as error:
            if error.problem == Problem.SESSION_ENDED:
                raise
            return Adoptable(problem=Problem.NOT_FOUND if isinstance(error, NotFound) else error.code)
        usable = tuple(it for it in found if it.host.lower() in image_hosts(it.host))
        return Adoptable(usable, None if usable else Problem.NOT_FOUND)

    def take(self, *, access: Access, secret: Key, entry: str, address: str) -> SecretCredential:
        """The credential of one key of `auths`, for a registry at `address`.

        Invalid for the field `adopted`: the Secret cannot be read, has no such key any more, or the address is another
        host than that of the key, which must not get its password.
        """
        found = self.look(access=access, secret=secret)
        taken = next((it for it in found.credentials if it.key == entry), None)
        if taken is None:
            raise Invalid(str(secret), [Cause(FIELD, found.problem or Problem.NOT_FOUND)])
        if taken.host.lower() not in image_hosts(address):
            raise Invalid(str(secret), [Cause(FIELD, Problem.IMAGE_ELSEWHERE, part=taken.host)])
        return taken
