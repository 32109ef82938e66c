"""Image names as kubelets read them (distribution/reference)."""

import re
from typing import NamedTuple

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
