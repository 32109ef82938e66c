"""Things that a test can hold, so that something is under way for as long as the test looks at it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Route

from tests.peers.scripted import Reply, Request, ScriptedServer


class HeldRegistry:
    """A registry that fails every test. While it is held, every request waits."""

    def __init__(self) -> None:
        self._go = threading.Event()
        self._go.set()
        self._server = ScriptedServer(self._answer)
        self.credential = {"domain": self._server.address, "username": "held", "password": "patience-1"}

    def hold(self) -> None:
        self._go.clear()

    def let_go(self) -> None:
        self._go.set()

    def stop(self) -> None:
        self.let_go()
        self._server.stop()

    def _answer(self, _request: Request) -> Reply:
        self._go.wait(300)
        return Reply(500)


@contextmanager
def kept_back(page: Page, pattern: str) -> Iterator[list[Route]]:
    """Delays requests of a page until the block ends. The list contains those so far."""
    held: list[Route] = []
    over = False

    def keep(route: Route) -> None:
        if over:
            route.continue_()
        else:
            held.append(route)

    page.route(pattern, keep)
    yield held
    over = True
    for route in held:
        route.continue_()
    page.unroute(pattern, keep)
