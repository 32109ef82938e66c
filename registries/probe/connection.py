"""Connections that go where they were judged to go: urllib3's, with the socket opened here. Host header, SNI
and the name in the certificate stay those of the URL. Errors leave as a Fault, named by the phase in which
they happened. Imports deadline.py, trace.py and fault.py."""

import email.message
import functools
import http.client
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import urllib3.exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .deadline import Deadline, Watchdog
from .fault import Fault, network_fault
from .host import netloc
from .reason import Reason
from .trace import Trace

_MOST_ADDRESSES = 4
_LOW_LEVEL = (OSError, ValueError, http.client.HTTPException, urllib3.exceptions.HTTPError)


@dataclass
class Dialer:
    """Opens the sockets of one test. `routes` maps a host name to the addresses that were judged; a name
    that is not in it cannot be connected to. `peers` remembers which address answered."""

    deadline: Deadline
    watchdog: Watchdog
    trace: Trace
    connect_timeout: float
    routes: dict[str, Sequence[str]] = field(default_factory=dict)
    peers: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    requests: int = 0

    def dial(self, host: str, port: int) -> socket.socket:
        """A connected socket, or the Fault of the most telling failure. All addresses together have the
        connect timeout, shared out so that a dead one leaves time for the next."""
        with self.trace.step("connect", netloc(host, port)):
            faults: list[Fault] = []
            addresses = self.routes[host][:_MOST_ADDRESSES]
            until = time.monotonic() + self.deadline.within(self.connect_timeout)
            for index, address in enumerate(addresses):
                seconds = max(until - time.monotonic(), 0.001) / (len(addresses) - index)
                try:
                    connection = self._open(address, port, seconds)
                except OSError as error:
                    faults.append(network_fault(error))
                    continue
                self.peers[host] = address
                return connection
            raise _most_telling(faults)

    @contextmanager
    def untraced(self) -> Iterator[None]:
        """Connections made meanwhile are no steps of the test."""
        trace, self.trace = self.trace, Trace()
        try:
            yield
        finally:
            self.trace = trace

    def _open(self, address: str, port: int, seconds: float) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(seconds)
            connection.connect((address, port))
            # The handshake that may follow is part of connecting.
            connection.settimeout(self.deadline.within(self.connect_timeout))
            self.watchdog.guard(connection)
        except OSError:
            connection.close()
            raise
        self.connections += 1
        return connection


def _most_telling(faults: list[Fault]) -> Fault:
    """Of several dead addresses: one that refused is alive; one that timed out at least has a route."""
    if not faults:
        return Fault(Reason.DNS_FAILED)
    order = (Reason.CONNECTION_REFUSED, Reason.CONNECTION_RESET, Reason.TIMEOUT, Reason.NETWORK_UNREACHABLE)
    return min(faults, key=lambda fault: order.index(fault.reason) if fault.reason in order else len(order))


class _QuietResponse(http.client.HTTPResponse):
    """A response whose malformed header lines are dropped. urllib3 would log them, whatever they echo."""

    def _read_status(self) -> tuple[str, int, str]:
        """Past all interim responses (RFC 9110, 15.2): http.client knows of 100 only, and would take 103 Early
        Hints for the answer."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 101 < status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def begin(self) -> None:
        super().begin()
        message = cast(email.message.Message, self.msg)
        message.defects = []
        message.set_payload("")


class _Plain(HTTPConnection):
    response_class = _QuietResponse
    dialer: Dialer

    def _new_conn(self) -> socket.socket:
        return self.dialer.dial(self.host, self.port or 80)

    def request(self, *arguments: Any, **options: Any) -> None:
        self.dialer.requests += 1
        super().request(*arguments, **options)


class _Tls(HTTPSConnection):
    response_class = _QuietResponse
    dialer: Dialer

    def _new_conn(self) -> socket.socket:
        return self.dialer.dial(self.host, self.port or 443)

    def request(self, *arguments: Any, **options: Any) -> None:
        self.dialer.requests += 1
        super().request(*arguments, **options)

    def connect(self) -> None:
        """Dial and shake hands; with a proxy, ask it for a tunnel in between."""
        at = netloc(self._tunnel_host or self.host, self._tunnel_port or self.port)
        with self.dialer.trace.step("tls", at):
            try:
                super().connect()
            except _LOW_LEVEL as error:
                raise network_fault(error) from None


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain

    def __init__(self, *arguments: Any, dialer: Dialer, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._dialer = dialer

    def _new_conn(self) -> Any:
        connection = cast(_Plain, super()._new_conn())
        connection.dialer = self._dialer
        return connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls

    def __init__(self, *arguments: Any, dialer: Dialer, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._dialer = dialer

    def _new_conn(self) -> Any:
        connection = cast(_Tls, super()._new_conn())
        connection.dialer = self._dialer
        return connection

    def _validate_conn(self, conn: Any) -> None:
        """Connect before the request is written. urllib3's own would also warn, process-wide, of a connection
        that the operator asked not to be verified; the result says so instead."""
        if conn.is_closed:
            conn.connect()


class _Pools(Protocol):
    pool_classes_by_scheme: dict[str, Any]


def use_dialer(manager: _Pools, dialer: Dialer) -> None:
    """Have a urllib3 pool manager open all its connections through `dialer`."""
    manager.pool_classes_by_scheme = {
        "http": functools.partial(_PlainPool, dialer=dialer),
        "https": functools.partial(_TlsPool, dialer=dialer),
    }
