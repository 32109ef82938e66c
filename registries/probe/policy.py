"""What an operator allows a probe to do, and how long it may take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .contexts import TlsContexts
from .memory import RealmMemory

Resolver = Callable[[str, int], Sequence[str]]
"""(host, port) -> IP addresses as text. OSError when the name has none. Called in a thread of its own."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one probe. Times are in seconds.

    Trusted certificates are those of the system, and in addition (as with docker, containerd and skopeo) those of
    `ca_file`, `ca_pem` and `<certs_dir>/<host[:port]>/*.crt` (certs_dir.py). They apply to the registry and to its
    token service, and so does `skip_tls_verify`. `proxy` is a URL and may contain a password; `no_proxy` lists the
    hosts that are reached without it (proxy.py). With `proxy_resolves` the proxy gets names and judges their addresses
    itself; otherwise it gets the address that was judged here. `realm_hosts` lists hosts of token services that may
    have a private address (realm_hosts.py), in the form of `no_proxy`. `contexts` caches TLS contexts; copies made with
    dataclasses.replace() share it.
    """

    ca_file: str | None = None
    ca_pem: str | None = field(default=None, repr=False)
    certs_dir: str | None = None
    skip_tls_verify: bool = False
    allow_loopback: bool = False
    allow_private: bool = True
    allow_plain_http: bool = True
    connect_timeout: float = 5.0
    read_timeout: float = 10.0
    total_timeout: float = 20.0
    negative_control: bool = True
    proxy: str | None = field(default=None, repr=False)
    no_proxy: tuple[str, ...] = ()
    proxy_resolves: bool = False
    realm_hosts: tuple[str, ...] = ()
    resolver: Resolver | None = field(default=None, repr=False, compare=False)
    memory: RealmMemory | None = field(default=None, repr=False, compare=False)
    contexts: TlsContexts = field(default_factory=TlsContexts, repr=False, compare=False)
