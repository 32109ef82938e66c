"""The HTTP(S) server of all behaviours: one thread accepts on every port, one thread serves each connection. It
logs nothing, because requests contain passwords."""

import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from registries.demo.catalogue import Service
from registries.demo.certificates import Certificates
from registries.demo.messages import RESET, SILENCE, Answer, Handler, Request, error, text_answer

IDLE_SECONDS = 30
SILENT_SECONDS = 600
MAX_BODY = 65536
MAX_CONNECTIONS = 256
TLS_RECORD = b"\x16"

# The response of Go's servers, and so of most registries, to plain HTTP on a TLS port.
SPEAK_TLS = Answer(
    400, b"Client sent an HTTP request to an HTTPS server.\n", "text/plain; charset=utf-8", close=True
)


@dataclass(frozen=True)
class Endpoint:
    """A service and its TLS context, if it uses TLS."""

    handler: Handler
    tls: ssl.SSLContext | None


class Exchange(BaseHTTPRequestHandler):
    """One connection: parses requests, calls the handler, writes responses. HTTP/1.1 with keep-alive."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # with 0.9 the response to a bad first line would have no header
    timeout = IDLE_SECONDS
    wbufsize = -1  # one packet for head and body

    def __init__(self, connection: socket.socket, handler: Handler) -> None:
        self._handler = handler
        super().__init__(connection, connection.getpeername(), None)  # type: ignore[arg-type]

    def answer(self) -> None:
        body = self._read_body()
        if body is None:
            return
        try:
            request = Request.read(self.command, self.path, self.headers, body)
        except ValueError:
            self._send(error(400, "UNSUPPORTED", "the request cannot be read"), close=True)
            return
        answer = self._handler(request)
        if answer is SILENCE:
            self._wait_for_the_other_side()
        elif answer is RESET:
            # Closing with a linger time of zero makes the socket send RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        else:
            self._send(answer, close=answer.close)

    def __getattr__(self, name: str) -> object:
        # The base class calls do_GET and so on. One method answers all of them.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def _read_body(self) -> bytes | None:
        """The body. None if it was refused; then the response is already sent."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self._send(error(411, "SIZE_INVALID", "a length is required"), close=True)
        elif len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            self._send(error(413, "SIZE_INVALID", "the body is too large"), close=True)
        else:
            self.wfile.flush()  # a "100 Continue" may be in the buffer
            return self.rfile.read(int(length))
        return None

    def _send(self, answer: Answer, *, close: bool = False) -> None:
        self.close_connection = self.close_connection or close
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.body:
            self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _wait_for_the_other_side(self) -> None:
        self.close_connection = True
        self.connection.settimeout(SILENT_SECONDS)
        while self.connection.recv(4096):
            pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Called by the base class for requests that it could not parse."""
        self.command = self.command or ""
        self._send(text_answer(code, message or explain or "bad request"), close=True)

    def version_string(self) -> str:
        return "registry"

    def log_message(self, format: str, *args: object) -> None:
        """Does nothing."""


class Server:
    """Serves all listening sockets until the process ends."""

    def __init__(
        self, sockets: Mapping[str, socket.socket], services: Mapping[str, Service], files: Certificates
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._room = threading.BoundedSemaphore(MAX_CONNECTIONS)
        for host, listener in sockets.items():
            if service := services.get(host):
                tls = _tls(service, files) if service.certificate else None
                self._selector.register(
                    listener, selectors.EVENT_READ, (listener, Endpoint(service.handler, tls))
                )

    def start(self) -> None:
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def _accept(self) -> None:
        while True:
            for key, _ in self._selector.select():
                listener, endpoint = key.data
                try:
                    connection, _ = listener.accept()
                except OSError:
                    # The client left, or no descriptor is free. The pause avoids a busy loop.
                    time.sleep(0.05)
                    continue
                self._serve(connection, endpoint)

    def _serve(self, connection: socket.socket, endpoint: Endpoint) -> None:
        if not self._room.acquire(blocking=False):
            connection.close()
            return
        try:
            threading.Thread(target=self._converse, args=(connection, endpoint), daemon=True).start()
        except RuntimeError:
            # The system cannot start another thread. The accepting thread must continue.
            connection.close()
            self._room.release()

    def _converse(self, connection: socket.socket, endpoint: Endpoint) -> None:
        try:
            connection.settimeout(IDLE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            handler = endpoint.handler
            if endpoint.tls and connection.recv(1, socket.MSG_PEEK) == TLS_RECORD:
                connection = endpoint.tls.wrap_socket(connection, server_side=True)
            elif endpoint.tls:
                handler = _speak_tls
            Exchange(connection, handler)
        except (OSError, ValueError):
            # The client left, or did not use TLS. There is nobody to answer.
            pass
        finally:
            connection.close()
            self._room.release()


def _speak_tls(_request: Request) -> Answer:
    return SPEAK_TLS


def _tls(service: Service, files: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path: Path = getattr(files, service.certificate or "registries")
    context.load_cert_chain(path)
    context.set_alpn_protocols(["http/1.1"])
    if service.client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files.ca)
        # With TLS 1.3 the refusal would come after the handshake, instead of the first response.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
