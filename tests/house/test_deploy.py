"""deploy/: what an API server says to it, and that nothing in it is misspelt or forgotten."""

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.server import GRACE
from registries.cluster import installation
from registries.probe.address_guard import AddressClass, classify
from tests.peers import deployed
from tests.peers.api_server import ApiServer
from tests.peers.given_server import GivenServer

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy" / "base"
COLLECTIONS = {
    "Namespace": "/api/v1/namespaces",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Service": "/api/v1/namespaces/{}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
}


def documents() -> list[dict[str, Any]]:
    """All objects of all overlays, each once, and of monitoring/."""
    account = yaml.safe_load_all((ROOT / "deploy" / "monitoring" / "account.yaml").read_text())
    items = [*(it for variant in deployed.VARIANTS for it in deployed.documents(variant)), *account]
    return [it for number, it in enumerate(items) if it not in items[:number]]


def missing(given: Any, kept: Any, path: str = "") -> list[str]:
    """What was sent and did not come back: an old server drops fields that it does not know."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [it for key, value in given.items() for it in missing(value, kept.get(key), f"{path}.{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        pairs = enumerate(zip(given, kept, strict=True))
        return [it for n, (one, other) in pairs for it in missing(one, other, f"{path}[{n}]")]
    return [] if given == kept else [path]


@pytest.mark.parametrize("variant", ["base", *deployed.VARIANTS])
def test_every_file_is_in_the_kustomization(variant: str) -> None:
    folder = ROOT / "deploy" / variant
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    listed = [*kustomization["resources"], *(it["path"] for it in kustomization.get("patches", ()))]

    found = [it.name for it in folder.glob("*.yaml") if it.name != "kustomization.yaml"]
    assert sorted(it for it in listed if it != "../base") == sorted(found)


def test_the_namespaced_overlay_gives_rights_where_it_looks() -> None:
    named = deployed.settings_of("namespaced")["CONSOLE_CLUSTER_NAMESPACES"].split(",")
    everywhere = {role for role, namespace in deployed.rights_of("cluster-people")}

    for namespace in named:
        there = {role for role, place in deployed.rights_of("namespaced") if place in ("", namespace)}
        assert there | {"registry-console-cluster", "registry-console-lease"} == everywhere


def test_the_definitions_are_those_of_the_command() -> None:
    assert (BASE / "definitions.yaml").read_text() == installation.manifest()


@pytest.mark.parametrize("item", documents(), ids=lambda item: f"{item['kind']}-{item['metadata']['name']}")
def test_the_api_server_takes_it_whole(api_server: ApiServer | GivenServer, item: dict[str, Any]) -> None:
    api_server.create_namespace(item["metadata"].get("namespace", "registry-console"))
    collection = COLLECTIONS[item["kind"]].format(item["metadata"].get("namespace"))
    answer = api_server.call("POST", f"{collection}?dryRun=All", item)

    if answer.status == 409:  # it is there already, from another test: the same words as a change of it
        answer = api_server.call(
            "PATCH",
            f"{collection}/{item['metadata']['name']}?dryRun=All",
            item,
            kind="application/merge-patch+json",
        )
    assert answer.status in (200, 201), answer.body
    # 1.20 knows no CEL; a newer one keeps it, and the resource's own tests see it work there.
    lost = [it for it in missing(item, answer.body) if "x-kubernetes-validations" not in it]
    assert lost == []


def policy() -> dict[str, Any]:
    return next(it for it in documents() if it["kind"] == "NetworkPolicy")


def test_only_those_who_are_named_may_connect() -> None:
    """Whoever may, may say where a request came from."""
    sources = [source for rule in policy()["spec"]["ingress"] for source in rule.get("from") or [{}]]

    labels = [source.get("namespaceSelector", {}).get("matchLabels", {}) for source in sources]

    label = "kubernetes.io/metadata.name"
    assert labels == [{label: "ingress-nginx"}, {label: "monitoring"}]


METADATA = ["169.254.169.254", "169.254.170.2", "192.0.0.192", "100.100.100.200", "168.63.129.16"]
METADATA += ["fe80::a9fe:a9fe", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42"]
METADATA += ["fd00:c1::a9fe:a9fe"]


@pytest.mark.parametrize("address", METADATA)
def test_the_network_blocks_the_metadata_that_a_test_refuses(address: str) -> None:
    blocks = [to["ipBlock"] for rule in policy()["spec"]["egress"] for to in rule["to"] if "ipBlock" in to]
    blocked = [ip_network(it) for block in blocks for it in block["except"]]

    assert classify(address) is AddressClass.NEVER
    assert any(ip_address(address) in it for it in blocked)


def examples() -> list[Any]:
    """The examples in the README: an overlay, and a patch of it."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "deploy" / "README.md").read_text(), re.DOTALL)
    return [yaml.safe_load(it) for it in blocks]


