"""HTTP requests within the rules: checked addresses, limits, no redirects, no retries, no cookies, nothing from
the environment."""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from types import TracebackType
from urllib.parse import urlencode

from registries.addresses import netloc

from .address_guard import AddressClass, classify, look_up
from .answer import Answer, read_body
from .certs_dir import NodeTrust
from .connection import Connection, Dialer, TlsConnection
from .deadline import Deadline
from .endpoint import Endpoint
from .fault import Fault, network_fault
from .inspection import inspect
from .policy import Policy
from .proxy import proxy_address, proxy_for, proxy_login
from .reason import Reason
from .response import Response
from .trace import Trace
from .trust import nodes, tls_context

MOST_REQUESTS = 7
PING_BODY = 64 * 1024
TOKEN_BODY = 1024 * 1024
CLOSING = 0.005
"""Seconds in which a server that closes a connection after its answer does so, at most."""
_USER_AGENT = "registry-console-probe/1"
_CERTIFICATE_FAULTS = {Reason.TLS_UNTRUSTED, Reason.TLS_EXPIRED, Reason.TLS_HOSTNAME_MISMATCH}
_FAILURES = (
    http.client.HTTPException,
    OSError,  # includes ssl.SSLError
    ValueError,  # a request that cannot be sent, a response that cannot be read
)


