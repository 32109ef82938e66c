"""A Secret that nodes cannot read, named by a service account and by workloads: both pages take it out, on a real
API server."""

import html
import re

from django.test import Client

from registries.cluster.paths import pods_in
from tests.cluster.test_adoption import SECRETS, nina, place  # noqa: F401  fixtures
from tests.cluster.users import account, make, named, pod_spec
from tests.peers.cluster import Cluster
from tests.peers.failing_pods import fails
from tests.peers.fake_controllers import kubectl

pytest_plugins = ("tests.cluster.people",)

APPS = "/apis/apps/v1/namespaces/team-a"
SCAN, FAILURES = "/pull-failures/secrets/", "/pull-failures/"


def commands(client: Client, page: str) -> list[str]:
    shown = client.get(page, {"namespace": "team-a"}).content.decode()
    found = re.findall(r'<div class="command">\s*<pre class="code".*?data-copy="(.*?)"', shown, re.DOTALL)
    return [html.unescape(it) for it in found]


def test_it_is_taken_out_of_all_that_name_it(place: Cluster, nina: Client) -> None:  # noqa: F811
    account(place, secrets=("kept", "theirs"))
    broken = {"metadata": {"name": "theirs"}, "type": "kubernetes.io/dockerconfigjson"}
    place.server.call("POST", SECRETS, {**broken, "stringData": {".dockerconfigjson": '{"auths": []}'}})
    make(place, "Deployment", "web", pod_spec(secrets=("theirs", "own")))
    fails(place, "of-account", secrets=("kept", "theirs"), message="illegal base64 data at input byte 0")
    fails(place, "of-itself", secrets=("theirs",), message="illegal base64 data at input byte 0")

    of_scan, of_pods = commands(nina, SCAN), commands(nina, FAILURES)
    shown = nina.get(SCAN, {"namespace": "team-a"}).content.decode()

    assert len(of_scan) == 2, of_scan
    assert "kubectl -n team-a delete secret theirs" in shown
    assert any(it.startswith(of_scan[0]) for it in of_pods), "the pod has the list of its account"
    for line in of_scan:
        kubectl(place.server, line)  # type: ignore[arg-type]
    template = place.server.call("GET", f"{APPS}/deployments/web").body["spec"]["template"]["spec"]
    assert named(place) == ["kept"]
    assert template["imagePullSecrets"] == [{"name": "own"}]
    place.server.call("DELETE", f"{pods_in('team-a')}?gracePeriodSeconds=0")
    place.server.call("DELETE", f"{APPS}/deployments/web")
