"""The values of a next step on the pages of pull secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from registries.domain.registry import Key
from registries.pull_secrets.kinds import Binding

COMMANDS, UNFOLDED = 30, 3
"""Workloads whose commands a step has, and those that are not folded."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """What steps need to know of service accounts. `bindings`: whether the default one names a pull secret; `named`:
    the pull secrets that one names, by namespace and name."""

    bindings: Mapping[Key, Binding] = field(default_factory=dict)
    named: Mapping[Key, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """The next step: a link, a button that posts `fields` to `url`, or neither. `command` is for kubectl. `look` shows
    a Secret without its passwords, and `last` deletes it when nothing names it any more."""

    text: str = ""
    url: str = ""
    dialog: bool = False
    posts: bool = False
    fields: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    command: str = ""
    look: str = ""
    last: str = ""
    again: bool = False
    """Whether new pods alone are the step."""
    restarts: tuple[tuple[str, str], ...] = ()
    """Buttons that make pods again: (text, URL)."""
    commands: tuple[str, ...] = ()
    """The commands of all workloads, the one of `command` first."""
    more: int = 0
    """Workloads whose commands are left out."""

    @property
    def unfolded(self) -> tuple[str, ...]:
        return self.commands[:UNFOLDED]

    @property
    def folded(self) -> tuple[str, ...]:
        return self.commands[UNFOLDED:]
