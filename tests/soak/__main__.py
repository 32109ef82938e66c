"""`make soak`: load on a real server, then two kills. Prints the figures, then fails if one is over its bound."""

import os
import sys
import tempfile
from pathlib import Path

from tests import environment  # noqa: F401  sets the environment before Django reads it

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

from tests.soak.soak import soak

if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
    with tempfile.TemporaryDirectory(prefix="console-soak-") as folder:
        figures = soak(Path(folder), seconds)
    sys.stdout.write(f"{os.cpu_count()} processors\n{figures.text()}\n")
    sys.exit(1 if figures.broken() else 0)
