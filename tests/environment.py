"""The environment of the test session, set before Django reads its settings: a data folder of its own.

With xdist each worker has a folder of its own, below the folder of the run.
"""

import atexit
import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MARK = "TESTS_OF_THE_CONSOLE"
"""The variable that every process of a run inherits. Its value is the folder of the run."""

AUTHORITIES = "authorities.pem"
"""An empty file in the folder of the run."""


def _begin() -> Path:
    """Make the folder of the run, and start the sweeper, which removes it when this process is gone."""
    folder = tempfile.mkdtemp(prefix="console-tests-")
    reading, _kept_open = os.pipe()
    (Path(folder) / AUTHORITIES).touch()
    command = [sys.executable, "-S", str(Path(__file__).parent / "sweeper.py"), MARK, folder]
    subprocess.Popen(command, stdin=reading, start_new_session=True, cwd="/")
    os.close(reading)
    os.environ[MARK] = folder
    return Path(folder)


# As in manage.py: Python need not look for garbage at the end.
atexit.register(gc.freeze)
# Containers often have this variable. Then every process of the tests would compile the console anew, and every worker
# all tests: two minutes of a processor.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
_worker = os.environ.get("PYTEST_XDIST_WORKER")
RUN = Path(os.environ[MARK]) if _worker else _begin()
"""The folder that all workers of a run share."""
_folder = RUN / (_worker or "main")
_folder.mkdir()
os.environ["CONSOLE_DATA_DIR"] = str(_folder)
# Else OpenSSL reads all authorities of the system for each new context: a fortieth of a second. Beside an empty file it
# finds the one that it needs in the folder of the system.
os.environ["SSL_CERT_FILE"] = str(RUN / AUTHORITIES)
for _name in ("DATABASE_URL", "CONSOLE_DEMO", "CONSOLE_SECRET_KEY", "CONSOLE_PASSWORD_KEYS"):
    os.environ.pop(_name, None)
if os.environ.get("CONSOLE_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["CONSOLE_TEST_DATABASE_URL"]
