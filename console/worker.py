"""The worker of gunicorn. It answers and logs an invalid request without any text of the request, which the errors of
gunicorn quote.

The main loop reads a request (receiving.py), sends what a client does not read at once (outbox.py), and waits for
nobody who leaves a connection open (lingering.py): a slow client holds no thread.
"""

import errno
import selectors
import socket
import struct
import time
from functools import partial
from typing import Any
from weakref import ref

from django.conf import settings
from gunicorn.http.errors import ParseException
from gunicorn.util import write_error

from console.lingering import Connection, Lingering
from console.outbox import MOST_IN_ALL, SILENT, Budget, Outbox
from console.receiving import Receiving

MOST_UNREAD = 600
"""Connections whose request is not complete. The oldest makes room for the newest."""
MOST_PER_ADDRESS = 200
"""Connections of one client address. Not for loopback addresses, and not behind a proxy."""
CLEARING = 0.25
"""Seconds between two looks for what has taken too long."""
NOTIFYING = 1.0
NO_ROOM = 0.05
"""Seconds until the next try to accept a connection without a file for it."""


class Worker(Receiving):
    def init_process(self) -> None:
        self._budget = Budget()
        self._sending: dict[Any, None] = {}
        self._notified = self._cleared = float("-inf")
        super().init_process()

    def run(self) -> None:
        self._lingering = Lingering(self.poller, self._closed)
        super().run()

    def notify(self) -> None:
        """Tells the arbiter that this process is alive. gunicorn calls it for each event."""
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
        outbox.connection, conn.host, conn.done, conn.lingering = ref(conn), host, None, self._lingering
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
        self.method_queue.defer(self._watch_sending, outbox.connection())

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
