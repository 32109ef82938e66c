"""Each command that a page shows, run twice with the real kubectl in a real shell against a real API server: the first
time it does what the page says, the second time it changes nothing more."""

import base64
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registries.cluster.paths import pods_in, secret, secrets_in
from registries.domain.registry import Draft, Key, Provider
from registries.pull_secrets.named import COLLECTIONS
from registries.web.pulls import step as commands
from registries.web.pulls.step import export_command
from registries.web.registry.details import commands as details_commands
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.users import ACCOUNTS, HARBOR, account, make, pod_spec
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.failing_pods import secret as add_secret
from tests.peers.fake_controllers import kubectl as equal_client
from tests.peers.parts import require_part

pytest_plugins = ("tests.cluster.users",)

APPS = "/apis/apps/v1/namespaces/team-a"
Run = Callable[[str], str]


@pytest.fixture
def run(place: Cluster, tmp_path: Path) -> Iterator[Run]:
    """Runs a command of a page in a folder of its own, and gives what it prints."""
    require_part("kubectl")
    server: ApiServer = place.server  # type: ignore[assignment]
    home = {**os.environ, "KUBECONFIG": str(server.kubeconfig()), "HOME": str(server.folder)}

    def run(line: str) -> str:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            check=False,
            capture_output=True,
            text=True,
            input=f"{CANARY}\n",
            env=home,
            cwd=tmp_path,
            timeout=60,
        )
        assert done.returncode == 0, (line, done.stderr)
        return done.stdout

    yield run
    place.server.call("DELETE", f"{pods_in('team-a')}?gracePeriodSeconds=0")
    place.server.call("DELETE", secrets_in("team-a"))


def of_account(place: Cluster, name: str) -> list[str]:
    found = place.server.call("GET", f"{ACCOUNTS}/{name}").body.get("imagePullSecrets") or ()
    return [it["name"] for it in found]


