"""A network connection between a client and a server on loopback that tests can cut."""

import contextlib
import socket
import threading
import time


class Cable:
    """Passes bytes on to a port in both directions. Clients connect to `port`. `taken` counts the connections,
    `delay` is the seconds by which every piece is delayed."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._pulled = False
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self.taken = 0
        self.delay = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Closes all open connections. New connections work."""
        with self._lock:
            ends, self._ends = self._ends, []
        # Not closed: another thread may be about to use the descriptor, whose number would be reused.
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def pull(self) -> None:
        """Closes all open connections and lets none through until `plug`."""
        self._pulled = True
        self.cut()

    def plug(self) -> None:
        self._pulled = False

    def close(self) -> None:
        self.pull()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    if self._pulled:
                        raise ConnectionRefusedError
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    client.close()
                    continue
                with self._lock:  # after a pull it must not stay open
                    through = not self._pulled
                    self._ends += [client, server] if through else []
                if not through:
                    client.close()
                    server.close()
                    continue
                self.taken += 1
                for end in (client, server):  # otherwise a small piece after another one waits 40 ms
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                time.sleep(self.delay)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
