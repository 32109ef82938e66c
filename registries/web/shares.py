"""The shares of the states of a namespace, as parts of a bar."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from registries.domain.query import Tally


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar that is SHARE_WIDTH wide."""

    kind: str
    x: float
    width: float
    text: str
    """The count with its word, as "3 connected"."""


SHARE_WIDTH = 120


def share(tally: Tally) -> list[Part]:
    """The states of a namespace as parts of a bar, the failed ones first."""
    parts, x = [], 0.0
    for kind, count, text in (
        ("bad", tally.failed, _("%(number)s failed")),
        ("ok", tally.success, _("%(number)s connected")),
        ("idle", tally.untested, _("%(number)s not tested")),
    ):
        width = round(SHARE_WIDTH * count / tally.total, 1) if tally.total else 0.0
        if count:
            parts.append(Part(kind, round(x, 1), width, text % {"number": f"{count:,}"}))
        x += width
    return parts
