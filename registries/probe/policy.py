"""What an operator allows a test to do, and how long it may take. Imports contexts.py and memory.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .contexts import TlsContexts
from .memory import RealmMemory

Resolver = Callable[[str, int], Sequence[str]]
"""(host, port) -> IP literals; OSError when the name has none. Called in a thread of its own."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one test; times in seconds. Certificates are trusted that the system trusts, and in
    addition (as docker, containerd and skopeo do) those in `ca_file`, in `ca_pem` and in
    `<certs_dir>/<host[:port]>/*.crt` (certs_dir.py); all of them hold for the registry and for its token
    service, and so does `skip_tls_verify`. `proxy` is a URL and may hold a password; which hosts are
    reached without it is told by `no_proxy` (proxy.py). `contexts` saves reading certificates anew: it
    comes with the policy, and dataclasses.replace() hands it on."""

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
    resolver: Resolver | None = field(default=None, repr=False, compare=False)
    memory: RealmMemory | None = field(default=None, repr=False, compare=False)
    contexts: TlsContexts = field(default_factory=TlsContexts, repr=False, compare=False)
