"""Compiles the message catalogues in Python, so that a clone needs no gettext."""

import os
from pathlib import Path

import polib


def compile_stale(folder: Path) -> None:
    """Write every .mo below a locale folder that is older than its .po, each all at once."""
    for source in folder.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(draft))
        draft.replace(target)


if __name__ == "__main__":
    compile_stale(Path(__file__).resolve().parent.parent / "locale")
