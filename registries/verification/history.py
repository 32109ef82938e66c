"""Running and past tests of stored registries, and what came of them. Owns VerificationRecord.

The outcome of a test is a Result or NotTested. Its JSON is the column `outcome`. The server's own text (`detail`) is
shown to the tester and never stored.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from registries.domain.errors import Problem
from registries.domain.registry import Key, RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import NEW_GENERATION, certificate_annotations, verification_annotations
from registries.models import VerificationRecord
from registries.probe.certificate import ServerCertificates
from registries.probe.image import ImageResult
from registries.probe.result import Reason, Result, Step
from registries.probe.schedule import registry_of

SHOWN = 20
"""Tests of one registry that a page shows."""
KEPT = 1000
"""Tests kept per registry, for at most a month (runs/clean_up.py)."""
STORED_LANGUAGE = "zh"
"""verify-message is stored in Chinese, whatever the reader's language (connection-test.md)."""
MOST_PARAMETERS = 500
"""Parameters per query: SQLite has a limit."""
SCHEDULED = "scheduled check"
"""The person of a check that nobody started. No account can have this name, because it has a space."""


@dataclass(frozen=True, slots=True)
class NotTested:
    """No verdict. `problem` is the reason, for example `gone` or `key_missing`."""

    problem: Problem


Tested = Result | NotTested


@dataclass(frozen=True, slots=True)
class Check:
    """One test of one stored registry. `outcome` is None while the test runs."""

    id: int
    key: Key
    uid: str
    person: str
    started_at: datetime
    outcome: Tested | None = None
    registry: RegistrySecret | None = field(default=None, compare=False, repr=False)
    """The registry as it was read when the test began; None for a test that is only looked up."""
    generation: str = field(default="", compare=False, repr=False)
    """That of the specification that is tested: its password may be read long after the test began."""

    @property
    def lane(self) -> str:
        """The registry's host and port: tests in one lane are made one after the other."""
        return registry_of(self.registry.address) if self.registry else ""


