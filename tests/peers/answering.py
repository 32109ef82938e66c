"""The console's server with answers of 4 MiB each: `python -m tests.peers.answering ADDRESS:PORT`.

Prints a line when it serves. /budget answers with the bytes that wait for clients.
"""

import os
import sys
from collections.abc import Iterable
from typing import Any, cast

import django

ANSWER = 4 * 2**20


def main(bind: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    django.setup()
    from django.core.handlers.wsgi import WSGIHandler

    from console.server import Server

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        outbox = environ.get("gunicorn.socket")
        if environ["PATH_INFO"] == "/budget":
            body = str(outbox._budget.used).encode() if outbox else b""
        else:
            body = b"x" * ANSWER
        start("200 OK", [("Content-Length", str(len(body)))])
        return Answer([body])

    def say() -> None:
        sys.stdout.write("serves\n")
        sys.stdout.flush()

    Server(cast(WSGIHandler, application), bind, say).run()


class Answer(list[bytes]):
    def close(self) -> None:
        """As an answer of Django has it."""


if __name__ == "__main__":
    main(sys.argv[1])
