"""The configuration of container runtimes for mirrors, and the files of the CAs that it needs.

Sources: github.com/containerd/containerd/blob/main/docs/hosts.md, docs.docker.com/docker-hub/image-library/mirror,
docs.k3s.io/installation/private-registry.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

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
    for _, group in groupby(mirrors, key=lambda it: it.upstream):
        same = list(group)
        folder, upstream = f"{CERTS_D}/{same[0].upstream_host}", same[0]
        lines = [f"server = {_quoted(_server(upstream.upstream))}"]
        lines += _ca_line(upstream.upstream_host, authorities)
        for it in same:
            may = ["pull", "resolve"] if it.resolves else ["pull"]
            lines += ["", f"[host.{_quoted(_url(it.address))}]", f"capabilities = {json.dumps(may)}"]
            lines += _ca_line(it.host, authorities)
        files.append(ConfigFile(f"{folder}/hosts.toml", "\n".join(lines) + "\n"))
        hosts = dict.fromkeys([upstream.upstream_host, *(it.host for it in same)])
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
    cas = [
        ConfigFile(f"{DOCKER}/certs.d/{it.host}/ca.crt", authorities[it.host])
        for it in used
        if it.host in authorities
    ]
    return [ConfigFile(f"{DOCKER}/daemon.json", json.dumps(document, indent=2) + "\n"), *cas]


def rancher_files(mirrors: Iterable[MirrorView], authorities: Mapping[str, str]) -> list[ConfigFile]:
    """registries.yaml of K3s and RKE2, without mirrors that may not resolve tags."""
    used = [it for it in mirrors if it.resolves]
    if not used:
        return []
    lines = ["mirrors:"]
    for _, group in groupby(used, key=lambda it: it.upstream):
        same = list(group)
        lines += [f"  {_quoted(same[0].upstream_host)}:", "    endpoint:"]
        lines += [f"      - {_quoted(_url(it.address))}" for it in same]
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


def _ca_line(host: str, authorities: Mapping[str, str]) -> list[str]:
    """A relative path starts at the folder of hosts.toml."""
    return [f"ca = {_quoted(_file_of(host))}"] if host in authorities else []


def _url(address: str) -> str:
    return address if "://" in address else f"https://{address}"


def _server(upstream: str) -> str:
    return f"https://{DOCKER_HUB_HOST}" if upstream == DOCKER_HUB else _url(upstream)


def _file_of(host: str) -> str:
    """The name of a CA file. The colons of ports and of IPv6 are left out."""
    return f"{host.replace(':', '_').strip('[]').replace(']', '')}.crt"


def _quoted(text: str) -> str:
    """A basic string of TOML and a double-quoted one of YAML: hosts are ASCII."""
    return json.dumps(text)
