"""The worker of gunicorn. It answers and logs an invalid request without any text of the request.

The errors of gunicorn quote what they could not read: a header, a token, a part of the body.

The main loop reads the head of a request: a client that sends it slowly holds no thread. /healthz has its own thread.
"""

import errno
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.core.exceptions import BadRequest
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.util import write_error
from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_SECONDS = 10.0
"""From the first byte, or the connection, to the end of the head."""
SOCKET_SECONDS = 15
"""A client that takes or sends nothing for so long loses its connection."""
MOST_HEAD = 256 * 1024
_HEALTH = (b"GET /healthz ", b"HEAD /healthz ")


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def init_process(self) -> None:
        self._health = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")
        super().init_process()

    def accept(self, listener: Any) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            client.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SOCKET_SECONDS, 0))
        self._await_head(TConn(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_head(conn)

    def enqueue_req(self, conn: Any) -> None:
        """A request whose first bytes arrived with the one before."""
        self._await_head(conn, conn.parser.unreader.take_buffered())

    def _await_head(self, conn: Any, data: bytes = b"") -> None:
        conn.sock.setblocking(False)
        conn.head = bytearray(data.lstrip(b"\r\n"))
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read_head, conn))
        if b"\r\n\r\n" in conn.head:
            self._dispatch(conn)

    def _read_head(self, conn: Any, client: Any) -> None:
        try:
            data = client.recv(16 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        conn.head = (conn.head + data).lstrip(b"\r\n")  # gunicorn's parser skips empty lines too
        if b"\r\n\r\n" in conn.head:
            self._dispatch(conn)
        elif not data or len(conn.head) > MOST_HEAD:
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            self.nr_conns -= 1
            conn.close()

    def _dispatch(self, conn: Any) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)
        conn.init()
        conn.parser.unreader.unread(bytes(conn.head))
        lower = conn.head.lower()
        bare = b"\r\ncontent-length:" not in lower and b"\r\ntransfer-encoding:" not in lower
        pool = self._health if bare and conn.head.startswith(_HEALTH) else self.tpool
        done = pool.submit(self.handle, conn)
        done.add_done_callback(lambda it: self.method_queue.defer(self.finish_request, conn, it))

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except BlockingIOError:
            raise ConnectionResetError(errno.ECONNRESET, "The client reads nothing.") from None

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Logs one line and answers 400 for an unreadable request. Leaves other errors to gunicorn."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Invalid request from %s: %s", (addr or ("",))[0], type(exc).__name__)
        try:
            write_error(client, 400, "Bad Request", "")
        except OSError:
            self.log.debug("The answer to an invalid request was not sent.")


def without_text(application: WSGIApplication) -> WSGIApplication:
    """Wraps the application. Reading a broken body raises BadRequest, not an error that quotes the body."""

    def guarded(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"])
        return application(environ, start)

    return guarded


class _Body:
    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, *size: int) -> bytes:
        return self._ask(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._ask(self._body.readline, *size)

    def _ask(self, method: Callable[..., bytes], *size: int) -> bytes:
        try:
            return method(*size)
        except (ParseException, NoMoreData, BlockingIOError):
            raise BadRequest("The body of the request cannot be read.") from None
