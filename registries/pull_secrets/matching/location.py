"""Hosts and paths as Go's net/url reads them, from the keys of a docker config and from image names."""

import re
from typing import NamedTuple

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