class History:
    """A test that runs longer than `patience` was lost with its process."""

    def __init__(self, patience: timedelta) -> None:
        self._patience = patience

    def begin(self, registry: RegistrySecret, person: str) -> tuple[Check, bool]:
        """The running test, or a new one, and whether it is new. Of callers at the same time, one gets a new one."""
        lost = VerificationRecord.objects.filter(
            uid=registry.uid, finished_at__isnull=True, started_at__lte=timezone.now() - self._patience
        )
        lost.update(finished_at=timezone.now(), outcome=to_json(NotTested(Problem.INTERRUPTED)))
        record, new = VerificationRecord.objects.get_or_create(
            uid=registry.uid,
            finished_at=None,
            defaults={"namespace": registry.namespace, "name": registry.name, "person": person[:150]},
        )
        return replace(_check(record), registry=registry, generation=registry.generation), new

    def is_open(self, check: Check) -> bool:
        """Whether a test was not ended, for example given up after its process slept."""
        return VerificationRecord.objects.filter(pk=check.id, finished_at__isnull=True).exists()

    def finish(self, check: Check, outcome: Tested) -> None:
        """Ends a test, unless it was ended before."""
        VerificationRecord.objects.filter(pk=check.id, finished_at__isnull=True).update(
            finished_at=timezone.now(), outcome=to_json(without_pem(outcome))
        )
        kept = VerificationRecord.objects.filter(uid=check.uid).order_by("-started_at", "-pk")
        oldest = kept.values_list("pk", flat=True)[KEPT - 1 : KEPT].first()
        if oldest is not None:
            VerificationRecord.objects.filter(uid=check.uid, pk__lt=oldest).delete()

    def lose(self, person: str, uids: Sequence[str], outcome: Tested) -> None:
        """Ends the person's running tests of these registries."""
        open_ones = VerificationRecord.objects.filter(person=person[:150], finished_at__isnull=True)
        for first in range(0, len(uids), MOST_PARAMETERS):
            some = uids[first : first + MOST_PARAMETERS]
            open_ones.filter(uid__in=some).update(finished_at=timezone.now(), outcome=to_json(outcome))

    def end(self, uids: Collection[str], outcome: Tested) -> None:
        """Ends the running tests of registries, whoever started them."""
        VerificationRecord.objects.filter(uid__in=uids, finished_at__isnull=True).update(
            finished_at=timezone.now(), outcome=to_json(outcome)
        )

    def outcome(self, check: Check) -> Tested | None:
        """The outcome of a test, None while it runs, or INTERRUPTED if the test or its registry is gone."""
        record = VerificationRecord.objects.filter(pk=check.id).first()
        if record is None or record.started_at <= timezone.now() - self._patience:
            return NotTested(Problem.INTERRUPTED)
        return from_json(record.outcome) if record.finished_at is not None else None

    def forget(self, *uids: str) -> None:
        VerificationRecord.objects.filter(uid__in=uids).delete()

    def under_way(self, uids: Collection[str]) -> dict[str, Check]:
        """The running tests of these registries, by uid, in one query."""
        records = VerificationRecord.objects.filter(uid__in=uids, **self._under_way())
        return {record.uid: _check(record) for record in records}

    def recent(self, uid: str) -> Sequence[Check]:
        """The tests of one registry with a verdict, newest first."""
        records = VerificationRecord.objects.filter(uid=uid, finished_at__isnull=False).order_by(
            "-started_at", "-pk"
        )
        checks = (_check(record) for record in records[:SHOWN])
        return [check for check in checks if isinstance(check.outcome, Result)]

    def newest(self, uids: Collection[str]) -> dict[str, Result]:
        """The newest verdict of each of these registries, by uid, in one query."""
        tests = VerificationRecord.objects.filter(uid=OuterRef("uid"), finished_at__isnull=False)
        verdicts = tests.exclude(outcome__startswith=NO_VERDICT).order_by("-started_at", "-pk")
        rows = VerificationRecord.objects.filter(uid__in=uids).values("uid").annotate(Max("started_at"))
        read = rows.values_list("uid", Subquery(verdicts.values("outcome")[:1]))
        outcomes = {uid: from_json(text) for uid, text in read if text}
        return {uid: it for uid, it in outcomes.items() if isinstance(it, Result)}

    def last(self, uid: str) -> Check | None:
        """The newest finished test, with or without a verdict."""
        records = VerificationRecord.objects.filter(uid=uid, finished_at__isnull=False)
        record = records.order_by("-started_at", "-pk").first()
        return _check(record) if record else None

    def _under_way(self) -> dict[str, object]:
        return {"finished_at__isnull": True, "started_at__gt": timezone.now() - self._patience}


def _check(record: VerificationRecord) -> Check:
    return Check(
        id=record.pk,
        key=Key(record.namespace, record.name),
        uid=record.uid,
        person=record.person,
        started_at=record.started_at,
        outcome=from_json(record.outcome) if record.outcome else None,
    )


def left_alone(seconds: int) -> Result:
    """The verdict without a test, during the `seconds` of a registry's Retry-After."""
    return Result(Reason.RATE_LIMITED, {"n": seconds}, cause="left_alone")


def kept(result: Result) -> Result:
    """A result without texts and hosts that a server chose. It names the token service only if that has the host of
    the registry, which the operator chose."""
    own = _host(result.registry_host or "")
    params = {name: it for name, it in result.params.items() if name != "host" or _host(str(it)) == own}
    token_host = result.token_host if _host(result.token_host or "") == own else None
    return replace(result, detail="", params=params, token_host=token_host)


