"""urllib3 connections to the addresses that the address guard checked. The socket is opened here; Host header, SNI
and the expected name in the certificate stay those of the URL. Errors become a Fault that names the phase."""

import email.message
import functools
import http.client
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import urllib3.exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from registries.addresses.host import netloc

from .deadline import Deadline, Watchdog
from .fault import Fault, network_fault
from .proxy import open_tunnel
from .reason import Reason
from .trace import Trace

_MOST_ADDRESSES = 4
_unlogged = ContextVar("unlogged", default=False)
_LOGGERS = ("connection", "connectionpool", "poolmanager", "response", "util.retry")
_LOW_LEVEL = (OSError, ValueError, http.client.HTTPException, urllib3.exceptions.HTTPError)


@contextmanager
def unlogged() -> Iterator[None]:
    """Nothing that urllib3 does in this block is logged: it logs hosts and URLs that a server chose."""
    before = _unlogged.set(True)
    try:
        yield
    finally:
        _unlogged.reset(before)


def _may_be_logged(_record: logging.LogRecord) -> bool:
    return not _unlogged.get()


for _name in _LOGGERS:
    logging.getLogger(f"urllib3.{_name}").addFilter(_may_be_logged)


@dataclass
class Dialer:
    """Opens the sockets of one probe. `routes` maps a host name to its checked addresses; a name without a route
    cannot be connected to. `tunnels` maps a host and port to the proxy that they are reached through: its URL, host
    and port. `by_name` gives the proxy names instead of addresses. `peers` records which address answered."""

    deadline: Deadline
    watchdog: Watchdog
    trace: Trace
    connect_timeout: float
    routes: dict[str, Sequence[str]] = field(default_factory=dict)
    tunnels: dict[tuple[str, int], tuple[str, str, int]] = field(default_factory=dict)
    by_name: bool = False
    peers: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    requests: int = 0

    def dial(self, host: str, port: int) -> socket.socket:
        """A socket to the host, through a tunnel if there is one, or the Fault that says most about the failures."""
        with self.trace.step("connect", netloc(host, port)):
            tunnel = self.tunnels.get((host, port))
            if tunnel is None:
                return self._connected(host, port)
            fault = Fault(Reason.PROXY_ERROR)
            for target in [host] if self.by_name else self.routes[host][:_MOST_ADDRESSES]:
                try:
                    connection = self._tunnelled(tunnel, netloc(target, port))
                except Fault as error:
                    if error.reason is not Reason.PROXY_ERROR:
                        raise
                    fault = error
                    continue
                if not self.by_name:
                    self.peers[host] = target
                return connection
            raise fault

    def _tunnelled(self, tunnel: tuple[str, str, int], target: str) -> socket.socket:
        proxy, host, port = tunnel
        connection = self._connected(host, port)
        try:
            open_tunnel(connection, proxy, target)
        except OSError as error:
            connection.close()
            raise network_fault(error) from None
        except Fault:
            connection.close()
            raise
        return connection

    def _connected(self, host: str, port: int) -> socket.socket:
        """All addresses share the connect timeout, so a dead address leaves time for the next one."""
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
        """Connections made inside this block are not recorded as steps."""
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
            # The TLS handshake uses the connect timeout too.
            connection.settimeout(self.deadline.within(self.connect_timeout))
            self.watchdog.guard(connection)
        except OSError:
            connection.close()
            raise
        self.connections += 1
        return connection


def _most_telling(faults: list[Fault]) -> Fault:
    """Picks one Fault of several dead addresses: a refused connection says most, then a reset, a timeout, an
    unreachable network."""
    if not faults:
        return Fault(Reason.DNS_FAILED)
    order = (Reason.CONNECTION_REFUSED, Reason.CONNECTION_RESET, Reason.TIMEOUT, Reason.NETWORK_UNREACHABLE)
    return min(faults, key=lambda fault: order.index(fault.reason) if fault.reason in order else len(order))


class _QuietResponse(http.client.HTTPResponse):
    """A response that drops malformed header lines. urllib3 would log them, and they may repeat a secret."""

    def _read_status(self) -> tuple[str, int, str]:
        """Skips interim responses (RFC 9110, 15.2). http.client only skips 100 and would take 103 Early Hints for
        the final response."""
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
        """Connects and does the TLS handshake."""
        with self.dialer.trace.step("tls", netloc(self.host, self.port)):
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
        """Connects before the request is written. urllib3's own method would also warn, process-wide, about a
        connection without verification; the result reports that instead."""
        if conn.is_closed:
            conn.connect()


class _Pools(Protocol):
    pool_classes_by_scheme: dict[str, Any]


def use_dialer(manager: _Pools, dialer: Dialer) -> None:
    """Makes a urllib3 pool manager open all its connections through `dialer`."""
    manager.pool_classes_by_scheme = {
        "http": functools.partial(_PlainPool, dialer=dialer),
        "https": functools.partial(_TlsPool, dialer=dialer),
    }
