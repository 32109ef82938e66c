"""A data folder of an older version (commit c0353db) is migrated, and serves what it holds. before/make.py made it."""

import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.command import LONG, Serving, manage
from tests.processes.serving import log_in

BEFORE = Path(__file__).parent / "before"
TOKEN = "rct_c4MdJ5CndfO-cQSob2QAArLlp8o351eV_lyGikCViX0"
DELETION = "3c70829d-1f36-4878-aeaa-2553acca48c8"
API = "/oapis/image.theriseunion.io/v1alpha1"
PASSWORDS = """
from registries.domain.registry import Key
from registries.models import StoredResource
from registries.wiring import services
for it in StoredResource.objects.filter(kind="RegistrySecret").order_by("name"):
    print(services().store.credential(Key(it.namespace, it.name), uid=it.uid).password)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("before") / "data"
    (folder / "keys").mkdir(parents=True, mode=0o700)
    (folder / "keys" / "passwords.keys").write_text((BEFORE / "passwords.keys").read_text())
    (folder / "keys" / "passwords.keys").chmod(0o600)
    with sqlite3.connect(folder / "console.sqlite3") as database:
        database.executescript((BEFORE / "console.sql").read_text())
    return folder


@pytest.fixture(scope="module")
def console(folder: Path) -> Iterator[Serving]:
    with Serving(folder, "serve") as console:
        yield console


@pytest.fixture(scope="module")
def olive(console: Serving) -> urllib.request.OpenerDirector:
    return log_in(console, "olive", "quiet river 42")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/registries/", ["harbor-prod", "harbor-dev", "生产环境 Harbor", "连接被拒绝"]),
        ("/registries/team-a/harbor-prod/", ["127.0.0.1:9", "robot$ci", "生产环境 Harbor", "连接被拒绝"]),
        ("/journal/", ["harbor-gone", "harbor-old", "manage.py verify", "olive"]),
        (f"/registries/-/runs/{DELETION}/", ["删除完成"]),
        ("/accounts/", ["olive", "vic", "image-viewer"]),
        ("/namespaces/", ["team-a", "team-b"]),
        ("/tokens/", ["pipeline", "rct_c4MdJ5Cn"]),
    ],
)
def test_a_page_shows_what_was_there(
    console: Serving, olive: urllib.request.OpenerDirector, path: str, expected: list[str]
) -> None:
    page = olive.open(f"http://127.0.0.1:{console.port}{path}", timeout=LONG).read().decode()

    for text in expected:
        assert text in page


def test_what_was_deleted_is_not_there(console: Serving, olive: urllib.request.OpenerDirector) -> None:
    page = olive.open(f"http://127.0.0.1:{console.port}/registries/", timeout=LONG).read().decode()

    assert "harbor-gone" not in page


def test_a_token_still_reads_registries_their_tests_and_runs(console: Serving) -> None:
    found = {
        path: asked(console, path) for path in ("registry-secrets", "registry-secrets/harbor-prod/tests")
    }

    names = [it["metadata"]["name"] for it in found["registry-secrets"]["items"]]
    assert sorted(names) == ["harbor-dev", "harbor-prod"]
    reasons = [it["reason"] for it in found["registry-secrets/harbor-prod/tests"]["items"]]
    assert reasons == ["connection_refused"] * 2


def asked(console: Serving, path: str) -> dict[str, list[dict[str, str]]]:
    url = f"http://127.0.0.1:{console.port}{API}/namespaces/team-a/{path}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=LONG) as answer:
        return json.load(answer)


def test_passwords_are_opened_with_the_key_of_before(folder: Path, console: Serving) -> None:
    done = manage(folder, "shell", "-v", "0", "-c", PASSWORDS)

    assert done.stdout.split() == ["only-for-tests-harbor-dev", "only-for-tests-harbor-prod"], done.stderr
