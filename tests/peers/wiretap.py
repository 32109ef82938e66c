"""A wiretap between a browser and a server: passes all bytes on and records what the server sent and which targets
were requested. Send `Accept-Encoding: identity`, or the recording is compressed."""

import contextlib
import re
import socket
import threading

TARGET = re.compile(rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n")


class Wiretap:
    """Listens on `port`. The server is on `upstream`. Both are on loopback."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self._streams: list[tuple[bytearray, bytearray]] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def sent(self) -> list[bytes]:
        """Everything that the server sent, headers and bodies, one entry per connection."""
        return [bytes(down) for _, down in self._streams]

    @property
    def targets(self) -> list[str]:
        """Path and query of every request."""
        return [target.decode("latin-1") for up, _ in self._streams for target in TARGET.findall(up)]

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.upstream), 5)
                for end in (browser, server):  # otherwise a small piece after another one waits 40 ms
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                if self._listener.fileno() < 0:
                    return
                continue
            server.settimeout(None)
            up, down = bytearray(), bytearray()
            self._streams.append((up, down))
            for source, sink, memory in ((browser, server, up), (server, browser, down)):
                threading.Thread(target=_pump, args=(source, sink, memory), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, memory: bytearray) -> None:
    """Copies bytes until one side closes, then closes the other."""
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            memory += part
            sink.sendall(part)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
