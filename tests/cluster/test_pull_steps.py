"""The next steps of a group of failing pods, on a real API server: each workload has its command, and the command does
what it says."""

import base64
import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from registries.cluster.paths import pods_in, secret, secrets_in
from registries.domain.registry import Key
from registries.web.pulls.step import COMMANDS, SHAPE, UNFOLDED, Step
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.failures_page import PAGE
from tests.cluster.test_pages import configured
from tests.cluster.users import HARBOR, account, make, pod_spec
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.failing_pods import REFUSED, fails
from tests.peers.failing_pods import secret as add_secret
from tests.peers.fake_controllers import kubectl
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.users",)

APPS = "/apis/apps/v1/namespaces/team-a"
TEMPLATES = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}


@pytest.fixture
def people(place: Cluster, settings: Any, cast: Cast) -> Iterator[Cast]:
    """The cast, with accounts of the console, on this cluster."""
    for _ in configured(place, settings):
        yield cast
    place.server.call("DELETE", f"{pods_in('team-a')}?gracePeriodSeconds=0")
    place.server.call("DELETE", secrets_in("team-a"))


def owned(place: Cluster, kind: str, name: str, secrets: tuple[str, ...] = (), **more: str) -> None:
    """A workload and a pod of it that fails. A Deployment owns its pods directly here: the page only reads the owner
    of the pod."""
    made = [{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1", "controller": True}]
    fails(place, f"{name}-0", secrets=secrets, ownerReferences=made, **more)


def commands(page: str) -> list[str]:
    found = re.findall(r'<div class="command">\s*<pre class="code".*?data-copy="(.*?)"', page, re.DOTALL)
    return [html.unescape(it) for it in found]


def test_each_workload_of_a_group_has_its_command(people: Cast, place: Cluster) -> None:
    """Ten of three kinds that name a missing Secret: all commands work, and three are not folded."""
    people.add("known", domain=HARBOR)
    names = [(kind, f"{kind.lower()}-{number}") for kind in TEMPLATES for number in range(3)]
    for kind, name in names:
        make(place, kind, name, pod_spec(secrets=("gone",)))
        owned(place, kind, name, ("gone",))
    owned(place, "Deployment", names[0][1] + "-b", ("gone",))  # a pod whose workload is not there is no error

    page = people.client("nina").get(PAGE, {"namespace": "team-a"}).content.decode()

    assert page.count('<section class="panel pull-failure"') == 1
    shown = commands(page)
    assert len(shown) == len(names) + 1
    assert len(commands(page.partition('class="more-commands"')[0])) == UNFOLDED == 3
    assert "另有 7 条命令" in page
    for kind, name in names:
        [own] = [it for it in shown if f" {kind.lower()} {name} -p" in it]
        kubectl(place.server, own)  # type: ignore[arg-type]
        template = place.server.call("GET", f"{APPS}/{TEMPLATES[kind]}/{name}").body["spec"]["template"]
        assert {it["name"] for it in template["spec"]["imagePullSecrets"]} == {"gone", "known"}


def test_pods_of_one_workload_are_one_command(people: Cast, place: Cluster) -> None:
    people.add("known", domain=HARBOR)
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "1", "controller": True}
    for number in range(5):
        fails(place, f"agent-{number}", secrets=("gone",), ownerReferences=[owner])

    assert len(commands(people.client("nina").get(PAGE).content.decode())) == 1


def test_there_is_an_end_to_the_commands(people: Cast, place: Cluster) -> None:
    people.add("known", domain=HARBOR)
    for number in range(COMMANDS + 4):
        owned(place, "DaemonSet", f"agent-{number:02}", ("gone",))

    page = people.client("nina").get(PAGE).content.decode()

    assert len(commands(page)) == COMMANDS
    assert "另有 4 个" in page


def test_a_job_and_a_bare_pod_are_created_again(people: Cast, place: Cluster) -> None:
    """The owner of a Job tells whether it is of a CronJob; its name does not."""
    people.add("known", domain=HARBOR)
    spec = pod_spec(secrets=("gone",), again="Never")
    cron = [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "hourly", "uid": "1", "controller": True}]
    make(place, "Job", "of-cron-29500000", spec, ownerReferences=cron)
    make(place, "Job", "nightly-29500000", spec)
    for job in ("of-cron-29500000", "nightly-29500000"):
        owned(place, "Job", job, ("gone",))
    fails(place, "alone", secrets=("gone",))

    page = people.client("nina").get(PAGE).content.decode()

    patch = '"imagePullSecrets":[{"name":"known"}]'
    assert (
        'Job 的 Pod 不能修改。下面的命令会使用拉取凭证 <code class="unbroken">known</code> 重新创建 Job'
        in page
    )
    assert '在 CronJob <code class="unbroken">hourly</code> 中指定拉取凭证 <code' in page
    assert "不属于任何工作负载的 Pod 不能修改" in page
    assert page.count("集群拒绝时不会删除任何对象") == 3
    shown = commands(page)
    assert len(shown) == 3
    assert all(patch in it for it in shown)
    assert len(Step().with_commands(shown).unfolded) == 1, "one that deletes has many lines"
    [of_cron] = [it for it in shown if " patch cronjob hourly -p " in it]
    assert " get job of-cron-29500000 " in of_cron
    assert [it.count("cronjob") for it in shown if " get job nightly-29500000 " in it] == [0]
    assert [it.count("job") for it in shown if " get pod alone " in it] == [0]


