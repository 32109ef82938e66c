"""Connections to the addresses that the address guard checked. The socket is opened here; Host header, SNI and the
expected name in the certificate stay those of the URL. Errors become a Fault that names the phase."""

import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from registries.addresses import netloc

from .certificate import ends_at
from .deadline import Deadline
from .fault import Fault, network_fault
from .proxy import open_tunnel
from .reason import Reason
from .response import Response
from .tls import TcpSocket, TlsSocket, TooMuch
from .trace import Trace

_MOST_ADDRESSES = 4
_RECORD = 16 * 1024
_FRAMING = 256 * 1024
"""Bytes of a response besides its body and its chunks: heads, interim responses and trailers."""
_MOST_RECORDS = 2
"""Bytes of TLS for a byte of an answer: records have frames."""
_LOW_LEVEL = (OSError, ValueError, http.client.HTTPException)
_NOT_IN_TARGET, _NOT_IN_VALUE = re.compile(r"[\x00-\x20\x7f]"), re.compile(r"[\x00-\x1f\x7f]")


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


class LimitedReader(io.RawIOBase):
    """Reads a socket; each read is limited by the deadline, and all of them by `most` bytes. It has what http.client
    needs of a socket."""

    def __init__(
        self, connection: socket.socket | TcpSocket | TlsSocket, deadline: Deadline, seconds: float, most: int
    ) -> None:
        self._connection, self._deadline, self._seconds = connection, deadline, seconds
        self._left = most

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise TooMuch
        self._deadline.limit(self._connection, self._seconds)
        count = self._connection.recv_into(buffer)
        self._left -= count
        return count


class Connection:
    """A connection whose socket a dialer opens, with the dialer's deadline on all that it reads and writes. Set
    `timeout`, the seconds for one read or write, and `body`, the most bytes of a body, before each request."""

    timeout: float
    body: int
    lasting = False
    """Whether the server has kept it open after an answer."""
    sock: TcpSocket | TlsSocket
    connected = False
    _asked = _answered = 0.0

    def __init__(self, dialer: Dialer, host: str, port: int) -> None:
        self.dialer, self.host, self.port = dialer, host, port

    def connect(self) -> None:
        self.sock = TcpSocket(self.dialer.dial(self.host, self.port))
        self.connected = True

    def close(self) -> None:
        if self.connected:
            self.sock.close()
            self.connected = False

    def is_open(self, seconds: float = 0.0) -> bool:
        """Whether it is open, and the server neither closes it nor sends anything within so many seconds."""
        return self.connected and not self.sock.readable(seconds)

    def request(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        self.dialer.requests += 1
        self._asked = time.monotonic()
        if _NOT_IN_TARGET.search(target) or any(map(_NOT_IN_VALUE.search, headers.values())):
            raise ValueError("control character")
        head = f"{method} {target} HTTP/1.1\r\n".encode("ascii")
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.send(head + fields.encode("latin-1") + b"\r\n" + (body or b""))

    def answered(self) -> None:
        """To be called at the end of an answer."""
        self._answered = time.monotonic()

    def closing(self, longest: float) -> float:
        """Seconds in which the server would still close it after its last answer: as many as it took for that, at least
        a fifth of `longest`, without those that have passed."""
        pace = min(max(self._answered - self._asked, longest / 5), longest)
        return max(self._answered + pace - time.monotonic(), 0.0)

    def send(self, data: bytes) -> None:
        """Sends bytes, a TLS record at a time: the timeout of a TLS socket is that of one record."""
        for start in range(0, len(data), _RECORD):
            self.dialer.deadline.limit(self.sock, self.timeout)
            self.sock.sendall(data[start : start + _RECORD])

    def response(self, method: str) -> Response:
        """The answer to a request, read to the end of its head."""
        # A body of short chunks may be twice as long with their sizes.
        reader = LimitedReader(self.sock, self.dialer.deadline, self.timeout, _FRAMING + 2 * self.body)
        response = Response(cast(socket.socket, reader), method=method)
        response.begin()
        return response


class TlsConnection(Connection):
    """The context verifies certificate and name, or neither."""

    sock: TlsSocket

    def __init__(self, dialer: Dialer, host: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(dialer, host, port)
        self._context = context

    def connect(self) -> None:
        """Connects and does the TLS handshake."""
        with self.dialer.trace.step("tls", netloc(self.host, self.port)):
            connection = self.dialer.dial(self.host, self.port)
            try:
                # As long as the socket may take to connect, as dial() has set it.
                seconds = connection.gettimeout() or self.dialer.connect_timeout
                self.sock = TlsSocket(connection, self._context, self.host.rstrip("."), seconds)
            except _LOW_LEVEL as error:
                connection.close()
                raise network_fault(error) from None
        self.connected = True
        self.dialer.note_certificate(self.sock.tls.getpeercert(binary_form=True))

    def response(self, method: str) -> Response:
        self.sock.allow(_MOST_RECORDS * (_FRAMING + 2 * self.body))
        return super().response(method)
