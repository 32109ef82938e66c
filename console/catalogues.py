"""Compiles the message catalogues without gettext tools."""

import os
from pathlib import Path

import polib


def compile_stale(folder: Path) -> None:
    """Replaces atomically each .mo file of a locale folder that is older than its .po file."""
    for source in folder.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(draft))
        draft.replace(target)


if __name__ == "__main__":
    compile_stale(Path(__file__).resolve().parent.parent / "locale")
