"""What work costs in time of the processor, whatever else the machine does."""

import time
from collections.abc import Callable


def processor_seconds(work: Callable[[], object]) -> float:
    """The least of three tries, of this thread alone: the garbage collector or a busy processor may slow one down."""

    def once() -> float:
        begun = time.thread_time()
        work()
        return time.thread_time() - begun

    return min(once() for _ in range(3))
