"""gunicorn with one worker: eight threads, and one more for each test or watch of the API that may wait.

This process restarts a dead worker, and stops the worker when it stops.
"""

import resource
import sys
from collections.abc import Callable
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse
from gunicorn.app.base import BaseApplication

from console.body import without_text
from console.memory import freeze, give_back, share_arenas

THREADS = 8
SWITCH = 0.0005
"""Seconds for which a thread keeps the interpreter while others wait. A short request waits for it some ten times, and
under load Python's 5 ms made it twice as slow."""
LINE = 8190
"""Maximum bytes of the request line, gunicorn's upper limit. A header may have twice as many."""
CONNECTIONS, FILES = 4000, 512
"""The most connections, and the files that a process has open besides: of tests, of the database, of a cluster."""
FEWEST = 64
GRACE = 3
"""Seconds that a request has to end after SIGTERM. Work in the background is not waited for: what it does is in the
database, and a kill at any moment does it no harm. The Deployment gives a few seconds more."""


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Calls `on_ready` when the address is bound, and `on_start` in the worker after the fork."""

    def __init__(
        self,
        application: WSGIHandler,
        bind: str,
        on_ready: Callable[[], None],
        on_start: Callable[[], None] | None = None,
    ) -> None:
        self._application = application
        self._options: dict[str, object] = {
            "bind": bind,
            "workers": 1,
            "worker_class": "console.worker.Worker",
            "threads": THREADS + settings.API_TESTS + settings.API_WATCHES,
            "timeout": 60,
            "graceful_timeout": GRACE,
            "keepalive": 30,
            "limit_request_line": LINE,
            "limit_request_field_size": 2 * LINE,
            "loglevel": "warning",
            # Django reads what a proxy reports. To gunicorn, everybody on this machine is a proxy, whose headers name
            # the path of the request: a proxy's rule for a path would not hold.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "sendfile": False,  # files go through the outbox, too
            "worker_connections": room_for_connections(),
            "control_socket_disable": True,
            "when_ready": lambda _arbiter: on_ready(),
        }
        self._on_start = on_start
        self._options["post_worker_init"] = lambda _worker: self._begin()
        super().__init__()

    def _begin(self) -> None:
        """Renders the first page in the worker, before parallel first requests would each compile its templates."""
        suit_many_threads()
        environ: dict[str, object] = {"PATH_INFO": reverse("login"), "HTTP_HOST": _host()}
        setup_testing_defaults(environ)
        response = self._application(environ, lambda *_head: lambda _data: None)
        response.close()
        if self._on_start is not None:
            self._on_start()
        freeze()
        give_back()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        return without_text(self._application)


def room_for_connections() -> int:
    """Raises this process's limit of open files as far as it may. Returns the connections that fit: many systems begin
    with 1024 files, and a server that cannot open one more ends."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + FILES
    if files != resource.RLIM_INFINITY and files < wanted:
        files = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    return CONNECTIONS if files == resource.RLIM_INFINITY else min(CONNECTIONS, max(FEWEST, files - FILES))


def suit_many_threads() -> None:
    """Tunes this process for many threads of which few compute."""
    sys.setswitchinterval(SWITCH)
    share_arenas()


def _host() -> str:
    """A host name from ALLOWED_HOSTS."""
    first = str((settings.ALLOWED_HOSTS or ["localhost"])[0]).lstrip(".")
    return "localhost" if first == "*" else first
