"""The command of the connection test, run as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.peers.scripted import Reply, Request, basic, registry_ok, unauthorized

ROOT = Path(__file__).resolve().parents[2]


def registry(request: Request) -> Reply:
    return registry_ok() if request.authorization == basic("admin", "se cret ") else unauthorized("Basic")


def run(
    *arguments: str,
    password: bytes = b"se cret \n",
    language: str = "en_US.UTF-8",
    encoding: str = "utf-8",
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": language, "PYTHONIOENCODING": encoding}
    return subprocess.run(
        [sys.executable, "-m", "registries.probe", *arguments],
        check=False,
        input=password.decode(),
        capture_output=True,
        text=True,
        encoding=encoding,
        cwd=ROOT,
        env=environment,
        timeout=120,
    )
