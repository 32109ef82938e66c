"""A server whose certificate was not believed, looked at once more: what it shows, and what would make it
believed. Nothing is sent to it, above all no credentials. Imports certificate.py, trust.py and fault.py."""

import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from .certificate import ServerCertificates, anchor, describe, read_chain
from .fault import Fault
from .reason import Reason
from .trust import context_trusting, unverified_context

Handshake = Callable[[ssl.SSLContext], AbstractContextManager[ssl.SSLSocket]]
"""A fresh connection to the server under a context; Fault when it fails."""

_STILL_WRONG = frozenset({Reason.TLS_EXPIRED, Reason.TLS_HOSTNAME_MISMATCH})


@dataclass(frozen=True, slots=True)
class Inspection:
    """`facts` is None when the server showed nothing this time; `still_wrong` is what would be the matter
    once its CA is trusted."""

    facts: ServerCertificates | None = None
    still_wrong: Reason | None = None


def inspect(handshake: Handshake, reason: Reason) -> Inspection:
    """Look at the certificates of a server that ended in `reason`. Of one that is untrusted the CA to trust
    is found and tried: OpenSSL, not the names that a server writes into certificates, tells whether it
    would help."""
    try:
        with handshake(unverified_context()) as tls:
            chain = read_chain(tls)
    except Fault:
        return Inspection()
    if not chain:
        return Inspection()
    ca = anchor(chain) if reason is Reason.TLS_UNTRUSTED else None
    if ca is None:
        return Inspection(describe(chain, None))
    try:
        with handshake(context_trusting(ca.pem)):
            return Inspection(describe(chain, ca))
    except (Fault, OSError, ValueError) as error:
        wrong = error.reason if isinstance(error, Fault) and error.reason in _STILL_WRONG else None
        return Inspection(describe(chain, None), wrong)
