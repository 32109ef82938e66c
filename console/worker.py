"""The worker of gunicorn. It answers and logs an invalid request without any text of the request, which the errors of
gunicorn quote.

The main loop reads a request, sends what a client does not read at once (outbox.py), and waits for nobody who leaves a
connection open (lingering.py): a slow client holds no thread.
"""

import errno
import selectors
import socket
import struct
import time
from collections import Counter
from functools import partial
from typing import Any

from django.conf import settings
from gunicorn.http.errors import ParseException
from gunicorn.util import write_error

from console.dispatcher import Dispatcher
from console.framing import CONTINUE, MOST_BODY, Chunks, chunks_end, read_head
from console.lingering import Connection, Lingering
from console.outbox import MOST_IN_ALL, SILENT, Budget, Outbox

HEAD_SECONDS = 10.0
"""From the first byte, or the connection, to the end of the head."""
BODY_SECONDS = 10.0
"""From the end of the head to the end of the body, and a second more for each BODY_RATE bytes."""
BODY_RATE = 32 * 1024
MOST_HEAD = 256 * 1024
THREAD_SECONDS = 15.0
"""Seconds for which a thread reads a body that the main loop leaves to it."""
MOST_UNREAD = 600
"""Connections whose request is not complete. The oldest makes room for the newest."""
SMALL = 16 * 1024
MOST_RECEIVED = 48 * 2**20
"""Bytes of all incomplete requests. Beyond, the connection that has sent the most is closed."""
MOST_PER_ADDRESS = 200
"""Connections of one client address. Not for loopback addresses, and not behind a proxy."""
CLEARING = 0.25
"""Seconds between two looks for what has taken too long."""
NOTIFYING = 1.0
NO_ROOM = 0.05
"""Seconds until the next try to accept a connection without a file for it."""


class Worker(Dispatcher):
    def init_process(self) -> None:
        self._budget = Budget()
        self._addresses: Counter[str] = Counter()
        self._sending: dict[Any, None] = {}
        self._notified = self._cleared = float("-inf")
        super().init_process()

    def run(self) -> None:
        self._lingering = Lingering(self.poller, self._closed)
        super().run()

    def notify(self) -> None:
        """Tells the arbiter that this process is alive. The loop calls it for each event, a timeout has 30 seconds."""
        now = time.monotonic()
        if now >= self._notified + NOTIFYING:
            self._notified = now
            super().notify()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Leaves out an event of a connection that an earlier event of the same moment has closed."""
        for key, _ in self.poller.select(self.look_at_turns(timeout)):
            if self.poller.get_map().get(key.fd) is key:
                key.data(key.fileobj)

    # Connections

    def accept(self, listener: Any) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._make_room()
            return
        host = str(address[0]) if isinstance(address, tuple) else ""
        if self._is_crowding(host):
            client.close()
            return
        self.nr_conns += 1
        self._addresses[host] += 1
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            client.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", round(SILENT), 0))
        outbox = Outbox(client, self._budget, self._begin_sending)
        conn = Connection(self.cfg, outbox, address, listener.getsockname())
        outbox.connection, conn.host, conn.done, conn.lingering = conn, host, None, self._lingering
        if len(self.pending_conns) >= MOST_UNREAD:
            self._drop(self.pending_conns.popleft())
        self._await_request(conn)

    def _is_crowding(self, host: str) -> bool:
        if settings.BEHIND_PROXY or not host or host.startswith(("127.", "::1")):
            return False
        return self._addresses[host] >= MOST_PER_ADDRESS

    def _make_room(self) -> None:
        """Closes a connection on which nothing happens: the process has no more files, whatever uses them."""
        idle = self.keepalived_conns or self.pending_conns
        if idle:
            self._drop(idle.popleft())
        else:
            time.sleep(NO_ROOM)

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

    # Reading

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

    def murder_pending(self) -> None:
        """Closes what has taken too long to send or to read. The order of `pending_conns` is not that of time."""
        now = time.monotonic()
        if now < self._cleared + CLEARING:
            return
        self._cleared = now
        for conn in [it for it in self.pending_conns if it.timeout <= now]:
            self.pending_conns.remove(conn)
            self._drop(conn)
        for conn in [it for it in self._sending if it.sock.is_stuck]:
            self._end_sending(conn, broken=True)
        self._lingering.end_old()
        while self._budget.used > MOST_IN_ALL and self._sending:
            self._end_sending(max(self._sending, key=lambda it: it.sock.kept), broken=True)

    # Sending

    def _begin_sending(self, outbox: Any) -> None:
        self.method_queue.defer(self._watch_sending, outbox.connection)

    def _watch_sending(self, conn: Any) -> None:
        if conn.sock.is_waiting and conn not in self._sending:
            self._sending[conn] = None
            self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._flush, conn))

    def _flush(self, conn: Any, _client: Any) -> None:
        try:
            finished = conn.sock.flush()
        except OSError:
            self._end_sending(conn, broken=True)
            return
        if finished:
            self._end_sending(conn)

    def _end_sending(self, conn: Any, *, broken: bool = False) -> None:
        del self._sending[conn]
        self.poller.unregister(conn.sock)
        if broken:
            conn.sock.give_up()
        if conn.done is not None:
            done, conn.done = conn.done, None
            self.finish_request(conn, done)
        elif conn.sock.is_waiting:
            self._watch_sending(conn)  # the thread has sent more meanwhile

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Waits until the response has been sent."""
        self._watch_sending(conn)
        if conn in self._sending:
            conn.done = fs
            return
        before = self.nr_conns
        super().finish_request(conn, fs)
        if self.nr_conns < before:
            self.nr_conns += 1
            if conn not in self._lingering:
                self._closed(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        before = list(self.keepalived_conns)
        super().murder_keepalived(force)
        for conn in before:
            if conn not in self.keepalived_conns:
                self.nr_conns += 1
                self._closed(conn)

    # Errors

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except BlockingIOError:
            raise ConnectionResetError(errno.ECONNRESET, "The client reads nothing.") from None

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        """Closes a connection whose body did not come in time, or is no body: the request has its answer, and a proxy
        takes a second one for that of the next request."""
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except (BlockingIOError, ParseException):
            return False

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
