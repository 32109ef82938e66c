"""What changed, as values that are stored in the outbox."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self


class ChangeKind(StrEnum):
    """What people are told. The values are stored."""

    FAILING = "failing"
    RECOVERED = "recovered"
    REMINDER = "reminder"
    """Still failing, a day after the last message."""
    FLAPPING = "flapping"
    """Changes so often that only one message tells of it."""
    NETWORK = "network"
    """Most hosts fail at once for reasons of the network: it is the console's own."""
    NETWORK_OVER = "network_over"
    EXPIRING = "expiring"
    TEST = "test"
    """A test message."""

    @property
    def bad(self) -> bool:
        return self not in (ChangeKind.RECOVERED, ChangeKind.NETWORK_OVER, ChangeKind.TEST)


@dataclass(frozen=True, slots=True)
class Change:
    """One registry changed its state, or the console's network did (then the registry's fields are empty).

    `host` is host[:port]. `reason` is a code of the connection test, or what expires (domain.registry.Ending). `since`
    is the time of the first failure, of the first success, or when it expires (at midnight UTC for a day). No field
    holds a text that a server sent, a user name or a password.
    """

    kind: ChangeKind
    at: datetime
    since: datetime
    uid: str = ""
    namespace: str = ""
    name: str = ""
    display_name: str = ""
    host: str = ""
    reason: str = ""
    owner: str = ""
    support: str = ""

    @property
    def group(self) -> str:
        """Changes of one group are told in one message."""
        return f"{self.kind}|{self.host}|{self.reason}"

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "at": self.at.isoformat(), "since": self.since.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        fields = json.loads(text)
        fields["kind"] = ChangeKind(fields["kind"])
        fields["at"], fields["since"] = map(datetime.fromisoformat, (fields["at"], fields["since"]))
        return cls(**fields)


def newest(changes: Sequence[Change]) -> list[Change]:
    """The last change of each registry, in the order of namespace and name."""
    last = {(change.uid, change.namespace, change.name): change for change in changes}
    return sorted(last.values(), key=lambda change: (change.namespace, change.name))
