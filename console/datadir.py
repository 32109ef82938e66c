"""The data folder, created on first use and readable only by its owner.

    <data>/console.sqlite3        the database, unless DATABASE_URL names another
    <data>/keys/session.key       signs sessions and forms
    <data>/keys/passwords.keys    seals registry passwords; one Fernet key a line, newest first
    <data>/static/                files for the browser, compressed

settings.py reads this module, so it must not import Django.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet


def prepare(folder: Path) -> None:
    """Make the data folder and its `keys` private before anything is written into them.

    The settings call this, so it comes first in every command. A folder may be older than the console.
    """
    for path in (folder, folder / "keys"):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _restrict(path, 0o700)
        for file in path.iterdir():
            if file.is_file() and not file.is_symlink():
                _restrict(file, 0o600)


def _restrict(path: Path, mode: int) -> None:
    """Set the mode of what belongs to this user. A volume of Kubernetes belongs to root and is left as it is."""
    try:
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)
    except FileNotFoundError:  # a draft or a journal of SQLite, which another process has removed
        return
    except OSError:
        if path.stat().st_uid == os.geteuid() and os.access(path, os.W_OK):
            raise


def session_key(folder: Path) -> str:
    return _read_or_make(folder / "keys" / "session.key", lambda: secrets.token_urlsafe(50)).strip()


def password_keys(folder: Path) -> "KeyFile":
    path = folder / "keys" / "passwords.keys"
    _read_or_make(path, lambda: Fernet.generate_key().decode() + "\n")
    return KeyFile(path)


def private_file(path: Path) -> None:
    """Creates the file if missing. Only its owner may read it."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


def create_private(database: str) -> None:
    """Creates the file of a new SQLite database, whatever command comes first. Existing files are left as they are."""
    path = Path(database)
    if database != ":memory:" and path.parent.is_dir() and not path.exists():
        private_file(path)


class KeyFile:
    """The password keys. A replaced file is read again, so that a running server uses rotated keys."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._keys: tuple[str, ...] = ()

    def __call__(self) -> Sequence[str]:
        status = self.path.stat()
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._keys = tuple(line.strip() for line in self.path.read_text().splitlines() if line.strip())
            self._stamp = stamp
        return self._keys

    @contextmanager
    def rotating(self) -> Iterator[None]:
        """Waits for a rotation that another process has begun: of two at once, each would delete the other's key. The
        lock ends with the process."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def replace(self, keys: Sequence[str]) -> None:
        """Replaces the file atomically."""
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        private_file(fresh)
        with fresh.open("w") as file:
            file.write("".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The content of the file. Only one of several starting processes creates it."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        private_file(draft)
        draft.write_text(make())
        try:
            os.link(draft, path)  # atomic; fails if another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
