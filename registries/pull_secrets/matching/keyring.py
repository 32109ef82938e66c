"""The kubelet's lookup of credentials by image name."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from .glob import glob_matches
from .images import image_name, read_image
from .location import Location, key_location, parse, split_port

_DOCKER_HUB = b"index.docker.io"
T = TypeVar("T")


def matches(keys: Iterable[str], image: str) -> list[str]:
    """The keys of one docker config whose credentials a kubelet tries for an image, in its order. Empty for an image
    name that it refuses."""
    return lookup([{key: key for key in keys}], image) or []


def host_of_key(key: str) -> str:
    """host[:port] of the images that a key of `auths` is for; docker.io for both names of Docker Hub. "" for a pattern,
    and for a key that no image has."""
    located = key_location(key)
    host = located.host.decode(errors="replace") if located else ""
    read = read_image(f"{host}/library/app")
    return read.host if read and host in (read.host, _DOCKER_HUB.decode()) else ""


def lookup(auths: Sequence[Mapping[str, T]], image: str) -> list[T] | None:
    """The credentials that a kubelet tries for an image, in its order: longer paths first, patterns last, and for the
    same place in the order of the Secrets. `auths` has the map of each Secret of the pod. None for an image name that
    it refuses.

    Keys for index.docker.io count for Docker Hub only if no other key matches.
    """
    name = image_name(image)
    target = parse(f"https://{name}") if name else None
    if name is None or target is None:
        return None
    places: dict[bytes, list[T]] = {}
    for secret in auths:
        for key, credential in secret.items():
            location = key_location(key)
            if location is not None:
                places.setdefault(location.host + location.path, []).append(credential)
    found = [it for place in sorted(places, reverse=True) if _is_for(place, target) for it in places[place]]
    return found or (places.get(_DOCKER_HUB, []) if _is_docker_hub(name) else [])


def _is_for(place: bytes, target: Location) -> bool:
    pattern = parse(f"https://{place.decode(errors='surrogateescape')}")
    if pattern is None:
        return False
    host, port = split_port(pattern.host)
    target_host, target_port = split_port(target.host)
    labels, target_labels = host.split(b"."), target_host.split(b".")
    return (
        port == target_port
        and len(labels) == len(target_labels)
        and target.path.startswith(pattern.path)
        and all(map(glob_matches, labels, target_labels))
    )


def _is_docker_hub(name: str) -> bool:
    """Not the rule of image names: `localhost/app` counts as Docker Hub here too (keyring.go)."""
    host = name.partition("/")[0]
    return host == "docker.io" or not set(host) & set(".:")
