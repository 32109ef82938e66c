"""The clients of a soak that disturb, in a process of their own: `python -m tests.soak.load`.

The process first prints the port of a registry that answers one byte at a time. Then it reads lines: a JSON object
with `port`, `token` and `password` of LOADER starts the load, and an empty line ends it and prints its counts as JSON.
"""

import http.client
import itertools
import json
import random
import select
import socket
import sys
import threading
import urllib.parse
from collections import Counter
from collections.abc import Callable

from tests.peers.command import LONG
from tests.peers.scripted import Reply, Request, scripted

CLIENTS = 24
"""Slow clients, silent clients, and people who log in at the same time."""
WATCHES = 8
TESTS = 60
LOADER = "lena"
"""The account of the load; the person who works has another one."""
NAMESPACE = "team-000"
PATH = f"/oapis/image.theriseunion.io/v1alpha1/namespaces/{NAMESPACE}/registry-secrets"
PAUSE = (0.5, 1.5)
"""Seconds between two attempts of one client. With equal pauses all clients would come in the same moment for ever."""
_ENDED = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Load:
    """Runs until `end`. `counts` has the outcomes, for example `log-in 302`; an error counts under its name."""

    def __init__(self, port: int, token: str, password: str) -> None:
        self.counts: Counter[str] = Counter()
        self._port, self._token, self._password = port, token, password
        self._lock, self._stop = threading.Lock(), threading.Event()
        jobs: list[tuple[str, Callable[[], object]]] = []
        jobs += [("slow", self._slow), ("silent", self._silent), ("log-in", self._log_in)] * CLIENTS
        jobs += [("watch", self._watch)] * WATCHES
        jobs += [("test", self._test(f"{PATH}/verify-{number}/verify")) for number in range(TESTS)]
        for job in jobs:
            threading.Thread(target=self._repeat, args=job, daemon=True).start()

    def end(self) -> None:
        self._stop.set()

    def _repeat(self, name: str, job: Callable[[], object]) -> None:
        while not self._stop.is_set():
            try:
                outcome = job()
            except (OSError, http.client.HTTPException) as error:
                outcome = type(error).__name__
            self._count(f"{name} {outcome}")
            self._stop.wait(random.uniform(*PAUSE))

    def _count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def _connect(self) -> socket.socket:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(LONG)
        client.connect(("127.0.0.1", self._port))
        return client

    def _hold(self, client: socket.socket, more: bytes = b"") -> str:
        """Reads nothing, and sends `more` twice a second."""
        poll = select.poll()
        poll.register(client, _ENDED)
        while not self._stop.is_set():
            if poll.poll(500):
                return "ended by the server"
            client.sendall(more)
        return "held"

    def _slow(self) -> str:
        with self._connect() as client:
            client.sendall(b"GET / HTTP/1.1\r\nX: ")
            return self._hold(client, b"y")

    def _silent(self) -> str:
        with self._connect() as client:
            return self._hold(client)

    def _watch(self) -> str:
        head = f"Host: localhost\r\nAuthorization: Bearer {self._token}"
        with self._connect() as client:
            client.sendall(f"GET {PATH}?watch=true HTTP/1.1\r\n{head}\r\n\r\n".encode())
            status = client.recv(12)[-3:].decode()
            if status != "200":
                return status
            self._count("watch 200")
            self._count("watches held", 1)
            try:
                return self._hold(client)
            finally:
                self._count("watches held", -1)

    def _log_in(self) -> int:
        _, _, cookies = self._ask("GET", "/login/")
        token = cookies.partition("csrftoken=")[2].partition(";")[0]
        form = {"username": LOADER, "password": self._password, "csrfmiddlewaretoken": token}
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}"}
        return self._ask("POST", "/login/", urllib.parse.urlencode(form), kind)[0]

    def _test(self, path: str) -> Callable[[], str]:
        def test() -> str:
            self._count("test asked")
            status, body, _ = self._ask("POST", path, headers={"Authorization": f"Bearer {self._token}"})
            return f"{status} {json.loads(body).get('reason', '')}"

        return test

    def _ask(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        """The status, the body and the cookies."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=LONG)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("Set-Cookie", "")
        finally:
            connection.close()


def drip(request: Request) -> Reply:
    """An answer that does not end for two minutes, one byte at a time."""
    return Reply(raw=b"HTTP/1.1 200 OK\r\n", pieces=itertools.repeat(b"x", 1200), pause=0.1)


def main() -> None:
    with scripted(drip) as registry:
        _say(registry.port)
        load: Load | None = None
        for line in sys.stdin:
            if line.strip():
                load = Load(**json.loads(line))
            elif load is not None:
                counts = dict(load.counts)
                load.end()
                _say(dict(sorted(counts.items())))


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
