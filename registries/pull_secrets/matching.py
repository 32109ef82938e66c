"""Which credentials of its pull secrets a kubelet tries for an image.

Pure functions of texts, equal to the kubelet's own code: package credentialprovider of Kubernetes 1.20 (keyring.go),
whose rules are the same in 1.36; image names as in distribution/reference, URLs as in Go's net/url, patterns as in
path/filepath.Match.
"""

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

DEFAULT_DOMAIN = "docker.io"
_OTHER_NAME = "index.docker.io"
_LONGEST = 255
_LONGEST_TEXT = 1_024
"""Characters of a name with the longest tag and digest, and more."""
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
# Kubelets before 1.25 refuse an IPv6 address in an image name.
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_ENCODED = "(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?(?:@(?P<digest>{_ENCODED}))?"
)
_IDENTIFIER = re.compile("[a-f0-9]{64}")


class ImageReference(NamedTuple):
    """`host` is host[:port]. `reference` is the digest, if there is one, else the tag."""

    host: str
    repository: str
    reference: str

    @property
    def name(self) -> str:
        """The image in full: docker.io/library/nginx:latest."""
        sign = "@" if ":" in self.reference else ":"
        return f"{self.host}/{self.repository}{sign}{self.reference}"


def read_image(image: str) -> ImageReference | None:
    """The parts of an image's name. None if kubelets refuse it (`InvalidImageName`)."""
    if len(image) > _LONGEST_TEXT or _IDENTIFIER.fullmatch(image):
        return None
    host, rest = split_domain(image)
    found = _REFERENCE.fullmatch(f"{host}/{rest}")
    if found is None or len(found["name"]) > _LONGEST:
        return None
    repository = found["name"].removeprefix(f"{host}/")
    return ImageReference(host, repository, found["digest"] or found["tag"] or "latest")


def image_name(image: str) -> str | None:
    """The full name without tag and digest: docker.io/library/nginx for `nginx:1`. None if kubelets refuse it."""
    read = read_image(image)
    return read and f"{read.host}/{read.repository}"


def split_domain(image: str) -> tuple[str, str]:
    """(host[:port], the rest) of an image. The first part is a host if it contains a dot or a colon, or is localhost;
    otherwise the image is one of Docker Hub."""
    host, slash, rest = image.partition("/")
    if not slash or not (set(host) & set(".:") or host == "localhost"):
        host, rest = DEFAULT_DOMAIN, image
    if host == _OTHER_NAME:
        host = DEFAULT_DOMAIN
    if host == DEFAULT_DOMAIN and "/" not in rest:
        rest = f"library/{rest}"
    return host, rest


_SCHEMES = ("https://", "http://")
_ALLOWED_IN_HOST = re.compile(rb"[a-zA-Z0-9!$&'()*+,;=:\[\]<>\"._~\x80-\xff-]*")
_ALLOWED_IN_USER = re.compile(r"[a-zA-Z0-9._:~!$&'()*+,;=%@-]*")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPED_ASCII = re.compile(rb"%[0-7]")
_PORT = re.compile(rb"(?::[0-9]*)?")


class Location(NamedTuple):
    """`host` is host[:port]; `path` is "" or starts with a slash. Both are decoded bytes."""

    host: bytes
    path: bytes


def key_location(key: str) -> Location | None:
    """The registry that a key of `auths` means; None if kubelets ignore the key. They drop the scheme, and `/v1/` or
    `/v2/` at the start of the path."""
    located = parse(key if key.startswith(_SCHEMES) else f"https://{key}")
    if located is None:
        return None
    host, path = located
    if path.startswith((b"/v1/", b"/v2/")):
        path = path[3:]
    return Location(host, b"" if path == b"/" else path)


def parse(url: str) -> Location | None:
    """Host and path of an http(s) URL, by the rules of Go's url.Parse; None where that fails."""
    url, _, fragment = url.partition("#")
    if any(character < " " or character == "\x7f" for character in url):
        return None
    if _BAD_ESCAPE.search(fragment.encode(errors="surrogatepass")):
        return None
    rest = url.partition("?")[0].partition("://")[2]
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if at and not _ALLOWED_IN_USER.fullmatch(user):
        return None
    if at and _BAD_ESCAPE.search(user.encode()):
        return None
    decoded = _host(host.encode(errors="surrogatepass"))
    raw = f"{slash}{path}".encode(errors="surrogatepass")
    if decoded is None or _BAD_ESCAPE.search(raw):
        return None
    return Location(decoded, _unescaped(raw))


