"""Inspects the certificates of a server that was not trusted, and finds the CA that would make it trusted. Sends
the server nothing but TLS handshakes, no credentials."""

import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from .certificate import ServerCertificates, anchor, describe, read_chain
from .fault import Fault
from .reason import Reason
from .trust import context_trusting, unverified_context

Handshake = Callable[[ssl.SSLContext], AbstractContextManager[ssl.SSLObject]]
"""A new connection to the server with a given context; Fault when it fails."""

_STILL_WRONG = frozenset({Reason.TLS_EXPIRED, Reason.TLS_HOSTNAME_MISMATCH})


@dataclass(frozen=True, slots=True)
class Inspection:
    """`facts` is None if the server sent no certificate this time. `still_wrong` is the reason that would remain
    after its CA is trusted."""

    facts: ServerCertificates | None = None
    still_wrong: Reason | None = None


def inspect(handshake: Handshake, reason: Reason) -> Inspection:
    """Reads the certificates of a server whose probe ended with `reason`. For an untrusted server it finds the CA
    to trust and tries a handshake with it: OpenSSL decides whether the CA helps, not the names in the certificates."""
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
