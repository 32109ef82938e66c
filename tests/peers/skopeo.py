"""`skopeo login` as a second opinion on a registry and its credentials. Its files are in a folder of the test."""

import json
import os
import re
import subprocess
from pathlib import Path

from tests.peers.parts import require_part


def skopeo_login(
    registry: str,
    username: str,
    password: str,
    folder: Path,
    *,
    tls_verify: bool = True,
    cert_dir: Path | None = None,
) -> bool:
    """Whether the login succeeds. `tls_verify=False` also allows plain HTTP. `cert_dir` holds CA certificates as
    *.crt."""
    environment = _environment(folder)
    command = [
        require_part("skopeo"),
        "login",
        "--authfile",
        str(folder / "auth.json"),
        f"--tls-verify={str(tls_verify).lower()}",
        "--username",
        username,
        "--password-stdin",
    ]
    if cert_dir:
        command += ["--cert-dir", str(cert_dir)]
    done = subprocess.run(
        [*command, registry],
        check=False,
        input=password.encode(),
        capture_output=True,
        timeout=60,
        env=environment,
    )
    return done.returncode == 0


def skopeo_inspect(image: str, username: str, password: str, folder: Path) -> str:
    """The error of CRI-O's library for an image on loopback; "" if it finds the image."""
    command = [require_part("skopeo"), "inspect", "--tls-verify=false", "--creds", f"{username}:{password}"]
    done = subprocess.run(
        [*command, f"docker://{image}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=_environment(folder),
    )
    said = re.search(r'level=fatal msg=(".*")$', done.stderr.strip())
    assert bool(said) is bool(done.returncode), done.stderr
    return str(json.loads(said[1])) if said else ""


def _environment(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
