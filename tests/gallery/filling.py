"""Fills a demo's data folder with what the gallery shows beside the demo. Runs inside `manage.py shell`."""

from datetime import UTC, datetime, timedelta

from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.registry import Key, Verification, VerifyStatus
from registries.domain.resource import verification_annotations
from registries.intake.draft import read_draft
from registries.models import Channel, VerificationRecord
from registries.probe.result import Reason, Result, Step
from registries.verification.outcome import to_json
from registries.wiring import services
from tests.canary import CANARY
from tests.gallery.furnishing import (
    EMPTY,
    HELD,
    LABEL,
    LONG_NAME,
    LONG_VALUES,
    LONGEST,
    MANY,
    ONE,
    REASONS,
    WAITING,
)

PARAMETERS = {"n": 30, "host": "harbor.example.com", "part": "host"}
STAGES = ("resolve", "connect", "tls", "ping", "token", "confirm")


def fill(rows: int, held: str) -> None:
    access = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)], source="127.0.0.1")
    for namespace in (REASONS, LONGEST, ONE, MANY, WAITING, EMPTY):
        services().registries.create_namespace(access=access, name=namespace)
    for number, reason in enumerate(Reason):
        _add(access, REASONS, reason.value.replace("_", "-"), reason, age=timedelta(hours=number))
    _add(access, LONGEST, LONG_NAME, Reason.TLS_HOSTNAME_MISMATCH, age=timedelta(days=400), **LONG_VALUES)
    _add(access, ONE, "harbor-one", Reason.OK, age=timedelta(minutes=3))
    _add(access, WAITING, HELD, Reason.OK, age=timedelta(days=1), domain=held, username="held")
    _add(access, WAITING, "registry-quick", Reason.OK, age=timedelta(days=1), domain="http://127.0.0.1:9")
    _channels()
    every = list(Reason)
    for number in range(rows):
        reason = every[number % len(every)] if number % 3 == 0 else Reason.OK
        _add(access, MANY, f"registry-{number:04}", reason, age=timedelta(minutes=7 * number))


def _channels() -> None:
    """One channel of every state."""
    now = datetime.now(UTC)
    common = {"sealed": "", "service": "dingtalk", "host": "oapi.dingtalk.com"}
    Channel.objects.bulk_create(
        (
            Channel(name="运维群", **common, sent_at=now - timedelta(minutes=4)),
            Channel(name="新建的群", **common),
            Channel(name="停用的群", **common, enabled=False, trouble="gone", code="410", failed_at=now),
            Channel(
                name="签名错误", **common, trouble="signature", code="310000", failed_at=now, sent_at=now
            ),
            Channel(name="n" * 64, namespace=LONGEST, **{**common, "host": f"{LABEL}.{LABEL}.example.com"}),
            Channel(
                name="Alertmanager",
                namespace="team-b",
                service="alertmanager",
                sealed="",
                host="alertmanager.monitoring.svc:9093",
                trouble="network",
                code="connection_refused",
                failed_at=now,
            ),
        )
    )


def _add(access: Access, namespace: str, name: str, reason: Reason, *, age: timedelta, **values: str) -> None:
    typed = {
        "name": name,
        "namespace": namespace,
        "provider": ("harbor", "dockerhub", "aliyun", "other")[len(name) % 4],
        "domain": "harbor.example.com",
        "username": "robot$edge+pull",
        "password": CANARY,
        "display_name": "",
        "description": "",
        **values,
    }
    if typed["provider"] == "dockerhub" and "domain" not in values:
        typed["domain"] = "docker.io"
    registry = services().registries.create(access=access, draft=read_draft(typed))
    result = _result(reason)
    status = VerifyStatus.SUCCESS if result.ok else VerifyStatus.FAILED
    at = datetime.now(UTC) - age
    verdict = Verification(status=status, reason=reason.value, message=result.message("zh"), at=at)
    services().store.annotate(Key(namespace, name), verification_annotations(verdict), uid=registry.uid)
    VerificationRecord.objects.create(
        uid=registry.uid,
        namespace=namespace,
        name=name,
        person="olive",
        started_at=at,
        finished_at=at,
        outcome=to_json(result),
    )


def _result(reason: Reason) -> Result:
    """A verdict as a probe gives it. The stage that failed moves with the reason."""
    reached = 1 + list(Reason).index(reason) * len(STAGES) // len(Reason)
    stages = STAGES if reason.ok else STAGES[:reached]
    steps = tuple(
        Step(stage, 7.0 * (number + 1), reason.ok or number + 1 < len(stages), "harbor.example.com")
        for number, stage in enumerate(stages)
    )
    return Result(
        reason, PARAMETERS, registry_host="harbor.example.com", steps=steps, duration_ms=412.0, requests=3
    )
