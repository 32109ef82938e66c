"""Encryption of stored passwords: Fernet (AES-128-CBC, HMAC-SHA256) with keys of its own, newest first.

The sealed text contains the uid of the resource, and the address, CA and insecure flag. A person with write access to
the database therefore cannot move a password to another address or server: it no longer opens.

A password is filled up to one of a few sizes before it is sealed, so the length of the sealed text does not tell the
length of the password. Seals of older versions have no filling. They open as well, and a rotation adds it.

A process may stop between a seal and the commit for as long as a rotation of the keys takes. So the transaction of
each seal holds the keys: a rotation adds the new key, waits for all of these transactions, and only then seals again.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

from registries.domain.errors import Problem, Unavailable

SMALLEST = 1024
"""Bytes of a filled password. Larger ones are filled up to the next power of two."""
KEYS = "password keys"
"""The name of the advisory lock of PostgreSQL: shared for seals, exclusive for a rotation."""
PATIENCE, TURN = 20.0, 1.0
"""Seconds that a rotation waits for transactions; and at most at a time on PostgreSQL, where new seals wait behind
it."""


def hold_keys() -> None:
    """Keeps a rotation waiting until the end of this transaction. SQLite does so with its lock for writing."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A seal belongs to the transaction that stores it.")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [KEYS])


def wait_for_seals() -> None:
    """Waits until no transaction has a seal under earlier keys. TimeoutError when one does not end."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with transaction.atomic():  # on SQLite this waits for the lock for writing
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute("SET LOCAL lock_timeout = %s", [round(1000 * TURN)])
                        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [KEYS])
            return
        except OperationalError as error:
            if time.monotonic() > until:
                raise TimeoutError("a transaction with a seal does not end") from error
            time.sleep(TURN / 5)


class Sealer:
    """Seals and opens passwords. `keys` returns the current Fernet keys, newest first; they may change. `hold` is
    called before a key is read for a seal."""

    def __init__(self, keys: Callable[[], Sequence[str]], hold: Callable[[], None] = hold_keys) -> None:
        self._keys = keys
        self._hold = hold
        self._loaded: tuple[str, ...] = ()
        self._fernet: MultiFernet | None = None

    def seal(self, password: str, *, uid: str, binding: str) -> str:
        """A seal for the present transaction."""
        return self.seal_all([(password, uid, binding)])[0]

    def seal_all(self, contents: Iterable[tuple[str, str, str]]) -> list[str]:
        """The seals of many passwords, each with its uid and binding, for the present transaction."""
        self._hold()
        return [self._sealed(*content) for content in contents]

    def _sealed(self, password: str, uid: str, binding: str) -> str:
        payload = json.dumps(
            {"uid": uid, "binding": binding, "password": password, "filling": _filling(password)}
        )
        return self._current().encrypt(payload.encode()).decode()

    def open(self, sealed: str, *, uid: str, binding: str) -> str:
        """The password. Unavailable `key_missing` when no key opens it, `seal_broken` when it was moved."""
        payload = self._payload(sealed, uid)
        if payload["uid"] != uid or payload["binding"] != binding:
            raise Unavailable(uid, Problem.SEAL_BROKEN)
        return payload["password"]

    def opens(self, sealed: str) -> bool:
        """Whether one of the keys opens it."""
        with suppress(Unavailable):
            return bool(self._payload(sealed, ""))
        return False

    def reseal(self, sealed: str) -> str:
        """The same content, filled, and sealed with the newest key. Unavailable `key_missing`."""
        payload = self._payload(sealed, "")
        return self.seal(payload["password"], uid=payload["uid"], binding=payload["binding"])

    def _payload(self, sealed: str, uid: str) -> dict[str, str]:
        try:
            payload: dict[str, str] = json.loads(self._current().decrypt(sealed.encode()))
        except InvalidToken as error:
            raise Unavailable(uid, Problem.KEY_MISSING) from error
        return payload

    def _current(self) -> MultiFernet:
        keys = tuple(self._keys())
        if self._fernet is None or keys != self._loaded:
            self._fernet, self._loaded = MultiFernet([Fernet(key) for key in keys]), keys
        return self._fernet


def _filling(password: str) -> str:
    """What makes the JSON of a password a power of two long. The length of the binding is no secret."""
    length = len(json.dumps(password))
    return "0" * (max(SMALLEST, 1 << (length - 1).bit_length()) - length)


def reseal_all(sealer: Sealer, rows: QuerySet[Any], field: str) -> int:
    """Seals one field of all rows with the newest key. Returns the number of rows. Unavailable `key_missing`.

    Repeats until there are no new rows. From the moment the new key is configured, all writes use it.
    """
    done: set[int] = set()
    while fresh := set(rows.values_list("pk", flat=True)) - done:
        for pk in fresh:
            with transaction.atomic():
                row = rows.select_for_update().filter(pk=pk).first()
                if row is not None:
                    setattr(row, field, sealer.reseal(getattr(row, field)))
                    row.save(update_fields=[field])
        done |= fresh
    return len(done)
