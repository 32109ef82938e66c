"""Which registries are copies. The annotations of a copy name its source, and `kubectl` can write annotations: whoever
makes such a registry like the source gives the password to its namespace. So the console adds a seal.

A seal is an HMAC over the key of the copy, and key and uid of the source. Copies without one, from before there were
seals or before another CONSOLE_SECRET_KEY, are known from the audit log as long as it has their entries.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hmac import compare_digest

from registries.domain.registry import Draft, Key, Origin, RegistrySecret
from registries.domain.resource import origin_annotations

PURPOSE = "registry-console copied-from"
MOST = 50
"""Copies without a seal that are looked for in the audit log, in one answer."""


@dataclass(eq=False)
class Origins:
    """`recorded` says whether the audit log has the copy with a uid from a registry with a key, since a moment."""

    _secret: str = field(repr=False)
    _recorded: Callable[[str, Key, datetime | None], bool]

    def sealed(self, origin: Origin, copy: Key) -> Origin:
        """The origin of a copy with this key, as only the console can write it."""
        return replace(origin, seal=self._seal(origin, copy))

    def annotations(self, source: RegistrySecret, copy: Key) -> dict[str, str | None]:
        """The merge patch that makes the registry with this key a copy of a source."""
        return origin_annotations(self.sealed(Origin(source.key, source.uid), copy))

    def placed(self, template: Draft, key: Key) -> Draft:
        """What creates a copy from the values of its source."""
        return replace(template, key=key, origin=template.origin and self.sealed(template.origin, key))

    def true(
        self, copies: Iterable[RegistrySecret], since: datetime | None = None
    ) -> Iterator[RegistrySecret]:
        """Those that the console made or linked. `since` is the creation of the present source: an entry of the audit
        log from before is about an earlier one of its name."""
        asked = 0
        for it in copies:
            if it.origin is None:
                continue
            found = compare_digest(it.origin.seal.encode(), self._seal(it.origin, it.key).encode())
            if not found and (asked := asked + 1) <= MOST:
                found = self._recorded(it.uid, it.origin.key, since)
            if found:
                yield it

    def is_true(self, copy: RegistrySecret, since: datetime | None = None) -> bool:
        return any(self.true((copy,), since))

    def _seal(self, origin: Origin, copy: Key) -> str:
        text = "\0".join((PURPOSE, str(copy), str(origin.key), origin.uid))
        return urlsafe_b64encode(hmac.digest(self._secret.encode(), text.encode(), "sha256")).decode()
