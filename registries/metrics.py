"""Prometheus metrics.

Metrics of registries are computed at each scrape and contain only namespaces that the caller may see. Totals
are only for callers that see everything.
"""

import time
from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from registries.domain.registry import RegistrySecret
from registries.probe.result import Reason, Result

PREFIX = "registry_console"
TEST_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60)
KEPT = 10_000
"""Registries whose lines are kept beyond twice those of a scrape."""
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_number: Callable[[float], str] = floatToGoString


class Metrics:
    """Counters of this process since its start. `actions` are the actions and outcomes that are counted from 0."""

    def __init__(self, actions: Iterable[tuple[str, str]] = ()) -> None:
        self.collected = CollectorRegistry(auto_describe=True)
        self._tests = Histogram(
            f"{PREFIX}_test_duration_seconds",
            "Connection tests that ended, by outcome (success, failed) and reason code.",
            ("outcome", "reason"),
            buckets=TEST_BUCKETS,
            registry=self.collected,
        )
        self._requests = Histogram(
            f"{PREFIX}_request_duration_seconds",
            "Requests that were answered, by kind (api, page), view and method. A watch is not among them.",
            ("kind", "view", "method"),
            buckets=REQUEST_BUCKETS,
            registry=self.collected,
        )
        self._answers = Counter(
            f"{PREFIX}_requests",
            "The same by HTTP status.",
            ("kind", "view", "method", "code"),
            registry=self.collected,
        )

        self._actions = Counter(
            f"{PREFIX}_actions",
            "Actions in the audit log, by action and outcome.",
            ("action", "outcome"),
            registry=self.collected,
        )
        self._deliveries = Counter(
            f"{PREFIX}_deliveries",
            "Attempts to send a message, by service and trouble; no trouble is a message that arrived.",
            ("service", "trouble"),
            registry=self.collected,
        )
        # increase() does not see the first value of a series. Those that alerts ask for exist before the first event.
        for action, outcome in actions:
            self._actions.labels(action, outcome)
        self._tests.labels("failed", Reason.BAD_CREDENTIALS.value)
        self.registries = Registries()

    def acted(self, action: str, outcome: str, number: int) -> None:
        self._actions.labels(action, outcome).inc(number)

    def delivered(self, service: str, trouble: str) -> None:
        self._deliveries.labels(service, trouble).inc()

    def tested(self, result: Result) -> Result:
        """Counts a test and returns its result."""
        outcome = "success" if result.ok else "failed"
        self._tests.labels(outcome, result.reason.value).observe(result.duration_ms / 1000)
        return result

    def answered(self, view: str, method: str, code: int, seconds: float) -> None:
        """Counts a request. `view` is the name of its URL, such as registries:list."""
        kind = "api" if view.startswith("api:") else "page"
        self._requests.labels(kind, view, method).observe(seconds)
        self._answers.labels(kind, view, method, str(code)).inc()


class _Lines(NamedTuple):
    """The lines of one registry, which stay the same until it changes."""

    registry: RegistrySecret
    group: tuple[str, str, str]
    state: str
    tested: str
    labels: str


class Registries:
    """Metrics of registries, as text. The lines of each registry are kept: most are the same in every scrape."""

    def __init__(self) -> None:
        self._kept: dict[str, _Lines] = {}

    def text(
        self,
        registries: Iterable[RegistrySecret],
        index_age: float | None,
        intervals: Mapping[str, int] = MappingProxyType({}),
    ) -> str:
        """The metrics of these registries. `intervals` has the seconds between two checks by uid."""
        families: dict[str, list[str]] = {name: [] for name in _FAMILIES}
        total, states, tested, checks, passwords, ages = families.values()
        now, counts, seen = time.time(), Counts[tuple[str, str, str]](), dict[str, _Lines]()
        for it in registries:
            lines = self._kept.get(it.uid)
            if lines is None or lines.registry is not it:
                lines = _lines(it)
            seen[it.uid] = lines
            counts[lines.group] += 1
            states.append(lines.state)
            age = now - it.password_set_at.timestamp()
            passwords.append(f"{PREFIX}_registry_password_age_seconds{lines.labels}{_number(age)}")
            if lines.tested:
                tested.append(lines.tested)
            if interval := intervals.get(it.uid):
                checks.append(f"{PREFIX}_registry_check_interval_seconds{lines.labels}{float(interval)}")
        self._keep(seen)
        for (namespace, provider, state), count in sorted(counts.items()):
            labels = _labels(namespace=namespace, provider=provider, state=state)
            total.append(f"{PREFIX}_registries{labels}{_number(count)}")
        if index_age is not None:
            ages.append(f"{PREFIX}_index_age_seconds {_number(index_age)}")
        return "".join(_family(name, lines) for name, lines in families.items() if lines or name != _AGE)

    def _keep(self, seen: dict[str, _Lines]) -> None:
        """Keeps these lines, and forgets those of registries that are gone: there may be many."""
        kept = {**self._kept, **seen}
        self._kept = kept if len(kept) <= 2 * len(seen) + KEPT else seen


