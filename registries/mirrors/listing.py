"""Mirrors of registries (accelerators), which administrators keep and probe. Owns Mirror."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from django.db.models import Q

from registries.addresses import PATH_IGNORED, Address, AddressError, parse_address
from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access
from registries.domain.errors import Cause, Invalid, NotFound, Problem
from registries.limits import exclusive
from registries.models import Mirror
from registries.probe.mirror import Found, MirrorAnswer
from registries.probe.reason import Reason
from registries.pull_secrets.images import image_hosts
from registries.pull_secrets.matching import ImageReference, read_image

AT_MOST = 50
IMAGE_MAX = 512


class Verdict(StrEnum):
    """What a probe of a mirror showed. The values are stored."""

    SAME = "same"
    """It answers, and has the digest of the upstream."""
    DIFFERENT = "different"
    MISSING = "missing"
    REFUSED = "refused"
    """It asks for a credential, and nodes would send that of the upstream."""
    ANSWERS = "answers"
    """It answers as a registry. Nothing was compared; the reason says why, if the upstream failed."""
    FAILED = "failed"
    """The reason says why."""


@dataclass(frozen=True, slots=True)
class MirrorView:
    """A mirror as it is stored. `upstream` and `address` have http:// before them for plain HTTP."""

    id: int
    upstream: str
    address: str
    image: str
    resolves: bool
    probed_at: datetime | None
    verdict: Verdict | None
    reason: str
    digest: str
    upstream_digest: str

    @property
    def host(self) -> str:
        """host[:port]."""
        return self.address.removeprefix("http://")

    @property
    def upstream_host(self) -> str:
        return self.upstream.removeprefix("http://")


class Look(Protocol):
    """Probes a registry without credentials; see probe/mirror.py."""

    def __call__(
        self, address: str, repository: str = "", reference: str = "", upstream: str = ""
    ) -> MirrorAnswer: ...


class Mirrors:
    """The list. Everything but `hosts` takes an administrator: Forbidden."""

    def __init__(self, audit: AuditLog, clock: Callable[[], datetime]) -> None:
        self._audit = audit
        self._clock = clock

    def all(self, *, access: Access) -> Sequence[MirrorView]:
        """By upstream, and in the order in which nodes use them."""
        access.require_administration()
        return [_view(row) for row in Mirror.objects.order_by("upstream", "pk")]

    def hosts(self, address: str) -> tuple[str, ...]:
        """The mirrors of a registry, host[:port] in their order, for everybody who sees the registry. () for an address
        that cannot be parsed."""
        try:
            origin = parse_address(address).origin
        except AddressError:
            return ()
        rows = Mirror.objects.order_by("pk").values_list("upstream", "address")
        return tuple(
            it.removeprefix("http://") for upstream, it in rows if parse_address(upstream).origin == origin
        )

    def one(self, *, access: Access, mirror: int) -> MirrorView:
        """NotFound."""
        access.require_administration()
        return _view(_row(mirror))

    def create(
        self, *, access: Access, upstream: str, address: str, image: str, resolves: bool
    ) -> MirrorView:
        """Adds a mirror after those of its upstream. Invalid with causes of `upstream`, `address` and `image`."""
        access.require_administration()
        causes: list[Cause] = []
        source, mirror = _address("upstream", upstream, causes), _address("address", address, causes)
        if source and mirror and source.origin == mirror.origin:
            causes.append(Cause("address", Problem.MIRROR_ITSELF))
        if source and image:
            causes += _wrong_image(source, image)
        with exclusive("mirrors"):
            if source and mirror:
                same = Mirror.objects.filter(upstream=_stored(source), address=_stored(mirror))
                if same.exists():
                    causes.append(Cause("address", Problem.TAKEN))
                if Mirror.objects.filter(upstream=_with_other_scheme(source)).exists():
                    causes.append(Cause("upstream", Problem.MIRROR_SCHEME))
                if Mirror.objects.count() >= AT_MOST:
                    causes.append(Cause("address", Problem.TOO_MANY))
            if causes or source is None or mirror is None:
                raise Invalid("", causes)
            row = Mirror.objects.create(
                upstream=_stored(source), address=_stored(mirror), image=image, resolves=resolves
            )
            self._record(access, "create", row)
        return _view(row)

    def delete(self, *, access: Access, mirror: int) -> None:
        """NotFound."""
        access.require_administration()
        row = _row(mirror)
        if Mirror.objects.filter(pk=row.pk).delete()[0]:
            self._record(access, "delete", row)

    def probe(self, *, access: Access, mirror: int, look: Look) -> MirrorView:
        """Probes a mirror and its upstream and keeps the result, unless a later probe has ended. NotFound."""
        access.require_administration()
        row, at = _row(mirror), self._clock()
        verdict, reason, digest, upstream_digest = _compare(_view(row), look)
        earlier = Q(probed_at=None) | Q(probed_at__lt=at)
        Mirror.objects.filter(earlier, pk=row.pk).update(
            probed_at=at, verdict=verdict, reason=reason, digest=digest, upstream_digest=upstream_digest
        )
        return _view(_row(mirror))

    def _record(self, access: Access, what: str, row: Mirror) -> None:
        self._audit.record(access, Action.MIRROR, note=f"{what} {row.address} ({row.upstream})"[:255])


