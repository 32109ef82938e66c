"""The figures that have a target, as one table at the end of `make bench`."""

import sys

_NOTED: list[tuple[str, float, float | None, bool]] = []


def note(name: str, figure: float, target: float | None, *, least: bool = False) -> None:
    """Keeps a figure for the table. The target is the most that it may be, or with `least` the least; None: none."""
    _NOTED.append((name, figure, target, least))


def report() -> None:
    """Prints the table."""
    sys.stdout.write(f"\n{'Figure':60}{'measured':>10}{'target':>10}\n")
    for name, figure, target, least in _NOTED:
        if target is None:
            sys.stdout.write(f"{name:52}{figure:>10.2f}\n")
            continue
        met = figure >= target if least else figure <= target
        sign = "≥" if least else "≤"
        sys.stdout.write(
            f"{name:60}{figure:>10.2f}{f'{sign} {target:g}':>10}  {'met' if met else 'missed'}\n"
        )
