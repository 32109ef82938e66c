"""Prometheus Alertmanager, API v2 (notifications.md).

Alertmanager forgets an alert after `endsAt`, so the sender repeats those of failing registries (outbox.py), and sends
`endsAt` now for those that work again.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.utils import translation

from registries.events.change import Change, ChangeKind
from registries.events.message import Message, reason_of, typed
from registries.events.services.base import (
    JSON,
    Config,
    Field,
    HttpService,
    Outcome,
    Post,
    Poster,
    Trouble,
    json_body,
)
from registries.probe.answer import Answer

REPEAT = timedelta(minutes=5)
LASTS = 3 * REPEAT
"""An alert ends by itself when the console does not repeat it so long."""
NOTICE = timedelta(days=1)
"""A date that runs out is told once, not repeated."""
ALERT = "RegistryConnectionFailed"
ALERTS_MAX = 500
"""Alerts in one request."""


class Alertmanager(HttpService):
    name = "alertmanager"
    fields: tuple[Field, ...] = (Field("url"), Field("token", required=False))

    def send(self, message: Message, config: Config, *, key: str, now: datetime, post: Poster) -> Outcome:
        """Sends all alerts, so many in a request, until one is not taken. Alerts that arrive again do no harm."""
        outcome = Outcome()
        for first in range(0, len(message.changes), ALERTS_MAX):
            part = replace(message, changes=message.changes[first : first + ALERTS_MAX])
            outcome = super().send(part, config, key=key, now=now, post=post)
            if not outcome.ok:
                break
        return outcome

    def request(self, message: Message, config: Config, *, key: str, now: datetime) -> Post:
        alerts = [_alert(change, message, now) for change in message.changes]
        headers = {**JSON, **({"Authorization": f"Bearer {config['token']}"} if config.get("token") else {})}
        return Post(f"{config['url'].rstrip('/')}/api/v2/alerts", json_body(alerts), headers)

    def judged(self, answer: Answer) -> Outcome:
        """A page is no answer of Alertmanager: a proxy in front of it may ask for a log-in with 200."""
        kind = (answer.header("content-type") or "").partition(";")[0].strip().lower()
        outcome = super().judged(answer)
        if outcome.ok and (kind == "text/html" or answer.body.lstrip().startswith(b"<")):
            return Outcome(Trouble.UNREADABLE)
        return outcome


def _alert(change: Change, message: Message, now: datetime) -> dict[str, object]:
    """All labels identify an alert, so those of a recovery equal those of its failure. An empty one would be a 400."""
    labelled = {
        "alertname": _NAMES.get(change.kind, ALERT),
        "severity": "warning",
        "namespace": change.namespace,
        "registry_name": change.name,
        "host": change.host,
    }
    with translation.override("zh-hans" if message.language == "zh" else "en"):
        noted = {
            "summary": message.title,
            "reason": reason_of(change),
            "owner": typed(change.owner),
            "support_contact": typed(change.support),
        }
    lasts = NOTICE if change.kind is ChangeKind.EXPIRING else LASTS
    ends = now + lasts if change.kind.bad else now + timedelta(seconds=0 if change.name else 60)
    return {
        "labels": {name: value for name, value in labelled.items() if value},
        "annotations": {name: value for name, value in noted.items() if value},
        "startsAt": _time(min(change.since, now)),
        "endsAt": _time(ends),
        **({"generatorURL": message.link} if message.link else {}),
    }


_NAMES = {
    ChangeKind.NETWORK: "RegistryConsoleNetwork",
    ChangeKind.NETWORK_OVER: "RegistryConsoleNetwork",
    ChangeKind.FLAPPING: ALERT,
    ChangeKind.EXPIRING: "RegistryCredentialExpires",
    ChangeKind.TEST: "RegistryConsoleTest",
}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
