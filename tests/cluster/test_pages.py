"""The pages, and the commands, on a cluster: the same console."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from registries import wiring
from registries.cluster.connection import Timeouts
from registries.domain.errors import NotFound
from registries.domain.resource import encode_password
from registries.models import AuditEntry
from registries.pull_secrets.kinds import PullSecret
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast, typed
from tests.peers.api_server import ApiServer
from tests.peers.cluster import MERGE_PATCH, PATIENT, Cluster, patience
from tests.peers.scripted import wait_for
from tests.web.test_edit_delete import EDIT
from tests.web.test_edit_delete import form as edit_form

LIST = "/registries/"


@pytest.fixture
def on_cluster(cluster: Cluster, settings: Any) -> Iterator[Cluster]:
    cluster.empty("team-a", "team-b")
    yield from configured(cluster, settings)


def configured(
    cluster: Cluster, settings: Any, timeouts: Timeouts = PATIENT, **config: Any
) -> Iterator[Cluster]:
    settings.STORE = "kubernetes"
    settings.KUBECONFIG = str(cluster.server.kubeconfig("console", **config))
    wiring.reset()
    with patience(timeouts):
        store = services().store
        yield cluster
    assert isinstance(store, KubernetesStore)
    store.stop()
    wiring.reset()


@pytest.fixture
def people(on_cluster: Cluster, cast: Cast) -> Cast:
    """The cast, on a cluster."""
    return cast


def test_what_is_added_is_listed_at_once_and_stored_on_the_cluster(people: Cast, on_cluster: Cluster) -> None:
    client = people.client("nina")

    added = client.post("/registries/-/add/", typed(display_name="生产"), headers={"HX-Request": "true"})

    assert added.status_code == 204
    assert "harbor-prod" in client.get(LIST).content.decode()
    stored = on_cluster.server.call("GET", on_cluster.path("team-a", "harbor-prod")).body
    assert stored["spec"]["password"] == encode_password(CANARY)
    assert stored["metadata"]["annotations"]["theriseunion.io/display-name"] == "生产"


@pytest.mark.parametrize(
    ("query", "author"),
    [("?fieldManager=kubectl-edit", "kubectl"), ("?fieldManager=argocd", "argocd")],
)
def test_a_text_that_another_program_changed_meanwhile_is_shown_with_its_name(
    people: Cast, on_cluster: Cluster, query: str, author: str
) -> None:
    registry = people.add(display_name="old")
    body = {"metadata": {"annotations": {"theriseunion.io/display-name": "theirs"}}}
    on_cluster.server.call("PATCH", on_cluster.path("team-a", "harbor-prod") + query, body, kind=MERGE_PATCH)
    mine = {**edit_form(registry), "display_name": "mine"}

    shown = people.client("omar", hx_request="true").post(EDIT, mine).content.decode()
    people.client("nina").post(EDIT, {**edit_form(people.find()), "display_name": "nina's"})
    by_the_console = people.client("omar", hx_request="true").post(EDIT, mine).content.decode()

    assert re.search(rf"由 {author} 保存\s*·\s*<time[^>]*>刚刚", shown)
    assert 'data-text="theirs"' in shown
    assert re.search(r"由 nina 保存\s*·\s*<time[^>]*>刚刚", by_the_console)


def test_what_kubectl_applied_is_listed_shown_and_edited(people: Cast, on_cluster: Cluster) -> None:
    client = people.client("nina")
    client.get(LIST)
    on_cluster.apply("team-a", "applied", password=CANARY)

    assert wait_for(lambda: "applied" in client.get(LIST).content.decode())
    details = client.get("/registries/team-a/applied/").content.decode()
    assert "h.example.com" in details
    assert "kubectl get registrysecrets" in details
    registry = people.find("applied")
    form = {
        "display_name": "新名",
        "description": "",
        "seen_display_name": "",
        "seen_description": "",
        "uid": registry.uid,
        "resource_version": registry.resource_version,
    }
    assert client.post("/registries/team-a/applied/edit/", form).status_code == 302
    stored = on_cluster.server.call("GET", on_cluster.path("team-a", "applied")).body
    assert stored["metadata"]["annotations"]["theriseunion.io/display-name"] == "新名"
    assert stored["spec"]["password"] == CANARY


def test_the_details_page_says_how_the_pull_secret_stands(people: Cast, on_cluster: Cluster) -> None:
    people.add("pulled")

    page = people.client("vic").get("/registries/team-a/pulled/").content.decode()

    assert "拉取凭证" in page
    assert "就绪" in page
    assert "imagePullSecrets" in page


def test_the_default_service_account_is_bound_from_the_details_page(
    people: Cast, on_cluster: Cluster
) -> None:
    path = "/api/v1/namespaces/team-a/serviceaccounts"
    on_cluster.server.call("POST", path, {"metadata": {"name": "default"}})
    empty: dict[str, object] = {"imagePullSecrets": None}
    on_cluster.server.call("PATCH", f"{path}/default", empty, kind=MERGE_PATCH)
    uid = people.add("pulled").uid
    nina, url = people.client("nina"), "/registries/team-a/pulled/pull-secret/"
    assert "未绑定" in nina.get("/registries/team-a/pulled/").content.decode()
    assert "binding-button" not in people.client("omar").get("/registries/team-a/pulled/").content.decode()

    bound = nina.post(url, {"uid": uid, "bound": "1"}, headers={"HX-Request": "true"})

    assert bound.status_code == 200
    assert "已绑定" in bound.content.decode()
    stored = on_cluster.server.call("GET", f"{path}/default").body
    assert stored["imagePullSecrets"] == [{"name": "pulled"}]
    assert people.client("omar").post(url, {"uid": uid, "bound": "0"}).status_code == 403
    assert people.client("sam").post(url, {"uid": uid, "bound": "0"}).status_code == 404
    assert nina.post(url, {"uid": "another", "bound": "0"}).status_code == 409
    assert nina.post(url, {"uid": uid, "bound": "0"}).status_code == 302
    stored = on_cluster.server.call("GET", f"{path}/default").body
    assert not stored.get("imagePullSecrets")
    done = AuditEntry.objects.filter(name="pulled", action__in=("bind", "unbind")).order_by("pk")
    assert [(it.person, it.action, it.outcome) for it in done] == [
        ("nina", "bind", "ok"),
        ("omar", "unbind", "Forbidden"),
        ("sam", "unbind", "NotFound"),
        ("nina", "unbind", "ok"),
    ]


def test_no_account_is_bound_to_a_secret_of_somebody_else(people: Cast, on_cluster: Cluster) -> None:
    core = "/api/v1/namespaces/team-a"
    on_cluster.server.call("POST", f"{core}/serviceaccounts", {"metadata": {"name": "default"}})
    on_cluster.server.call("POST", f"{core}/secrets", {"metadata": {"name": "theirs"}, "data": {"x": "eA=="}})
    uid, nina = people.add("theirs").uid, people.client("nina")

    page = nina.get("/registries/team-a/theirs/").content.decode()
    refused = nina.post("/registries/team-a/theirs/pull-secret/", {"uid": uid, "bound": "1"})
    on_cluster.server.call("DELETE", f"{core}/secrets/theirs")

    assert "binding-button" not in page
    assert refused.status_code == 409
    assert "同名 Secret 由他人创建" in refused.content.decode()
    account = on_cluster.server.call("GET", f"{core}/serviceaccounts/default").body
    assert {"name": "theirs"} not in account.get("imagePullSecrets", [])


def test_how_a_pull_secret_stands_is_told_to_those_who_see_its_registry(people: Cast) -> None:
    registry, service = people.add("pulled"), services()

    assert service.pull_secrets.state(access=people.access("vic"), registry=registry) is PullSecret.READY
    with pytest.raises(NotFound):
        service.pull_secrets.state(access=people.access("sam"), registry=registry)
    with pytest.raises(NotFound):
        service.pull_secrets.binding(access=people.access("sam"), key=registry.key)


def test_a_dialog_that_deletes_says_what_uses_it(people: Cast, on_cluster: Cluster) -> None:
    pod = {
        "metadata": {"name": "shop-web"},
        "spec": {
            "containers": [{"name": "c", "image": "harbor.example.com/a/b"}],
            "imagePullSecrets": [{"name": "pulled"}],
        },
    }
    pods = "/api/v1/namespaces/team-a/pods"
    on_cluster.server.call("POST", pods, pod)
    assert wait_for(lambda: "shop-web" in on_cluster.cached(pods))
    one, two = people.add("pulled"), people.add("idle")
    nina, htmx = people.client("nina"), {"HX-Request": "true"}

    dialog = nina.get("/registries/team-a/pulled/delete/", headers=htmx).content.decode()
    usage = nina.get("/registries/team-a/pulled/usage/").content.decode()
    unused = nina.get("/registries/team-a/idle/usage/").content.decode()
    whole_page = nina.get("/registries/team-a/pulled/delete/").content.decode()
    batch = nina.post(
        "/registries/-/batch-delete/", {"uids": f"{one.uid} {two.uid}"}, headers=htmx
    ).content.decode()
    run = re.search(r"/registries/-/runs/[^/]+/usage/", batch)
    assert run
    of_run = nina.get(run[0]).content.decode()
    on_cluster.server.call("DELETE", f"{pods}/shop-web?gracePeriodSeconds=0")

    assert 'hx-get="/registries/team-a/pulled/usage/"' in dialog
    for said in (usage, whole_page, of_run):
        assert "shop-web" in said
        assert "从该仓库拉取镜像" in said
    assert "shop-web" not in unused
    assert "没有服务账号、工作负载或 Pod" in unused
    assert people.client("omar").get("/registries/team-a/pulled/usage/").status_code == 403
    assert people.client("sam").get("/registries/team-a/pulled/usage/").status_code == 404


def test_somebody_sees_their_own_namespaces_only(people: Cast) -> None:
    people.add("in-a", "team-a")
    people.add("in-b", "team-b")

    page = people.client("vic").get(LIST).content.decode()

    assert "in-a" in page
    assert "in-b" not in page
    assert people.client("vic").get("/registries/team-b/in-b/").status_code == 404


def test_namespaces_are_the_clusters_own(people: Cast) -> None:
    client = people.client("olive")

    page = client.get("/namespaces/").content.decode()

    assert "team-a" in page
    assert "/namespaces/-/add/" not in page
    refused = client.post("/namespaces/-/add/", {"namespace": "team-c"})
    assert refused.status_code == 422
    assert "kubectl" in refused.content.decode()


def test_a_namespace_that_is_being_deleted_takes_nothing_new(people: Cast, on_cluster: Cluster) -> None:
    if not isinstance(on_cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    on_cluster.server.create_namespace("leaving")
    on_cluster.server.call("DELETE", "/api/v1/namespaces/leaving")
    try:
        assert wait_for(lambda: "leaving" in services().index.namespaces(access=people.access("olive")))
        answer = people.client("olive").post("/registries/-/add/", typed(namespace="leaving"))
        assert answer.status_code == 422
        assert "正在被删除" in answer.content.decode()
    finally:
        on_cluster.server.finalize_namespace("leaving")


# Commands and settings


def test_crd_prints_what_kubectl_can_apply() -> None:
    out = io.StringIO()

    call_command("crd", stdout=out)

    kinds = [item["kind"] for item in yaml.safe_load_all(out.getvalue())]
    assert kinds == ["CustomResourceDefinition", *["ClusterRole"] * 12]
    assert "self.provider == oldSelf.provider" in out.getvalue()


def test_crd_apply_installs_it(cluster: Cluster, settings: Any) -> None:
    settings.KUBECONFIG = str(cluster.server.kubeconfig("admin"))
    wiring.reset()
    out = io.StringIO()

    call_command("crd", "--apply", stdout=out)

    assert "CustomResourceDefinition/registrysecrets.image.theriseunion.io" in out.getvalue()


def test_crd_apply_without_the_right_to_says_so(cluster: Cluster, settings: Any) -> None:
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster knows one user only")
    settings.KUBECONFIG = str(cluster.server.kubeconfig("console"))
    wiring.reset()

    with pytest.raises(CommandError) as raised:
        call_command("crd", "--apply")

    assert "集群管理员" in str(raised.value)
    assert "registry-console" not in str(raised.value), "which this account is bound to"


@pytest.mark.parametrize(("store", "match"), [("etcd", "CONSOLE_STORE"), ("kubernetes", "KUBECONFIG")])
def test_a_setting_that_makes_no_sense_is_said_at_the_start(settings: Any, store: str, match: str) -> None:
    settings.STORE, settings.KUBECONFIG = store, "/nowhere"
    wiring.reset()

    with pytest.raises(ImproperlyConfigured, match=match):
        _ = services().store
