"""A child of this process, by a real fork: as a server makes its worker. Standard library only."""

import json
import os
import select
import signal
import traceback
import warnings
from collections.abc import Callable
from typing import Any

PATIENCE = 20.0
"""Seconds until a child that says nothing is given up."""


class Child:
    """Does `work` in a child; `result()` is what it returned, as JSON knows it. It is gone by then, in any case."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._reading, writing = os.pipe()
        with warnings.catch_warnings(action="ignore"):  # newer Pythons warn of what is tested here
            self.pid = os.fork()
        if self.pid:
            os.close(writing)
            return
        status = 1
        try:
            os.write(writing, json.dumps({"result": work()}).encode())
            status = 0
        except BaseException:  # noqa: BLE001
            os.write(writing, json.dumps({"failed": traceback.format_exc()[-4000:]}).encode())
        finally:
            os._exit(status)

    def result(self) -> Any:
        said = b""
        while select.select([self._reading], [], [], PATIENCE)[0] and (
            piece := os.read(self._reading, 65536)
        ):
            said += piece
        os.close(self._reading)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        answer = json.loads(said) if said else {"failed": "it hangs"}
        assert "failed" not in answer, answer["failed"]
        return answer["result"]
