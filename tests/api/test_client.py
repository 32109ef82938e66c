"""The contract as a client meets it: a short client with requests, and the example in docs/api.md."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from registries.demo.process import DemoRegistries
from tests.canary import CANARY
from tests.cast import Probing
from tests.peers.cluster import Cluster
from tests.peers.command import Serving
from tests.peers.scripted import wait_for
from tests.peers.served_api import serving


@pytest.fixture(scope="module", params=["embedded", "kubernetes"])
def console(
    tmp_path_factory: pytest.TempPathFactory, demo_registries: DemoRegistries, request: pytest.FixtureRequest
) -> Iterator[tuple[Serving, str]]:
    """On each store."""
    values = {"CONSOLE_STORE": request.param}
    if request.param == "kubernetes":
        cluster: Cluster = request.getfixturevalue("cluster")
        cluster.empty("team-a", "team-b")
        values["KUBECONFIG"] = str(cluster.server.kubeconfig("console"))
    values |= {
        "CONSOLE_PROBE_ALLOW_LOOPBACK": "1",
        "CONSOLE_PROBE_CA_FILE": str(demo_registries.ca_file),
        "CONSOLE_PROBE_TIMEOUT": "60",
    }
    with serving(tmp_path_factory.mktemp("served") / "data", **values) as served:
        yield served


class Client:
    """Everything that api.md names, and nothing that this project knows."""

    def __init__(self, url: str, token: str) -> None:
        self.base, self.http = f"{url}/oapis/image.theriseunion.io/v1alpha1/namespaces", requests.Session()
        self.http.trust_env, self.http.headers["Authorization"] = False, f"Bearer {token}"

    def call(self, method: str, path: str, **how: Any) -> Any:
        answer = self.http.request(method, f"{self.base}/{path}", timeout=30, **how)
        answer.raise_for_status()
        assert CANARY not in answer.text
        return answer.json() if answer.content else None

    def everything(self, namespace: str, search: str = "") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for page in range(1, 1000):
            query = {"page": page, "limit": 3, "search": search}
            found = self.call("GET", f"{namespace}/registry-secrets", params=query)
            items += found["items"]
            if len(items) >= found["totalItems"]:
                break
        return items


def secret(name: str, **spec: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"username": "u", "password": CANARY, "provider": "other", **spec},
    }


def test_a_plain_client_creates_lists_verifies_edits_and_deletes(
    console: tuple[Serving, str], probing: Probing
) -> None:
    client = Client(f"http://127.0.0.1:{console[0].port}", console[1])
    good = probing("harbor")
    for number in range(7):
        spec = good if number == 0 else {"domain": f"r{number}.example.com"}
        made = client.call("POST", "team-a/registry-secrets", json=secret(f"r{number}", **spec))
        assert made["metadata"]["annotations"]["theriseunion.io/verify-status"] == "untested"

    assert len(client.everything("team-a")) == len(client.everything("_all_")) == 7
    assert [it["metadata"]["name"] for it in client.everything("_all_", "R3.example")] == ["r3"]
    assert client.call("POST", "team-a/registry-secrets/r0/verify")["success"] is True
    typed = client.call("POST", "team-a/registry-secrets/none/verify", json={**good, "password": "wrong"})
    assert (typed["success"], typed["reason"]) == (False, "bad_credentials")
    found = client.call("GET", "team-a/registry-secrets/r0")
    assert found["metadata"]["annotations"]["theriseunion.io/verify-status"] == "success"
    change = {"metadata": {"annotations": {"theriseunion.io/display-name": "生产"}}}
    edited = client.call("PATCH", "team-a/registry-secrets/r0", json=change)
    assert edited["metadata"]["annotations"]["theriseunion.io/display-name"] == "生产"
    for number in range(7):
        assert client.call("DELETE", f"team-a/registry-secrets/r{number}") is None
    assert client.everything("_all_") == []
    with pytest.raises(requests.HTTPError, match="404"):
        client.call("GET", "team-a/registry-secrets/r0")


def test_a_body_in_chunks_is_read(console: tuple[Serving, str]) -> None:
    """Some clients do not say how long a body is. One that was taken for none would test what is stored."""
    client = Client(f"http://127.0.0.1:{console[0].port}", console[1])
    path = f"{client.base}/team-a/registry-secrets/none/verify"

    def pieces(*of: bytes) -> Iterator[bytes]:
        yield from of

    json = {"Content-Type": "application/json"}
    some = client.http.post(path, pieces(b'{"domain"', b': "x y"}'), headers=json, timeout=60)
    many = client.http.post(path, pieces(*[b" " * 65536] * 20), headers=json, timeout=60)

    assert some.status_code == 422
    assert many.status_code == 413


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def applied(console: tuple[Serving, str], request: pytest.FixtureRequest) -> list[str]:
    """What `kubectl` made beside the console, without annotations of its own and with odd ones; by name."""
    if "kubernetes" not in request.node.callspec.id:
        return []
    cluster: Cluster = request.getfixturevalue("cluster")
    for name in ("bare", "odd"):
        cluster.apply("team-b", name, password=CANARY)
    cluster.annotate("team-b", "odd", {"theriseunion.io/verify-status": "bogus"})
    client = Client(f"http://127.0.0.1:{console[0].port}", console[1])
    assert wait_for(lambda: len(client.everything("team-b", "h.example.com")) >= 2)
    return ["bare", "odd"]


@pytest.mark.parametrize("page", ["docs/api.md", "docs/api.zh-CN.md"])
def test_the_example_of_the_documents_lists_everything(
    console: tuple[Serving, str], applied: list[str], page: str
) -> None:
    """One page is 100: with more there are two."""
    url = f"http://127.0.0.1:{console[0].port}"
    client = Client(url, console[1])
    if len(client.everything("team-b")) <= len(applied):
        for number in range(101):
            client.call(
                "POST", "team-b/registry-secrets", json=secret(f"r{number:03}", domain="h.example.com")
            )
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)

    environment = {"CONSOLE_URL": url, "CONSOLE_TOKEN": console[1], "NO_PROXY": "*"}
    done = subprocess.run(
        [sys.executable, "-c", example],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("team-b ")] == [
        f"team-b {name} h.example.com untested"
        for name in (*applied, *(f"r{number:03}" for number in range(101)))
    ]


def test_the_example_of_the_documents_is_typed(tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(example)

    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert done.returncode == 0, done.stdout