def split_port(host: bytes) -> tuple[bytes, bytes]:
    """(host, port) by the rules of Go's net.SplitHostPort; (the whole host, b"") where that fails."""
    name, colon, port = host.rpartition(b":")
    if not colon:
        return host, b""
    if name.startswith(b"["):
        inner, bracket, rest = name[1:].partition(b"]")
        return (host, b"") if not bracket or rest or b"[" in inner else (inner, port)
    return (host, b"") if {*b":[]"} & {*name + port} else (name, port)


def _host(host: bytes) -> bytes | None:
    if host.startswith(b"["):
        _, bracket, port = host.rpartition(b"]")
        if not bracket:
            return None
    else:
        _, colon, port = host.rpartition(b":")
        port = colon + port if colon else b""
    if (
        not _PORT.fullmatch(port)
        or _BAD_ESCAPE.search(host)
        or _ESCAPED_ASCII.search(host.replace(b"%25", b""))
    ):
        return None
    plain = _ESCAPE.sub(b"", host)
    return _unescaped(host) if _ALLOWED_IN_HOST.fullmatch(plain) else None


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text)


_RANGE = r"[^\]-](?:-[^\]-])?"
_LAST = chr(sys.maxunicode)
_ONE = rf"\*|\[(?:{_RANGE})++\]|[^*\[]"
_PART, _PATTERN = re.compile(_ONE, re.DOTALL), re.compile(rf"(?:{_ONE})*+", re.DOTALL)


def glob_matches(pattern: bytes, label: bytes) -> bool:
    """Whether a pattern with `*` and `[a-z]` matches a whole label. False for a malformed pattern.

    Takes at most len(pattern) * len(label) steps. A search for parts in a malformed one would take the square of it.
    """
    if not {*b"*["} & {*pattern}:
        return pattern == label
    whole, text = pattern.decode(errors="surrogateescape"), label.decode(errors="surrogateescape")
    if not _PATTERN.fullmatch(whole):
        return False
    parts = _PART.findall(whole)
    shortest = len(parts) - parts.count("*")
    return shortest <= len(text) and _matches(parts, text)


def _matches(parts: list[str], text: str) -> bool:
    """Goes back only to the last star: what an earlier star matches makes no difference."""
    at = part = 0
    star, star_at = None, 0
    while at < len(text):
        if part < len(parts) and parts[part] == "*":
            star, star_at = part, at
            part += 1
        elif part < len(parts) and _fits(parts[part], text[at]):
            at, part = at + 1, part + 1
        elif star is not None:
            star_at += 1
            at, part = star_at, star + 1
        else:
            return False
    return all(it == "*" for it in parts[part:])


def _fits(part: str, character: str) -> bool:
    if len(part) == 1:
        return part == character
    ranges = _ranges(part)
    place = bisect_right(ranges, (character, _LAST)) - 1
    return place >= 0 and character <= ranges[place][1]


@lru_cache(maxsize=64)
def _ranges(part: str) -> list[tuple[str, str]]:
    """The ranges of `[a-z]`, sorted, those that overlap as one. A part may have thousands, and is compared with each
    character of many labels."""
    merged: list[tuple[str, str]] = []
    for it in sorted(set(re.findall(_RANGE, part[1:-1], re.DOTALL))):
        first, last = it[0], it[-1]
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        elif first <= last:
            merged.append((first, last))
    return merged


_DOCKER_HUB = b"index.docker.io"
KEYS_TEXT = 64 * 1024
"""Characters of the keys of one Secret that are kept, and of those that are compared with one image. A Secret may have
a megabyte of patterns, and each of a hundred pods may name fifty Secrets. Kubelets read all."""
KEY_COST = 16
"""What a key counts besides its characters."""
T = TypeVar("T")


def first_keys(named: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """The first keys that fit into KEYS_TEXT, with what belongs to each."""
    left = KEYS_TEXT
    for key, value in named:
        if (cost := len(key) + KEY_COST) <= left:
            left -= cost
            yield key, value


def all_fit(keys: Iterable[str]) -> bool:
    """Whether `lookup` compares all of these keys of the Secrets of one pod."""
    return sum(len(it) + KEY_COST for it in keys) <= KEYS_TEXT


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
    for key, credential in first_keys(it for secret in auths for it in secret.items()):
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
