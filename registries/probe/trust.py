"""The TLS contexts of a probe: which certificates it trusts."""

import os
import re
import ssl

from .certs_dir import NodeTrust, node_trust
from .fault import Fault
from .policy import Policy
from .reason import Reason

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII)


def tls_context(policy: Policy, host: str) -> ssl.SSLContext:
    """A client context for the registry `host` (host[:port]). Fault(TLS_UNTRUSTED, cause='bad_ca') when a
    configured certificate cannot be read.

    The verdict is the same as in docker and containerd, which are written in Go. Configured certificates are
    trusted in addition to the system's, also an intermediate or the server's own. Only subject alternative names
    are compared, never the common name. Probes that trust the same unchanged files and the same PEM share a
    context.
    """
    if policy.skip_tls_verify:
        return unverified_context()
    try:
        own = map(str, node_trust(policy.certs_dir, host).authorities) if policy.certs_dir else ()
        files = [policy.ca_file, *own] if policy.ca_file else [*own]
        key = (policy.ca_pem, *map(_state, [*_system_files(), *files]))
        return policy.contexts.get(key, lambda: _context_with(files, policy.ca_pem))
    except (OSError, ValueError):
        raise Fault(Reason.TLS_UNTRUSTED, cause="bad_ca") from None


def nodes(policy: Policy, host: str) -> NodeTrust:
    """What containerd's configuration in policy.certs_dir says about this registry."""
    try:
        return node_trust(policy.certs_dir, host) if policy.certs_dir else NodeTrust()
    except (OSError, ValueError):
        return NodeTrust()


def unverified_context() -> ssl.SSLContext:
    """A context that verifies nothing."""
    context = _context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def context_trusting(pem: str) -> ssl.SSLContext:
    """A context that trusts one certificate and those it issued. ValueError or OSError if `pem` is no certificate."""
    context = _context()
    context.load_verify_locations(cadata=pem)
    return context


def _context_with(files: list[str], pem: str | None) -> ssl.SSLContext:
    context = _context()
    context.load_default_certs()
    for file in files:
        context.load_verify_locations(cafile=file)
    if pem:
        context.load_verify_locations(cadata=_certificates(pem))
    return context


def _context() -> ssl.SSLContext:
    """The standard contexts would write session keys to SSLKEYLOGFILE, so this one is made by hand."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["http/1.1"])
    return context


def _system_files() -> list[str]:
    """The files that load_default_certs() reads, with SSL_CERT_FILE and SSL_CERT_DIR."""
    paths = ssl.get_default_verify_paths()
    return [path for path in (paths.cafile, paths.capath) if path]


def _state(file: str) -> tuple[str, int, int, int]:
    """Path, inode, change time and size of a file. OSError when there is none."""
    found = os.stat(file)
    return (file, found.st_ino, found.st_mtime_ns, found.st_size)


def _certificates(pem: str) -> str:
    """The certificates of a PEM text without the text around them: a Chinese comment would cause a TypeError.
    ValueError when there is none."""
    found = _CERTIFICATE.findall(pem)
    if not found:
        raise ValueError("no certificate")
    return "\n".join(found)
