"""A registry that thinks before it answers, in a process of its own: `python -m tests.bench.slow_registry
SECONDS CHALLENGE [CHAIN KEY]`. Prints its port; ends with its standard input. Standard library only."""

import asyncio
import ssl
import sys

ANSWERS = {
    "basic": ("401 Unauthorized", 'WWW-Authenticate: Basic realm="bench"\r\n', ""),
    "bearer": ("401 Unauthorized", 'WWW-Authenticate: Bearer realm="{scheme}://{host}/token"\r\n', ""),
    "open": ("200 OK", "", "{}"),
    "token": ("200 OK", "", '{"token": "bench"}'),
    "no": ("401 Unauthorized", "", ""),
}


class Registry(asyncio.Protocol):
    """One connection."""

    def __init__(self, seconds: float, challenge: str, scheme: str) -> None:
        self._seconds, self._challenge, self._scheme = seconds, challenge, scheme
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._read.startswith(b"\x16"):  # skopeo tries TLS first
            self._transport.close()
        while b"\r\n\r\n" in self._read:
            head, _, rest = self._read.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:])
            length = int(headers.get("content-length", "0"))
            if len(rest) < length:
                return
            self._read = rest[length:]
            asyncio.get_running_loop().call_later(self._seconds, self._answer, lines, headers)

    def _answer(self, lines: list[str], headers: dict[str, str]) -> None:
        allowed = "authorization" in headers
        token = " /token" in lines[0]
        name = ("token" if token else "open") if allowed else ("no" if token else self._challenge)
        status, line, body = ANSWERS[name]
        line = line.format(scheme=self._scheme, host=headers["host"])
        head = f"HTTP/1.1 {status}\r\nDocker-Distribution-Api-Version: registry/2.0\r\n{line}"
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())


async def main(seconds: float, challenge: str, tls: list[str]) -> None:
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    scheme = "https" if tls else "http"
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Registry(seconds, challenge, scheme), "127.0.0.1", 0, ssl=context, backlog=512
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), sys.argv[2], sys.argv[3:]))