CHANGES: dict[str, tuple[tuple[str, ...] | None, dict[str, str], list[str]]] = {
    "no list": (None, {"adds": "known"}, ["known"]),
    "empty list": ((), {"adds": "known"}, ["known"]),
    "others stay": (("a", "b"), {"adds": "known"}, ["a", "b", "known"]),
    "is there": (("a", "known", "b"), {"adds": "known"}, ["a", "b", "known"]),
    "out": (("a", "theirs", "b"), {"takes_out": "theirs"}, ["a", "b"]),
    "the only one out": (("theirs",), {"takes_out": "theirs"}, []),
    "instead": (("theirs", "a"), {"takes_out": "theirs", "adds": "known"}, ["a", "known"]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_service_account_keeps_its_other_pull_secrets(place: Cluster, run: Run, case: str) -> None:
    before, change, after = CHANGES[case]
    line = commands.change_account("team-a", "builder", **change)
    for how in (run, lambda it: equal_client(place.server, it)):  # type: ignore[arg-type]
        account(place, name="builder", secrets=before)
        how(line)
        assert of_account(place, "builder") == after
        how(line)
        assert of_account(place, "builder") == after


def test_a_change_of_somebody_else_meanwhile_is_not_lost(place: Cluster, run: Run) -> None:
    """The command reads, somebody changes the list, the command writes: it is refused, and then does it."""
    account(place, name="builder", secrets=("a",))
    line = commands.change_account("team-a", "builder", adds="known")
    patch, _, read = line.partition(' "$(')
    stale = run(read.removesuffix(')"'))
    account(place, name="builder", secrets=("a", "b"))

    with pytest.raises(AssertionError, match="has been modified"):
        run(f"{patch} '{stale}'")
    run(line)

    assert of_account(place, "builder") == ["a", "b", "known"]


def secrets_of(pod: dict[str, Any]) -> set[str]:
    return {it["name"] for it in pod["spec"].get("imagePullSecrets") or ()}


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"]
)
def test_a_template_names_another_pull_secret(place: Cluster, run: Run, kind: str) -> None:
    make(place, kind, "web", pod_spec(secrets=("theirs", "kept")))
    make(place, "Pod", "web-0", pod_spec())
    base, plural = COLLECTIONS[kind]
    path = f"{base}/namespaces/team-a/{plural}/web"
    line = commands.change_template("team-a", (kind, "web"), "", adds="known", takes_out="theirs")
    for _ in range(2):
        run(line)
        assert secrets_of(place.server.call("GET", path).body["spec"]["template"]) == {"kept", "known"}

    run(commands.restart("team-a", (kind, "web"), "web-0"))
    again = place.server.call("GET", path).body["spec"]["template"]["metadata"]
    deleted = place.server.call("GET", f"{pods_in('team-a')}/web-0").status == 404
    assert deleted is (kind not in ("Deployment", "DaemonSet"))
    assert ("kubectl.kubernetes.io/restartedAt" in again.get("annotations", {})) is not deleted


CREATED_AGAIN = {
    "bare pod": ("Pod", ("", "")),
    "Job": ("Job", ("Job", "web")),
    "Job with a selector of its own": ("Job", ("Job", "web")),
}


@pytest.mark.parametrize("case", CREATED_AGAIN)
def test_what_cannot_be_changed_is_created_again(place: Cluster, run: Run, case: str) -> None:
    kind, owner = CREATED_AGAIN[case]
    spec = pod_spec(secrets=("theirs", "kept"), again="Never")
    base, plural = COLLECTIONS[kind]
    collection = f"{base}/namespaces/team-a/{plural}"
    if case.endswith("own"):
        labels = {"metadata": {"labels": {"mine": "1"}}, "spec": spec}
        own = {"manualSelector": True, "selector": {"matchLabels": {"mine": "1"}}, "template": labels}
        assert place.server.call("POST", collection, {"metadata": {"name": "web"}, "spec": own}).status == 201
    else:
        make(place, kind, "web", spec)
    uids = [place.server.call("GET", f"{collection}/web").body["metadata"]["uid"]]
    line = commands.change_template("team-a", owner, "web", adds="known", takes_out="theirs")
    for how in (run, run, lambda it: equal_client(place.server, it)):  # type: ignore[arg-type]
        how(line)
        found = place.server.call("GET", f"{collection}/web").body
        uids.append(found["metadata"]["uid"])
        template = found if kind == "Pod" else found["spec"]["template"]
        assert secrets_of(template) == {"kept", "known"}
        assert [it["image"] for it in template["spec"]["containers"]] == ["nginx"]
    assert len({*uids}) == 4, "each time another one"
    assert commands.change_template("team-a", owner, "", adds="known") == "", "nothing runs again unasked"

    run(commands.restart("team-a", ("", ""), "web") if kind == "Pod" else "true")
    assert (place.server.call("GET", f"{collection}/web").body["metadata"]["uid"] in uids) is (kind != "Pod")


QUOTAS = "/api/v1/namespaces/team-a/resourcequotas"


@pytest.fixture
def quota(place: Cluster) -> Iterator[Callable[[bool], None]]:
    """Makes a quota that refuses every other Pod and Job, or deletes it."""

    def set_quota(full: bool) -> None:
        place.server.call("DELETE", f"{QUOTAS}/full")
        if full:
            hard = {"pods": "1", "count/jobs.batch": "1"}
            made = place.server.call(
                "POST", QUOTAS, {"metadata": {"name": "full"}, "spec": {"hard": hard}}
            ).body
            made["status"] = {"hard": hard, "used": hard}
            assert place.server.call("PUT", f"{QUOTAS}/full/status", made).status == 200

    yield set_quota
    set_quota(False)


@pytest.mark.parametrize("kind", ["Pod", "Job"])
def test_nothing_is_deleted_that_the_cluster_would_not_create_again(
    place: Cluster, run: Run, quota: Callable[[bool], None], kind: str
) -> None:
    spec = pod_spec(secrets=("theirs",), again="Never")
    spec["containers"][0]["env"] = [{"name": "TEXT", "value": "a\\nb 'c' \"d\" $HOME `e` %s !f\n\n"}]
    make(place, kind, "web", spec)
    base, plural = COLLECTIONS[kind]
    path = f"{base}/namespaces/team-a/{plural}/web"
    before = place.server.call("GET", path).body
    line = commands.change_template(
        "team-a", ("Job", "web") if kind == "Job" else ("", ""), "web", adds="known", takes_out="theirs"
    )
    before_deletion, _, last = line.rpartition(" &&\n")
    quota(True)

    with pytest.raises(AssertionError, match="exceeded quota"):
        run(line)
    assert place.server.call("GET", path).body == before

    quota(False)
    run(before_deletion)
    assert place.server.call("GET", path).body == before
    quota(True)
    with pytest.raises(AssertionError, match="exceeded quota"):
        run(last)
    with pytest.raises(AssertionError, match="not found"):
        run(line)
    quota(False)
    run(last)

    after = place.server.call("GET", path).body
    template = after if kind == "Pod" else after["spec"]["template"]
    assert secrets_of(template) == {"known"}
    assert template["spec"]["containers"][0]["env"] == spec["containers"][0]["env"]
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


def test_a_job_of_a_cron_job_runs_again_with_the_pull_secret(place: Cluster, run: Run) -> None:
    make(place, "CronJob", "nightly", pod_spec(secrets=("theirs",), again="Never"))
    jobs, uids = "/apis/batch/v1/namespaces/team-a/jobs", set()
    path = "/apis/batch/v1beta1/namespaces/team-a/cronjobs/nightly"
    uid = place.server.call("GET", path).body["metadata"]["uid"]
    of_cron_job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": "nightly",
        "uid": uid,
        "controller": True,
    }
    spec = pod_spec(secrets=("theirs",), again="Never")
    make(place, "Job", "nightly-29500000", spec, ownerReferences=[of_cron_job])
    owner = ("Job", "nightly-29500000")
    line = commands.change_template(
        "team-a", owner, "nightly-29500000-x", adds="known", takes_out="theirs", cron_job="nightly"
    )
    for _ in range(2):
        run(line)
        found = place.server.call("GET", f"{jobs}/nightly-29500000").body
        uids.add(found["metadata"]["uid"])
        assert secrets_of(found["spec"]["template"]) == {"known"}
        assert found["metadata"]["ownerReferences"][0]["uid"] == uid
    assert len(uids) == 2
    template = place.server.call("GET", path).body["spec"]["jobTemplate"]["spec"]["template"]
    assert secrets_of(template) == {"known"}
    only = commands.change_template("team-a", ("CronJob", "nightly"), "", adds="other")
    run(only)
    template = place.server.call("GET", path).body["spec"]["jobTemplate"]["spec"]["template"]
    assert secrets_of(template) == {"known", "other"}


