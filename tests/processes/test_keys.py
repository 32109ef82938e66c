"""Keys: made once, private, and rotated while the console runs."""

import fcntl
import json
import os
import stat
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from console import datadir
from registries import wiring
from registries.domain.errors import Unavailable
from registries.models import DeletedRegistry, StoredResource
from registries.stores.embedded import EmbeddedStore
from registries.stores.sealing import Sealer
from registries.stores.trash import Deleted, Trash
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.peers.command import manage


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    datadir.prepare(tmp_path)
    first = datadir.session_key(tmp_path), datadir.password_keys(tmp_path)()

    again = datadir.session_key(tmp_path), datadir.password_keys(tmp_path)()

    assert first == again
    assert len(first[0]) >= 50
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert len(list((tmp_path / "keys").iterdir())) == 2, "nothing is left over"


FIRST = {
    "check": ("check",),
    "migrate": ("migrate", "-v", "0"),
    "rotate_keys": ("rotate_keys",),
    "createsuperuser": ("createsuperuser", "--no-input", "--username=root", "--email=root@example.com"),
    "demo": ("demo", "--reset"),
    "verify": ("verify",),
    "shell": ("shell", "-v", "0", "-c", "pass"),
}


@pytest.mark.parametrize("command", FIRST.values(), ids=FIRST)
def test_an_open_folder_is_closed_whichever_command_comes_first(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    folder = tmp_path / "data"
    (folder / "keys").mkdir(parents=True)
    for name in ("console.sqlite3", "keys/session.key", "keys/passwords.keys"):
        (folder / name).write_text("" if "sqlite" in name else Fernet.generate_key().decode())
        (folder / name).chmod(0o644)
    for path in (folder, folder / "keys"):
        path.chmod(0o755)

    manage(folder, *command)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_a_new_database_is_private_whichever_command_comes_first(tmp_path: Path) -> None:
    manage(tmp_path / "data", "migrate", "-v", "0")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").glob("*.sqlite3*")}
    assert modes
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("folder_mode", [0o755, 0o775, 0o777, 0o750, 0o500, 0o700])
@pytest.mark.parametrize("keys_mode", [0o755, 0o777, 0o500, 0o700])
def test_a_folder_is_private_before_a_key_is_written(
    tmp_path: Path, folder_mode: int, keys_mode: int
) -> None:
    folder = tmp_path / "data"
    (folder / "keys").mkdir(parents=True)
    (folder / "keys").chmod(keys_mode)
    folder.chmod(folder_mode)

    datadir.prepare(folder)

    assert [stat.S_IMODE(it.stat().st_mode) for it in (folder, folder / "keys")] == [0o700, 0o700]
    assert list((folder / "keys").iterdir()) == []


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch(mode=0o644)
    (tmp_path / "data" / "keys").mkdir(parents=True)
    (tmp_path / "data" / "keys" / "session.key").symlink_to(elsewhere)

    datadir.prepare(tmp_path / "data")

    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o644


def test_processes_that_start_together_agree_on_a_key(tmp_path: Path) -> None:
    datadir.prepare(tmp_path)
    found: set[str] = set()
    barrier = threading.Barrier(16)

    def start() -> None:
        barrier.wait()
        found.update(datadir.password_keys(tmp_path)())

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 1


def test_rotation_brings_every_password_under_a_new_key(cast: Cast, keys: datadir.KeyFile) -> None:
    chosen = [cast.add(name) for name in ("a", "b", "c")]
    old = list(keys())

    call_command("rotate_keys")

    assert list(keys()) != old
    assert len(keys()) == 1
    for it in chosen:
        assert services().store.credential(it.key, uid=it.uid).password == CANARY, (
            "by the store that was running"
        )
        with pytest.raises(Unavailable, match="key_missing"):
            EmbeddedStore(Sealer(lambda: old)).credential(it.key, uid=it.uid)


def test_a_deleted_registry_can_be_restored_after_a_rotation(
    cast: Cast, keys: datadir.KeyFile, capsys: Any
) -> None:
    it, access, old = cast.add(), cast.access("nina"), list(keys())
    services().registries.delete(access=access, key=it.key, uid=it.uid)

    call_command("rotate_keys")

    assert "1 deleted registries" in capsys.readouterr().out
    with pytest.raises(Unavailable, match="key_missing"):
        Trash(Sealer(lambda: old), timedelta(hours=1), lambda before, after: None).open(
            Deleted(it.key, it.uid, DeletedRegistry.objects.get().sealed)
        )
    after = services().undo.restore(access=access, key=it.key)
    assert services().store.credential(after.key, uid=after.uid).password == CANARY


def test_a_rotation_that_was_cut_off_loses_nothing_and_can_be_done_again(
    cast: Cast, keys: datadir.KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = cast.add()
    real, calls = EmbeddedStore.reseal, []

    def cut_off(store: EmbeddedStore) -> int:
        calls.append(real(store))
        raise KeyboardInterrupt

    monkeypatch.setattr(EmbeddedStore, "reseal", cut_off)
    with pytest.raises(KeyboardInterrupt):
        call_command("rotate_keys")
    assert len(keys()) == 2
    assert services().store.credential(it.key, uid=it.uid).password == CANARY
    monkeypatch.undo()

    call_command("rotate_keys")

    assert len(keys()) == 1
    assert services().store.credential(it.key, uid=it.uid).password == CANARY


def test_two_rotations_at_once_lose_nothing(
    cast: Cast, keys: datadir.KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads the keys, adds one, and deletes the others: the second one must not begin before the first ends."""
    it, real, held = cast.add(), EmbeddedStore.reseal, []

    def begun(store: EmbeddedStore) -> int:
        folder = os.open(keys.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.append(len(keys()))
        finally:
            os.close(folder)
        return real(store)

    monkeypatch.setattr(EmbeddedStore, "reseal", begun)
    call_command("rotate_keys")
    call_command("rotate_keys")

    assert held == [2, 2]
    assert services().store.credential(it.key, uid=it.uid).password == CANARY


def test_keys_from_the_environment_are_rotated_by_whoever_sets_them(
    cast: Cast, settings: Any, capsys: Any
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.PASSWORD_KEYS = lambda: (old,)
    wiring.reset()
    it = cast.add()
    settings.PASSWORD_KEYS = lambda: (new, old)
    wiring.reset()

    call_command("rotate_keys")

    assert "Remove the others" in capsys.readouterr().out
    only_new = EmbeddedStore(Sealer(lambda: (new,)))
    assert only_new.credential(it.key, uid=it.uid).password == CANARY


def test_two_seals_of_one_password_differ(cast: Cast) -> None:
    cast.add("a")
    cast.add("b")

    sealed = list(
        StoredResource.objects.filter(kind="RegistrySecret").values_list("sealed_password", flat=True)
    )

    assert sealed[0] != sealed[1]


PASSWORDS = [
    "",
    "p",
    8 * "p",
    72 * "p",
    512 * "p",
    1000 * "p",
    100 * '"',
    40 * "\\",
    100 * "密",
    80 * "🔑",
    50 * "\x01",
]


def test_the_length_of_a_seal_does_not_tell_the_length_of_the_password() -> None:
    key = Fernet.generate_key().decode()
    sealer = Sealer(lambda: (key,), lambda: None)

    seals = {it: sealer.seal(it, uid="u", binding="b") for it in PASSWORDS}

    assert len({len(it) for it in seals.values()}) == 1
    for password, sealed in seals.items():
        assert sealer.open(sealed, uid="u", binding="b") == password


def test_a_large_password_has_one_of_few_lengths_whatever_its_binding() -> None:
    key = Fernet.generate_key().decode()
    sealer = Sealer(lambda: (key,), lambda: None)
    for binding in ("", "b", 15 * "b", 4000 * "b"):
        lengths = {len(sealer.seal(it * "p", uid="u", binding=binding)) for it in range(1, 16_385, 97)}

        assert len(lengths) <= 6


def test_a_seal_without_filling_opens_and_is_filled_by_a_rotation() -> None:
    key = Fernet.generate_key().decode()
    sealer = Sealer(lambda: (key,), lambda: None)
    for password in PASSWORDS:
        payload = json.dumps({"uid": "u", "binding": "b", "password": password})
        old = Fernet(key).encrypt(payload.encode()).decode()

        assert sealer.open(old, uid="u", binding="b") == password
        fresh = sealer.reseal(old)
        assert sealer.open(fresh, uid="u", binding="b") == password
        assert len(fresh) == len(sealer.seal("p", uid="u", binding="b"))