def verdict_annotations(result: Result, at: datetime, generation: str) -> dict[str, str | None]:
    """The merge patch of a verdict. `generation` is that of the specification that was tested; the embedded store
    names none before the first change."""
    verification = Verification(
        status=VerifyStatus.SUCCESS if result.ok else VerifyStatus.FAILED,
        reason=result.reason.value,
        message=kept(result).message(STORED_LANGUAGE),
        at=at,
        token_ends=result.credential_ends,
    )
    verdict = verification_annotations(verification, generation or NEW_GENERATION)
    return {**verdict, **certificate_annotations(result.certificate_ends)}


def _host(netloc: str) -> str:
    """The host of host[:port]; an IPv6 address has brackets."""
    return netloc.rpartition("]")[0] if netloc.startswith("[") else netloc.partition(":")[0]


def without_pem(tested: Tested) -> Tested:
    """The outcome without the PEM of the certificate: the history keeps only its facts."""
    if isinstance(tested, NotTested) or tested.tls is None:
        return tested
    return replace(tested, tls=replace(tested.tls, ca_pem=None))


_EMPTY: dict[str, Any] = {
    "reason": "",
    "params": {},
    "cause": "",
    "registry_host": "",
    "token_host": "",
    "stages": [],
    "duration_ms": 0,
    "requests": 0,
    "warnings": [],
    "problem": "",
    "detail": "",
    "quoted": False,
    "certificate": None,
    "node": "",
    "certificate_ends": "",
    "image": None,
    "credential_ends": "",
}
"""All keys of the JSON. `reason` is empty without a verdict, `problem` with one. Times are in milliseconds."""
NO_VERDICT = '{"reason": "",'
"""The beginning of that JSON without a verdict."""


def to_json(tested: Tested) -> str:
    known = {"problem": tested.problem.value} if isinstance(tested, NotTested) else _values(kept(tested))
    return json.dumps({**_EMPTY, **known}, ensure_ascii=False)


def _values(result: Result) -> dict[str, Any]:
    return {
        "reason": result.reason.value,
        "params": dict(result.params),
        "cause": result.cause or "",
        "registry_host": result.registry_host or "",
        "token_host": result.token_host or "",
        "stages": [{"name": it.name, "ms": round(it.milliseconds, 1), "ok": it.ok} for it in result.steps],
        "duration_ms": round(result.duration_ms),
        "requests": result.requests,
        "warnings": list(result.warnings),
        "quoted": result.quoted,
        "certificate": result.tls.to_json() if result.tls else None,
        "node": result.node or "",
        "certificate_ends": result.certificate_ends.isoformat() if result.certificate_ends else "",
        "credential_ends": result.credential_ends.isoformat() if result.credential_ends else "",
        "image": result.image.values() if result.image else None,
    }


def from_json(text: str) -> Tested:
    """Reads the JSON of this and of earlier versions, which may have a sentence as `problem` and a foreign host."""
    values = {**_EMPTY, **json.loads(text)}
    if values["problem"]:
        return NotTested(_known(values["problem"]))
    certificate = values["certificate"]
    read = Result(
        reason=Reason(values["reason"]),
        params=values["params"],
        cause=values["cause"] or None,
        registry_host=values["registry_host"] or None,
        token_host=values["token_host"] or None,
        steps=tuple(Step(it["name"], it["ms"], it["ok"], "") for it in values["stages"]),
        duration_ms=values["duration_ms"],
        requests=values["requests"],
        warnings=tuple(values["warnings"]),
        quoted=values["quoted"],
        node=values["node"] or None,
        certificate_ends=datetime.fromisoformat(ends) if (ends := values["certificate_ends"]) else None,
        credential_ends=datetime.fromisoformat(ends) if (ends := values["credential_ends"]) else None,
        tls=ServerCertificates.from_json(certificate) if certificate else None,
        image=ImageResult.of_values(values["image"]),
    )
    return kept(read)


def _known(code: str) -> Problem:
    try:
        return Problem(code)
    except ValueError:
        return Problem.INTERNAL_ERROR