def test_the_overlay_that_is_shown_fits() -> None:
    """It names an overlay and an image of ours, and only settings that the base has."""
    overlay = examples()[0]
    base = yaml.safe_load((ROOT / "deploy" / "base" / "kustomization.yaml").read_text())
    settings = yaml.safe_load((ROOT / "deploy" / "base" / "config.yaml").read_text())
    patch = yaml.safe_load(overlay["patches"][0]["patch"])

    assert (ROOT / "deploy" / "ours" / overlay["resources"][0]).resolve().is_dir()
    assert [it["name"] for it in overlay["images"]] == [it["newName"] for it in base["images"]]
    assert (patch["kind"], patch["metadata"]) == (settings["kind"], settings["metadata"])
    assert patch["data"].keys() <= settings["data"].keys()


def test_the_patch_that_names_others_fits() -> None:
    for operation in yaml.safe_load(examples()[1]["patches"][0]["patch"]):
        found: Any = policy()
        for part in operation["path"].split("/")[1:]:
            found = found[int(part) if isinstance(found, list) else part.replace("~1", "/")]
        assert isinstance(found, str)


def test_what_an_old_server_does_not_know_is_told_with_a_way_out() -> None:
    assert "x-kubernetes-validations" in installation.manifest()

    for text in (installation.manifest(), (ROOT / "deploy" / "README.md").read_text()):
        assert "--validate=false" in text


def test_every_setting_that_is_named_exists() -> None:
    settings = (ROOT / "console" / "settings.py").read_text()
    texts = [path.read_text() for path in (ROOT / "deploy").rglob("*") if path.is_file()]

    for name in set(re.findall(r"\b(?:CONSOLE_[A-Z_]+|DATABASE_URL)\b", "\n".join(texts))):
        assert f'"{name}"' in settings, name


def test_a_cluster_that_is_away_restarts_nothing() -> None:
    """It keeps a pod from being ready, until it has been there once."""
    deployment = next(it for it in documents() if it["kind"] == "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]

    asked = {
        name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")
    }

    assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def test_a_pod_has_a_few_seconds_more_to_stop_than_a_request_to_end() -> None:
    pods = [it["spec"]["template"]["spec"] for it in documents() if it["kind"] == "Deployment"]
    assert pods
    for pod in pods:
        assert 2 * GRACE <= pod["terminationGracePeriodSeconds"] <= 4 * GRACE


def test_the_lease_is_wherever_an_overlay_puts_the_pods() -> None:
    deployment = next(it for it in documents() if it["kind"] == "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]

    found = {it["name"]: it["valueFrom"] for it in container["env"]}

    assert found["CONSOLE_NAMESPACE"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}


def test_the_container_file_copies_all_that_runs() -> None:
    text = (ROOT / "deploy" / "Containerfile").read_text()

    for name in ("console", "registries", "templates", "static", "locale", "manage.py", "requirements.txt"):
        assert re.search(rf"^COPY {name} ", text, re.MULTILINE), name
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
