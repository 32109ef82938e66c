"""Pods that cannot pull, for people of the cluster: each sees what the API server lets this person list."""

from django.test import Client

from registries.cluster.paths import pods_in, secrets_in
from tests.canary import CANARY
from tests.cluster.failures_page import PAGE, READS_SECRETS
from tests.cluster.people import CAST, log_in
from tests.cluster.test_secret_scan import PAGE as SCAN
from tests.cluster.test_secret_scan import fill
from tests.peers.cluster import Cluster
from tests.peers.failing_pods import fails

pytest_plugins = ("tests.cluster.people",)


def test_the_cast(people: Cluster) -> None:
    for namespace in ("team-a", "team-b"):
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        people.server.call("POST", accounts, {"metadata": {"name": "default"}})
        fails(people, f"pod-of-{namespace}", namespace=namespace)
    try:
        pages = {name: log_in(user).get(PAGE).content.decode() for name, user in CAST.items()}
        assert Client().get(PAGE).status_code == 302
    finally:
        for namespace in ("team-a", "team-b"):
            people.server.call("DELETE", f"{pods_in(namespace)}/pod-of-{namespace}?gracePeriodSeconds=0")

    seen = {
        name: [it for it in ("team-a", "team-b") if f"pod-of-{it}" in page] for name, page in pages.items()
    }
    assert seen == {"olive": ["team-a", "team-b"], "nina": ["team-a"], "omar": [], "vic": [], "sam": []}
    assert {name for name, page in pages.items() if 'id="unread"' in page} == {"omar", "vic"}
    assert "team-b" not in "".join(pages[name] for name in ("nina", "omar", "vic", "sam"))


EVERY_FINDING = (
    "拉取凭证不存在",
    "拉取凭证类型错误",
    "拉取凭证无法解析",
    "不生效",
    "凭证重复",
    "无对应镜像源",
)


def test_the_cast_scans_secrets_within_its_rights(people: Cluster) -> None:
    people.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", READS_SECRETS)
    for namespace in ("team-a", "team-b"):
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        people.server.call("POST", accounts, {"metadata": {"name": "default"}})
    fill(people)
    nina = log_in("team-a-admin")
    try:
        pages = {name: log_in(user).get(SCAN).content.decode() for name, user in CAST.items()}
        people.bind("team-a-admin", "reader-of-secrets", "team-a")
        with_right = nina.get(SCAN).content.decode()
        people.unbind("team-a-admin", "reader-of-secrets", "team-a")
        assert Client().get(SCAN).status_code == 302
    finally:
        people.server.call("DELETE", f"{pods_in('team-a')}?gracePeriodSeconds=0")
        people.server.call("DELETE", secrets_in("team-a"))

    assert {name for name, page in pages.items() if "pod-adopt" in page} == {"olive", "nina"}
    assert {name for name, page in pages.items() if 'id="unread"' in page} == {"omar", "vic"}
    assert not any("robot$new" in page for page in pages.values())
    assert [text for text in EVERY_FINDING if text not in with_right] == []
    assert "username=robot%24new" in with_right
    assert not any(CANARY in page for page in (*pages.values(), with_right))
