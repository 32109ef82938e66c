"""What this process does so that memory that nobody uses goes back to the system.

Only what Linux with glibc offers. Elsewhere the functions do what they can.
"""

import ctypes
import gc
import threading
import time
from typing import Any

ARENAS = 2
"""Of malloc, which would give almost every thread its own: some 5 MiB more for the same work."""
GIVING_BACK = 30.0
"""Seconds between two times. Each takes up to 10 ms."""
_M_ARENA_MAX = -8


def share_arenas() -> None:
    if (option := _of_glibc("mallopt")) is not None:
        option(_M_ARENA_MAX, ARENAS)


def freeze() -> None:
    """Lets Python's collector of garbage leave out all that is loaded: a look at the rest is short, and comes as often
    as there is a quarter more."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Begins a thread that gives free memory back. malloc keeps most of it: after requests of many megabytes, and in
    small pieces, more and more."""
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        threading.Thread(target=_go_on_giving_back, args=(trim,), name="memory", daemon=True).start()


def _go_on_giving_back(trim: Any) -> None:
    while True:
        time.sleep(GIVING_BACK)
        trim(0)


def _of_glibc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None)
