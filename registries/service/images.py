"""The image of a test: only images of the registry itself, so that its name asks no other server."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from registries.audit.action import Action
from registries.domain.access import Access, Permission
from registries.domain.errors import Cause, Invalid, NotFound, Problem
from registries.domain.registry import Credential, Key, RegistrySecret
from registries.index.search import Index
from registries.probe.image import ImageQuery
from registries.pull_secrets.images import image_host, image_hosts
from registries.pull_secrets.matching import read_image
from registries.service.guard import Guard
from registries.stores.base import Store


def image_query(
    address: str,
    image: str,
    *,
    nodes: Mapping[str, int] | None = None,
    decides: bool = False,
    field: str = "image",
) -> ImageQuery:
    """The question about an image of the registry at `address`. Invalid `image_name` for a name that kubelets refuse,
    `image_elsewhere` for one that they pull from another host."""
    read, hosts = read_image(image), image_hosts(address)
    if read is None:
        raise Invalid("", [Cause(field, Problem.IMAGE_NAME)])
    if read.host not in hosts:
        raise Invalid("", [Cause(field, Problem.IMAGE_ELSEWHERE, part=hosts[0])])
    return ImageQuery(read.name, read.repository, read.reference, nodes, decides)


def require_probe_image(address: str, image: str) -> None:
    """Raises Invalid with a cause of `probe_image` unless it is empty or an image of the registry at `address`."""
    if image:
        image_query(address, image, field="probe_image")


def saved_queries(credential: Credential) -> tuple[ImageQuery, ...]:
    """The question about the probe image; () without one, and for one that another client wrote for
    another registry."""
    try:
        return (image_query(credential.address, credential.probe_image, decides=True),)
    except Invalid:
        return ()


@dataclass(eq=False)
class Images:
    """The images that pods run, and the platforms of nodes. Both exist only where the store is a cluster."""

    _store: Store
    _index: Index
    _guard: Guard

    @property
    def available(self) -> bool:
        """Whether the store is a cluster."""
        return self._store.pull_failures() is not None

    def of_pods(self, *, access: Access, key: Key) -> tuple[str, ...] | None:
        """The images that pods of the namespace run from this registry, by name; None where they cannot be listed."""
        self._guard.require(access, Permission.TEST, key, Action.TEST)
        registry = self._index.fresh().find(key)
        if registry is None:
            raise NotFound(str(key))
        return self._running(access, key.namespace, image_hosts(registry.address))

    def of_host(self, *, access: Access, namespace: str, address: str) -> tuple[str, ...] | None:
        """The same for an address that is not stored, for a person who may test it in this namespace. () for one that
        is not valid. NotFound, Forbidden."""
        self._guard.require(access, Permission.EDIT, Key(namespace, ""), Action.TRY)
        self._index.require_namespace(access, namespace)
        hosts = image_hosts(address)
        if not hosts or read_image(f"{hosts[0]}/image") is None:
            return ()
        return self._running(access, namespace, hosts)

    def of_registries(
        self, *, access: Access, registries: Iterable[RegistrySecret]
    ) -> dict[Key, tuple[str, ...] | None]:
        """The same for many registries, with one list of pods for each namespace."""
        found: dict[Key, tuple[str, ...] | None] = {}
        by_namespace = groupby(sorted(registries, key=lambda it: it.key), key=lambda it: it.namespace)
        for namespace, group in by_namespace:
            hosts = {it.key: image_hosts(it.address) for it in group}
            for key in hosts:
                self._guard.require(access, Permission.TEST, key, Action.TEST)
            images = self._running(access, namespace, {host for of_one in hosts.values() for host in of_one})
            for key, own in hosts.items():
                found[key] = None if images is None else tuple(it for it in images if image_host(it) in own)
        return found

    def _running(self, access: Access, namespace: str, hosts: Collection[str]) -> tuple[str, ...] | None:
        pods = self._store.acting_as(access.acting).pull_failures()
        return pods.images(namespace, hosts) if pods else None

    def node_platforms(self, access: Access) -> Mapping[str, int] | None:
        """The number of nodes per platform; None where they cannot be listed."""
        pods = self._store.acting_as(access.acting).pull_failures()
        return pods.node_platforms() if pods else None
