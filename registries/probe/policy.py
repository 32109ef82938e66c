"""What an operator allows a probe to do, and how long it may take; and what the probes of a process share: TLS
contexts, as reading the certificates of the system takes about 50 ms of CPU, many times the rest of a probe; and which
token services check credentials.
"""

import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

RealmKey = tuple[str, str, str]
"""The registry's origin, the realm's URL and the service. Holds no user, password or token."""

DAY = 86_400.0


class RealmMemory:
    """A bounded, thread-safe memory of realms that refused the negative control, kept for `seconds`.

    Only refusals are remembered, so closing an open registry takes effect at once. A Bearer probe of a remembered
    realm needs three requests (connection-test.md, "Proof").
    """

    def __init__(
        self, size: int = 256, seconds: float = DAY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[RealmKey, float] = OrderedDict()

    def checks_credentials(self, key: RealmKey) -> bool:
        """Whether this realm refused the negative control within the last `seconds`."""
        with self._lock:
            since = self._seen.get(key)
            if since is not None and self._clock() - since >= self._seconds:
                del self._seen[key]
                since = None
            return since is not None

    def remember(self, key: RealmKey) -> None:
        """Records that this realm refused the negative control now. The oldest entry is dropped when the memory is
        full."""
        with self._lock:
            self._seen[key] = self._clock()
            self._seen.move_to_end(key)
            while len(self._seen) > self._size:
                self._seen.popitem(last=False)

    def forget(self, key: RealmKey) -> None:
        """Removes a realm."""
        with self._lock:
            self._seen.pop(key, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._seen)


class TlsContexts:
    """A bounded, thread-safe cache. A context holds certificates, no key and no secret. Connections with the same
    context share nothing else: no TLS session is resumed."""

    def __init__(self, size: int = 32) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._made: OrderedDict[Hashable, ssl.SSLContext] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        """Returns the context for this key. If there is none yet, one thread calls `make`, which may raise errors.
        When the cache is full, the least recently used context is dropped."""
        with self._lock:
            context = self._made.pop(key, None) or make()
            self._made[key] = context
            while len(self._made) > self._size:
                self._made.popitem(last=False)
            return context

    def __len__(self) -> int:
        with self._lock:
            return len(self._made)


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
