"""Reads and checks the CA certificates that a person gives for one registry."""

from collections.abc import Iterator
from itertools import islice

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from registries.domain.errors import Problem
from registries.probe.certificate import CertificateFacts

BUNDLE_MAX = 64 * 1024
"""Characters of a bundle. Kubernetes allows 256 KiB for all annotations of a resource."""
MOST = 20
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class BundleError(ValueError):
    """A bundle that cannot be used. `problem` is `too_long`, `ca_private_key`, `ca_empty`, `ca_too_many` or
    `ca_unreadable`. The error holds nothing of the bundle, which may contain a key."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def read_bundle(text: str) -> tuple[str, tuple[CertificateFacts, ...]]:
    """The certificates of a PEM text as one canonical bundle, each once, and their facts; or BundleError.

    Text around the blocks is dropped. A private key is refused: everybody who sees the registry could read it.
    """
    if len(text) > BUNDLE_MAX:
        raise BundleError(Problem.TOO_LONG)
    if "PRIVATE KEY" in text:
        raise BundleError(Problem.CA_PRIVATE_KEY)
    blocks = list(islice(_blocks(text), MOST + 1))
    if not blocks:
        raise BundleError(Problem.CA_EMPTY)
    if len(blocks) > MOST:
        raise BundleError(Problem.CA_TOO_MANY)
    facts: dict[str, CertificateFacts] = {}
    for block in blocks:
        try:
            certificate = x509.load_pem_x509_certificate(block.encode())
            pem = certificate.public_bytes(Encoding.PEM).decode()
            facts[pem] = CertificateFacts.of(certificate)
        except (ValueError, x509.InvalidVersion) as error:  # UnicodeEncodeError is a ValueError
            raise BundleError(Problem.CA_UNREADABLE) from error
    return "".join(facts), tuple(facts.values())


def _blocks(text: str) -> Iterator[str]:
    """Each text from a first line to the next last line."""
    end = 0
    while (begin := text.find(_BEGIN, end)) >= 0:
        last = text.find(_END, begin + len(_BEGIN) + 1)
        if last < 0:
            return
        end = last + len(_END)
        yield text[begin:end]
