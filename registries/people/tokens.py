"""API tokens of accounts, stored as digests, and the records of refused tokens. Owns ApiToken.

A token has 256 random bits, so a plain SHA-256 is safe. Its access at each use is the current access of its
owner, within the limits of the token.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access, Role
from registries.domain.errors import Cause, Invalid, NotFound, Problem
from registries.domain.metadata import text_problem
from registries.domain.registry import Key
from registries.limits import exclusive
from registries.models import ApiToken
from registries.people.grants import JOINED, access_of, access_without_roles

MARK = "rct_"
"""Prefix of every token, for scanners of leaked secrets."""
SHOWN = len(MARK) + 8
NAME_MAX = 64
AT_MOST = 50
"""Maximum number of active tokens of one person."""
REVOKED_KEPT = 200
"""Revoked tokens of one person that are kept, so that the audit log names the owner of one that is still used."""
LONGEST = timedelta(days=366)
USE_NOTED = timedelta(minutes=1)
"""Minimum time between two updates of `last_used_at` from the same address, so that requests rarely write."""
_VALID = f"""
SELECT token.id, token.namespaces, token.role, owner.id, owner.username, owner.is_superuser,
    token.last_used_from = %s AND token.last_used_at > %s, held.namespace, held.role
FROM {ApiToken._meta.db_table} token
JOIN {User._meta.db_table} owner ON owner.id = token.user_id
{JOINED}
WHERE token.digest = %s AND token.revoked_at IS NULL AND token.expires_at > %s AND owner.is_active
"""  # noqa: S608
"""A valid token with its owner and the owner's roles, one in each row. Written out: every request of the API asks it,
and Django takes longer to write it than the rest of a short request takes."""


@dataclass(frozen=True, slots=True)
class TokenView:
    """The metadata of a token, without the token itself."""

    id: int
    owner: str
    """The user name of the account."""
    name: str
    prefix: str
    namespaces: tuple[str, ...]
    role: Role
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    last_used_from: str

    @property
    def expired(self) -> bool:
        return self.expires_at <= timezone.now()


class Tokens:
    """The tokens of the person in `access`, those of others for administrators, and the owner of a token."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._refusals = Refusals(audit)

    def all(self, *, access: Access) -> Sequence[TokenView]:
        """The person's active tokens, newest first."""
        return [_view(row) for row in self._own(access).order_by("-created_at", "-pk")]

    def of_others(self, *, access: Access) -> Sequence[TokenView]:
        """The active tokens of all other people, by owner, newest first. Forbidden unless `access` administers."""
        access.require_administration()
        others = _active().exclude(user_id=access.account_id or 0)
        return [_view(row) for row in others.order_by("user__username", "-created_at", "-pk")]

    def one(self, *, access: Access, token_id: int) -> TokenView:
        """Raises NotFound for a revoked token, and for a token of another person unless `access` administers."""
        return _view(self._row(access, token_id))

    def create(
        self, *, access: Access, name: str, namespaces: Sequence[str], role: Role, expires_at: datetime
    ) -> tuple[TokenView, str]:
        """The new token and its text, which is not stored. Raises Invalid."""
        now = timezone.now()
        causes = []
        problem = text_problem(name, NAME_MAX) if name else Problem.REQUIRED
        if problem:
            causes.append(Cause("name", Problem.TOO_LONG_HERE if problem is Problem.TOO_LONG else problem))
        if not now < expires_at <= now + LONGEST:
            causes.append(Cause("expires", Problem.EXPIRY))
        text = MARK + secrets.token_urlsafe(32)
        with exclusive(f"tokens {access.owner}"):
            if self._own(access).count() >= AT_MOST:
                causes.append(Cause("name", Problem.TOO_MANY, AT_MOST))
            if causes:
                raise Invalid(name, tuple(causes))
            row = ApiToken.objects.create(
                user=User.objects.get(pk=access.account_id or 0),
                name=name,
                prefix=text[:SHOWN],
                digest=digest(text),
                namespaces=" ".join(sorted(namespaces)),
                role=role.value,
                expires_at=expires_at,
            )
            revoked = ApiToken.objects.filter(user=row.user, revoked_at__isnull=False)
            older = revoked.order_by("-revoked_at", "-pk").values_list("pk", flat=True)[REVOKED_KEPT:]
            ApiToken.objects.filter(pk__in=list(older)).delete()
            self._audit.record(access, Action.TOKEN, key=Key("", name), note=f"create {row.prefix}")
        return _view(row), text

    def revoke(self, *, access: Access, token_id: int) -> None:
        """Revokes a token at once. Raises NotFound."""
        row = self._row(access, token_id)
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        whose = "" if row.user_id == access.account_id else f" of {row.user.get_username()}"
        self._audit.record(access, Action.TOKEN, key=Key("", row.name), note=f"revoke {row.prefix}{whose}")

    def caller(self, text: str, source: str) -> tuple[Access, int] | None:
        """The access and the id of a token. None for an invalid token, which is audited."""
        now = timezone.now()
        at, used = (connection.ops.adapt_datetimefield_value(it) for it in (now, now - USE_NOTED))
        with connection.cursor() as cursor:
            cursor.execute(_VALID, [source[:45], used, digest(text), at])
            rows = cursor.fetchall()
        if not rows:
            row = ApiToken.objects.select_related("user").filter(digest=digest(text)).first()
            self._note_refusal(row, _problem(row), source)
            return None
        token, limits, most, account, person, superuser, noted = rows[0][:7]
        if not noted:
            ApiToken.objects.filter(pk=token).update(last_used_at=now, last_used_from=source[:45])
        held = [(namespace, Role(role)) for *_, namespace, role in rows if namespace is not None]
        access = Access.from_grants(person, held, source=source, superuser=superuser, account=account)
        return access.limited(limits.split(), Role(most)), token

    def access_now(self, token_id: int, source: str) -> Access | None:
        """The current access of a token that was valid before, or None."""
        row = ApiToken.objects.select_related("user").filter(pk=token_id).first()
        return None if row is None or _problem(row) else _access(row, source)

    def _note_refusal(self, row: ApiToken | None, problem: str, source: str) -> None:
        if row is None:
            self._refusals.note(Access("?", source), problem)
        else:
            access = access_without_roles(row.user, source)
            self._refusals.note(access, f"{problem} {row.prefix}", row.prefix, row.name)

    @staticmethod
    def _own(access: Access) -> QuerySet[ApiToken]:
        return ApiToken.objects.select_related("user").filter(
            user_id=access.account_id or 0, revoked_at__isnull=True
        )

    def _row(self, access: Access, token_id: int) -> ApiToken:
        """A token of this person; an administrator may name anybody's."""
        rows = _active() if access.administers else self._own(access)
        row: ApiToken | None = rows.filter(pk=token_id).first()
        if row is None:
            raise NotFound(str(token_id))
        return row


