"""Fills a demo's data folder with what the gallery shows beside the demo. Runs inside `manage.py shell`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.utils import timezone

from registries.audit import action as changes
from registries.audit.action import Action
from registries.demo.seed import PASSWORD
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.query import Criteria
from registries.domain.registry import Key, RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import PREFIX, verification_annotations
from registries.intake import read_draft
from registries.mirrors.listing import Verdict
from registries.models import (
    Channel,
    CheckInterval,
    DayRecord,
    Mirror,
    Run,
    RunItem,
    ScheduledCredential,
    ScheduledRegistry,
    Silence,
    StateChange,
    SyncCopy,
    SyncRule,
    VerificationRecord,
)
from registries.people.grants import set_grant
from registries.probe.image import ImageResult, PlatformSize, node_platforms
from registries.probe.reason import ImageReason
from registries.probe.result import Reason, Result, Step
from registries.probe.schedule import registry_of
from registries.schedule.digest import CredentialDigest, fingerprint
from registries.schedule.state import State
from registries.sync.states import mark
from registries.verification.history import to_json
from registries.wiring import services
from tests.canary import CANARY
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
    ScheduledCredential.objects.all().delete()  # those of the demo; the gallery has its own states
    StateChange.objects.all().delete()
    for namespace in (REASONS, LONGEST, ONE, MANY, WAITING, EMPTY):
        services().registries.create_namespace(access=access, name=namespace)
    for number, reason in enumerate(Reason):
        _add(access, REASONS, reason.value.replace("_", "-"), reason, age=timedelta(hours=number))
    for number, (name, image) in enumerate(IMAGES.items()):
        _add(access, REASONS, name, Reason.OK, age=timedelta(minutes=number), image=image)
    _add(access, LONGEST, LONG_NAME, Reason.TLS_HOSTNAME_MISMATCH, age=timedelta(days=400), **LONG_VALUES)
    _add(access, ONE, "harbor-one", Reason.OK, age=timedelta(minutes=3))
    _add(access, WAITING, HELD, Reason.OK, age=timedelta(days=1), domain=held, username="held")
    _add(access, WAITING, "registry-quick", Reason.OK, age=timedelta(days=1), domain="http://127.0.0.1:9")
    _channels()
    _mirrors(access)
    for key in (Key("team-a", "harbor-team-a"), Key("default", "harbor-prod"), Key(LONGEST, LONG_NAME)):
        _watched(services().registries.find(access=access, key=key))
    _copies(access)
    _kept_in_sync(access)
    for (kind, state, done), run_id in RUNS.items():
        _run(kind, state, done, run_id)
    _fill_journal()
    _people()
    for registry in services().index.matching(access=access, criteria=Criteria(REASONS)):
        if registry.verification.at:
            _watched(registry)
    _changes(access)
    every = list(Reason)
    for number in range(rows):
        reason = every[number % len(every)] if number % 3 == 0 else Reason.OK
        _add(access, MANY, f"registry-{number:04}", reason, age=timedelta(minutes=7 * number))


def _copies(access: Access) -> None:
    """Five copies of one registry: one as it was, one with another password, one with other values, one that is gone,
    and one whose name another registry has."""
    source = services().registries.find(access=access, key=Key("team-b", "harbor-own-ca"))
    for namespace in (MANY, WAITING, "default"):
        services().copying.copy(access=access, key=Key(namespace, source.name), uid=source.uid)
    changed, other = (services().store.get(Key(it, source.name)) for it in (WAITING, "default"))
    services().store.set_password(changed.key, "another-password", uid=changed.uid)
    services().store.delete(other.key, uid=other.uid)
    typed = {"domain": source.domain, "username": "robot$pull", "password": "another-password", "tls": "skip"}
    named = {"name": other.name, "namespace": other.namespace, "provider": "harbor"}
    new = services().store.create(read_draft({**typed, **named}))
    notes = {f"{PREFIX}copied-from": str(source.key), f"{PREFIX}copied-from-uid": source.uid}
    services().store.annotate(new.key, notes, uid=new.uid)
    run = Run.objects.create(id=uuid4(), kind="copy", person="nobody", owner="nobody", state="done")
    for namespace, name in (("test-namespace", source.name), ("team-a", "harbor-team-a")):
        RunItem.objects.create(
            run=run, namespace=namespace, name=name, uid=source.uid, state="done", ended_at=datetime.now(UTC)
        )


def _kept_in_sync(access: Access) -> None:
    """A rule with every state of a copy, and one that is paused. Another process claims both: none changes."""
    never = timezone.now() + timedelta(days=1000)
    for name, state, person in (("harbor-own-ca", "active", "olive"), ("harbor-team-b", "no_right", "anna")):
        source = services().registries.find(access=access, key=Key("team-b", name))
        SyncRule.objects.create(
            uid=source.uid,
            namespace="team-b",
            name=name,
            owner="x",
            person=person,
            state=state,
            claimed_until=never,
        )
    rule = SyncRule.objects.get(name="harbor-own-ca")
    found = {
        MANY: "in_step",
        WAITING: "changed",
        "default": "name_taken",
        EMPTY: "deleted",
        LONGEST: "failed",
    }
    found |= {ONE: "present", "gone": "namespace_gone", REASONS: "left"}
    for namespace, state in found.items():
        problem = "Forbidden" if state == "failed" else ""
        SyncCopy.objects.create(rule=rule, namespace=namespace, state=state, problem=problem)
    made = services().store.get(Key(MANY, "harbor-own-ca"))
    SyncCopy.objects.filter(namespace=MANY).update(uid=made.uid, mark=mark(made), made_binding=True)
    _former(access, never)


def _former(access: Access, never: datetime) -> None:
    """A copy and a rule of a registry that was deleted, and created again."""
    source, former = (
        services().registries.find(access=access, key=Key("dev-namespace", "dockerhub-dev")),
        uuid4(),
    )
    services().copying.copy(access=access, key=Key(WAITING, source.name), uid=source.uid)
    copy = services().store.get(Key(WAITING, source.name))
    services().store.annotate(copy.key, {f"{PREFIX}copied-from-uid": str(former)}, uid=copy.uid)
    place = {"namespace": source.namespace, "name": source.name}
    values = {"owner": "x", "person": "olive", "state": "source_gone", "claimed_until": never}
    SyncRule.objects.create(uid=str(former), labels="env=prod", **place, **values)


def _watched(registry: RegistrySecret) -> None:
    """Forty days of scheduled checks, one without a test, some with failures; a failing registry fails since today."""
    now, uid = datetime.now(UTC), registry.uid
    failing = registry.verification.status is VerifyStatus.FAILED
    bad = {12: 9_000, 25: 86_400, **({0: 1_200} if failing else {})}
    DayRecord.objects.filter(uid=uid).delete()
    DayRecord.objects.bulk_create(
        DayRecord(
            uid=uid,
            day=timezone.localdate(now) - timedelta(days=it),
            ok=0 if it == 25 else 4,
            failed=1 if it in (5, *bad) else 0,
            down=bad.get(it, 0),
        )
        for it in range(40)
        if it != 18
    )
    state = State.FAILING if failing else State.OK
    # The console's own setting is off, so that it tests nothing while somebody looks.
    CheckInterval.objects.create(namespace=registry.namespace, uid=uid, seconds=21_600)
    credential = ScheduledCredential.objects.create(
        digest=_digest(uid),
        host="harbor.example.com:443",
        username="robot",
        interval=21_600,
        due_at=now + timedelta(hours=3),
        state=state,
        settled=state,
        since=now - timedelta(minutes=20),
        tested_at=now,
        tested_reason=registry.verification.reason,
    )
    where = {"uid": uid, "namespace": registry.namespace, "name": registry.name}
    ScheduledRegistry.objects.create(**where, fingerprint=fingerprint(registry), credential=credential)
    turns = [
        (25, "ok", "failing", "timeout"),
        (24, "failing", "ok", "ok"),
        (12, "ok", "flapping", "server_error"),
    ]
    turns += [(11, "flapping", "ok", "ok"), *([(0, "ok", "failing", "bad_credentials")] if failing else [])]
    StateChange.objects.bulk_create(
        StateChange(
            **where,
            host=credential.host,
            at=now - timedelta(days=it),
            before=before,
            after=after,
            reason=reason,
        )
        for it, before, after, reason in turns
    )


def _digest(uid: str) -> str:
    """A digest that the console takes for one of its own, so that it leaves the row as it is."""
    return f"{CredentialDigest(settings.SECRET_KEY).key_id}:{uid}"


def _changes(access: Access) -> None:
    """What broke and recovered in the last hours, and what the schedule does next."""
    now, watched = datetime.now(UTC), set(ScheduledRegistry.objects.values_list("uid", flat=True))
    for number, it in enumerate(services().index.matching(access=access, criteria=Criteria())):
        verdict, at = it.verification, now - timedelta(minutes=20 * number)
        if not verdict.reason or it.namespace == ONE or it.uid in watched:
            continue
        good = verdict.status is VerifyStatus.SUCCESS
        host = registry_of(it.address)
        row = ScheduledCredential.objects.create(
            digest=_digest(it.uid),
            host=host,
            username=it.username,
            settled="ok" if good else "failing",
            reason=verdict.reason,
            since=at - timedelta(days=number),
        )
        ScheduledRegistry.objects.create(
            uid=it.uid,
            namespace=it.namespace,
            name=it.name,
            fingerprint=fingerprint(it),
            credential=row,
        )
        before, after = ("failing", "ok") if good else ("ok", "failing")
        place = {"uid": it.uid, "namespace": it.namespace, "name": it.name, "host": host}
        StateChange.objects.create(**place, at=at, before=before, after=after, reason=verdict.reason)


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


def _run(kind: str, state: str, done: int, run_id: UUID) -> None:
    """A run of 50 registries by nina, of which `done` percent have ended, a few of them badly or skipped."""
    now = datetime.now(UTC)
    lost, over = state == "interrupted", state in ("cancelled", "done")
    owner = Access.from_grants("nina", [], account=User.objects.get(username="nina").pk).owner
    run = Run.objects.create(
        id=run_id,
        kind=kind,
        person="nina",
        owner=owner,
        state="running" if lost else state,
        beat_at=now - timedelta(hours=1) if lost else now + timedelta(days=1),
        finished_at=now if over else None,
        robots=["robot$team-a+deploy-20261129", "robot$team-a+deploy"] if kind == "rotate" else [],
    )
    first = "harbor-team-a" if kind == "rotate" else "registry-00"
    good = "ok" if kind in ("verify", "rotate") else ""
    problem = "undo_taken" if kind == "undo" else "gone"
    reason, problem = ("bad_credentials", "") if kind == "rotate" else ("", problem)
    bad = ("done", "bad_credentials", "") if kind == "verify" else ("failed", reason, problem)
    skipped = [("left_alone", why, "left_alone") for why in ("rate_limited", "bad_credentials")]
    outcomes = [bad, *(skipped if kind == "verify" else [bad, bad]), *[("done", good, "")] * 7]
    for number in range(50):
        ended = number < done // 2
        item_state, reason, problem = outcomes[number % 10] if ended else ("waiting", "", "")
        RunItem.objects.create(
            run=run,
            namespace="team-a",
            name=f"registry-{number:02}" + ("-" + "x" * 200 if number == 1 else "") if number else first,
            uid=str(number),
            state=item_state,
            reason=reason,
            problem=problem,
            duration_ms=120 if reason == "ok" else None,
            ended_at=now if ended else None,
        )


def _fill_journal() -> None:
    """An entry of each kind, and two runs: one of 1,200 deletions, one of tests of which some failed."""
    person = Access("w" * 60, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")
    record, omar = services().audit.record, Access("omar", "192.0.2.17", owner="name:omar")
    deleted = [(Key(MANY, f"old-{number:04}"), "") for number in range(1200)]
    services().audit.record_all(omar.in_run(uuid4()), Action.DELETE, deleted)
    longest = Key(LONGEST, LONG_NAME)
    record(person, Action.CREATE, key=longest, note=LONG_VALUES["domain"])
    renamed = {"display_name": ("Harbor 生产环境", "Harbor 生产环境（只读）"), "description": None}
    record(omar, Action.EDIT, key=Key("team-a", "harbor-team-a"), note=changes.write_changes(renamed))
    record(
        person, Action.EDIT, key=longest, note=changes.write_changes({"display_name": ("长" * 90, "w" * 90)})
    )
    record(omar, Action.COPY, key=Key("team-a", "harbor-team-a"), note="default/harbor-prod")
    record(omar, Action.DELETE, key=Key("team-a", "harbor-team-a"), outcome="Forbidden")
    record(omar, Action.DELETE, key=Key("team-a", "harbor-team-a"), outcome="Forbidden")
    record(omar, Action.DELETE, key=Key(ONE, "harbor-gone"), outcome="uncertain")
    record(omar, Action.TEST, key=Key("team-a", "quay-team-a"), note="timeout")
    record(omar, Action.TRY, namespace="team-a", note="ok")
    for name in ("create ada", "deactivate ada"):
        record(person, Action.ACCOUNT, note=name)
    tested = [
        (place, reason) for reason in ("timeout", *["ok"] * 6, "bad_credentials") for place in ("team-a", ONE)
    ]
    run = Access("omar", "192.0.2.17", owner="name:omar").in_run(uuid4())
    for number, (place, reason) in enumerate(tested):
        record(run, Action.TEST, key=Key(place, f"registry-{number}"), note=reason)


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
