"""The states of a rule and of its copies, and the decision about one namespace."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from registries.domain.registry import RegistrySecret


class RuleState(StrEnum):
    NEW = "new"
    """No process has looked at it yet."""
    ACTIVE = "active"
    NO_RIGHT = "no_right"
    """Its owner is not image-admin in all namespaces any more, or has no account."""
    SOURCE_GONE = "source_gone"
    FAILED = "failed"
    """The source cannot be read, or the namespaces are not known; it is tried again."""
    ENDING = "ending"
    """It was switched off, and unbinds the default service accounts that it bound."""


class CopyState(StrEnum):
    WAITING = "waiting"
    """It will be written, or is being written."""
    IN_STEP = "in_step"
    PRESENT = "present"
    """Somebody else's registry has the name and the same values."""
    NAME_TAKEN = "name_taken"
    CHANGED = "changed"
    """Somebody changed the copy that the rule made."""
    DELETED = "deleted"
    """Somebody deleted the copy that the rule made."""
    NAMESPACE_GONE = "namespace_gone"
    LEFT = "left"
    """The namespace is not selected any more. Its copy stays and follows no more."""
    FAILED = "failed"
    """The write failed; it is tried again."""


class Solution(StrEnum):
    """What a person does about the state of one namespace."""

    OVERWRITE = "overwrite"
    TAKE_OVER = "take_over"
    CREATE_AGAIN = "create_again"
    TRY_AGAIN = "try_again"
    DISMISS = "dismiss"


SOLUTIONS = {
    CopyState.CHANGED: Solution.OVERWRITE,
    CopyState.PRESENT: Solution.TAKE_OVER,
    CopyState.DELETED: Solution.CREATE_AGAIN,
    CopyState.FAILED: Solution.TRY_AGAIN,
    CopyState.NAMESPACE_GONE: Solution.DISMISS,
    CopyState.LEFT: Solution.DISMISS,
}
"""What solves each state. A taken name has no solution: a registry that somebody else made with other values is never
overwritten."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule knows of its copy in one namespace. `uid` is empty without a copy that it made; `begun`: a write was
    begun, and may have happened."""

    state: CopyState = CopyState.WAITING
    uid: str = ""
    mark: str = ""
    source_mark: str = ""
    begun: bool = False


NOTHING = Known()


def mark(registry: RegistrySecret) -> str:
    """A text that changes with the password, the address, the user name and the trust settings, and reveals none. One
    that was created again has another, since generations begin anew."""
    values = (
        registry.uid,
        registry.address,
        registry.username,
        registry.ca_bundle.strip(),
        str(registry.skip_tls_verify),
    )
    return f"{registry.generation}/{sha256(chr(0).join(values).encode()).hexdigest()}"


def decide(
    known: Known,
    present: RegistrySecret | None,
    source: RegistrySecret,
    *,
    exists: bool,
    selected: bool,
    alike: Callable[[], bool],
) -> CopyState:
    """The state of one namespace. WAITING means: create a copy, or make it like the source.

    Only a copy that the rule made, and that nobody changed since, is written.
    """
    if not exists:
        return CopyState.NAMESPACE_GONE
    if not selected:
        return CopyState.LEFT
    if present is None:
        missing = known.begun or not known.uid or known.state is CopyState.NAMESPACE_GONE
        return CopyState.WAITING if missing else CopyState.DELETED
    if known.uid and present.uid == known.uid:
        if alike():
            return CopyState.IN_STEP
        return CopyState.WAITING if mark(present) == known.mark else CopyState.CHANGED
    if not alike():
        return CopyState.NAME_TAKEN
    ours = known.begun and present.origin is not None and present.origin.uid == source.uid
    return CopyState.IN_STEP if ours else CopyState.PRESENT
