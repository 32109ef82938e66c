"""What is wrong with the pull secrets that a namespace uses: pure functions of names, keys and registries."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate

from registries.domain.registry import Key, RegistrySecret
from registries.pull_secrets.explain import Flaw, PodSecret, SecretState
from registries.pull_secrets.images import auths_keys, image_hosts
from registries.pull_secrets.matching import DEFAULT_DOMAIN, host_of_key, lookup, matches

_ON_DOCKER_HUB = f"{DEFAULT_DOMAIN}/library/nginx"
ENTRIES_MAX = 20
MANY = 50
"""Namespaces for which one list of the whole cluster takes less than one list for each."""
MOST_SECRETS = 400
"""Secrets that are read for one page."""
MOST_KEYS = 20_000
"""Keys that one scan compares, over all Secrets: somebody may fill a namespace with them on purpose."""


class Finding(StrEnum):
    """What a scan says of a Secret. One that cannot be read has one of the first four alone."""

    BROKEN = "broken"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    UNREAD = "unread"
    """The content was not read."""
    CUT = "cut"
    """It has more keys than are compared."""
    FOREIGN = "foreign"
    """A credential in it belongs to no registry of the namespace."""
    SHADOWED = "shadowed"
    """Kubelets do not use its key index.docker.io, since another Secret of the same pod has docker.io."""
    DUPLICATE = "duplicate"
    """Another Secret of the namespace has the same host and user name."""


_BY_STATE = {
    SecretState.BROKEN: Finding.BROKEN,
    SecretState.MISSING: Finding.MISSING,
    SecretState.WRONG_TYPE: Finding.WRONG_TYPE,
    SecretState.UNREAD: Finding.UNREAD,
}


@dataclass(slots=True)
class InUse:
    """What one namespace names. `users` has the objects (kind, name) per Secret. `together` are the Secrets that one
    object names as pull secrets. `mentioned` are all names, those in volumes and variables too. `unread` are the kinds
    that could not be listed, `forbidden` the ones of them that the person may not list."""

    users: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    together: set[frozenset[str]] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scanned:
    """A Secret in use. `registry` is the one that it belongs to. `others` are the names of the Secrets that shadow it
    or have the same credential. `unclaimed` are host and user name of the credentials that belong to no registry.
    `flaw` and `flawed` are those of a broken one."""

    key: Key
    users: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...] = ()
    registry: Key | None = None
    shadowed_by: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    unclaimed: tuple[tuple[str, str], ...] = ()
    flaw: Flaw | None = None
    flawed: str = ""


def comparable(secrets: Mapping[Key, PodSecret]) -> dict[Key, PodSecret]:
    """The Secrets, with MOST_KEYS keys in all; those with the fewest keys first, so that a huge one hides no other."""
    ordered = sorted(secrets.items(), key=lambda it: len(it[1].keys))
    counts = accumulate(len(it.keys) for _, it in ordered)
    return {
        key: it if count <= MOST_KEYS else replace(it, keys=(), users=(), cut=True)
        for (key, it), count in zip(ordered, counts, strict=True)
    }


def scan(
    namespace: str,
    in_use: InUse,
    secrets: Mapping[str, PodSecret],
    registries: Collection[RegistrySecret],
) -> list[Scanned]:
    """The Secrets in use of one namespace, by name. `registries` are those of the namespace. A Secret that is not in
    `secrets` counts as not read."""
    here = {it.name: it for it in registries}
    known = {(host, it.username) for it in registries for host in image_hosts(it.address)}
    owners = _owners(secrets, registries)
    shadows = _shadows(in_use.together, secrets)
    return [
        _scanned(
            Key(namespace, name),
            tuple(users),
            secrets.get(name, PodSecret(name, SecretState.UNREAD)),
            here.get(name),
            known,
            owners,
            tuple(sorted(shadows.get(name, ()))),
        )
        for name, users in sorted(in_use.users.items())
    ]


def unused(in_use: InUse, registries: Iterable[RegistrySecret]) -> list[RegistrySecret]:
    """The registries whose pull secret nothing names. [] unless every kind could be listed."""
    return [] if in_use.unread else [it for it in registries if it.name not in in_use.mentioned]


def _scanned(
    key: Key,
    users: tuple[tuple[str, str], ...],
    secret: PodSecret,
    registry: RegistrySecret | None,
    known: Collection[tuple[str, str]],
    owners: Mapping[tuple[str, str], set[str]],
    shadowed_by: tuple[str, ...],
) -> Scanned:
    if secret.state is not SecretState.READABLE:
        findings: tuple[Finding, ...] = (_BY_STATE[secret.state],)
        owner = registry.key if registry else None
        return Scanned(key, users, findings, owner, flaw=secret.flaw, flawed=secret.flawed)
    own = {*auths_keys(registry.address)} if registry else set()
    if (own or secret.keys) and not own & {*secret.keys}:
        registry = None  # somebody else's Secret of that name
    entries = tuple(dict.fromkeys(_entries(secret)))
    unclaimed = () if registry else tuple(it for it in entries if it not in known)
    same = tuple(sorted({name for it in entries for name in owners[it]} - {key.name}))
    found = {Finding.FOREIGN: unclaimed, Finding.SHADOWED: shadowed_by, Finding.DUPLICATE: same}
    cut = (Finding.CUT,) if secret.cut else ()
    findings = (*cut, *(finding for finding, names in found.items() if names))
    key_of_registry = registry.key if registry else None
    return Scanned(key, users, findings, key_of_registry, shadowed_by, same, unclaimed[:ENTRIES_MAX])


def _owners(
    secrets: Mapping[str, PodSecret], registries: Iterable[RegistrySecret]
) -> dict[tuple[str, str], set[str]]:
    """The names of the Secrets with each host and user name. A registry's pull secret counts before it is in use."""
    owners: dict[tuple[str, str], set[str]] = {}
    for secret in secrets.values():
        for entry in _entries(secret):
            owners.setdefault(entry, set()).add(secret.name)
    for registry in registries:
        for host in image_hosts(registry.address):
            if (entry := (host, registry.username)) in owners and registry.name not in secrets:
                owners[entry].add(registry.name)
    return owners


def _entries(secret: PodSecret) -> Iterator[tuple[str, str]]:
    """Host and user name of each key that can match an image."""
    for key, user in zip(secret.keys, secret.users, strict=False):
        host = host_of_key(key)
        if host and user:
            yield host, user


def _shadows(together: Iterable[frozenset[str]], secrets: Mapping[str, PodSecret]) -> dict[str, set[str]]:
    """The Secrets whose credential for Docker Hub kubelets do not try, with those that they try instead. Each Secret is
    compared once: it may have a thousand keys, and a thousand pods may name it."""
    on_hub = [it for it in secrets.values() if matches(it.keys, _ON_DOCKER_HUB)]
    tried = {it.name for it in on_hub if _beside_docker_io(it)}
    only_index = {it.name for it in on_hub} - tried
    found: dict[str, set[str]] = {}
    for names in together:
        for name in names & only_index if names & tried else ():
            found.setdefault(name, set()).update(names & tried)
    return found


def _beside_docker_io(secret: PodSecret) -> bool:
    """Whether kubelets try this Secret where another one has the key docker.io."""
    other: dict[str, str] = {DEFAULT_DOMAIN: ""}
    found = lookup([dict.fromkeys(secret.keys, secret.name), other], _ON_DOCKER_HUB)
    return secret.name in (found or ())
