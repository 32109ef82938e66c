"""Which registries have the same credential, for runs that test each credential once."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from registries.domain.registry import Credential
from registries.probe.result import Result
from registries.schedule import rows
from registries.schedule.digest import CredentialDigest


class SharedCredentials:
    """What the rows of the schedule say. `digest` is that of the schedule."""

    def __init__(self, digest: CredentialDigest) -> None:
        self._digest = digest

    def digests(self, uids: Sequence[str]) -> Mapping[str, str]:
        return {uid: row.digest for uid, row in rows.statuses(uids).items()}

    def digest(self, credential: Credential) -> str:
        return self._digest(credential)

    def shared(self, uids: Sequence[str], result: Result, at: datetime) -> None:
        rows.note_written(uids, result, at)