def revoke_all(user: User) -> int:
    """Revokes every token of an account. Returns their number."""
    return ApiToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=timezone.now())


def _active() -> QuerySet[ApiToken]:
    return ApiToken.objects.select_related("user").filter(revoked_at__isnull=True)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _problem(row: ApiToken | None) -> str:
    """The code of the reason that a token is invalid, or ""."""
    if row is None:
        return "unknown"
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at <= timezone.now():
        return "expired"
    return "" if row.user.is_active else "inactive"


def _access(row: ApiToken, source: str) -> Access:
    """The owner's current access, within the token's limits."""
    return access_of(row.user, source).limited(row.namespaces.split(), Role(row.role))


def _view(row: ApiToken) -> TokenView:
    return TokenView(
        id=row.pk,
        owner=row.user.get_username(),
        name=row.name,
        prefix=row.prefix,
        namespaces=tuple(row.namespaces.split()),
        role=Role(row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        last_used_from=row.last_used_from,
    )


NOTED = timedelta(minutes=1)
KEPT = 1024


class Refusals:
    """Records rejected tokens, once a minute per address and token, so that a retrying client does not fill the log.

    Stores nothing of an unknown token: it may be another secret, sent by mistake.
    """

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._noted: dict[tuple[str, str], datetime] = {}

    def note(self, access: Access, note: str, token: str = "", name: str = "") -> None:
        """`access` has the owner, if known, and the client address. `token` is the public prefix."""
        now, what = datetime.now(UTC), (access.source, token)
        if now - self._noted.get(what, datetime.min.replace(tzinfo=UTC)) < NOTED:
            return
        if len(self._noted) >= KEPT:
            self._noted.clear()
        self._noted[what] = now
        self._audit.record(access, Action.TOKEN, outcome="Unauthorized", key=Key("", name), note=note)