@pytest.mark.parametrize("kind", ["Job", "ReplicaSet", "CloneSet"])
def test_the_controller_of_a_pod_makes_another_one(place: Cluster, run: Run, kind: str) -> None:
    make(place, "Pod", "web-0", pod_spec())
    run(commands.restart("team-a", (kind, "web"), "web-0"))
    assert place.server.call("GET", f"{pods_in('team-a')}/web-0").status == 404
    assert commands.restart("team-a", ("Node", ""), "web-0") == "", "its kubelet keeps a static pod"


def test_a_secret_is_looked_at_and_deleted(place: Cluster, run: Run) -> None:
    add_secret(place, "theirs", json.dumps({"auths": {HARBOR: {"username": CANARY, "password": CANARY}}}))
    require_part("jq")

    shown = json.loads(run(commands.look_at("team-a", "theirs")))
    run(commands.delete_secret("team-a", "theirs"))

    assert shown == {"auths": {HARBOR: {"username": "string", "password": "string"}}}
    assert place.server.call("GET", secret(Key("team-a", "theirs"))).status == 404


def test_a_pod_is_described(place: Cluster, run: Run) -> None:
    make(place, "Pod", "web", pod_spec())
    assert "web" in run(commands.kubectl("team-a", "describe", "pod", "web"))


def test_the_pull_secret_of_the_own_store_is_written_and_changed(
    cast: Cast, place: Cluster, run: Run
) -> None:
    """The command asks for the password; here it reads the input of the shell."""
    registry = cast.add("exported", domain="docker.io", username="robot $x'")
    for _ in range(2):
        run(export_command(registry))
        found = place.server.call("GET", secret(Key("team-a", "exported"))).body
        config = json.loads(base64.b64decode(found["data"][".dockerconfigjson"]))
        assert list(config["auths"]) == ["https://index.docker.io/v1/", "docker.io"]
        for entry in config["auths"].values():
            assert base64.b64decode(entry["auth"]).decode() == f"robot $x':{CANARY}"
        assert found["type"] == "kubernetes.io/dockerconfigjson"


def test_the_commands_of_the_details_page(cast: Cast, place: Cluster, run: Run) -> None:
    with place.store() as store:
        registry = store.create(
            Draft(Key("team-a", "shown"), HARBOR, "robot", Provider.OTHER, CANARY, display_name="It's")
        )
    columns, annotate, create, password, delete = details_commands(registry, cast.access("nina"))

    assert HARBOR in run(columns)
    assert "annotate" in run(annotate)
    run(f"echo next | {password}")
    changed = place.server.call("GET", place.path("team-a", "shown")).body
    assert base64.b64decode(changed["spec"]["password"]) == b"next"
    run(delete)
    run(f"echo first | {create}")
    created = place.server.call("GET", place.path("team-a", "shown")).body
    assert base64.b64decode(created["spec"]["password"]) == b"first"
    assert created["metadata"]["annotations"]["theriseunion.io/display-name"] == "It's"
    place.delete("team-a", "shown")
