"""Every Pod that the console or deploy/ makes, against each control of the Pod Security Standard `restricted`, which
contains those of `baseline`. The API server of the tests has no such admission, so the controls are written out here
as on https://kubernetes.io/docs/concepts/security/pod-security-standards/."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from registries.domain.registry import Key, Provider, RegistrySecret
from registries.pull_secrets.node_pods import pod
from tests.peers import deployed

Json = dict[str, Any]
VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SYSCTLS = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies"}
SELINUX = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe")
REGISTRY = RegistrySecret(
    Key("team-a", "harbor"), "r", "1", datetime(2026, 1, 1, tzinfo=UTC), "h.example.com", "u", Provider.HARBOR
)


def violations(spec: Json) -> set[str]:
    """The controls that a Pod does not keep."""
    own = spec.get("securityContext") or {}
    containers = [
        it
        for group in ("containers", "initContainers", "ephemeralContainers")
        for it in spec.get(group) or ()
    ]
    contexts = [it.get("securityContext") or {} for it in containers]
    everyone = [own, *contexts]

    def inherited(name: str) -> list[Any]:
        return [it.get(name, own.get(name)) for it in contexts]

    kept = {
        "host namespaces": not any(spec.get(it) for it in ("hostNetwork", "hostPID", "hostIPC")),
        "host process": not any((it.get("windowsOptions") or {}).get("hostProcess") for it in everyone),
        "privileged": not any(it.get("privileged") for it in contexts),
        "capabilities dropped": all("ALL" in _capabilities(it, "drop") for it in contexts),
        "capabilities added": all(_capabilities(it, "add") <= {"NET_BIND_SERVICE"} for it in contexts),
        "volume types": all(it.keys() - {"name"} <= VOLUMES for it in spec.get("volumes") or ()),
        "host ports": not any(port.get("hostPort") for it in containers for port in it.get("ports") or ()),
        "hosts of probes": not any(map(_asks_another_host, containers)),
        "AppArmor": all(_profile(it, "appArmorProfile") != "Unconfined" for it in everyone),
        "SELinux": all(_selinux(it) for it in everyone),
        "proc mount": all(it.get("procMount", "Default") == "Default" for it in contexts),
        "sysctls": {it["name"] for it in own.get("sysctls") or ()} <= SYSCTLS,
        "privilege escalation": all(it.get("allowPrivilegeEscalation") is False for it in contexts),
        "not root": all(it is True for it in inherited("runAsNonRoot")),
        "user": all(it.get("runAsUser") != 0 for it in everyone),
        "seccomp": all(
            (it or {}).get("type") in ("RuntimeDefault", "Localhost") for it in inherited("seccompProfile")
        ),
    }
    return {control for control, is_kept in kept.items() if not is_kept}


def _capabilities(context: Json, how: str) -> set[str]:
    return set((context.get("capabilities") or {}).get(how) or ())


def _profile(context: Json, name: str) -> str:
    return str((context.get(name) or {}).get("type"))


def _selinux(context: Json) -> bool:
    options = context.get("seLinuxOptions") or {}
    return options.get("type") in SELINUX and not options.get("user") and not options.get("role")


def _asks_another_host(container: Json) -> bool:
    handlers = [container.get(it) or {} for it in HANDLERS]
    handlers += [it or {} for it in (container.get("lifecycle") or {}).values()]
    return any((it.get(kind) or {}).get("host") for it in handlers for kind in ("httpGet", "tcpSocket"))


def node_pod(*, control: bool = False, small: bool = True) -> Json:
    made = pod(REGISTRY, "0", "edge-07", "h.example.com/a:1", control=control, small=small)
    return dict(made["spec"])


def made_pods() -> Iterator[tuple[str, Json]]:
    for control in (False, True):
        for small in (False, True):
            yield f"test from a node, {control=}, {small=}", node_pod(control=control, small=small)
    for variant in deployed.VARIANTS:
        for item in deployed.documents(variant):
            if item["kind"] == "Deployment":
                yield f"deploy/{variant}", item["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("name", "spec"), list(made_pods()), ids=lambda it: it if isinstance(it, str) else ""
)
def test_a_pod_keeps_every_control(name: str, spec: Json) -> None:
    assert violations(spec) == set(), name


def test_every_deployment_is_among_them() -> None:
    assert {f"deploy/{it}" for it in deployed.VARIANTS} <= {name for name, _ in made_pods()}


def _in_container(**changes: Any) -> Callable[[Json], object]:
    return lambda spec: spec["containers"][0]["securityContext"].update(changes)


def _in_pod(**changes: Any) -> Callable[[Json], object]:
    return lambda spec: spec["securityContext"].update(changes)


BREAKS: dict[str, list[Callable[[Json], object]]] = {
    "host namespaces": [
        lambda spec: spec.update(hostNetwork=True),
        lambda spec: spec.update(hostPID=True),
        lambda spec: spec.update(hostIPC=True),
    ],
    "host process": [_in_pod(windowsOptions={"hostProcess": True})],
    "privileged": [_in_container(privileged=True)],
    "capabilities dropped": [
        _in_container(capabilities={"drop": ["NET_RAW"]}),
        _in_container(capabilities=None),
    ],
    "capabilities added": [_in_container(capabilities={"drop": ["ALL"], "add": ["SYS_TIME"]})],
    "volume types": [lambda spec: spec.update(volumes=[{"name": "v", "hostPath": {"path": "/"}}])],
    "host ports": [lambda spec: spec["containers"][0].update(ports=[{"containerPort": 1, "hostPort": 1}])],
    "hosts of probes": [
        lambda spec: spec["containers"][0].update(
            livenessProbe={"tcpSocket": {"port": 1, "host": "10.0.0.1"}}
        )
    ],
    "AppArmor": [_in_pod(appArmorProfile={"type": "Unconfined"})],
    "SELinux": [_in_pod(seLinuxOptions={"type": "spc_t"}), _in_container(seLinuxOptions={"user": "root"})],
    "proc mount": [_in_container(procMount="Unmasked")],
    "sysctls": [_in_pod(sysctls=[{"name": "kernel.msgmax", "value": "1"}])],
    "privilege escalation": [
        _in_container(allowPrivilegeEscalation=True),
        _in_container(allowPrivilegeEscalation=None),
    ],
    "not root": [_in_pod(runAsNonRoot=None), _in_container(runAsNonRoot=False)],
    "user": [_in_pod(runAsUser=0), _in_container(runAsUser=0)],
    "seccomp": [_in_pod(seccompProfile=None), _in_container(seccompProfile={"type": "Unconfined"})],
}


@pytest.mark.parametrize(
    ("control", "change"), [(name, it) for name, changes in BREAKS.items() for it in changes]
)
def test_each_control_is_looked_at(control: str, change: Callable[[Json], object]) -> None:
    spec = deepcopy(node_pod())
    change(spec)

    assert violations(spec) == {control}