_AGE = "index_age_seconds"
_FAMILIES = {
    "registries": "Registries by namespace, provider and state.",
    "registry_state": (
        "1 for the state that a registry is in: success, unproven, failed or untested; with its reason code."
    ),
    "registry_last_test_timestamp_seconds": (
        "When a registry was tested last, in seconds since the epoch; its age is time() minus this."
    ),
    "registry_check_interval_seconds": (
        "The time between two scheduled checks of a registry; none for one without."
    ),
    "registry_password_age_seconds": "For how long a registry has had its password.",
    _AGE: "For how long the store has not been heard of: what is said of registries is so old.",
}
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def _lines(it: RegistrySecret) -> _Lines:
    # kubectl stores the host as typed, possibly with capitals.
    where = {"domain": it.domain.lower(), "name": it.name, "namespace": it.namespace}
    provider, verdict = it.provider.value, it.verification
    state = "unproven" if verdict.unproven else verdict.status.value
    labels = _labels(**where, provider=provider)
    with_state = _labels(**where, provider=provider, reason=verdict.reason, state=state)
    tested = ""
    if verdict.at is not None:
        at = _number(verdict.at.timestamp())
        tested = f"{PREFIX}_registry_last_test_timestamp_seconds{labels}{at}"
    return _Lines(
        it, (it.namespace, provider, state), f"{PREFIX}_registry_state{with_state}1.0", tested, labels
    )


def _labels(**labels: str) -> str:
    """Labels in the order of their names, as other tools write them."""
    inner = ",".join(f'{name}="{labels[name].translate(_ESCAPES)}"' for name in sorted(labels))
    return f"{{{inner}}} "


def _family(name: str, lines: Sequence[str]) -> str:
    head = (f"# HELP {PREFIX}_{name} {_FAMILIES[name]}", f"# TYPE {PREFIX}_{name} gauge")
    return "\n".join((*head, *lines, ""))


class Upkeep(Collector):
    """Metrics of what the console does by itself: how many credentials are due for a check and for how long, how many
    are being checked, messages that wait, and whether its own network has a problem."""

    def __init__(self, due: int, lag: float, claims: int, waiting: int, *, network: bool) -> None:
        self._values = {
            "checks_due": ("Credentials that are due for a scheduled check.", due),
            "checks_lag_seconds": ("For how long the first of them has been due.", lag),
            "checks_claimed": (
                "Credentials that a process has claimed for a check, and not released.",
                claims,
            ),
            "messages_waiting": ("Messages that wait to be sent to channels.", waiting),
            "network_incident": ("1 while the console's own network has a problem.", int(network)),
        }

    def collect(self) -> Iterator[Metric]:
        for name, (text, value) in self._values.items():
            yield GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)


def exposition(registries: str, process: Metrics | None, upkeep: Upkeep | None = None) -> bytes:
    """The metrics as Prometheus text, with the counters of the process and its upkeep if given."""
    text = registries.encode()
    if upkeep:
        now = CollectorRegistry(auto_describe=False)
        now.register(upkeep)
        text += bytes(generate_latest(now))
    return text + (bytes(generate_latest(process.collected)) if process else b"")
