"""Channels: where messages go, for all namespaces or for one. Owns Channel.

A channel for all namespaces belongs to administrators, a channel of a namespace to its image-admins. URL, secret and
token of a channel are sealed and write-only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db.models import Count, Q, QuerySet

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access, Permission
from registries.domain.errors import Cause, Invalid, NotFound, Problem
from registries.domain.metadata import text_problem
from registries.events.outbox import drop
from registries.events.services import SERVICES
from registries.events.services.base import Config, Trouble
from registries.events.services.mail import RECIPIENTS_MAX, recipients
from registries.events.services.webhook import secret_bytes
from registries.limits import exclusive
from registries.models import Channel
from registries.probe.endpoint import EndpointError, parse_endpoint
from registries.stores.sealing import Sealer, reseal_all

NAME_MAX = 64
FIELD_MAX = 2_048
TARGET_MAX = 255
"""Characters of the host or the recipients that are shown in the list."""
AT_MOST = 50
"""Channels of one namespace, and of all."""
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class ChannelView:
    """What is shown of a channel. `target` is the host of its URL, or its recipients, as many as fit."""

    id: UUID
    namespace: str
    name: str
    service: str
    language: str
    target: str
    enabled: bool
    sent_at: datetime | None
    failed_at: datetime | None
    trouble: str
    code: str
    waiting: int

    @property
    def delivers_in_part(self) -> bool:
        return self.trouble == Trouble.RECIPIENTS


class Channels:
    """The channels that the person in `access` may manage. `plain_http` allows http:// addresses."""

    def __init__(self, audit: AuditLog, sealer: Sealer, plain_http: bool, mail: bool) -> None:
        self._audit = audit
        self._sealer = sealer
        self._plain_http = plain_http
        self.services = tuple(name for name in SERVICES if name != "mail" or mail)

    def all(self, *, access: Access) -> Sequence[ChannelView]:
        """By namespace and name; those of all namespaces first."""
        waiting = Count("deliveries", filter=Q(deliveries__state__in=("collecting", "due")))
        rows = self._mine(access).annotate(waiting=waiting).order_by("namespace", "name")
        return [_view(row, row.waiting) for row in rows]

    def one(self, *, access: Access, channel: UUID) -> ChannelView:
        return _view(self._row(access, channel), 0)

    def create(
        self, *, access: Access, namespace: str, name: str, service: str, language: str, config: Config
    ) -> ChannelView:
        """Raises Invalid, Forbidden and NotFound."""
        require(access, namespace)
        causes = [*_named(name, language), *self._causes(service, config)]
        with exclusive("channels"):
            same = Channel.objects.filter(namespace=namespace)
            if same.filter(name=name).exists():
                causes.append(Cause("name", Problem.CHANNEL_TAKEN))
            if same.count() >= AT_MOST:
                causes.append(Cause("name", Problem.TOO_MANY_CHANNELS))
            if causes:
                raise Invalid(name, tuple(causes))
            row = Channel(id=uuid4(), namespace=namespace, name=name, service=service, language=language)
            self._fill(row, config)
            row.save(force_insert=True)
            self._record(access, row, "create")
        return _view(row, 0)

    def edit(
        self, *, access: Access, channel: UUID, name: str, language: str, enabled: bool, config: Config
    ) -> ChannelView:
        """Empty secrets keep what is stored; a new URL needs every secret again. Raises Invalid and NotFound."""
        row = self._row(access, channel)
        merged = self.merged(access=access, channel=channel, config=config)
        causes = [*_named(name, language), *self._causes(row.service, merged)]
        with exclusive("channels"):
            if Channel.objects.filter(namespace=row.namespace, name=name).exclude(pk=row.pk).exists():
                causes.append(Cause("name", Problem.CHANNEL_TAKEN))
            if causes:
                raise Invalid(name, tuple(causes))
            row.name, row.language, row.enabled = name, language, enabled
            row.trouble, row.code, row.failed_at = "", "", None
            self._fill(row, merged)
            fields = ["name", "language", "enabled", "trouble", "code", "failed_at", "sealed", "host"]
            if not Channel.objects.filter(pk=row.pk).update(
                **{field: getattr(row, field) for field in fields}
            ):
                raise NotFound(str(channel))
            if not enabled:
                drop(row)
            self._record(access, row, "edit")
        return _view(row, 0)

    def delete(self, *, access: Access, channel: UUID) -> None:
        """Also deletes its waiting messages."""
        row = self._row(access, channel)
        row.delete()
        self._record(access, row, "delete")

    def forget_namespace(self, namespace: str) -> None:
        """Deletes the channels of a deleted namespace: a new namespace with this name starts without channels."""
        Channel.objects.filter(namespace=namespace).exclude(namespace="").delete()

    def merged(self, *, access: Access, channel: UUID, config: Config) -> dict[str, str]:
        """The fields with stored values for those left empty. A secret stays only with the address it was typed for."""
        stored = opened(self._sealer, self._row(access, channel))
        typed = {name: value for name, value in config.items() if value}
        if "url" in typed and typed["url"] != stored.get("url"):
            return typed
        return {**stored, **typed}

    def check(self, *, access: Access, namespace: str, service: str, config: Config) -> None:
        """Raises what `create` would raise for these fields, before a test message is sent."""
        require(access, namespace)
        causes = self._causes(service, config)
        if causes:
            raise Invalid("", tuple(causes))

    def _fill(self, row: Channel, config: Config) -> None:
        fields = {
            field.name: config[field.name] for field in SERVICES[row.service].fields if config.get(field.name)
        }
        row.sealed = self._sealer.seal(json.dumps(fields), uid=str(row.pk), binding=_binding(row))
        row.host = _target(fields)

    def _causes(self, service: str, config: Config) -> list[Cause]:
        if service not in self.services:
            return [Cause("service", Problem.UNKNOWN)]
        causes = []
        for field in SERVICES[service].fields:
            value = config.get(field.name, "")
            problem = Problem.REQUIRED if field.required and not value else None
            if value:
                problem = (
                    Problem.TOO_LONG_HERE
                    if len(value) > FIELD_MAX
                    else self._wrong(service, field.name, value)
                )
            if problem:
                causes.append(Cause(field.name, problem))
        return causes

    def _wrong(self, service: str, field: str, value: str) -> Problem | None:
        if field == "url":
            return self._wrong_url(value)
        if field == "to":
            return _wrong_recipients(value)
        if not value.isascii() or not value.isprintable() or " " in value:
            return Problem.CHANNEL_SECRET
        if (service, field) == ("webhook", "secret"):
            try:
                secret_bytes(value)
            except ValueError:
                return Problem.WEBHOOK_SECRET
        return None

    def _wrong_url(self, value: str) -> Problem | None:
        try:
            endpoint = parse_endpoint(value)
        except EndpointError:
            return Problem.CHANNEL_URL
        return Problem.CHANNEL_HTTP if endpoint.scheme == "http" and not self._plain_http else None

    def _mine(self, access: Access) -> QuerySet[Channel]:
        if access.administers:
            return Channel.objects.all()
        names = [name for name in access.namespaces if access.may(Permission.CREATE, name)]
        named = Channel.objects.filter(namespace__in=names)
        everywhere = Permission.CREATE in access.everywhere
        return Channel.objects.exclude(namespace="") if everywhere else named

    def _row(self, access: Access, channel: UUID) -> Channel:
        row = self._mine(access).filter(pk=channel).first()
        if row is None:
            raise NotFound(str(channel))
        return row

    def _record(self, access: Access, row: Channel, what: str) -> None:
        self._audit.record(
            access, Action.CHANNEL, namespace=row.namespace, note=f"{what} {row.service} {row.name}"
        )


