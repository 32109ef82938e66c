"""A small HTTP(S) server on loopback that follows a script, however hostile."""

import base64
import contextlib
import http.client
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from registries.probe import Policy

HERE = Policy(allow_loopback=True, connect_timeout=60.0, read_timeout=60.0, total_timeout=120.0)
"""A policy for servers on loopback. Its timeouts allow for a slow machine; a test with a server that waits sets its
own."""

Headers = list[tuple[str, str]]


@dataclass
class Request:
    """One request as received. Header names are in lower case."""

    method: str
    target: str
    headers: Headers
    body: bytes
    connection: int

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def authorization(self) -> str | None:
        return self.header("authorization")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass
class Reply:
    """A response. `raw` is sent instead of a well-formed response. `pieces` are sent one by one, `pause` seconds
    apart, after everything else. Then `reset` resets the connection, `close` closes it."""

    status: int = 200
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    raw: bytes | None = None
    pieces: Iterator[bytes] | None = None
    pause: float = 0.0
    delay: float = 0.0
    close: bool = False
    reset: bool = False

    def head(self) -> bytes:
        phrase = http.client.responses.get(self.status, "Scripted")
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{name}: {value}" for name, value in self.headers)]
        framed = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in self.headers)
        if not framed and self.pieces is None:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


Script = Callable[[Request], Reply]

_REQUEST_LINE = re.compile(r"([A-Z]+) ([^ ]+) HTTP/1\.[01]\r\n")


class ScriptedServer:
    """A running server. `requests` has all requests, `connections` counts the connections."""

    def __init__(
        self,
        script: Script,
        tls: ssl.SSLContext | None = None,
        greet: Callable[[socket.socket], bool] | None = None,
        bind: str = "127.0.0.1",
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.script = script
        self._tls = tls
        self._greet = greet
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((bind, 0))
        self._listener.listen(64)
        self.port: int = self._listener.getsockname()[1]
        self.scheme = "https" if tls else "http"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def address(self) -> str:
        """The address as an operator would type it."""
        return f"{'' if self._tls else 'http://'}localhost:{self.port}"

    @property
    def netloc(self) -> str:
        return f"localhost:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://localhost:{self.port}{path}"

    def authorizations(self, path: str | None = None) -> list[str | None]:
        """The Authorization header of every request in order, None if there was none."""
        return [request.authorization for request in self.requests if path in (None, request.path)]

    def stop(self) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            socket.create_connection(self._listener.getsockname()[:2], 1).close()  # wakes accept()
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                return
            if self._stopping.is_set():
                connection.close()
                return
            self.connections += 1
            self._open.add(connection)
            number = self.connections
            thread = threading.Thread(target=self._serve, args=(connection, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        raw = connection
        with contextlib.ExitStack() as stack:
            stack.callback(self._close, raw)
            self._converse(connection, number, stack)

    def _converse(self, connection: socket.socket, number: int, stack: contextlib.ExitStack) -> None:
        try:
            if self._greet is not None and not self._greet(connection):
                return
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.add(connection)
                stack.callback(self._close, connection)
            reader = stack.enter_context(connection.makefile("rb"))
            while (request := _read(reader, number)) is not None:
                self.requests.append(request)
                if not self._answer(connection, self.script(request), request.method == "HEAD"):
                    return
        except (OSError, ValueError):
            return

    def _close(self, connection: socket.socket) -> None:
        """Closes a connection normally, unless it was set to be reset."""
        self._open.discard(connection)
        with contextlib.suppress(OSError):
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[:4] == bytes(4):
                connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def _answer(self, connection: socket.socket, reply: Reply, head_only: bool) -> bool:
        """Sends a reply. True if the connection stays open."""
        self._stopping.wait(reply.delay)
        body = b"" if head_only else reply.body
        connection.sendall(reply.raw if reply.raw is not None else reply.head() + body)
        for piece in reply.pieces or ():
            connection.sendall(piece)
            if self._stopping.wait(reply.pause):
                return False
        if reply.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        return not (reply.close or reply.raw is not None or reply.pieces is not None)


@contextmanager
def scripted(script: Script, **options: object) -> Iterator[ScriptedServer]:
    """A ScriptedServer for the duration of a with block."""
    server = ScriptedServer(script, **options)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def silent_port() -> Iterator[int]:
    """A port on loopback without a listener."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> bool:
    """Whether `condition` became true in time. It is asked less and less often, for it may cost a request. Only a
    defect makes a test wait for so many seconds, however busy the machine is."""
    until = time.monotonic() + seconds
    pause = 0.01
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(pause)
        pause = min(1.3 * pause, 0.3)
    return True


def _read(reader: object, number: int) -> Request | None:
    """None at the end, also of a client that died within a request: a DELETE without its body means something else."""
    line = reader.readline(65537)  # type: ignore[attr-defined]
    if not line.strip():
        return None
    if not (start := _REQUEST_LINE.fullmatch(line.decode("latin-1"))):
        raise ValueError("not HTTP")  # for example a TLS hello, whose random bytes must not matter
    method, target = start.groups()
    headers: Headers = []
    while text := (line := reader.readline(65537)).decode("latin-1").rstrip("\r\n"):  # type: ignore[attr-defined]
        name, _, value = text.partition(":")
        headers.append((name.strip().lower(), value.strip()))
    length = next((int(value) for name, value in headers if name == "content-length"), 0)
    body = reader.read(length)  # type: ignore[attr-defined]
    return Request(method, target, headers, body, number) if line and len(body) == length else None


# Responses that many scripts use.

V2: Headers = [("Docker-Distribution-Api-Version", "registry/2.0")]


def registry_ok() -> Reply:
    """The response of a registry to valid credentials."""
    return Reply(200, [*V2, ("Content-Type", "application/json")], b"{}")


def unauthorized(*challenges: str, body: bytes = b"") -> Reply:
    """A 401 with one header line per challenge."""
    return Reply(401, [*V2, *(("WWW-Authenticate", challenge) for challenge in challenges)], body)


def json_reply(document: object, status: int = 200) -> Reply:
    return Reply(status, [("Content-Type", "application/json")], json.dumps(document).encode())


def basic(username: str, password: str) -> str:
    """The Authorization header for these credentials."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def always(reply: Reply) -> Callable[[Request], Reply]:
    return lambda request: reply
