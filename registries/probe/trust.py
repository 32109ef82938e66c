"""The TLS context of a test: which certificates it believes. Imports policy.py and reason.py."""

import re
import ssl
from pathlib import Path

from .fault import Fault
from .policy import Policy
from .reason import Reason

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII)


def tls_context(policy: Policy, host: str) -> ssl.SSLContext:
    """A client context for the registry `host` (host[:port]), or Fault(TLS_UNTRUSTED, cause='bad_ca')
    when a configured certificate cannot be read. It gives the verdict that docker and containerd,
    written in Go, give: what is configured is trusted beside the system's, also if it is an intermediate
    or the server's own certificate; and names are looked for in the alternative names only, never in the
    common name. Made by hand, since the ready-made contexts write session keys to SSLKEYLOGFILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if policy.skip_tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context.load_default_certs()
        _add_configured(context, policy, host)
    except (OSError, ValueError):
        raise Fault(Reason.TLS_UNTRUSTED, cause="bad_ca") from None
    return context


def _add_configured(context: ssl.SSLContext, policy: Policy, host: str) -> None:
    if policy.ca_file:
        context.load_verify_locations(cafile=policy.ca_file)
    if policy.ca_pem:
        context.load_verify_locations(cadata=_certificates(policy.ca_pem))
    if policy.certs_dir:
        for certificate in sorted(Path(policy.certs_dir, host).glob("*.crt")):
            context.load_verify_locations(cafile=certificate)


def _certificates(pem: str) -> str:
    """The certificates of a PEM text without what stands around them: a comment in Chinese would be a
    TypeError. ValueError when there is none."""
    found = _CERTIFICATE.findall(pem)
    if not found:
        raise ValueError("no certificate")
    return "\n".join(found)
