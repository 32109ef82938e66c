"""The steps of a probe and their duration."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `name` is resolve, connect, tls, ping, token or confirm. `milliseconds` is its own time, without
    the steps inside it. `host` is host[:port] of the server."""

    name: str
    milliseconds: float
    ok: bool
    host: str


class Trace:
    """The steps of one probe, in the order in which they ended."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._steps: list[Step] = []
        self._inner = [0.0]
        self._ahead: dict[str, float] = {}
        self._failed_inside = False

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)

    @property
    def milliseconds(self) -> float:
        """Time since the probe began."""
        return _round((time.monotonic() - self._started) * 1000)

    @contextmanager
    def step(self, name: str, host: str) -> Iterator[None]:
        """Times the block as a step, which fails if the block raises.

        The time of inner steps is not counted twice: connecting happens inside the ping, and the reader wants to
        know which of them was slow. Of nested steps only the innermost one fails. The outer ones are not listed,
        because they were not completed.
        """
        started = time.monotonic()
        self._inner.append(0.0)
        self._failed_inside = False
        ok = False
        try:
            yield
            ok = True
        finally:
            elapsed = time.monotonic() - started
            own = elapsed - self._inner.pop() + self._ahead.pop(name, 0.0)
            self._inner[-1] += elapsed
            if ok or not self._failed_inside:
                self._steps.append(Step(name, _round(own * 1000), ok, host))
            self._failed_inside = not ok

    @contextmanager
    def part_of(self, name: str) -> Iterator[None]:
        """Adds the time of the block to the last step of this name, or to the next one if there is none yet."""
        started = time.monotonic()
        try:
            yield
        finally:
            elapsed = time.monotonic() - started
            self._inner[-1] += elapsed
            for index in reversed(range(len(self._steps))):
                step = self._steps[index]
                if step.name == name:
                    self._steps[index] = replace(
                        step, milliseconds=_round(step.milliseconds + elapsed * 1000)
                    )
                    break
            else:
                self._ahead[name] = self._ahead.get(name, 0.0) + elapsed

    def fail(self, name: str, host: str) -> None:
        """Marks the probe as failed. If its last step succeeded, the result of that step (an address, a challenge,
        a response) was refused later, and the step is marked as failed. `name` and `host` describe the step to
        record if there is none yet."""
        if not self._steps:
            self._steps.append(Step(name, self.milliseconds, False, host))
        self._steps[-1] = replace(self._steps[-1], ok=False)


def _round(milliseconds: float) -> float:
    return round(max(milliseconds, 0.0), 3)
