"""What a test did and how long each step took. Standard library only."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `name` is one of resolve, connect, tls, ping, token, confirm; `milliseconds` is its own time,
    without the steps inside it; `host` is host[:port] of the server it concerned."""

    name: str
    milliseconds: float
    ok: bool
    host: str


class Trace:
    """The steps of one test, in the order in which they ended."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._steps: list[Step] = []
        self._inner = [0.0]
        self._failed_inside = False

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)

    @property
    def milliseconds(self) -> float:
        """Since the test began."""
        return _round((time.monotonic() - self._started) * 1000)

    @contextmanager
    def step(self, name: str, host: str) -> Iterator[None]:
        """Time the body as a step; it failed if it raised. Steps inside it are not counted twice:
        connecting happens within the ping, and the reader wants to know which of the two was slow. Of
        nested steps only the innermost one fails; the ones around it were not reached and are not
        listed."""
        started = time.monotonic()
        self._inner.append(0.0)
        self._failed_inside = False
        ok = False
        try:
            yield
            ok = True
        finally:
            elapsed = time.monotonic() - started
            own = elapsed - self._inner.pop()
            self._inner[-1] += elapsed
            if ok or not self._failed_inside:
                self._steps.append(Step(name, _round(own * 1000), ok, host))
            self._failed_inside = not ok

    def fail(self, name: str, host: str) -> None:
        """The test has failed. If its last step did not, then for what that step brought, which was judged
        when it had ended: an address, a challenge, an answer. `name` and `host`: of the step that comes
        first, for a test that failed before it."""
        if not self._steps:
            self._steps.append(Step(name, self.milliseconds, False, host))
        self._steps[-1] = replace(self._steps[-1], ok=False)


def _round(milliseconds: float) -> float:
    return round(max(milliseconds, 0.0), 3)