def _compare(mirror: MirrorView, look: Look) -> tuple[Verdict, str, str, str]:
    """Verdict, reason, and the digests of mirror and upstream."""
    image = read_image(mirror.image) if mirror.image else None
    if image is None:
        answer = look(mirror.address)
        return (Verdict.ANSWERS, "", "", "") if answer.reason is Reason.OK else _failed(answer)
    answer = look(mirror.address, image.repository, image.reference, mirror.upstream_host)
    if answer.reason is not Reason.OK:
        return _failed(answer)
    if answer.found is not Found.DIGEST:
        plain = {Found.MISSING: Verdict.MISSING, Found.REFUSED: Verdict.REFUSED}
        return plain.get(answer.found, Verdict.ANSWERS), "", "", ""
    upstream = look(mirror.upstream, image.repository, image.reference)
    if upstream.found is not Found.DIGEST:
        reason = upstream.reason.value if upstream.reason is not Reason.OK else f"upstream_{upstream.found}"
        return Verdict.ANSWERS, reason, answer.digest, ""
    same = upstream.digest == answer.digest
    return Verdict.SAME if same else Verdict.DIFFERENT, "", answer.digest, upstream.digest


def _failed(answer: MirrorAnswer) -> tuple[Verdict, str, str, str]:
    return Verdict.FAILED, answer.reason.value, "", ""


def _address(field: str, text: str, causes: list[Cause]) -> Address | None:
    """Reads an address as the form of registries does; a path, which no runtime here is given, is a cause too."""
    try:
        parsed = parse_address(text)
    except AddressError as error:
        empty = error.problem == Problem.EMPTY
        causes.append(Cause(field, Problem.REQUIRED if empty else Problem(error.problem), part=error.part))
        return None
    if PATH_IGNORED in parsed.warnings:
        causes.append(Cause(field, Problem.MIRROR_PATH))
        return None
    return parsed


def _wrong_image(upstream: Address, image: str) -> list[Cause]:
    read, hosts = _image(image), image_hosts(_stored(upstream))
    if read is None:
        return [Cause("image", Problem.IMAGE_NAME)]
    return [] if read.host in hosts else [Cause("image", Problem.IMAGE_ELSEWHERE, part=hosts[0])]


def _image(image: str) -> ImageReference | None:
    return read_image(image) if len(image) <= IMAGE_MAX else None


def _stored(address: Address) -> str:
    return f"http://{address.canonical}" if address.plain_http else address.canonical


def _with_other_scheme(address: Address) -> str:
    """The same host[:port] by HTTP instead of HTTPS, or the reverse: nodes know one of the two."""
    return address.canonical if address.plain_http else f"http://{address.canonical}"


def _row(mirror: int) -> Mirror:
    row = Mirror.objects.filter(pk=mirror).first()
    if row is None:
        raise NotFound(str(mirror))
    return row


def _view(row: Mirror) -> MirrorView:
    return MirrorView(
        id=row.pk,
        upstream=row.upstream,
        address=row.address,
        image=row.image,
        resolves=row.resolves,
        probed_at=row.probed_at,
        verdict=Verdict(row.verdict) if row.verdict in list(Verdict) else None,
        reason=row.reason,
        digest=row.digest,
        upstream_digest=row.upstream_digest,
    )
