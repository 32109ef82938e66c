"""The generated configuration is read back by independent readers, whatever was typed as a mirror."""

import json
import re
import tomllib

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registries.addresses import AddressError, parse_address
from registries.mirrors.files import (
    CERTS_D,
    DOCKER,
    RANCHER,
    ConfigFile,
    containerd_files,
    docker_files,
    rancher_files,
)
from registries.mirrors.listing import MirrorView
from tests.examples import of
from tests.mirrors.test_files import mirror

SPECIAL = "'\"`$(){}[]<>|&;#%*!?~\\/=@^,+_ \n\r\t\0\x7f\u202e\u2028\u00a0\ufeffé中aA0.:-"
NAMES = (
    "reg",
    "reg.io",
    "[::1]",
    "[::1:5000]",
    "::1:5000",
    "-x",
    "$(id)",
    "`id`",
    'a"]',
    "a'b",
    "例子.cn",
    "x_y",
)
PARTS = [
    st.sampled_from(("", "http://", "https://", "HTTP://")),
    st.one_of(st.sampled_from(NAMES), st.text(SPECIAL, max_size=12)),
    st.sampled_from(("", ":443", ":80", ":5000", ":", "/", "\n", "]", '"')),
]
NEAR = ("docker.io", "reg.io", "http://reg.io", "[::1]:5000", "http://[::1]:5000", "[::1:5000]")
"""Addresses whose files could be one and the same."""
TYPED = st.one_of(st.sampled_from(NEAR), st.tuples(*PARTS).map("".join))


def stored(typed: str) -> str | None:
    """An address as the list keeps it; None if the form refuses it."""
    try:
        parsed = parse_address(typed)
    except AddressError:
        return None
    return f"http://{parsed.canonical}" if parsed.plain_http else parsed.canonical


Typed = list[tuple[MirrorView, str]]


@st.composite
def lists(draw: st.DrawFn) -> tuple[Typed, dict[str, str]]:
    """Mirrors of a list that took what was typed, each with the URL of its mirror; and the CAs of some hosts."""
    typed = draw(st.lists(st.tuples(TYPED, TYPED, st.booleans()), max_size=6))
    pairs = [(stored(upstream), stored(address), may) for upstream, address, may in typed]
    all_of_them = [mirror(it[0], it[1], resolves=it[2]) for it in pairs if it[0] and it[1]]
    found = list({(it.upstream_host, it.address): it for it in reversed(all_of_them)}.values())[::-1]
    hosts = sorted({host for it in found for host in (it.host, it.upstream_host)})
    return [(it, url_of(it.address)) for it in found], {
        it: f"PEM {it}\n" for it in hosts if draw(st.booleans())
    }


def url_of(address: str) -> str:
    return address if address.startswith("http://") else f"https://{address}"


def texts(files: list[ConfigFile]) -> dict[str, str]:
    """The files by path: each once, and no path needs quotes in a shell or holds a part of another folder."""
    found = {it.path: it.text for it in files}
    assert len(found) == len(files)
    assert all(re.fullmatch(r"(/[a-zD0-9_:\[\]-][a-zA-Z0-9._:\[\]-]*)+", it) for it in found), [*found]
    return found


ALMOST_ALIKE = [(mirror("reg.io", it), f"https://{it}") for it in ("[::1]:5000", "[::1:5000]")]


@settings(max_examples=of(800))
@given(lists())
@example((ALMOST_ALIKE, {it.host: it.host for it, _ in ALMOST_ALIKE}))
def test_hosts_toml_is_read_back_whatever_was_typed(given: tuple[Typed, dict[str, str]]) -> None:
    typed, cas = given
    files = texts(containerd_files([it for it, _ in typed], cas))
    for host in {it.upstream_host for it, _ in typed}:
        own = [(it, url) for it, url in typed if it.upstream_host == host]
        folder = f"{CERTS_D}/{host}"
        document = tomllib.loads(files.pop(f"{folder}/hosts.toml"))
        hub, may = host == "docker.io", {True: ["pull", "resolve"], False: ["pull"]}
        assert document["server"] == ("https://registry-1.docker.io" if hub else url_of(own[0][0].upstream))
        tables = document["host"]
        assert {url: it["capabilities"] for url, it in tables.items()} == {
            url: may[it.resolves] for it, url in own
        }
        named = {host: document, **{it.host: tables[url] for it, url in own}}
        shown = {it: files[f"{folder}/{table['ca']}"] for it, table in named.items() if "ca" in table}
        assert shown == {it: cas[it] for it in named if it in cas}
    assert {it.rpartition("/")[0] for it in files} <= {f"{CERTS_D}/{it.upstream_host}" for it, _ in typed}


@settings(max_examples=of(800))
@given(lists())
def test_daemon_json_is_read_back_whatever_was_typed(given: tuple[Typed, dict[str, str]]) -> None:
    typed, cas = given
    used = [(it.host, url) for it, url in typed if it.resolves and it.upstream == "docker.io"]
    files = texts(docker_files([it for it, _ in typed], cas))

    document = json.loads(files.pop(f"{DOCKER}/daemon.json")) if used else {}
    assert document == ({"registry-mirrors": [url for _, url in used]} if used else {})
    assert files == {f"{DOCKER}/certs.d/{it}/ca.crt": cas[it] for it, _ in used if it in cas}


@settings(max_examples=of(800))
@given(lists())
def test_registries_yaml_is_read_back_whatever_was_typed(given: tuple[Typed, dict[str, str]]) -> None:
    typed, cas = given
    endpoints: dict[str, list[str]] = {}
    plain: dict[str, list[str]] = {}
    used = [(it, url) for it, url in typed if it.resolves]
    for it, url in used:
        endpoints.setdefault(it.upstream_host, []).append(url)
        plain.setdefault(it.upstream_host, [it.upstream] if it.upstream.startswith("http:") else [])
    files = texts(rancher_files([it for it, _ in typed], cas))

    document = yaml.safe_load(files[f"{RANCHER}/registries.yaml"]) if used else {"mirrors": {}}
    assert {host: it["endpoint"] for host, it in document["mirrors"].items()} == {
        host: [*urls, *plain[host]] for host, urls in endpoints.items()
    }
    hosts = {host for it, _ in used for host in (it.host, it.upstream_host)}
    shown = {host: files[it["tls"]["ca_file"]] for host, it in document.get("configs", {}).items()}
    assert shown == {it: pem for it, pem in cas.items() if it in hosts}
