"""The mark of a Secret while its registry is deleted and created again: the upkeep leaves such a Secret alone.

Whoever may patch a Secret can write any annotation. So the mark has a seal of the console, for the content as well: a
copied one keeps no other content.
"""

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from secrets import token_hex

from registries.cluster.connection import Json
from registries.domain.moments import moment_text, read_moment
from registries.domain.registry import Key
from registries.domain.resource import PREFIX

REPLACING = PREFIX + "replacing"
"""An annotation: the uid of the old registry, until when the upkeep leaves the Secret alone, and the seal."""
LEFT_ALONE = timedelta(minutes=5)
"""Longer than the writes of a replacement take. Then the Secret follows the registry that is there."""
PURPOSE = "registry-console replacing"


@dataclass(eq=False)
class Marks:
    """`secret` is the same in all processes; without one, other processes do not know the marks of this one."""

    _secret: str = field(repr=False)

    def __post_init__(self) -> None:
        self._secret = self._secret or token_hex()

    def mark(self, key: Key, uid: str, data: Json) -> str:
        """The mark of the Secret with this key and content, whose registry has this uid."""
        until = moment_text(datetime.now(UTC) + LEFT_ALONE)
        return f"{uid} {until} {self._seal(key, uid, until, data)}"

    def has_mark(self, secret: Json, key: Key, uid: str) -> bool:
        """Whether the registry with this uid is being replaced at this moment, and the Secret is as it was left."""
        note = str((secret["metadata"].get("annotations") or {}).get(REPLACING) or "")
        marked, _, rest = note.partition(" ")
        until, _, seal = rest.partition(" ")
        end = read_moment(until)
        if marked != uid or end is None or datetime.now(UTC) >= end:
            return False
        return compare_digest(seal.encode(), self._seal(key, uid, until, secret.get("data") or {}).encode())

    def _seal(self, key: Key, uid: str, until: str, data: Json) -> str:
        content = (part for name in sorted(data) for part in (name, str(data[name])))
        text = "\0".join((PURPOSE, str(key), uid, until, *content))
        return hmac.digest(self._secret.encode(), text.encode(), "sha256").hex()
