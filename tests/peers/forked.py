"""A child of this process by a real fork, as a server makes its workers."""

import faulthandler
import json
import logging
import os
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

from tests.peers.scripted import wait_for

PATIENCE = 60.0
"""Seconds after which a child that does not end reports where it hangs."""
OPENING = {"connect", "create_connection", "load_verify_locations", "do_handshake", "wrap_socket"}
"""Functions in which a thread opens a connection. OpenSSL's locks would stay locked in a child."""
LOOKS, PAUSE = 10, 0.05
"""Looks one after the other that find no such thread, and seconds between them."""


def _opening() -> bool:
    """Whether a thread opens a connection after a pause."""
    time.sleep(PAUSE)
    tops = sys._current_frames().values()
    return any(frame.f_code.co_name in OPENING for top in tops for frame, _ in traceback.walk_stack(top))


class Child:
    """Runs `work` in a child process. `result()` is its return value as JSON. The child has always ended by then."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._reading, writing = os.pipe()
        assert wait_for(lambda: not any(_opening() for _ in range(LOOKS)))
        handlers = logging.getLogger().handlers
        for handler in handlers:
            handler.acquire()  # a writing thread holds a lock of the stream, which would stay locked in the child
        with warnings.catch_warnings(action="ignore"):  # newer Pythons warn about such a fork
            self.pid = os.fork()
        if self.pid:
            for handler in handlers:
                handler.release()
            os.close(writing)
            return
        faulthandler.dump_traceback_later(PATIENCE, exit=True, file=writing)
        try:
            said = json.dumps({"result": work()})
        except BaseException:  # noqa: BLE001
            said = traceback.format_exc()[-4000:]
        os.write(writing, said.encode())
        os._exit(0)

    def result(self) -> Any:
        said = b""
        while select.select([self._reading], [], [], 2 * PATIENCE)[0] and (
            piece := os.read(self._reading, 65536)
        ):
            said += piece
        os.close(self._reading)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        assert said.startswith(b'{"result"'), said.decode()
        return json.loads(said)["result"]
