"""Inspects the certificates of a server that was not trusted, and finds the CA that would make it trusted. Sends
the server nothing but TLS handshakes, no credentials."""

import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .certificate import ServerCertificates, anchor, describe, read_chain
from .fault import Fault
from .reason import Reason
from .trust import context_trusting, unverified_context
from .validity import params_of

Handshake = Callable[[ssl.SSLContext], AbstractContextManager[ssl.SSLObject]]
"""A new connection to the server with a given context; Fault when it fails."""

_STILL_WRONG = frozenset({Reason.TLS_EXPIRED, Reason.TLS_HOSTNAME_MISMATCH})


@dataclass(frozen=True, slots=True)
class Inspection:
    """`facts` is None if the server sent no certificate this time. `still_wrong` is the reason that would remain
    after its CA is trusted. `params` say what is wrong with the time of a certificate."""

    facts: ServerCertificates | None = None
    still_wrong: Reason | None = None
    params: Mapping[str, str | int] = field(default_factory=dict)


def inspect(handshake: Handshake, fault: Fault) -> Inspection:
    """Reads the certificates of a server whose probe ended with `fault`. For an untrusted server it finds the CA
    to trust and tries a handshake with it: OpenSSL decides whether the CA helps, not the names in the certificates."""
    try:
        with handshake(unverified_context()) as tls:
            chain = read_chain(tls)
    except Fault:
        chain = []
    if not chain:
        return Inspection(params=_of_time(None, fault))
    ca = anchor(chain) if fault.reason is Reason.TLS_UNTRUSTED else None
    if ca is None:
        facts = describe(chain, None)
        return Inspection(facts, params=_of_time(facts, fault))
    try:
        with handshake(context_trusting(ca.pem)):
            return Inspection(describe(chain, ca))
    except (Fault, OSError, ValueError) as error:
        facts = describe(chain, None)
        if not isinstance(error, Fault) or error.reason not in _STILL_WRONG:
            return Inspection(facts)
        return Inspection(facts, error.reason, _of_time(facts, error))


def _of_time(facts: ServerCertificates | None, fault: Fault) -> Mapping[str, str | int]:
    return params_of(facts, fault.verify_code, datetime.now(UTC))