def require(access: Access, namespace: str) -> None:
    """Raises Forbidden or NotFound unless this person may manage channels of a namespace, or of all ("")."""
    if namespace:
        access.require(Permission.CREATE, namespace)
    else:
        access.require_administration()


def turn_off_earlier(created: Mapping[str, datetime]) -> None:
    """Turns the channels of earlier namespaces with these names off: they belong to other people, who must hear nothing
    of the present ones. `created` has the time of each present one. It keeps them: a cluster that is restored from a
    backup has new namespaces, too."""
    for row in Channel.objects.filter(enabled=True).exclude(namespace=""):
        if row.namespace in created and row.created_at < created[row.namespace]:
            Channel.objects.filter(pk=row.pk).update(enabled=False)
            drop(row)


def opened(sealer: Sealer, channel: Channel) -> dict[str, str]:
    """The fields of a channel. Raises Unavailable `key_missing` and `seal_broken`."""
    fields: Mapping[str, str] = json.loads(
        sealer.open(channel.sealed, uid=str(channel.pk), binding=_binding(channel))
    )
    return dict(fields)


def reseal(sealer: Sealer) -> int:
    """Brings the secrets of all channels under the newest key. Returns their number."""
    return reseal_all(sealer, Channel.objects.all(), "sealed")


def _binding(channel: Channel) -> str:
    """What a seal belongs to: a channel that was moved to another namespace in the database does not open."""
    return f"channel {channel.service} {channel.namespace}"


def _named(name: str, language: str) -> list[Cause]:
    causes = []
    problem = text_problem(name, NAME_MAX) if name else Problem.REQUIRED
    if problem:
        causes.append(Cause("name", Problem.TOO_LONG_HERE if problem is Problem.TOO_LONG else problem))
    if language not in LANGUAGES:
        causes.append(Cause("language", Problem.UNKNOWN))
    return causes


def _wrong_recipients(value: str) -> Problem | None:
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email

    found = recipients(value)
    if len(found) > RECIPIENTS_MAX:
        return Problem.RECIPIENTS
    try:
        for recipient in found:
            validate_email(recipient)
    except ValidationError:
        return Problem.RECIPIENTS
    return None


def _target(fields: Mapping[str, str]) -> str:
    if "url" in fields:
        return parse_endpoint(fields["url"]).netloc[:TARGET_MAX]
    text = ", ".join(recipients(fields.get("to", "")))
    return text if len(text) <= TARGET_MAX else f"{text[: TARGET_MAX - 2].rpartition(',')[0]}, …"


def _view(row: Channel, waiting: int) -> ChannelView:
    return ChannelView(
        id=row.pk,
        namespace=row.namespace,
        name=row.name,
        service=row.service,
        language=row.language,
        target=row.host,
        enabled=row.enabled,
        sent_at=row.sent_at,
        failed_at=row.failed_at,
        trouble=row.trouble,
        code=row.code,
        waiting=waiting,
    )
