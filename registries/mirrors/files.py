"""The configuration of container runtimes for mirrors, and the files of the CAs that it needs.

Sources: github.com/containerd/containerd/blob/main/docs/hosts.md, docs.docker.com/docker-hub/image-library/mirror,
docs.k3s.io/installation/private-registry.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from registries.addresses import DOCKER_HUB, DOCKER_HUB_HOST
from registries.mirrors.listing import MirrorView

CERTS_D = "/etc/containerd/certs.d"
DOCKER = "/etc/docker"
RANCHER = "/etc/rancher/k3s"
RANCHER_CAS = "/etc/rancher/mirrors"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file on a node. `path` is where the runtime looks for it."""

    path: str
    text: str


def containerd_files(mirrors: Iterable[MirrorView], authorities: Mapping[str, str]) -> list[ConfigFile]:
    """One hosts.toml for each upstream. `authorities` has the PEM text of the CAs of a host, by host[:port]."""
    files = []
    for upstream, same in _by_upstream(mirrors).items():
        folder = f"{CERTS_D}/{upstream}"
        lines = [f"server = {_quoted(_server(same[0].upstream))}"]
        lines += _ca_line(upstream, authorities)
        for it in same:
            may = ["pull", "resolve"] if it.resolves else ["pull"]
            lines += ["", f"[host.{_quoted(_url(it.address))}]", f"capabilities = {json.dumps(may)}"]
            lines += _ca_line(it.host, authorities)
        files.append(ConfigFile(f"{folder}/hosts.toml", "\n".join(lines) + "\n"))
        hosts = dict.fromkeys([upstream, *(it.host for it in same)])
        files += [
            ConfigFile(f"{folder}/{_file_of(host)}", authorities[host])
            for host in hosts
            if host in authorities
        ]
    return files


def docker_files(mirrors: Iterable[MirrorView], authorities: Mapping[str, str]) -> list[ConfigFile]:
    """daemon.json with the mirrors of Docker Hub, which are all that Docker knows. It does not know mirrors that may
    not resolve tags."""
    used = [it for it in mirrors if it.resolves and it.upstream == DOCKER_HUB]
    if not used:
        return []
    document = {"registry-mirrors": [_url(it.address) for it in used]}
    hosts = dict.fromkeys(it.host for it in used if it.host in authorities)
    cas = [ConfigFile(f"{DOCKER}/certs.d/{it}/ca.crt", authorities[it]) for it in hosts]
    return [ConfigFile(f"{DOCKER}/daemon.json", json.dumps(document, indent=2) + "\n"), *cas]


def rancher_files(mirrors: Iterable[MirrorView], authorities: Mapping[str, str]) -> list[ConfigFile]:
    """registries.yaml of K3s and RKE2, without mirrors that may not resolve tags. K3s itself goes on to the upstream by
    HTTPS; one with plain HTTP is named as the last endpoint."""
    used = [it for it in mirrors if it.resolves]
    if not used:
        return []
    lines = ["mirrors:"]
    for upstream, same in _by_upstream(used).items():
        plain = [same[0].upstream] if same[0].upstream.startswith("http://") else []
        lines += [f"  {_quoted(upstream)}:", "    endpoint:"]
        lines += [f"      - {_quoted(_url(it))}" for it in (*(it.address for it in same), *plain)]
    hosts = sorted({host for it in used for host in (it.host, it.upstream_host)} & authorities.keys())
    if hosts:
        lines.append("configs:")
    for host in hosts:
        path = f"{RANCHER_CAS}/{_file_of(host)}"
        lines += [f"  {_quoted(host)}:", "    tls:", f"      ca_file: {_quoted(path)}"]
    cas = [ConfigFile(f"{RANCHER_CAS}/{_file_of(host)}", authorities[host]) for host in hosts]
    return [ConfigFile(f"{RANCHER}/registries.yaml", "\n".join(lines) + "\n"), *cas]


def left_out(mirrors: Iterable[MirrorView]) -> Sequence[str]:
    """The hosts that daemon.json and registries.yaml do not have, because they may not resolve tags."""
    return [it.host for it in mirrors if not it.resolves]


def _by_upstream(mirrors: Iterable[MirrorView]) -> dict[str, list[MirrorView]]:
    """The mirrors of each host[:port], in their order. A runtime has one file for a host, whatever its scheme, and each
    mirror in it once."""
    found: dict[str, dict[str, MirrorView]] = {}
    for it in mirrors:
        found.setdefault(it.upstream_host, {}).setdefault(it.address, it)
    return {host: list(same.values()) for host, same in found.items()}


def _ca_line(host: str, authorities: Mapping[str, str]) -> list[str]:
    """A relative path starts at the folder of hosts.toml."""
    return [f"ca = {_quoted(_file_of(host))}"] if host in authorities else []


def _url(address: str) -> str:
    return address if "://" in address else f"https://{address}"


def _server(upstream: str) -> str:
    return f"https://{DOCKER_HUB_HOST}" if upstream == DOCKER_HUB else _url(upstream)


def _file_of(host: str) -> str:
    """The name of a CA file, without colons and brackets: 2001_db8__1-8443.crt for [2001:db8::1]:8443. Another
    character before the port, since [2001:db8::1:8443] is another host."""
    return f"{host.replace(']:', '-').replace(':', '_').strip('[]')}.crt"


def _quoted(text: str) -> str:
    """A basic string of TOML and a double-quoted one of YAML: hosts are ASCII."""
    return json.dumps(text)
