"""The rights of the console's account: with exactly those of deploy/ it does everything, and it uses each of them.

The console of each overlay, as the service account of deploy/, on a real API server whose audit log says what was
asked for.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from registries import wiring
from registries.cluster.paths import EVERYWHERE, default_account, registry, secret, secrets_in
from registries.domain.registry import Key
from registries.pull_secrets import reconcile
from registries.stores.cluster import watch
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast, typed
from tests.cluster.damages import is_right, patched
from tests.cluster.people import LIST, access_of, log_in
from tests.cluster.rights import ADDRESS, LEASE, Right, console, deployed, granted, roles
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.deployed import ACCOUNT, VARIANTS, rights_of
from tests.peers.given_server import GivenServer
from tests.peers.scripted import wait_for


@pytest.fixture
def server(api_server: ApiServer | GivenServer) -> ApiServer:
    if not isinstance(api_server, ApiServer):
        pytest.skip("the given cluster has no audit log")
    return api_server


@pytest.fixture
def clean(cluster: Cluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(watch, "CHECK_EVERY", 0.3)
    monkeypatch.setattr(watch, "WATCH_SECONDS", (1, 1))  # it is in the audit log when it ends
    monkeypatch.setattr(reconcile, "RENEWAL", 0.3)
    monkeypatch.setattr(reconcile, "RETRY", 0.3)
    cluster.empty("team-a", "team-b")
    for namespace in ("team-a", "team-b"):
        server.call("DELETE", secrets_in(namespace))
        server.call("DELETE", default_account(namespace))
        server.call(
            "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "default"}}
        )
    server.call("DELETE", LEASE)
    return cluster


def walk(client: Client, cluster: Cluster, find: Callable[[str], Any]) -> None:
    """A person's day with registries, and the console's own work meanwhile."""
    cluster.apply("team-a", "applied", domain=ADDRESS, password=CANARY)
    assert wait_for(lambda: "applied" in client.get(LIST).content.decode())
    assert wait_for(lambda: cluster.server.call("GET", secret(Key("team-a", "applied"))).status == 200)
    assert client.post("/registries/-/add/", typed("added", domain=ADDRESS)).status_code == 302
    added, key = find("added"), Key("team-a", "added")
    form = {"description": "", "seen_display_name": "", "seen_description": ""}
    for name in ("新", "更新"):  # the second Event of a kind is counted in the first
        form |= {"uid": added.uid, "resource_version": find("added").resource_version, "display_name": name}
        assert client.post("/registries/team-a/added/edit/", form).status_code == 302
        assert wait_for(lambda: "Edited: display name." in _events(cluster)), "or both are written as one"
    assert client.post("/registries/team-a/added/verify/").status_code == 302
    with suppress(SystemExit):
        call_command("verify")
    assert client.get("/registries/team-a/added/").status_code == 200
    bound = client.post("/registries/team-a/added/pull-secret/", {"uid": added.uid, "bound": "1"})
    assert bound.status_code == 302
    assert "imagePullSecrets" in cluster.server.call("GET", default_account("team-a")).body
    for damage in (patched(data={"x": "eA=="}), patched(immutable=True)):
        damage(cluster, key)
        assert wait_for(lambda: is_right(cluster, key, ADDRESS))
    assert client.get("/registries/team-a/added/usage/").status_code == 200
    assert client.get("/pull-failures/").status_code == 200
    gone = client.post("/registries/team-a/added/delete/", {"confirm": "added", "uid": added.uid})
    assert gone.status_code == 302
    assert cluster.server.call("GET", registry(key)).status == 404


def _events(cluster: Cluster) -> list[str]:
    items = cluster.server.call("GET", "/api/v1/namespaces/team-a/events").body["items"]
    return [it["message"] for it in items]


@pytest.fixture
def requests(clean: Cluster, server: ApiServer) -> Callable[[], list[tuple[Right, int]]]:
    """What the account asks for from now on, and the status of each answer."""
    begun = server.audit_file.stat().st_size

    def read() -> list[tuple[Right, int]]:
        found = []
        for line in server.audit_file.read_bytes()[begun:].splitlines():
            event = json.loads(line)
            assert event["user"]["username"] == ACCOUNT
            ref = event.get("objectRef") or {"resource": event["requestURI"].partition("?")[0]}
            parts = (ref.get(it, "") for it in ("namespace", "apiGroup", "resource", "name"))
            found.append((Right(*parts, verb=event["verb"]), event["responseStatus"]["code"]))
        return found

    return read


@pytest.mark.django_db
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_rights_of_an_overlay_are_enough_and_none_is_unused(
    clean: Cluster,
    server: ApiServer,
    requests: Callable[[], list[tuple[Right, int]]],
    settings: Any,
    cast: Cast,
    variant: str,
) -> None:
    by_cluster = variant != "local-accounts"
    if by_cluster:
        clean.bind("team-a-admin", "image-admin", "team-a")
    with console(variant, clean, server, settings):
        client = log_in("team-a-admin") if by_cluster else cast.client("nina")
        access = (lambda: access_of("team-a-admin")) if by_cluster else (lambda: cast.access("nina"))

        walk(client, clean, lambda name: services().registries.find(access=access(), key=Key("team-a", name)))

        rights = granted(variant)

        def unused() -> list[Right]:
            uses = [use for use, _ in requests()]
            return [right for right in rights if not any(right.covers(use) for use in uses)]

        wait_for(lambda: not unused())
        refused = [use for use, status in requests() if status in (401, 403)]
    clean.unbind("team-a-admin", "image-admin", "team-a")
    assert unused() == []
    assert refused == []


def test_every_role_of_the_console_is_in_an_overlay() -> None:
    bound = {role for variant in VARIANTS for role, _ in rights_of(variant)}

    assert bound == {it for it in roles() if it.startswith("registry-console")} - {"registry-console-metrics"}


BEYOND = [
    Right("team-a", "image.theriseunion.io", "registrysecrets", "", "create"),
    Right("team-a", "image.theriseunion.io", "registrysecrets", "", "delete"),
    Right("team-a", "image.theriseunion.io", "registrysecrets", "", "deletecollection"),
    Right("team-a", "image.theriseunion.io", "registrysecrets", "", "update"),
    Right("team-a", "", "secrets", "", "update"),
    Right("team-a", "", "secrets", "", "deletecollection"),
    Right("team-a", "", "serviceaccounts", "default", "patch"),
    Right("team-a", "", "pods", "", "list"),
    Right("team-a", "", "pods", "", "create"),
    Right("team-a", "apps", "deployments", "", "list"),
    Right("team-a", "coordination.k8s.io", "leases", "", "create"),
    Right("registry-console", "coordination.k8s.io", "leases", "another", "get"),
    Right("", "rbac.authorization.k8s.io", "clusterrolebindings", "", "create"),
]
"""What the account must not be allowed to do where people write in their own name."""
ELSEWHERE = [
    *(
        Right("team-b", "", "secrets", "", verb)
        for verb in ("get", "list", "watch", "create", "patch", "delete")
    ),
    *(
        Right("team-b", "image.theriseunion.io", "registrysecrets", "", verb)
        for verb in ("get", "list", "watch", "patch")
    ),
    Right("", "", "secrets", "", "list"),
    Right("", "image.theriseunion.io", "registrysecrets", "", "list"),
    Right("", "", "namespaces", "", "list"),
]
"""And where it is limited to team-a."""


@pytest.mark.parametrize("variant", ["cluster-people", "namespaced"])
def test_where_people_write_the_console_cannot(clean: Cluster, variant: str) -> None:
    def allows(right: Right) -> bool:
        rule = {"verbs": [right.verb], "apiGroups": [right.group], "resources": [right.resource]}
        return clean.allows(ACCOUNT, {**rule, "resourceNames": [right.name]}, right.namespace)

    with deployed(variant, clean):
        assert all(allows(right) for right in granted(variant) if not right.resource.startswith("/"))
        beyond = [*BEYOND, *(ELSEWHERE if variant == "namespaced" else ())]
        assert [right for right in beyond if allows(right)] == []


@pytest.mark.django_db
class TestNamespaced:
    """The console of some namespaces only."""

    @pytest.fixture(autouse=True)
    def people(self, clean: Cluster) -> Iterator[None]:
        clean.bind("olive", "image-admin")
        yield
        clean.unbind("olive", "image-admin")

    def test_no_other_namespace_exists(self, clean: Cluster, server: ApiServer, settings: Any) -> None:
        """Not even for somebody who has every role in it."""
        with console("namespaced", clean, server, settings):
            clean.apply("team-a", "mine", password=CANARY)
            clean.apply("team-b", "theirs", password=CANARY)
            client = log_in("olive")
            assert wait_for(lambda: "mine" in client.get(LIST).content.decode())

            assert "theirs" not in client.get(LIST).content.decode()
            assert "team-b" not in client.get("/namespaces/").content.decode()
            assert client.get(LIST, {"namespace": "team-b"}).status_code == 404
            assert client.get("/registries/team-b/theirs/").status_code == 404
            uid = server.call("GET", registry(Key("team-b", "theirs"))).body["metadata"]["uid"]
            confirm = {"confirm": "theirs", "uid": uid}
            assert client.post("/registries/team-b/theirs/delete/", confirm).status_code == 404
            for namespace, status in (("team-b", 404), ("nowhere", 404), ("team-a", 201)):
                path = f"/oapis/image.theriseunion.io/v1alpha1/namespaces/{namespace}/registry-secrets"
                spec = {"domain": ADDRESS, "username": "u", "password": CANARY, "provider": "other"}
                body = {"metadata": {"name": "new"}, "spec": spec}
                assert client.post(path, body, content_type="application/json").status_code == status
            names = {it["metadata"]["name"] for it in server.call("GET", EVERYWHERE).body["items"]}
            assert names == {"mine", "theirs", "new"}
            assert services().store.reached(1)

    def test_a_namespace_that_takes_the_rights_away_stops_nobody_else(
        self, clean: Cluster, server: ApiServer, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("registries.stores.cluster.follower.REFUSED_FOR", 0.5)
        bindings = [("registry-console", "team-b"), ("registry-console-pull-secrets", "team-b")]
        with console("namespaced", clean, server, settings):
            services().store.stop()
            settings.CLUSTER_NAMESPACES = ["team-a", "team-b"]
            wiring.reset()
            clean.apply("team-a", "mine", password=CANARY)
            clean.apply("team-b", "theirs", password=CANARY)
            client = log_in("olive")

            def listed() -> set[str]:
                return set(re.findall(r"mine|theirs", client.get(LIST).content.decode()))

            assert wait_for(lambda: listed() == {"mine"}), "team-b has given no rights"
            assert not services().index.freshness().problem
            for role, namespace in bindings:
                clean.bind(ACCOUNT, role, namespace)
            try:
                assert wait_for(lambda: listed() == {"mine", "theirs"})
                assert wait_for(lambda: server.call("GET", secret(Key("team-b", "theirs"))).status == 200)
            finally:
                for role, namespace in bindings:
                    clean.unbind(ACCOUNT, role, namespace)
            assert wait_for(lambda: listed() == {"mine"})
            assert not services().index.freshness().problem
            clean.apply("team-a", "mine-too", password=CANARY)
            assert wait_for(lambda: "mine-too" in client.get(LIST).content.decode())
            services().store.stop()

    def test_without_any_right_it_says_so(self, clean: Cluster, server: ApiServer, settings: Any) -> None:
        with console("namespaced", clean, server, settings):
            services().store.stop()
            settings.CLUSTER_NAMESPACES = ["team-b", "team-c"]
            wiring.reset()

            assert wait_for(lambda: services().index.missing() == "cluster_forbidden")
            services().store.stop()
