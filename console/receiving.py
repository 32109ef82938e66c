"""Receives requests in the main loop, piece by piece, and gives each complete one to a thread."""

import selectors
import time
from collections import Counter
from functools import partial
from typing import Any

from console.dispatcher import Dispatcher
from console.framing import CONTINUE, MOST_BODY, Chunks, chunks_end, read_head

HEAD_SECONDS = 10.0
"""From the first byte, or the connection, to the end of the head."""
BODY_SECONDS = 10.0
"""From the end of the head to the end of the body, and a second more for each BODY_RATE bytes."""
BODY_RATE = 32 * 1024
MOST_HEAD = 256 * 1024
THREAD_SECONDS = 15.0
"""Seconds for which a thread reads a body that the main loop leaves to it."""
SMALL = 16 * 1024
MOST_RECEIVED = 48 * 2**20
"""Bytes of all incomplete requests. Beyond, the connection that has sent the most is closed."""


class Receiving(Dispatcher):
    """`pending_conns` of gunicorn are the connections whose request is not complete."""

    def init_process(self) -> None:
        self._addresses: Counter[str] = Counter()
        super().init_process()

    def _drop(self, conn: Any) -> None:
        """Closes a connection whose request is not complete."""
        self._unwatch(conn)
        conn.received = bytearray()
        conn.sock.give_up()
        self._closed(conn)
        conn.close()

    def _closed(self, conn: Any) -> None:
        self.nr_conns -= 1
        self._addresses[conn.host] -= 1
        if self._addresses[conn.host] <= 0:
            del self._addresses[conn.host]

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_request(conn)

    def enqueue_req(self, conn: Any) -> None:
        """A request whose first bytes arrived with the one before."""
        self._await_request(conn, conn.parser.unreader.take_buffered())

    def _await_request(self, conn: Any, data: bytes = b"") -> None:
        conn.received, conn.missing, conn.unread = bytearray(data.lstrip(b"\r\n")), None, False
        conn.chunk, conn.looked_at = None, 0
        conn.sock.read_until = float("inf")
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        if data:
            self._go_on(conn)
        else:
            self._read(conn, conn.sock)

    def _watch(self, conn: Any) -> None:
        """Lets the poller tell when more comes."""
        if conn.sock not in self.poller.get_map():
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read, conn))

    def _unwatch(self, conn: Any) -> None:
        if conn.sock in self.poller.get_map():
            self.poller.unregister(conn.sock)

    def _read(self, conn: Any, client: Any) -> None:
        try:
            data = client.recv_now(64 * 1024)
        except BlockingIOError:
            self._watch(conn)
            return
        except OSError:
            data = b""
        if not data and conn.missing is not None:
            conn.unread = True
            self._dispatch(conn)  # the parser says what is wrong with it
            return
        # gunicorn's parser skips empty lines, too.
        conn.received += data if conn.received else data.lstrip(b"\r\n")
        if not data or (conn.missing is None and len(conn.received) > MOST_HEAD):
            self.pending_conns.remove(conn)
            self._drop(conn)
            return
        if self._has_room(conn):
            self._go_on(conn)

    def _has_room(self, conn: Any) -> bool:
        """Whether this connection may go on, after it has sent something."""
        if len(conn.received) <= SMALL:
            return True
        while sum(len(it.received) for it in self.pending_conns) > MOST_RECEIVED:
            largest = max(self.pending_conns, key=lambda it: len(it.received))
            self.pending_conns.remove(largest)
            self._drop(largest)
            if largest is conn:
                return False
        return True

    def _go_on(self, conn: Any) -> None:
        """Gives the request to a thread when it is complete, else waits for more."""
        if conn.missing is None and not self._has_head(conn):
            self._watch(conn)
        elif conn.chunk is not None:
            self._go_on_with_chunks(conn)
        elif len(conn.received) >= conn.missing:
            self._dispatch(conn)
        else:
            self._watch(conn)

    def _has_head(self, conn: Any) -> bool:
        """Whether the head has come. A client that asks whether to go on is answered at once."""
        end = conn.received.find(b"\r\n\r\n", max(0, conn.looked_at - 3))
        conn.looked_at = len(conn.received)
        if end < 0:
            return False
        head = read_head(bytes(conn.received[: end + 4]))
        conn.received[: end + 4] = head.text
        conn.missing, conn.unread, conn.begun = head.length, head.unread, time.monotonic()
        conn.chunk = len(head.text) if head.chunked else None
        conn.timeout = conn.begun + BODY_SECONDS + head.length / BODY_RATE
        if head.asks:
            conn.sock.send_now(CONTINUE)
        return True

    def _go_on_with_chunks(self, conn: Any) -> None:
        conn.chunk, state = chunks_end(conn.received, conn.chunk)
        if state is Chunks.MORE and len(conn.received) <= MOST_BODY:
            conn.timeout = conn.begun + BODY_SECONDS + len(conn.received) / BODY_RATE
            self._watch(conn)
            return
        conn.unread = state is not Chunks.COMPLETE
        self._dispatch(conn, 0.0 if state is Chunks.BROKEN else THREAD_SECONDS)

    def _dispatch(self, conn: Any, seconds: float = THREAD_SECONDS) -> None:
        """A thread reads on for at most these seconds, if it has to."""
        self._unwatch(conn)
        self.pending_conns.remove(conn)
        conn.init()
        conn.parser.unreader.unread(bytes(conn.received))
        head, size = bytes(conn.received[: conn.received.find(b"\r\n\r\n") + 4]), len(conn.received)
        conn.received = bytearray()
        conn.sock.read_until = time.monotonic() + seconds
        self.dispatch(conn, head, size)
