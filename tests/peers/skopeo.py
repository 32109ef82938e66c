"""`skopeo login` as a second opinion on a registry and its credentials. Its files are in a folder of the test."""

import os
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
    folder.mkdir(parents=True, exist_ok=True)
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
        env={**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)},
    )
    return done.returncode == 0
