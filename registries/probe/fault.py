"""Fault, the exception that ends a probe early, and the mapping of network errors to faults.

An error may have others as its cause, so all of them are searched. The most specific test comes first.
"""

import errno
import http.client
import ssl
from collections.abc import Iterator, Mapping

from .answer import Answer
from .certificate import ServerCertificates
from .reason import Reason
from .validity import EXPIRED, NOT_YET_VALID

_UNREACHABLE = frozenset(
    {
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.EHOSTDOWN,
        errno.EADDRNOTAVAIL,
        errno.EACCES,
        errno.EPERM,
    }
)
# X509_V_ERR_*: host name, e-mail, IP address mismatch.
_NAME_CODES = frozenset({62, 63, 64})
_PLAIN_HTTP_REASONS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})
_TLS_ALERT = "\x15\x03"


class Fault(Exception):
    """Ends a probe. `said` is the server's response, or a text found here, such as OpenSSL's message or a URL; it
    is not scrubbed yet. `cause` is a Reason or a code of remarks.CAUSES that explains the reason. `params` fills
    the message. `retry_after` is in seconds. `tls` holds certificates that were not trusted, and `verify_code` is
    OpenSSL's error with them."""

    def __init__(
        self,
        reason: Reason,
        said: str | Answer = "",
        *,
        cause: str | None = None,
        params: Mapping[str, str | int] | None = None,
        retry_after: int | None = None,
        tls: ServerCertificates | None = None,
        verify_code: int = 0,
    ) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.said = said
        self.cause = cause
        self.params = dict(params or {})
        self.retry_after = retry_after
        self.tls = tls
        self.verify_code = verify_code


def network_fault(error: BaseException) -> Fault:
    """The Fault for an error of http.client, ssl or a socket."""
    errors = list(_chain(error))
    return _tls(errors) or _connection(errors) or _protocol(errors)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all errors it wraps, outermost first: as cause or as argument."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            hidden = None if current.__suppress_context__ else current.__context__
            waiting += [*current.args, current.__cause__, hidden]


def _tls(errors: list[BaseException]) -> Fault | None:
    for error in errors:
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = _certificate_reason(error)
            return Fault(reason, error.verify_message, verify_code=error.verify_code)
    for error in errors:
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Fault(Reason.CONNECTION_RESET)
        if isinstance(error, ssl.SSLError):
            plain = error.reason in _PLAIN_HTTP_REASONS
            reason = Reason.PLAIN_HTTP_SERVER if plain else Reason.TLS_HANDSHAKE_FAILED
            return Fault(reason, (error.reason or "").replace("_", " ").lower())
    return None


def _certificate_reason(error: ssl.SSLCertVerificationError) -> Reason:
    if error.verify_code in (EXPIRED, NOT_YET_VALID):
        return Reason.TLS_EXPIRED
    if error.verify_code in _NAME_CODES:
        return Reason.TLS_HOSTNAME_MISMATCH
    return Reason.TLS_UNTRUSTED


def _connection(errors: list[BaseException]) -> Fault | None:
    if any(isinstance(error, ConnectionRefusedError) for error in errors):
        return Fault(Reason.CONNECTION_REFUSED)
    if any(isinstance(error, OSError) and error.errno in _UNREACHABLE for error in errors):
        return Fault(Reason.NETWORK_UNREACHABLE)
    if any(isinstance(error, TimeoutError) for error in errors):
        return Fault(Reason.TIMEOUT)
    cut = (ConnectionError, http.client.IncompleteRead)
    if any(isinstance(error, cut) for error in errors):
        return Fault(Reason.CONNECTION_RESET)
    return None


def _protocol(errors: list[BaseException]) -> Fault:
    for error in errors:
        if isinstance(error, http.client.BadStatusLine):
            spoke_tls = str(error).startswith(_TLS_ALERT)
            return Fault(Reason.HTTPS_REQUIRED if spoke_tls else Reason.NOT_A_REGISTRY)
    innermost = errors[-1]
    return Fault(Reason.UNEXPECTED_RESPONSE, cause=type(innermost).__name__)
