"""A process is killed with -9 while it renews the secret of a robot account of Harbor: another one goes on, and no
secret is lost."""

import json
import subprocess
import sys
from pathlib import Path

from tests.peers.command import LONG, ROOT, environment
from tests.peers.harbor import ADMIN, OLD, harbor
from tests.processes.renewing import PLACES


def test_no_secret_is_lost_wherever_the_process_dies(tmp_path: Path) -> None:
    """A start of a process and four forks of it, since a kill needs a process."""
    with harbor() as peer:
        for place in PLACES:
            peer.add(f"robot$team-a+{place}")
            peer.secrets[f"robot$team-a+{place}"] = OLD
        command = [sys.executable, "-m", "tests.processes.renewing", f"http://{peer.server.netloc}", *ADMIN]
        given = {"DJANGO_SETTINGS_MODULE": "console.settings", "CONSOLE_PROBE_ALLOW_LOOPBACK": "1"}
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(tmp_path, CONSOLE_PROBE_ALLOW_PLAIN_HTTP="1", **given),
            capture_output=True,
            text=True,
            timeout=2 * LONG,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)

        assert said["ends"] == [-9] * 4
        assert said["lost"] == ["running"] * 4, "each is a run that another process goes on with"
        assert said["stored"] == {place: peer.secrets[f"robot$team-a+{place}"] for place in PLACES}
        changed = [place for place in PLACES if said["stored"][place] != OLD]
        assert changed == list(PLACES[1:]), "Harbor never got the first request"
        assert said["kept"] == 0, "the values are forgotten at the end"
