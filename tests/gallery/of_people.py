"""The states of pages that need people of a cluster, on a real API server: tests from nodes, adopted Secrets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from registries.cluster.paths import NODES, pods_in, secrets_in
from registries.demo.seed import NAMESPACES
from registries.pull_secrets.node_test import CONTROL, LABEL
from tests.gallery.scene import Act, Scene, State
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.failing_pods import CONFIG, HARBOR, fails
from tests.peers.ports import demo_base
from tests.peers.running_console import RunningConsole
from tests.peers.scripted import wait_for

NINA = "team-a-admin"
BOUND = (
    (NINA, "image-admin", "team-a"),
    (NINA, "image-prober", ""),
    (NINA, "gallery-reader-of-secrets", "team-a"),
    ("omar", "image-admin", "team-a"),
    ("console", "registry-console-token-reviews", ""),
)
READER = {
    "metadata": {"name": "gallery-reader-of-secrets"},
    "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}],
}
FLEET = {
    "edge-sh-01": ("east-china", "arm64", True),
    "edge-sh-02": ("east-china", "amd64", True),
    "edge-gz-01": ("south-china", "arm64", True),
    "edge-gz-02": ("south-china", "loong64", False),
    "edge-" + "n" * 200: ("g" * 63, "riscv64", True),
    "master-01": ("", "amd64", True),
}
"""Node -> group, architecture, whether it is ready."""
REGISTRY = "harbor-node"
NODE = f"/registries/team-a/{REGISTRY}/node/"
BROKEN = "/pull-failures/?namespace=team-a"
SCAN = "/pull-failures/secrets/?namespace=team-a"
ADOPT = "/registries/-/add/?namespace=team-a&provider=other&secret=team-a/"
RESTARTED = "shop-web-0-0"
SAID = {
    "edge-sh-01": "rpc error: code = NotFound desc = failed to pull: not found",
    "edge-sh-02": "failed to do request: x509: certificate signed by unknown authority",
    "edge-gz-01": "pulling from host harbor.example.com failed with status code [manifests 1]: 401 Unauthorized",
}
"""What the kubelets say of the Pod with the pull secret; the others do not answer."""
MIRRORED = "mirror.cn-hangzhou.example.com/proxy/harbor.example.com/shop/web:1.27"


@contextmanager
def console_of_people(cluster: Cluster, folder: Path) -> Iterator[RunningConsole]:
    server = cluster.server
    assert isinstance(server, ApiServer)
    cluster.empty(*NAMESPACES)
    values = {"CONSOLE_STORE": "kubernetes", "CONSOLE_AUTH": "kubernetes", "CONSOLE_LOGIN_ATTEMPTS": "500"}
    kubeconfig = str(server.kubeconfig("console"))
    with furnished(cluster):
        console = RunningConsole(folder, demo_base(), "--into-cluster", KUBECONFIG=kubeconfig, **values)
        try:
            yield console
        finally:
            console.stop()


@contextmanager
def furnished(cluster: Cluster) -> Iterator[None]:
    """The people, nodes, Secrets and failing pods."""
    server = cluster.server
    assert isinstance(server, ApiServer)
    server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", READER)
    for binding in BOUND:
        cluster.bind(*binding)
    _fill(cluster)
    try:
        yield
    finally:
        for binding in BOUND:
            cluster.unbind(*binding)
        for name in FLEET:
            server.call("DELETE", f"{NODES}/{name}")
        for collection in (f"{pods_in('team-a')}?gracePeriodSeconds=0", secrets_in("team-a")):
            server.call("DELETE", collection)


def _fill(cluster: Cluster) -> None:
    cluster.apply("team-a", REGISTRY, domain="harbor.example.com", password="p")
    prefix = "theriseunion.io/verify-"
    at = f"{int(datetime.now(UTC).timestamp()) - 120}000"
    tested = {f"{prefix}status": "success", f"{prefix}reason": "ok", f"{prefix}timestamp": at}
    cluster.annotate("team-a", REGISTRY, tested)
    for name, (group, architecture, ready) in FLEET.items():
        labels = {"apps.openyurt.io/nodepool": group} if group else {}
        cluster.server.call("POST", NODES, {"metadata": {"name": name, "labels": labels}})
        status = {
            "nodeInfo": {"architecture": architecture},
            "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}],
        }
        cluster.server.call("PATCH", f"{NODES}/{name}/status", {"status": status}, kind=MERGE_PATCH)
    one = {"username": "robot$shop", "password": "p"}
    many = {f"{'host' * 10}-{number}.example.com": one for number in range(24)}
    for name, auths in (("theirs", {"x.example.com": one}), ("s" * 250, {"a.example.com:8443": one, **many})):
        data = {".dockerconfigjson": json.dumps({"auths": auths})}
        body = {"metadata": {"name": name}, "type": CONFIG, "stringData": data}
        cluster.server.call("POST", secrets_in("team-a"), body)
    _fill_pods(cluster)


def _fill_pods(cluster: Cluster) -> None:
    """Six workloads that name a Secret with a flaw, for a host that has a registry, and one for a host without."""
    broken = {"auths": {HARBOR: {"auth": "%%%"}}}
    body = {
        "metadata": {"name": "broken"},
        "type": CONFIG,
        "stringData": {".dockerconfigjson": json.dumps(broken)},
    }
    cluster.server.call("POST", secrets_in("team-a"), body)
    flaw = "illegal base64 data at input byte 0"
    for number in range(6):
        kind = "StatefulSet" if number == 1 else "Deployment"
        owner = {
            "apiVersion": "apps/v1",
            "kind": kind,
            "name": f"shop-web-{number}",
            "uid": "1",
            "controller": True,
        }
        fails(cluster, f"shop-web-{number}-0", secrets=("broken",), message=flaw, ownerReferences=[owner])
    other = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "1", "controller": True}
    image = "192.168.3.4:5000/edge/agent:2"
    fails(cluster, "agent-0", image=image, secrets=("broken",), message=flaw, ownerReferences=[other])


def unfolded(page: Page, scene: Scene) -> None:
    for summary in page.locator(".pull-failure").first.locator("summary").all():
        summary.click()


def as_person(user: str, path: str, then: Act | None = None) -> Act:
    """Logs in with a token, and opens a page."""

    def act(page: Page, scene: Scene) -> None:
        page.locator("[name=token]").fill(canary_token(user))
        page.locator("main button[type=submit]").last.click()
        page.wait_for_url("**/registries/**")
        page.goto(scene.console.url + path)
        if then is not None:
            then(page, scene)

    return act


def groups(page: Page, scene: Scene) -> None:
    page.locator("[name=scope][value=groups]").check()


def too_many(page: Page, scene: Scene) -> None:
    groups(page, scene)
    for box in page.locator("[name=groups]").all():
        box.check()
    page.locator("#id_repository").fill("shop/web")
    page.locator("#node-test-start").click()
    page.locator("#id_groups_error").wait_for()


def begun(page: Page, scene: Scene) -> None:
    """Tests of an earlier look are deleted first; the page is of a test that nobody answers."""
    assert scene.cluster is not None
    _clear(scene.cluster, page, scene)
    groups(page, scene)
    page.locator("#id_repository").fill("shop/web")
    page.locator("#node-test-start").click()
    page.locator("#node-test-form .verdict-busy").first.wait_for()
    page.locator("#node-test-form .verdict").last.scroll_into_view_if_needed()


def answered(page: Page, scene: Scene) -> None:
    """Three nodes answer, and the others not yet."""
    begun(page, scene)
    _answer(scene)
    page.locator("#node-test-form .verdict-detail").nth(2).wait_for()
    page.locator("#node-test-form .verdict").last.scroll_into_view_if_needed()


def one_begun(page: Page, scene: Scene) -> Cluster:
    assert scene.cluster is not None
    _clear(scene.cluster, page, scene)
    page.locator("#id_node").fill("edge-gz-01")
    page.locator("#id_repository").fill("shop/web")
    page.locator("#node-test-start").click()
    page.locator("#node-verdict").wait_for()
    return scene.cluster


def one_answered(page: Page, scene: Scene) -> None:
    """One node, which refuses what the console could use."""
    one_begun(page, scene)
    _answer(scene)
    page.locator("#node-verdict .verdict-message").nth(1).wait_for()
    page.locator("#node-verdict").scroll_into_view_if_needed()


def one_changed(page: Page, scene: Scene) -> None:
    """The Pods have the image of a mirror, as a policy of the cluster may give it to them."""
    cluster = one_begun(page, scene)
    change = [{"op": "replace", "path": "/spec/containers/0/image", "value": MIRRORED}]
    for pod in _pods_of_tests(cluster):
        path = f"{pods_in('team-a')}/{pod['metadata']['name']}"
        cluster.server.call("PATCH", path, change, kind="application/json-patch+json")
    page.locator("#node-verdict .verdict-detail").first.wait_for()
    page.locator("#node-verdict").scroll_into_view_if_needed()


def _answer(scene: Scene) -> None:
    assert scene.cluster is not None
    for pod in _pods_of_tests(scene.cluster):
        control = CONTROL in pod["metadata"]["labels"]
        if (said := SAID.get(pod["spec"]["nodeName"])) is None:
            continue
        message = SAID["edge-gz-01"] if control else said
        container = {"name": "test", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
        waiting = {"waiting": {"reason": "ErrImagePull", "message": message}}
        status = {"phase": "Pending", "containerStatuses": [{**container, "state": waiting}]}
        path = f"{pods_in('team-a')}/{pod['metadata']['name']}/status"
        scene.cluster.server.call("PATCH", path, {"status": status}, kind=MERGE_PATCH)


def _pods_of_tests(cluster: Cluster) -> list[dict[str, Any]]:
    return list(cluster.server.call("GET", f"{pods_in('team-a')}?labelSelector={LABEL}").body["items"])


def _clear(cluster: Cluster, page: Page, scene: Scene) -> None:
    """Ends the tests of earlier looks as their people would: by looking after their Pods have failed."""
    status = {"status": {"phase": "Failed", "reason": "DeadlineExceeded"}}
    tests = set()
    for pod in _pods_of_tests(cluster):
        tests.add(pod["metadata"]["labels"][LABEL])
        path = f"{pods_in('team-a')}/{pod['metadata']['name']}/status"
        cluster.server.call("PATCH", path, status, kind=MERGE_PATCH)
    for test in tests:
        url = f"{scene.console.url}{NODE}{test}/"
        assert wait_for(lambda url=url: "verdict-busy" not in page.request.get(url).text())


def restarting(page: Page, scene: Scene, uid: str = "") -> None:
    """The dialog for a pod; for one that is gone with another `uid`."""
    assert scene.cluster is not None
    pod = scene.cluster.server.call("GET", f"{pods_in('team-a')}/{RESTARTED}").body["metadata"]
    path = f"/pull-failures/team-a/{RESTARTED}/restart/?uid={uid or pod['uid']}"
    as_person(NINA, path)(page, scene)


def refused(page: Page, scene: Scene) -> None:
    """The pod is another one by now."""
    restarting(page, scene, uid="1")
    page.locator("main button[type=submit]").last.click()
    page.locator("#error-summary").wait_for()


def pasted(page: Page, scene: Scene) -> None:
    """Something that is no kubeconfig."""
    page.locator(".login-paste summary").click()
    page.locator("[name=kubeconfig_text]").fill("apiVersion: v1\nkind: Pod")
    page.locator("main button[type=submit]").click()
    page.locator("#error-summary").wait_for()


def scan_row(page: Page, scene: Scene) -> None:
    page.locator("#adopted, #not-adopted").first.scroll_into_view_if_needed()


PEOPLE_STATES = (
    State("login-cluster", "/login/", person=""),
    State("login-cluster-error", "/login/", pasted, person="", status=422),
    State("node-test", "/login/", as_person(NINA, NODE), person=""),
    State("node-test-groups", "/login/", as_person(NINA, NODE, groups), person=""),
    State("node-test-too-many", "/login/", as_person(NINA, NODE, too_many), person="", status=422),
    State("node-test-begun", "/login/", as_person(NINA, NODE, begun), person=""),
    State("node-test-answered", "/login/", as_person(NINA, NODE, answered), person=""),
    State("node-test-one", "/login/", as_person(NINA, NODE, one_answered), person=""),
    State("node-test-changed", "/login/", as_person(NINA, NODE, one_changed), person=""),
    State("pulls-broken", "/login/", as_person(NINA, BROKEN), person=""),
    State("restart", "/login/", restarting, person=""),
    State("restart-refused", "/login/", refused, person="", status=409),
    State("pulls-broken-unfolded", "/login/", as_person(NINA, BROKEN, unfolded), person=""),
    State("scan-broken", "/login/", as_person(NINA, "/pull-failures/secrets/?namespace=team-a"), person=""),
    State("adopt", "/login/", as_person(NINA, f"{ADOPT}theirs", scan_row), person=""),
    State("adopt-many", "/login/", as_person(NINA, f"{ADOPT}{'s' * 250}", scan_row), person=""),
    State("adopt-forbidden", "/login/", as_person("omar", f"{ADOPT}theirs", scan_row), person=""),
)