class Transport:
    """The network side of one probe: a context manager, used by one thread. `registry_host` is host[:port] as in
    certs.d."""

    def __init__(self, policy: Policy, trace: Trace, registry_host: str) -> None:
        self.deadline = Deadline(policy.total_timeout)
        self._policy = policy
        self._trace = trace
        self._registry_host = registry_host
        self._dialer = Dialer(self.deadline, trace, policy.connect_timeout, by_name=policy.proxy_resolves)
        self._context: ssl.SSLContext | None = None
        self._kept: dict[tuple[str, str, int], Connection] = {}
        self._most = MOST_REQUESTS

    def allow(self, more: int) -> None:
        """Allows `more` requests, from now on."""
        self._most = self.requests + more

    def __enter__(self) -> "Transport":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._kept.values():
            connection.close()

    @property
    def connections(self) -> int:
        return self._dialer.connections

    @property
    def requests(self) -> int:
        return self._dialer.requests

    @property
    def certificate_ends(self) -> datetime | None:
        """The earliest end of the certificates that the registry and its token service showed."""
        return self._dialer.certificate_ends

    @property
    def unverified(self) -> bool:
        """Whether TLS is used without verifying certificates."""
        return self._policy.skip_tls_verify and self._context is not None

    @property
    def nodes(self) -> NodeTrust:
        """The configuration of the nodes for this registry."""
        return nodes(self._policy, self._registry_host)

    def trust(self) -> ssl.SSLContext:
        """The TLS context. Reads the trusted certificates, which takes about 20 ms: once per probe and only if TLS is
        used. Fault(TLS_UNTRUSTED) when a configured certificate cannot be read."""
        if self._context is None:
            with self._trace.part_of("tls"):
                self._context = tls_context(self._policy, self._registry_host)
        return self._context

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a host. Resolved once per probe, so a later, different DNS answer has no effect. With
        `proxy_resolves` the name may be unknown here; then the result is ()."""
        if host not in self._dialer.routes:
            with self._trace.step("resolve", netloc(host, port)):
                try:
                    found = self._look_up(host, port)
                except Fault as fault:
                    if self.deadline.expired:
                        raise Fault(Reason.TIMEOUT) from None
                    if proxy_for(self._policy, host, port) is None:
                        raise
                    if not self._policy.proxy_resolves:
                        raise Fault(fault.reason, cause="proxy_names") from None
                    found = ()
            self._dialer.routes[host] = found
        return tuple(self._dialer.routes[host])

    def peer_of(self, host: str) -> str | None:
        """The address that a host was connected at. None behind a proxy that gets names."""
        return self._dialer.peers.get(host)

    def address_class_of(self, host: str) -> AddressClass:
        """The class of the address that a host was connected at. Behind a proxy that gets names the most public of
        the resolved addresses counts; without any, the host counts as public."""
        peer = self.peer_of(host)
        found = (peer,) if peer else self._dialer.routes.get(host, ())
        return min(map(classify, found), default=AddressClass.PUBLIC)

    def send(
        self,
        method: str,
        endpoint: Endpoint,
        *,
        authorization: str | None = None,
        form: dict[str, str] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = PING_BODY,
    ) -> Answer:
        """Sends one request to a host that was resolved and checked before; returns the response with at most
        `limit` bytes of body. `form` is the body: fields of a form, or bytes. Raises a Fault for every error."""
        if self.requests >= self._most:
            raise Fault(Reason.UNEXPECTED_RESPONSE, cause="request_budget")
        if self.deadline.expired:
            raise Fault(Reason.TIMEOUT)
        if endpoint.scheme == "https":
            self.trust()
        proxy = proxy_for(self._policy, endpoint.host, endpoint.port)
        if proxy:
            self._use_proxy(proxy, endpoint)
        try:
            more = {**({"Authorization": authorization} if authorization else {}), **(headers or {})}
            answer = self._exchange(method, endpoint, more, form, limit, proxy)
        except Fault as fault:
            raise self._explained(fault, endpoint, proxy) from None
        except _FAILURES as error:
            raise self._explained(network_fault(error), endpoint, proxy) from None
        if self.deadline.expired:
            raise Fault(Reason.TIMEOUT)
        return answer

    def _exchange(
        self,
        method: str,
        endpoint: Endpoint,
        more: Mapping[str, str],
        form: dict[str, str] | bytes | None,
        limit: int,
        proxy: str | None,
    ) -> Answer:
        if isinstance(form, dict):
            more = {**more, "Content-Type": "application/x-www-form-urlencoded"}
            form = urlencode(form).encode()
        headers = _headers(method, endpoint, more, form)
        host, port, target = endpoint.host, endpoint.port, endpoint.target
        if proxy and self._forwards(endpoint):
            host, port = proxy_address(proxy)
            target = endpoint.url
            headers |= proxy_login(proxy)
        # Runtimes send a GET again, once. Here one with a credential is never sent twice: a second refusal could
        # lock an account.
        plain = method == "GET" and form is None and "Authorization" not in more
        before = self._dialer.connections
        connection = self._connection(endpoint.scheme, host, port, wait=not plain)
        again = plain and self._dialer.connections == before and self.requests + 1 < self._most
        connection.body = limit
        try:
            try:
                response = _response(connection, method, target, form, headers)
            except ConnectionError:
                # The server may close a kept connection at the same moment.
                if not again:
                    raise
                connection.close()
                self._connection(endpoint.scheme, host, port)
                response = _response(connection, method, target, form, headers)
            encodings = response.fields.all("content-encoding")
            body, complete = read_body(response, ", ".join(encodings), limit)
        except BaseException:
            connection.close()
            raise
        connection.answered()
        if response.will_close or not complete:
            connection.close()
        return Answer(response.status, tuple(response.fields), body, complete, endpoint)

    def _connection(self, scheme: str, host: str, port: int, *, wait: bool = False) -> Connection:
        """An open connection: the one of the last request to this origin if the server keeps it open. With `wait`,
        a server has a moment to close it, once: some proxies do so after an answer without saying it."""
        key = (scheme, host, port)
        connection = self._kept.get(key)
        if connection is None:
            connection = (
                TlsConnection(self._dialer, host, port, self.trust())
                if scheme == "https"
                else Connection(self._dialer, host, port)
            )
            self._kept[key] = connection
        connection.timeout = self.deadline.within(self._policy.read_timeout)
        wait = wait and not connection.lasting
        if connection.is_open(min(connection.closing(CLOSING), self.deadline.remaining) if wait else 0.0):
            connection.lasting = connection.lasting or wait
        else:
            connection.close()
            connection.connect()
            connection.lasting = False
        return connection

    def _explained(self, fault: Fault, endpoint: Endpoint, proxy: str | None) -> Fault:
        """The Fault to report: TIMEOUT after the deadline, PROXY_ERROR if the proxy cannot be reached, and the
        server's certificates if they were not trusted."""
        if self.deadline.expired:
            return Fault(Reason.TIMEOUT)
        if proxy and fault.reason in {Reason.CONNECTION_REFUSED, Reason.NETWORK_UNREACHABLE}:
            return Fault(Reason.PROXY_ERROR, cause=fault.reason)
        if fault.reason in _CERTIFICATE_FAULTS:
            with self._trace.part_of("tls"), self._dialer.untraced():
                seen = inspect(lambda context: self._handshake(endpoint, context), fault)
            fault.tls, fault.cause = seen.facts, seen.still_wrong
            fault.params |= seen.params
        return fault

    @contextmanager
    def _handshake(self, endpoint: Endpoint, context: ssl.SSLContext) -> Iterator[ssl.SSLObject]:
        """A new TLS connection with another context, by the same route. Fault if it fails."""
        connection = TlsConnection(self._dialer, endpoint.host, endpoint.port, context)
        try:
            connection.connect()
            connection.sock.flush()
            yield connection.sock.tls
        except _FAILURES as error:
            raise network_fault(error) from None
        finally:
            connection.close()

    def _forwards(self, endpoint: Endpoint) -> bool:
        """Whether a proxy forwards requests to this endpoint by their URL. It would replace the Host header by the
        host of the URL (RFC 9112, 3.2.2), so it must be one that gets names. All others open tunnels."""
        return self._policy.proxy_resolves and endpoint.scheme == "http"

    def _use_proxy(self, proxy: str, endpoint: Endpoint) -> None:
        """A route to the proxy. The operator configured its address, so it is not checked."""
        host, port = proxy_address(proxy)
        if not self._forwards(endpoint):
            self._dialer.tunnels[endpoint.host, endpoint.port] = proxy, host, port
        try:
            if host not in self._dialer.routes:
                self._dialer.routes[host] = self._look_up(host, port)
        except Fault as fault:
            raise Fault(Reason.PROXY_ERROR, cause=fault.cause or fault.reason) from None

    def _look_up(self, host: str, port: int) -> tuple[str, ...]:
        seconds = self.deadline.within(self._policy.connect_timeout)
        return look_up(host, port, self._policy.resolver, seconds)


def _headers(method: str, endpoint: Endpoint, more: Mapping[str, str], form: bytes | None) -> dict[str, str]:
    headers = {
        "Host": endpoint.netloc,
        "User-Agent": _USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    if form is not None or method not in ("GET", "HEAD"):
        headers["Content-Length"] = str(len(form or b""))
    return {**headers, **more}


def _response(
    connection: Connection, method: str, target: str, form: bytes | None, headers: Mapping[str, str]
) -> Response:
    """Sends a request, and reads the head of its response."""
    # A server may answer before it has read everything, and close.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request(method, target, form, headers)
    return connection.response(method)
