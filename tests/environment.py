"""The environment of the test session, set before Django reads its settings: a data folder of its own."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="console-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["CONSOLE_DATA_DIR"] = _folder
for _name in ("DATABASE_URL", "CONSOLE_DEMO", "CONSOLE_SECRET_KEY", "CONSOLE_PASSWORD_KEYS"):
    os.environ.pop(_name, None)
if os.environ.get("CONSOLE_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["CONSOLE_TEST_DATABASE_URL"]
