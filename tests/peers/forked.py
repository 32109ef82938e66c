"""A child of this process by a real fork, as a server makes its workers."""

import faulthandler
import json
import logging
import os
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

PATIENCE = 60.0
"""Seconds after which a child that does not end reports where it hangs."""
QUIET = 0.5
"""Seconds until threads have opened their connections. OpenSSL's locks would stay locked in a child."""


class Child:
    """Runs `work` in a child process. `result()` is its return value as JSON. The child has always ended by then."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._reading, writing = os.pipe()
        time.sleep(QUIET)
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
