"""urllib3 connections to the addresses that the address guard checked. The socket is opened here; Host header, SNI
and the expected name in the certificate stay those of the URL. Errors become a Fault that names the phase."""

import email.message
import http.client
import io
import logging
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import urllib3.exceptions
from urllib3.connection import HTTPConnection

from registries.addresses import netloc

from .certificate import ends_at
from .deadline import Deadline
from .fault import Fault, network_fault
from .proxy import open_tunnel
from .reason import Reason
from .tls import TlsSocket, TooMuch
from .trace import Trace

_MOST_ADDRESSES = 4
_RECORD = 16 * 1024
_FRAMING = 256 * 1024
"""Bytes of a response besides its body and its chunks: heads, interim responses and trailers."""
_MOST_RECORDS = 2
"""Bytes of TLS for a byte of an answer: records have frames."""
_unlogged = ContextVar("unlogged", default=False)
_LOGGERS = ("connection", "response")
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
    and port. `by_name` gives the proxy names instead of addresses. `peers` records which address answered, and
    `certificate_ends` the earliest end of the certificates that servers showed."""

    deadline: Deadline
    trace: Trace
    connect_timeout: float
    routes: dict[str, Sequence[str]] = field(default_factory=dict)
    tunnels: dict[tuple[str, int], tuple[str, str, int]] = field(default_factory=dict)
    by_name: bool = False
    peers: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    requests: int = 0
    certificate_ends: datetime | None = None

    def note_certificate(self, der: bytes | None) -> None:
        """Takes note of a server's own certificate, verified or not."""
        ends = ends_at(der or b"")
        if ends is not None:
            self.certificate_ends = min(ends, self.certificate_ends or ends)

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
            open_tunnel(connection, proxy, target, self.deadline, self.connect_timeout)
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


class LimitedReader(io.RawIOBase):
    """Reads a socket; each read is limited by the deadline, and all of them by `most` bytes. It has what http.client
    needs of a socket."""

    def __init__(self, connection: socket.socket, deadline: Deadline, seconds: float, most: int) -> None:
        self._connection, self._deadline, self._seconds = connection, deadline, seconds
        self._left = most
        self._file = connection.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._left <= 0:
            raise TooMuch
        self._deadline.limit(self._connection, self._seconds)
        count = self._file.readinto(buffer)
        self._left -= count or 0
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class Connection(HTTPConnection):
    """A connection whose socket a dialer opens, with the dialer's deadline on all that it reads and writes. Set
    `timeout`, the seconds for one read or write, and `body`, the most bytes of a body, before each request."""

    timeout: float
    body: int
    lasting = False
    """Whether the server has kept it open after an answer."""

    def __init__(self, dialer: Dialer, host: str, port: int) -> None:
        super().__init__(host, port)
        self.dialer = dialer

    def _new_conn(self) -> socket.socket:
        return self.dialer.dial(self.host, self.port)

    def request(self, *arguments: Any, **options: Any) -> None:
        self.dialer.requests += 1
        super().request(*arguments, **options)

    def send(self, data: Any) -> None:
        """Sends bytes, a TLS record at a time: the timeout of a TLS socket is that of one record."""
        for start in range(0, len(data), _RECORD):
            self.dialer.deadline.limit(self.sock, self.timeout)
            super().send(data[start : start + _RECORD])

    def response_class(self, connection: socket.socket, **options: Any) -> _QuietResponse:  # type: ignore[override]
        # A body of short chunks may be twice as long with their sizes.
        reader = LimitedReader(connection, self.dialer.deadline, self.timeout, _FRAMING + 2 * self.body)
        return _QuietResponse(cast(socket.socket, reader), **options)


class TlsConnection(Connection):
    """The context verifies certificate and name, or neither. urllib3's own class would write to the context, which
    other threads use too, and warn about missing verification; the result of a probe reports that instead."""

    tls: TlsSocket
    default_port = 443  # type: ignore[misc]  # as in urllib3's own class

    def __init__(self, dialer: Dialer, host: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(dialer, host, port)
        self._context = context

    def connect(self) -> None:
        """Connects and does the TLS handshake."""
        with self.dialer.trace.step("tls", netloc(self.host, self.port)):
            connection = self._new_conn()
            try:
                # As long as the socket may take to connect, as dial() has set it.
                seconds = connection.gettimeout() or self.dialer.connect_timeout
                wrapped = TlsSocket(connection, self._context, self.host.rstrip("."), seconds)
            except _LOW_LEVEL as error:
                connection.close()
                raise network_fault(error) from None
        self.dialer.note_certificate(wrapped.tls.getpeercert(binary_form=True))
        self.tls = wrapped
        self.sock = cast(socket.socket, wrapped)

    def response_class(self, connection: socket.socket, **options: Any) -> _QuietResponse:  # type: ignore[override]
        self.tls.allow(_MOST_RECORDS * (_FRAMING + 2 * self.body))
        return super().response_class(connection, **options)
