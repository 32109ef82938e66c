"""The proxy before an API server: its login is sent, and what is no proxy is told without its password."""

import json
import traceback
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from registries.cluster.configuration import configuration
from registries.cluster.connection import Connection
from registries.domain.errors import Problem, Unavailable
from tests.peers.canary import CANARY
from tests.peers.connect_proxy import connect_proxy
from tests.peers.scripted import registry_ok, scripted

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, *map(str.lower, NAMES)):
        monkeypatch.delenv(name, raising=False)


def kubeconfig(folder: Path, **cluster: Any) -> Path:
    server = {"server": "https://api.example:6443", **cluster}
    content = {
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": "u", "user": {"token": "of-the-console"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (folder / "config").write_text(json.dumps(content))
    return folder / "config"


@pytest.mark.parametrize("place", ["proxy-url", "HTTPS_PROXY", "https_proxy"])
def test_the_login_of_the_proxy_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    with (
        scripted(lambda request: registry_ok()) as server,
        connect_proxy(server, lambda _: b"407 no") as proxy,
    ):
        url = f"http://robot:p%40ss@127.0.0.1:{proxy.port}"
        if place != "proxy-url":
            monkeypatch.setenv(place, url)
        given = configuration(kubeconfig(tmp_path, **({place: url} if place == "proxy-url" else {})))
        with pytest.raises(Unavailable) as told:
            Connection(given).call("GET", "/version", subject="")

    login = b64encode(b"robot:p@ss")
    assert proxy.targets == ["api.example:6443"]
    assert b"proxy-authorization: basic " + login.lower() in proxy.heads[0].lower()
    assert b"of-the-console" not in proxy.heads[0]
    assert told.value.problem == Problem.CLUSTER_AWAY


def test_what_no_proxy_names_is_reached_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://robot@127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "localhost,.example")

    assert configuration(kubeconfig(tmp_path)).no_proxy == "localhost,.example"


@pytest.mark.parametrize("place", ["proxy-url", "HTTPS_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    [
        f"socks5://u:{CANARY}@127.0.0.1:1080",
        f"ftp://u:{CANARY}@127.0.0.1:21",
        f"http://u:{CANARY}@127.0.0.1:99999",
        f"http://u:{CANARY}@[::1",
        f"http://u:{CANARY}@",
        f"u:{CANARY}@127.0.0.1:3128",
        "://",
    ],
)
def test_what_is_no_proxy_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, proxy: str
) -> None:
    if place != "proxy-url":
        monkeypatch.setenv(place, proxy)

    with pytest.raises(Unavailable) as told:
        configuration(kubeconfig(tmp_path, **({place: proxy} if place == "proxy-url" else {})))

    assert told.value.problem == Problem.CLUSTER_UNCONFIGURED
    assert CANARY not in "".join(traceback.format_exception(told.value))


@pytest.mark.parametrize("proxy", [5, ["http://127.0.0.1:1"], {"url": "http://127.0.0.1:1"}])
def test_a_proxy_of_a_kubeconfig_is_a_url(tmp_path: Path, proxy: object) -> None:
    with pytest.raises(Unavailable):
        configuration(kubeconfig(tmp_path, **{"proxy-url": proxy}))
