"""Connection tests with short times, and how long they take."""

import time
from dataclasses import replace

from registries.probe import Policy, Result, probe
from tests.peers.scripted import HERE

SHORT = replace(HERE, total_timeout=0.5)
SLACK = 30.0
"""Seconds that a slow machine may add. Everything that is cut off here would take at least twice as long."""


def timed(address: str, policy: Policy) -> tuple[Result, float]:
    started = time.monotonic()
    result = probe(address, "admin", "secret", policy)
    return result, time.monotonic() - started
