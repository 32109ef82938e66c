"""The person of a soak, who works with the API, and what she was told."""

import http.client
import itertools
import json
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.peers.command import LONG
from tests.soak.load import PATH, TESTS

RUNS = "/oapis/image.theriseunion.io/v1alpha1/runs"
KIND = {"apiVersion": "image.theriseunion.io/v1alpha1", "kind": "RegistrySecret"}
KEPT = 50
"""Registries of her work that stay: lists and memory are compared over time, so the data must not grow."""
PACE = 0.5
"""Seconds from the begin of one round of her work to the next, at least: twelve requests a second. Without it she
would press harder the faster the console answers, and every list would be measured against another load."""
SPEC = {"domain": "127.0.0.1:9", "username": "u", "password": "soak-only-7", "provider": "other"}


class Person:
    """`created` and `deleted` are the names of acknowledged creations and deletions; `refused` counts other answers
    than the expected ones."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.created, self.deleted = set[str](), set[str]()
        self.refused: Counter[str] = Counter()
        self.works = 0
        self._kept = deque[str]()

    def ask(
        self, method: str, path: str, body: object = None, kind: str = "application/json"
    ) -> tuple[int, Any]:
        """The status and the JSON of the answer, or None."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def expect(self, status: int, method: str, path: str, *body: Any) -> bool:
        """Whether the answer had this status. Counts another one."""
        found = self.ask(method, path, *body)[0]
        if found != status:
            self.refused[f"{method} {path.rpartition('/')[2]} {found}"] += 1
        return found == status

    def list(self) -> bool:
        return self.expect(200, "GET", f"{PATH}?limit=500")

    def create(self, name: str) -> None:
        if self.expect(201, "POST", PATH, {**KIND, "metadata": {"name": name}, "spec": SPEC}):
            self.created.add(name)

    def delete(self, name: str) -> None:
        if self.expect(204, "DELETE", f"{PATH}/{name}"):
            self.created.discard(name)
            self.deleted.add(name)

    def work(self) -> None:
        """Creates two registries; edits, tests and deletes one of them, and the oldest of more than KEPT others."""
        name = f"soak-{self.works}-gone"
        self.create(f"soak-{self.works}")
        self._kept.append(f"soak-{self.works}")
        self.create(name)
        change = {"metadata": {"annotations": {"theriseunion.io/description": name}}}
        self.expect(200, "PATCH", f"{PATH}/{name}", change, "application/merge-patch+json")
        self.expect(200, "POST", f"{PATH}/{name}/verify")
        self.delete(name)
        if len(self._kept) > KEPT:
            self.delete(self._kept.popleft())
        self.works += 1

    def work_until(self, end: float) -> None:
        while (begun := time.monotonic()) < end:
            self.work()
            time.sleep(max(0, begun + PACE - time.monotonic()))

    def create_until_killed(self, name: str) -> None:
        with suppress(OSError, http.client.HTTPException):
            for number in itertools.count():
                self.create(f"{name}-{number}")

    def lost(self) -> int:
        """The acknowledged creations that are missing, and deletions that are still there."""
        kept = sum(self.ask("GET", f"{PATH}/{name}")[0] != 200 for name in self.created)
        return kept + sum(self.ask("GET", f"{PATH}/{name}")[0] != 404 for name in self.deleted)

    def start_run(self) -> str:
        """The id of a new run over the registries that answer one byte at a time."""
        items = [{"namespace": PATH.split("/")[-2], "name": f"verify-{number}"} for number in range(TESTS)]
        status, run = self.ask("POST", RUNS, {"type": "verify", "items": items})
        assert status == 201, run
        return str(run["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        status, run = self.ask("GET", f"{RUNS}/{run_id}")
        assert status == 200, run
        return dict(run)


def list_until(port: int, token: str, seconds: float) -> tuple[list[float], dict[str, int]]:
    """The seconds of each list of all registries for some time, and what was refused."""
    person = Person(port, token)
    times, _ = sample(time.monotonic() + seconds, person.list)
    return times, dict(person.refused)


def sample(end: float, action: Callable[[], bool]) -> tuple[list[float], int]:
    """The seconds of each call until `end`, and the number of calls that returned False."""
    times: list[float] = []
    failed = 0
    while time.monotonic() < end or len(times) < 2:
        begun = time.monotonic()
        failed += not action()
        times.append(time.monotonic() - begun)
        time.sleep(0.05)
    return times, failed