def test_a_static_pod_gets_no_pull_secret(people: Cast, place: Cluster) -> None:
    people.add("known", domain=HARBOR)
    owner = {"apiVersion": "v1", "kind": "Node", "name": "edge-1", "uid": "1", "controller": True}
    fails(place, "proxy-edge-1", ownerReferences=[owner])

    page = people.client("nina").get(PAGE).content.decode()

    assert "静态 Pod 不能使用拉取凭证" in page
    assert commands(page) == []
    assert 'class="pull-step"' not in page


def test_a_job_without_its_pull_secret_makes_another_pod(people: Cast, place: Cluster) -> None:
    """Its service account has the pull secret by now."""
    people.add("known", domain=HARBOR)
    account(place, secrets=("known",))
    owned(place, "Job", "nightly")

    page = people.client("nina").get(PAGE).content.decode()

    assert commands(page) == ["kubectl -n team-a delete pod nightly-0"]
    assert "backoffLimit" in page


def test_workloads_that_need_different_steps_have_each_theirs(people: Cast, place: Cluster) -> None:
    """One account is `default`, which the console can bind; the others need a command each."""
    people.add("known", domain=HARBOR)
    for name in ("default", "builder", "deployer"):
        spec = {**pod_spec(f"{HARBOR}/shop/web:1"), "serviceAccountName": name}
        place.server.call("POST", "/api/v1/namespaces/team-a/serviceaccounts", {"metadata": {"name": name}})
        place.server.call("POST", pods_in("team-a"), {"metadata": {"name": f"of-{name}"}, "spec": spec})
        _waits(place, f"of-{name}")

    page = people.client("nina").get(PAGE).content.decode()

    assert page.count('<section class="panel pull-failure"') == 1
    assert page.count('<form class="pull-step"') == 1
    assert {it.split()[5] for it in commands(page)} == {"builder", "deployer", "of-default"}
    assert [it for it in commands(page) if "replace --force" not in it] == [], "these pods are bare"
    assert '服务账号 <code class="unbroken">builder</code>' in page
    assert '服务账号 <code class="unbroken">deployer</code>' in page


def _waits(place: Cluster, name: str) -> None:
    waiting = {"reason": "ErrImagePull", "message": REFUSED}
    container = {"name": "c", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    status = {"phase": "Pending", "containerStatuses": [{**container, "state": {"waiting": waiting}}]}
    patched = place.server.call(
        "PATCH", f"{pods_in('team-a')}/{name}/status", {"status": status}, kind=MERGE_PATCH
    )
    version = patched.body["metadata"]["resourceVersion"]
    assert wait_for(lambda: place.cached(pods_in("team-a")).get(name) == version)


BASE64 = base64.b64encode(f"robot:{CANARY}".encode()).decode()


@pytest.mark.parametrize(
    "content",
    [
        {"auths": {HARBOR: {"username": "robot", "password": CANARY, "auth": "%%%"}}},
        {"auths": {HARBOR: {"auth": BASE64}, "other.io": {"auth": BASE64[:-9] + "%"}}},
        {"auths": [CANARY, {"password": CANARY}]},
        {"auths": {HARBOR: CANARY}},
        {"auths": {HARBOR: {"password": [CANARY, 5]}}},
        {"auths": CANARY},
        {CANARY[:3]: 1, "HttpHeaders": {"X-Meta": CANARY}},
    ],
)
def test_the_look_at_a_secret_shows_no_password(people: Cast, place: Cluster, content: Any) -> None:
    """The command of the page, with the content of kubectl's answer, in a real shell with real jq where that is
    installed."""
    add_secret(place, "theirs", json.dumps(content))
    owned(place, "Deployment", "web", ("theirs",), message="illegal base64 data at input byte 0")
    page = people.client("nina").get(PAGE).content.decode()
    [look] = re.findall(r'class="look">.*?data-copy="(.*?)"', page, re.DOTALL)

    read = place.server.call("GET", secret(Key("team-a", "theirs"))).body["data"][".dockerconfigjson"]
    kubectl_part, *filters = html.unescape(look).split(" | ", 1)
    assert kubectl_part == "kubectl -n team-a get secret theirs -o 'jsonpath={.data.*}'"
    assert filters == [SHAPE.removeprefix("| ")]
    if shutil.which("jq") is None:
        return  # the words of the command are judged all the same
    shell = ["bash", "-c", filters[0]]
    said = subprocess.run(shell, check=False, input=read, text=True, capture_output=True, timeout=60)
    shown = said.stdout + said.stderr

    assert shown
    assert CANARY not in shown
    assert BASE64[:20] not in shown
    for key in content:
        assert key in shown
