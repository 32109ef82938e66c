"""Gives each complete request to a thread when it is its sender's turn. /healthz has its own thread."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from gunicorn.workers.gthread import ThreadWorker

from console.turns import LOOK, Turn, Turns
from registries.log_in.sender import LATE, PERSON, sender_address

BODIES = 4
"""Threads for requests whose body a thread has to read. The others go on whatever these do."""
_HEALTH = (b"GET /healthz ", b"HEAD /healthz ")


class Dispatcher(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def init_process(self) -> None:
        self._health = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")
        self._bodies = ThreadPoolExecutor(max_workers=BODIES, thread_name_prefix="body")
        self._late = ThreadPoolExecutor(max_workers=1, thread_name_prefix="late")
        self._turns = Turns(self.cfg.threads)
        self._current = threading.local()
        super().init_process()

    def run(self) -> None:
        self._application: WSGIApplication = self.wsgi
        self.wsgi: WSGIApplication = self._answer
        super().run()

    def look_at_turns(self, timeout: float) -> float:
        """The seconds after which the main loop has to look again, at most `timeout`."""
        if not self._turns.anyone_waits:
            return timeout
        self._turns.look()
        return min(timeout, LOOK)

    def dispatch(self, conn: Any, head: bytes, size: int) -> None:
        """`head` ends with the empty line. `size` is the number of bytes of the head and the body."""
        if conn.unread:
            self._begin(self._bodies, conn)
        elif size == len(head) and head.startswith(_HEALTH):
            self._begin(self._health, conn)
        else:
            credential = self._turns.people.credential(head, settings.SESSION_COOKIE_NAME)
            address = sender_address(head, conn.client)
            start, posts = partial(self._take_turn, conn), head.startswith(b"POST ")
            self._turns.add(credential, address, start, size, posts=posts)

    def _take_turn(self, conn: Any, turn: Turn) -> None:
        self._begin(self._late if turn.late else self.tpool, conn, turn)

    def _begin(self, pool: ThreadPoolExecutor, conn: Any, turn: Turn | None = None) -> None:
        done = pool.submit(self._handle, conn, turn)
        done.add_done_callback(lambda it: self.method_queue.defer(self._end, conn, turn, it))

    def _handle(self, conn: Any, turn: Turn | None) -> Any:
        self._current.turn = turn
        if turn is not None:
            turn.begin()
        return self.handle(conn)

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Any:
        """What the application answers; notes whose request it was, and whether it was refused for its number."""
        turn: Turn | None = self._current.turn
        if turn is None:
            return self._application(environ, start)
        if turn.late:
            environ[LATE] = True

        def begin(status: str, *rest: Any) -> Any:
            turn.refused = status.startswith("429")
            return start(status, *rest)

        response = self._application(environ, begin)
        turn.person = environ.get(PERSON)
        return response

    def _end(self, conn: Any, turn: Turn | None, done: Any) -> None:
        if turn is not None:
            self._turns.end(turn)
        self.finish_request(conn, done)
