"""The states of pages that need a cluster, on a real API server: pods that cannot pull."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from registries.cluster.paths import pods_in, secrets_in
from registries.demo.seed import NAMESPACES
from registries.domain.resource import milliseconds
from tests.gallery.furnishing import EMPTY, LONGEST
from tests.gallery.listing import card
from tests.gallery.scene import Scene, State
from tests.peers.cable import Cable
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.failing_pods import HARBOR, REFUSED, fails, secret
from tests.peers.ports import demo_base
from tests.peers.running_console import RunningConsole
from tests.peers.scripted import wait_for

PAGE = "/pull-failures/"
SCAN = f"{PAGE}secrets/"
ADOPT = (
    "/registries/-/add/?namespace=team-a&provider=harbor&domain=x.example.com&username=robot%24shop"
    "&secret=team-a/theirs"
)
NOWHERE = "192.168.3.4:5000"
PROVEN = "harbor-proven"
AWAY = 'notice-bad" role="alert"'
LONG_HOST = ".".join(["registry" + "r" * 54] * 3) + ".example.com"
LONG_NAME = "pod-" + "x" * 240
LEAVING, MISTYPED = "harbor-leaving", "harbor-mistyped"
HOLDERS = ["example.com/backup", "edge.example.com/nodes"]
BY_MESSAGE = {
    "tag": "manifest unknown: manifest unknown",
    "arm": "no match for platform in manifest: not found",
    "ca": "failed to do request: tls: failed to verify certificate: x509: certificate signed by unknown authority",
    "http": "http: server gave HTTP response to HTTPS client",
    "away": "failed to do request: dial tcp 10.3.0.7:443: connect: connection refused",
    "limit": "toomanyrequests: You have reached your pull rate limit",
    "busy": "pull QPS exceeded",
    "html": "unexpected media type text/html; charset=utf-8",
    "error": "unexpected status from HEAD request: 503 Service Unavailable",
    "denied": "insufficient_scope: authorization failed",
    "old": "",
}
"""Pod -> what its node says of the image."""


@contextmanager
def cluster_console(cluster: Cluster, cable: Cable, folder: Path) -> Iterator[RunningConsole]:
    """The demo on this cluster, with failing pods beside it."""
    cluster.empty(*NAMESPACES, EMPTY, LONGEST)
    fill(cluster)
    values = {"CONSOLE_STORE": "kubernetes", "CONSOLE_NAMESPACE": "nowhere"}
    kubeconfig = str(cluster.server.kubeconfig("console", port=cable.port))
    console = RunningConsole(folder, demo_base(), "--into-cluster", KUBECONFIG=kubeconfig, **values)
    try:
        yield console
    finally:
        console.stop()


def fill(cluster: Cluster) -> None:
    for namespace in ("team-a", LONGEST):
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        cluster.server.call("POST", accounts, {"metadata": {"name": "default"}})
    for name, host, reason in (
        (PROVEN, "proven.example.com", "ok"),
        ("harbor-refused", "refused.example.com", "bad_credentials"),
        ("harbor-untested", "untested.example.com", ""),
        ("harbor-example", HARBOR, "ok"),
    ):
        cluster.apply("team-a", name, domain=host, password="p")
        _judge(cluster, name, reason)
    _fill_team_a(cluster)
    _fill_longest(cluster)
    _fill_obstacles(cluster)


def clear(cluster: Cluster) -> None:
    """Removes the pods and Secrets again, for other tests on this server."""
    cluster.server.call("PATCH", cluster.path("team-b", LEAVING), _held_by(None), kind=MERGE_PATCH)
    for namespace in ("team-a", LONGEST):
        cluster.server.call("DELETE", f"{pods_in(namespace)}?gracePeriodSeconds=0")
    for name in ("opaque", "theirs"):
        cluster.server.call("DELETE", f"{secrets_in('team-a')}/{name}")


def _judge(cluster: Cluster, name: str, reason: str) -> None:
    prefix = "theriseunion.io/verify-"
    status = {"": "untested", "ok": "success"}.get(reason, "failed")
    at = {f"{prefix}timestamp": str(milliseconds(datetime.now(UTC)))} if reason else {}
    cluster.annotate("team-a", name, {f"{prefix}status": status, f"{prefix}reason": reason, **at})


def _fill_team_a(cluster: Cluster) -> None:
    refused = "failed with status code [manifests 1]: 401 Unauthorized"
    for number in range(14):
        fails(cluster, f"shop-web-7d9c6b9f4-{number:05}")
    for name, message in BY_MESSAGE.items():
        fails(cluster, name, image=f"{HARBOR}/shop/{name}:1.4.2", message=message)
    for name, host in (("proven", PROVEN), ("refused", "harbor-refused"), ("untested", "harbor-untested")):
        fails(cluster, name, image=f"{name}.example.com/a:1", secrets=(host,), message=refused)
    secret(cluster, "opaque", "x", "Opaque")
    secret(cluster, "theirs", json.dumps({"auths": {"x.example.com": {"username": "u", "password": "p"}}}))
    for name in ("gone", "opaque", "theirs"):
        fails(cluster, f"names-{name}", image=f"{NOWHERE}/edge/agent:2", secrets=(name,), message=refused)
    fails(cluster, "names-none", image=f"{NOWHERE}/edge/agent:2", message=refused)
    other_port, owner = "untested.example.com:8443/a:1", {"kind": "DaemonSet", "name": "agent", "uid": "1"}
    owners = [{"apiVersion": "apps/v1", "controller": True, **owner}]
    unreadable = "illegal base64 data at input byte 0"
    fails(cluster, "step-broken", image="nginx", secrets=("theirs",), message=unreadable)
    fails(cluster, "step-mistyped", image=other_port, secrets=("harbor-untested",), message=refused)
    fails(cluster, "step-named", image=f"{HARBOR}/a:1", secrets=("gone",), ownerReferences=owners)
    fails(cluster, "other-key", image=f"{HARBOR}/a:1", secrets=("harbor-refused",))
    mirror = "pulling from host mirror.example.com failed with status code [manifests 1]: 401 Unauthorized"
    fails(cluster, "mirror", image=f"{HARBOR}/shop/web:2", message=mirror)
    fails(cluster, "no-name", image="Shop/Web:1", reason="InvalidImageName", message="couldn't parse image")
    fails(cluster, "never", image="busybox:1", reason="ErrImageNeverPull", message="")


def _fill_longest(cluster: Cluster) -> None:
    image = f"{LONG_HOST}/{'/'.join(['p' * 30] * 6)}:{'t' * 60}"
    said = f"{REFUSED} {'<html>' * 120}"
    for number in range(12):
        fails(cluster, f"{LONG_NAME}-{number}", image=image, namespace=LONGEST, message=said)
    fails(cluster, "names", image=image, namespace=LONGEST, secrets=("s" * 250,), message=said)


def _fill_obstacles(cluster: Cluster) -> None:
    """A registry that is being deleted, and one whose address kubectl wrote."""
    cluster.apply("team-b", LEAVING, domain="leaving.example.com", password="p")
    cluster.server.call("PATCH", cluster.path("team-b", LEAVING), _held_by(HOLDERS), kind=MERGE_PATCH)
    cluster.delete("team-b", LEAVING)
    cluster.apply("team-b", MISTYPED, domain="https://harbor example.com/a?b", password="p")


def _held_by(finalizers: list[str] | None) -> dict[str, Any]:
    return {"metadata": {"finalizers": finalizers}}


def without_permission(page: Page, scene: Scene) -> None:
    """The console still follows its registries: without that right, the page would tell of nothing else."""
    cluster = _cluster(scene)
    cluster.unbind("console", "registry-console-local-accounts")
    try:
        page.reload()
        page.locator("#unread").wait_for()
    finally:
        cluster.grant_console()


def away(page: Page, scene: Scene) -> None:
    """The picture is of the cluster that was away; the next state has it back."""
    assert scene.cable is not None
    scene.cable.pull()
    try:
        assert wait_for(lambda: AWAY in page.request.get(page.url).text())
        page.reload()
        page.locator("#pull-failures [role=alert]").wait_for()
    finally:
        scene.cable.plug()
    assert wait_for(lambda: AWAY not in page.request.get(page.url).text())


def pull_secret(page: Page, scene: Scene) -> None:
    page.locator("#cannot-pull a").wait_for()
    page.locator("#pull-secret").scroll_into_view_if_needed()


def used(page: Page, scene: Scene) -> None:
    page.locator("#usage").scroll_into_view_if_needed()


def write_while_away(page: Page, scene: Scene) -> None:
    """A form without htmx, as in a browser without scripts: the answer is a page."""
    assert scene.cable is not None
    form = page.locator("#delete-name")
    form.fill("harbor-untested")
    scene.cable.pull()
    try:
        with page.expect_navigation():
            form.evaluate("it => it.form.submit()")
        page.locator("main .empty code").wait_for()
    finally:
        scene.cable.plug()
    assert wait_for(lambda: AWAY not in page.request.get(f"{scene.console.url}{PAGE}").text())


def unfolded(page: Page, scene: Scene) -> None:
    for summary in page.locator(".pull-failure summary").all()[:3]:
        summary.click()


def commands(page: Page, scene: Scene) -> None:
    page.locator("#kubectl summary").click()
    page.locator("#kubectl").scroll_into_view_if_needed()


def _cluster(scene: Scene) -> Cluster:
    assert scene.cluster is not None
    return scene.cluster


def steps(page: Page, scene: Scene) -> None:
    page.locator(".pull-failure", has_text="delete secret theirs").evaluate("it => it.scrollIntoView()")


def at_the_end(page: Page, scene: Scene) -> None:
    page.locator(".pull-failure").last.scroll_into_view_if_needed()


def unused(page: Page, scene: Scene) -> None:
    page.locator("#unused").scroll_into_view_if_needed()


def choices(page: Page, scene: Scene) -> None:
    """The images that pods run from the host of the add dialog; one is chosen."""
    page.locator("#probe-image summary").click()
    page.locator("#add-images button").first.click()
    page.locator("#id_probe_image").scroll_into_view_if_needed()
    assert page.locator("#id_probe_image").input_value().startswith(f"{HARBOR}/")


CLUSTER_STATES = (
    State("add-images", f"/registries/-/add/?namespace=team-a&provider=other&domain={HARBOR}", choices),
    State("pulls", PAGE),
    State("pulls-end", f"{PAGE}?namespace=team-a", at_the_end),
    State("pulls-steps", f"{PAGE}?namespace=team-a", steps),
    State("pulls-unfolded", f"{PAGE}?namespace=team-a", unfolded),
    State("pulls-viewer", PAGE, person="vic"),
    State("pulls-registry", f"{PAGE}?namespace=team-a&registry=harbor-example"),
    State("pulls-empty", f"{PAGE}?namespace={EMPTY}"),
    State("pulls-longest", f"{PAGE}?namespace={LONGEST}", unfolded),
    State("pulls-away", PAGE, away),
    State("pull-secret", "/registries/team-a/harbor-untested/", pull_secret),
    State("delete-used", "/registries/team-a/harbor-untested/delete/", used),
    State("write-while-away", "/registries/team-a/harbor-untested/delete/", write_while_away, status=503),
    State("pulls-nobody", PAGE, person="sam"),
    State("pulls-no-permission", PAGE, without_permission),
    State("list-obstacles", "/registries/?namespace=team-b"),
    State("card-deleting", "/registries/?namespace=team-b", card(LEAVING)),
    State("details-deleting", f"/registries/team-b/{LEAVING}/"),
    State("details-address", f"/registries/team-b/{MISTYPED}/"),
    State("details-commands", "/registries/team-a/harbor-untested/", commands),
    State("scan", SCAN),
    State("scan-unfolded", f"{SCAN}?namespace=team-a", unfolded),
    State("scan-unused", f"{SCAN}?namespace=team-a", unused),
    State("scan-viewer", SCAN, person="vic"),
    State("scan-empty", f"{SCAN}?namespace={EMPTY}"),
    State("scan-longest", f"{SCAN}?namespace={LONGEST}", unfolded),
    State("scan-nobody", SCAN, person="sam"),
    State("scan-no-permission", SCAN, without_permission),
    State("scan-adopt", ADOPT),
)
