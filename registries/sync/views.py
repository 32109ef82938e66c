"""What people see of rules: a rule with its copies, what it would do, and what a deletion means for rules."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from registries.domain.access import Access, Permission
from registries.domain.registry import RegistrySecret
from registries.sync.rows import Found, Rule
from registries.sync.states import CopyState


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule and its copies, in the namespaces that the viewer sees."""

    rule: Rule
    copies: tuple[Found, ...]
    """() in a list of rules."""
    names: tuple[str, ...]
    """Those of the namespaces chosen by name that the viewer sees."""
    counts: Mapping[CopyState, int]
    """How many of the namespaces that the viewer sees are in each state."""

    @property
    def unseen(self) -> int:
        """How many namespaces are chosen by name that the viewer does not see."""
        return len(self.rule.selection.names) - len(self.names)

    @property
    def in_sync(self) -> int:
        return self.counts.get(CopyState.IN_STEP, 0)


@dataclass(frozen=True, slots=True)
class Deletion:
    """What the deletion of some registries means for rules. Rules whose source is deleted too write nothing."""

    sources: tuple[RegistrySecret, ...] = ()
    """Those that have a rule. It ends with its source."""
    kept: tuple[RegistrySecret, ...] = ()
    """The unchanged copies of these rules that are not deleted, for a person who may set up rules."""
    copies: tuple[RegistrySecret, ...] = ()
    """Those that a rule made and keeps in sync. It does not create them again by itself."""
    awaited: tuple[RegistrySecret, ...] = ()
    """Those whose names a rule waits for. It creates a copy there."""


class Foreseen(NamedTuple):
    """What a rule would do in one namespace now. WAITING: a copy will be written, or will not, because of `problem`."""

    namespace: str
    state: CopyState
    problem: str = ""


def view_of(access: Access, rule: Rule, found: Iterable[Found]) -> RuleView:
    """The rule with those of `found` that this person may see."""
    copies = tuple(it for it in found if access.may(Permission.SEE, it.namespace))
    return RuleView(rule, copies, names_of(access, rule), Counter(it.known.state for it in copies))


def names_of(access: Access, rule: Rule) -> tuple[str, ...]:
    """The namespaces chosen by name that this person sees."""
    return tuple(it for it in rule.selection.names if access.may(Permission.SEE, it))
