"""Prometheus metrics.

Metrics of registries are computed at each scrape and contain only namespaces that the caller may see. Totals
are only for callers that see everything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from registries.domain.registry import RegistrySecret
from registries.probe.result import Reason, Result

PREFIX = "registry_console"
TEST_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


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


class Registries(Collector):
    """Metrics of the registries that the caller may see. `intervals` has the seconds between two checks by uid."""

    def __init__(
        self,
        registries: Iterable[RegistrySecret],
        index_age: float | None,
        intervals: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._registries = registries
        self._intervals = intervals
        self._index_age = index_age

    def collect(self) -> Iterator[Metric]:
        where = ("namespace", "name", "domain", "provider")
        counts: dict[tuple[str, str, str], int] = {}
        states = _gauge(
            "registry_state",
            "1 for the state that a registry is in: success, unproven, failed or untested; with its reason code.",
            (*where, "state", "reason"),
        )
        tested = _gauge(
            "registry_last_test_timestamp_seconds",
            "When a registry was tested last, in seconds since the epoch; its age is time() minus this.",
            where,
        )
        checks = _gauge(
            "registry_check_interval_seconds",
            "The time between two scheduled checks of a registry; none for one without.",
            where,
        )
        passwords = _gauge(
            "registry_password_age_seconds", "For how long a registry has had its password.", where
        )
        now = datetime.now(UTC)
        for it in self._registries:
            # kubectl stores the host as typed, possibly with capitals.
            labels = (it.namespace, it.name, it.domain.lower(), it.provider.value)
            state = "unproven" if it.verification.unproven else it.verification.status.value
            states.add_metric((*labels, state, it.verification.reason), 1)
            passwords.add_metric(labels, (now - it.password_set_at).total_seconds())
            if it.verification.at is not None:
                tested.add_metric(labels, it.verification.at.timestamp())
            if interval := self._intervals.get(it.uid):
                checks.add_metric(labels, interval)
            group = (it.namespace, it.provider.value, state)
            counts[group] = counts.get(group, 0) + 1
        place = ("namespace", "provider", "state")
        total = _gauge("registries", "Registries by namespace, provider and state.", place)
        for group, count in sorted(counts.items()):
            total.add_metric(group, count)
        yield from (total, states, tested, checks, passwords)
        if self._index_age is not None:
            yield GaugeMetricFamily(
                f"{PREFIX}_index_age_seconds",
                "For how long the store has not been heard of: what is said of registries is so old.",
                value=self._index_age,
            )


def _gauge(name: str, text: str, labels: Sequence[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)


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


def exposition(registries: Registries, process: Metrics | None, upkeep: Upkeep | None = None) -> bytes:
    """The metrics as Prometheus text, with the counters of the process and its upkeep if given."""
    now = CollectorRegistry(auto_describe=False)
    now.register(registries)
    if upkeep:
        now.register(upkeep)
    return bytes(generate_latest(now)) + (bytes(generate_latest(process.collected)) if process else b"")
