"""A test that starts servers and never ends, for test_ending.py. No other run collects this file."""

import os
import time
from pathlib import Path

from registries.demo.process import DemoRegistries
from tests.environment import RUN
from tests.peers.command import Serving
from tests.peers.docker_registry import docker_registry
from tests.peers.prepared import ready_folder


def test_never_ends(tmp_path: Path, demo_registries: DemoRegistries) -> None:
    assert demo_registries.pid
    with docker_registry(tmp_path / "registry"), Serving(ready_folder(tmp_path / "data"), "serve"):
        begun = Path(os.environ["ENDLESS"])
        begun.with_suffix(".new").write_text(str(RUN))
        begun.with_suffix(".new").rename(begun)
        time.sleep(600)
