"""Fills a demo's data folder with what the gallery shows beside the demo. Runs inside `manage.py shell`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from registries.audit.action import Action
from registries.demo.seed import PASSWORD
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.registry import Key
from registries.intake import read_draft
from registries.mirrors.listing import Verdict
from registries.models import (
    AuditEntry,
    Channel,
    Mirror,
    Silence,
)
from registries.people.grants import set_grant
from registries.probe.image import ImageResult, PlatformSize, node_platforms
from registries.probe.reason import ImageReason
from registries.probe.result import Reason, Result, Step
from registries.wiring import services
from tests.canary import CANARY
from tests.gallery.filling_copies import fill_copies, fill_rules
from tests.gallery.filling_runs import fill_journal, fill_run
from tests.gallery.furnishing import (
    CALM,
    EMPTY,
    HELD,
    LABEL,
    LEFT,
    LONG_NAME,
    LONG_PERSON,
    LONG_VALUES,
    LONGEST,
    MANY,
    ONE,
    REASONS,
    RUNS,
    WAITING,
)
from tests.gallery.histories import DAILY, SIX_HOURS, many, newest, one, write

BEFORE = timedelta(days=60)
"""The age of the namespaces: they are older than the history of any registry."""
PARAMETERS = {"n": 30, "host": "harbor.example.com", "part": "host"}
STAGES = ("resolve", "connect", "tls", "ping", "token", "confirm")
_EDGE = {"linux/amd64": 12, "linux/arm64": 3, "linux/arm/v7": 2, "linux/loong64": 1, "linux/riscv64": 1}
_IMAGE = f"harbor.example.com/{'edge-computing-platform/' * 4}gateway@sha256:{'0' * 64}"
_PLATFORMS = ("386", "amd64", "arm/v6", "arm/v7", "arm64", "mips64le", "ppc64le", "s390x")
IMAGES = {
    "image-platforms": ImageResult(
        _IMAGE,
        ImageReason.PLATFORM_MISSING,
        platforms=tuple(
            PlatformSize(f"linux/{it}", 1_234_567_890 if it != "386" else None) for it in _PLATFORMS
        ),
        nodes=node_platforms(_EDGE, [f"linux/{it}" for it in _PLATFORMS]),
        note="sizes_unread",
    ),
    "image-denied": ImageResult("harbor.example.com/team/app:1.0", ImageReason.DENIED),
    "image-storage": ImageResult(
        "harbor.example.com/team/app:1.0", ImageReason.STORAGE_UNREACHABLE, cause="timeout"
    ),
}
"""Answers about an image that need a cluster with nodes, or a registry that the demo does not have."""


def fill(rows: int, held: str) -> None:
    access = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)], source="127.0.0.1")
    for namespace in (REASONS, LONGEST, ONE, MANY, WAITING, EMPTY):
        services().registries.create_namespace(access=access, name=namespace)
    AuditEntry.objects.filter(action=Action.NAMESPACE).update(at=datetime.now(UTC) - BEFORE)
    for number, reason in enumerate(Reason):
        name, age = reason.value.replace("_", "-"), timedelta(minutes=35 * number)
        _add(access, REASONS, name, reason, age=age, apart=DAILY)
    for number, (name, image) in enumerate(IMAGES.items()):
        probed = {"domain": "harbor.example.com", "probe_image": image.image}
        age = timedelta(minutes=number)
        _add(access, REASONS, name, Reason.OK, age=age, apart=DAILY, image=image, **probed)
    _add(access, LONGEST, LONG_NAME, Reason.TLS_HOSTNAME_MISMATCH, age=timedelta(days=9), **LONG_VALUES)
    ends = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
    _add(access, ONE, "harbor-one", Reason.OK, age=timedelta(minutes=3), expires_at=ends)
    _add(access, WAITING, HELD, Reason.OK, age=timedelta(days=1), domain=held, username="held")
    _add(access, WAITING, "registry-quick", Reason.OK, age=timedelta(days=1), domain="http://127.0.0.1:9")
    _channels()
    _mirrors(access)
    for key in (Key("team-a", "harbor-team-a"), Key("default", "harbor-prod")):
        registry = services().registries.find(access=access, key=key)
        write(access, registry, many(*newest(registry), SIX_HOURS), SIX_HOURS)
    fill_copies(access)
    fill_rules(access)
    for (kind, state, done), run_id in RUNS.items():
        fill_run(kind, state, done, run_id)
    fill_journal()
    _people()
    every = list(Reason)
    for number in range(rows):
        reason = every[number % len(every)] if number % 3 == 0 else Reason.OK
        _add(access, MANY, f"registry-{number:04}", reason, age=timedelta(minutes=7 * number))


def _channels() -> None:
    """One channel of every state, and silences. Nothing changes in EMPTY, so the console sends nothing there."""
    now = datetime.now(UTC)
    times = {"starts_at": now, "ends_at": now + timedelta(hours=4), "person": "olive"}
    Silence.objects.create(reason="升级 Harbor", host="harbor.example.com:443", **times)
    Silence.objects.create(
        reason="，".join(["每周维护窗口"] * 28),
        namespace=LONGEST,
        weekly=True,
        last_day=now.date() + timedelta(days=90),
        **times,
    )
    common = {"sealed": "", "service": "dingtalk", "host": "oapi.dingtalk.com"}
    Channel.objects.bulk_create(
        (
            Channel(name="运维群", namespace=EMPTY, **common, sent_at=now - timedelta(minutes=4)),
            Channel(name="新建的群", namespace=EMPTY, **common),
            Channel(name="停用的群", **common, enabled=False, trouble="gone", code="410", failed_at=now),
            Channel(
                name="签名错误",
                namespace=EMPTY,
                **common,
                trouble="signature",
                code="310000",
                failed_at=now,
                sent_at=now,
            ),
            Channel(name="n" * 64, namespace=LONGEST, **{**common, "host": f"{LABEL}.{LABEL}.example.com"}),
            Channel(
                name="Alertmanager",
                namespace=EMPTY,
                service="alertmanager",
                sealed="",
                host="alertmanager.monitoring.svc:9093",
                trouble="network",
                code="connection_refused",
                failed_at=now,
            ),
        )
    )


def _mirrors(access: Access) -> None:
    """One mirror of every verdict, and the longest values."""
    create, now = services().mirrors.create, datetime.now(UTC)
    hub = {"upstream": "docker.io", "image": "docker.io/library/busybox:latest"}
    longest, compared = f"{LABEL}.{LABEL}.example.com", (Verdict.SAME, Verdict.DIFFERENT)
    for verdict in Verdict:
        made = create(access=access, **hub, address=f"{verdict}.mirror.example.com", resolves=True)
        same = verdict is Verdict.SAME
        Mirror.objects.filter(pk=made.id).update(
            verdict=verdict,
            reason="timeout" if verdict is Verdict.FAILED else "",
            digest=f"sha256:{'a' * 64}" if verdict in compared else "",
            upstream_digest=f"sha256:{('a' if same else 'b') * 64}" if verdict in compared else "",
            probed_at=now - timedelta(minutes=7),
        )
    create(
        access=access, upstream=f"{longest}:5000", address=f"http://{longest}:5001", image="", resolves=False
    )
    create(access=access, upstream="registry.k8s.io", address="harbor.example.com", image="", resolves=True)


def _people() -> None:
    person = User.objects.create(username=LONG_PERSON, password=make_password(PASSWORD))
    for number, namespace in enumerate((REASONS, LONGEST, ONE, MANY, WAITING, EMPTY)):
        set_grant(person, namespace, list(Role)[number % 3])
    User.objects.create(username=LEFT, is_active=False)
    set_grant(User.objects.create(username=CALM, password=make_password(PASSWORD)), ONE, Role.VIEWER)


def _add(
    access: Access,
    namespace: str,
    name: str,
    reason: Reason,
    *,
    age: timedelta,
    apart: timedelta | None = None,
    image: ImageResult | None = None,
    **values: str,
) -> None:
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
    result = replace(_result(reason), image=image)
    at = datetime.now(UTC) - age
    if namespace == MANY:
        write(None, registry, one(result, at))
    else:
        write(access, registry, many(result, at, DAILY, calm=namespace in (ONE, WAITING)), apart)


def _result(reason: Reason) -> Result:
    """A verdict as a probe gives it. The stage that failed moves with the reason."""
    reached = 1 + list(Reason).index(reason) * len(STAGES) // len(Reason)
    stages = STAGES if reason.ok else STAGES[:reached]
    steps = tuple(
        Step(stage, 7.0 * (number + 1), reason.ok or number + 1 < len(stages), "harbor.example.com")
        for number, stage in enumerate(stages)
    )
    took = sum(it.milliseconds for it in steps)
    return Result(
        reason, PARAMETERS, registry_host="harbor.example.com", steps=steps, duration_ms=took, requests=3
    )
