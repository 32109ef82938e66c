"""A process is killed with -9 while it gets new secrets from Harbor: another one goes on, no secret is lost, and the
audit log names each account that Harbor may have."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from registries.runs.run import RunState
from tests.peers.command import LONG, ROOT, environment
from tests.peers.harbor import ADMIN, OLD, Harbor, harbor
from tests.peers.scripted import Reply
from tests.processes.renewing import PLACES, SECOND


def test_no_secret_is_lost_wherever_the_process_dies(tmp_path: Path) -> None:
    """A start of a process and five forks of it, since a kill needs a process."""
    with harbor() as peer:
        compare(peer, killed(peer, tmp_path))


AWAY = {
    "down": Reply(raw=b"", close=True),
    "slow": Reply(delay=4.0, close=True),
    "error": Reply(500),
    "half": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", close=True),
}
"""How the registry of Harbor answers a log-in while it is away."""


def killed_while_away(peer: Harbor, folder: Path, first: int, **settings: str) -> dict[str, Any]:
    """The same as `killed`, and the registry of Harbor is away while others go on. At each place it is away in another
    way, beginning with the way of this number."""
    registry, file = peer._registry, folder / "away"
    ways = [*AWAY.values()]
    shift = {f"robot$team-a+{it}": ways[(first + n) % len(ways)] for n, it in enumerate(PLACES)}

    def answer(login: tuple[str, str] | None) -> Reply:
        return shift[login[0]] if login and login[0] in shift and file.exists() else registry(login)

    peer._registry = answer  # type: ignore[method-assign]
    given = {"CONSOLE_PROBE_READ_TIMEOUT": "1", "CONSOLE_PROBE_TIMEOUT": "2", **settings}
    return killed(peer, folder, str(file), **given)


def killed(peer: Harbor, folder: Path, *away: str, **settings: str) -> dict[str, Any]:
    """What `tests.processes.renewing` prints. These settings are those of the console."""
    for place in (*PLACES, SECOND):
        peer.add(f"robot$team-a+{place}")
        peer.secrets[f"robot$team-a+{place}"] = OLD
    command = [
        sys.executable,
        "-m",
        "tests.processes.renewing",
        f"http://{peer.server.netloc}",
        *ADMIN,
        *away,
    ]
    given = {"DJANGO_SETTINGS_MODULE": "console.settings", "CONSOLE_PROBE_ALLOW_LOOPBACK": "1", **settings}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(folder, CONSOLE_PROBE_ALLOW_PLAIN_HTTP="1", **given),
        capture_output=True,
        text=True,
        timeout=2 * LONG,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def compare_meanwhile(peer: Harbor, said: dict[str, Any]) -> None:
    """What Harbor has is stored, or in the run, which says that it does not know and can be tried again."""
    meanwhile = said["meanwhile"]
    for place in PLACES:
        known = meanwhile["stored"][place] == peer.secrets[f"robot$team-a+{place}"]
        assert known or place in meanwhile["doubtful"], place
    assert set(meanwhile["doubtful"]) == set(meanwhile["kept"]) >= set(PLACES[:2]), "only a test can tell"
    assert set(meanwhile["states"].values()) == {RunState.CANCELLED}, "each waits for its person"
    compare(peer, said)


def compare(peer: Harbor, said: dict[str, Any]) -> None:
    """Compares what the console has with what Harbor has."""
    assert said["ends"] == [-9] * 5
    assert said["lost"] == ["running"] * 4, "each is a run that another process goes on with"
    assert said["stored"] == {it: peer.secrets[f"robot$team-a+{it}"] for it in (*PLACES, SECOND)}
    changed = [it for it in (*PLACES, SECOND) if said["stored"][it] != OLD]
    assert changed == list(PLACES[1:]), "Harbor never got the first request"
    assert said["kept"] == 0, "the values are forgotten at the end"
    first, made = f"robot$team-a+{SECOND}", peer.robots[-1]["name"]
    assert made.startswith(f"{first}-20")
    assert said["asked"] == [f"asked {made} {first}"], "nobody else knows that Harbor has it"
