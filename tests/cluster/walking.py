"""A case of a pod that cannot pull, in a namespace of its own: what is there, what runs, and what a person does."""

import html
import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.test import Client

from registries.cluster import paths
from registries.domain.access import Access
from registries.domain.registry import Draft, Key, Provider, VerifyStatus
from registries.pull_secrets.explain import Code, Near
from registries.web.pulls.step import SHAPE
from registries.wiring import services
from tests.canary import CANARY
from tests.cluster.failures_page import PAGE
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.failing_pods import CONFIG
from tests.peers.failing_world import USER, World
from tests.peers.fake_controllers import FakeController, kubectl
from tests.peers.fake_kubelet import FakeKubelet, back_off, old_back_off
from tests.peers.scripted import wait_for

WEB = "{private}/shop/web:1"
PUBLIC = "{open}/shop/web:1"
ADD, BIND, RESTART, COMMAND = "add", "bind", "restart", "command"
COLLECTIONS = (
    "/apis/image.theriseunion.io/v1alpha1/namespaces/{}/registrysecrets",
    "/api/v1/namespaces/{}/pods",
    "/api/v1/namespaces/{}/secrets",
)
"""What other tests would see. No controller empties a deleted namespace here."""
Json = dict[str, Any]
Step = tuple[Code, str]
"""An explanation, and what is done: a button, `command`, or "" where the page cannot help."""


class Secret(NamedTuple):
    content: Any
    kind: str = CONFIG


@dataclass(frozen=True)
class Case:
    """`secrets` exist, `named` are those that the pod names. `registry` is the address of one of the console, `tested`
    or not, with the name `known`. `beside` is what is left when the container `c` runs; with
    `mends` false it does not: only a person knows what is wrong."""

    steps: tuple[Step, ...]
    image: str = WEB
    secrets: tuple[tuple[str, Secret], ...] = ()
    named: tuple[str, ...] = ()
    registry: str = ""
    username: str = USER
    password: str = CANARY
    tested: bool = False
    bound: bool = False
    kind: str = "Deployment"
    near: Near | None = None
    node: str = "new"
    account: str = "default"
    of_account: tuple[str, ...] = ()
    """The pull secrets that the service account names."""
    policy: str = "Always"
    init: bool = False
    more: str = ""
    beside: tuple[Code, ...] = ()
    mends: bool = True
    reads: bool = True
    """Whether the person may read Secrets."""
    public: bool = False
    """The person knows that the image is public, and takes the command beside the button."""

    @property
    def mended(self) -> bool:
        return self.mends and bool(self.steps[-1][1])


class Place:
    """The namespace of a case, with its controllers, its nodes, and the page about it."""

    def __init__(
        self, name: str, case: Case, cluster: Cluster, world: World, client: Client, access: Access
    ) -> None:
        self.case, self.namespace = case, f"walk-{name}"
        self._cluster, self._server, self._world, self._client = cluster, cluster.server, world, client
        self._access = access
        self._controller = FakeController(self._server, case.kind, self.namespace, case.node)
        says = old_back_off if case.node == "old" else back_off
        self._node = FakeKubelet(self._server, case.node, world, says, bare_reasons=case.node == "newest")
        self.key = Key(self.namespace, "known")

    def text(self, words: str) -> str:
        for name, host in self._world.hosts.items():
            words = words.replace("{" + name + "}", host)
        return words.replace("{port}", self._world.hosts["private"].partition(":")[2])

    # What is there

    def create(self) -> None:
        self._server.create_namespace(self.namespace)
        for account in dict.fromkeys(("default", self.case.account)):
            body: Json = {"metadata": {"name": account}}
            if account == self.case.account:
                body["imagePullSecrets"] = [{"name": it} for it in self.case.of_account]
            self._post(f"/api/v1/namespaces/{self.namespace}/serviceaccounts", body)
        for name, secret in self.case.secrets:
            field = ".dockercfg" if secret.kind.endswith("dockercfg") else ".dockerconfigjson"
            content = self.text(json.dumps(secret.content))
            body = {"metadata": {"name": name}, "type": secret.kind, "stringData": {field: content}}
            self._post(paths.secrets_in(self.namespace), body)

    def fill(self) -> None:
        """After the console knows the namespace: the registry as people add it, then the workload."""
        case = self.case
        if case.registry:
            host = self.text(case.registry)
            if case.tested:
                self._add(
                    {"namespace": self.namespace, "domain": host}, "known", case.username, case.password
                )
            else:
                draft = Draft(self.key, f"http://{host}", case.username, Provider.OTHER, case.password)
                services().registries.create(access=self._access, draft=draft)
        container = {"name": "c", "image": self.text(case.image), "imagePullPolicy": case.policy}
        public = {"name": "other", "image": self.text(case.more or PUBLIC)}
        spec: Json = {"serviceAccountName": case.account, "containers": [container]}
        spec["imagePullSecrets"] = [{"name": it} for it in case.named]
        if case.init:
            spec |= {"initContainers": [container], "containers": [public]}
        elif case.more:
            spec["containers"] = [container, public]
        if case.kind == "Pod":
            self._controller.create({"metadata": {"name": "web"}, "spec": spec})
        else:
            self._workload(spec)

    def _workload(self, spec: Json) -> None:
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": spec}
        body: Json = {"selector": {"matchLabels": labels}, "template": template}
        if self.case.kind == "StatefulSet":
            body["serviceName"] = "web"
        if self.case.kind == "Job":  # the API server makes its selector
            body = {"template": {"spec": {**spec, "restartPolicy": "Never"}}}
        group = "batch" if self.case.kind == "Job" else "apps"
        collection = f"/apis/{group}/v1/namespaces/{self.namespace}/{self.case.kind.lower()}s"
        self._post(collection, {"metadata": {"name": "web"}, "spec": body})

    def change(self) -> None:
        """What happens after the pods were made."""
        if self.case.bound:
            patch = {"imagePullSecrets": [{"name": "known"}]}
            path = paths.default_account(self.namespace)
            assert self._server.call("PATCH", path, patch, kind=MERGE_PATCH).status == 200
        else:
            self.settle()

    def remove(self) -> None:
        for collection in COLLECTIONS:
            self._server.call("DELETE", f"{collection.format(self.namespace)}?gracePeriodSeconds=0")
        self._server.finalize_namespace(self.namespace)

    def _post(self, path: str, body: Json) -> None:
        answer = self._server.call("POST", path, body)
        assert answer.status == 201, answer.body

    # What runs

    def settle(self) -> None:
        """The nodes end deleted pods, the controller makes new ones, the nodes pull, and lists show it."""
        for pod in self.pods():
            if "deletionTimestamp" in pod["metadata"]:
                self._node.sync(pod)
        self._controller.reconcile()
        for pod in self.pods():
            self._node.sync(pod)
        pods = paths.pods_in(self.namespace)
        now = {it["metadata"]["name"]: it["metadata"]["resourceVersion"] for it in self.pods()}
        assert wait_for(lambda: self._cluster.cached(pods) == now)

    def pods(self) -> list[Json]:
        return list(self._server.call("GET", paths.pods_in(self.namespace)).body["items"])

    def pulled(self) -> bool:
        """Whether the image of container `c` was pulled."""
        states = [
            it["state"]
            for pod in self.pods()
            for kind in ("initContainerStatuses", "containerStatuses")
            for it in pod["status"].get(kind, ())
            if it["name"] == "c"
        ]
        return len(states) == 1 and "waiting" not in states[0]

    # What a person sees and does

    def page(self) -> list[str]:
        """The groups on the page."""
        answer = self._client.get(PAGE, {"namespace": self.namespace})
        assert answer.status_code == 200
        return answer.content.decode().split('<section class="panel pull-failure"')[1:]

    def do(self, group: str) -> str:
        """Takes the one next step of a group, and says which it was."""
        form = re.search(
            r'<form class="pull-step" method="post" action="([^"]+)">(.*?)</form>', group, re.DOTALL
        )
        link = re.search(r'class="btn[^"]*" href="([^"]+)"', group)
        command = re.search(
            r'<div class="command">\s*<pre class="code".*?data-copy="(.*?)"', group, re.DOTALL
        )
        if form:
            fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[2]))
            assert self._client.post(form[1], fields).status_code == 302
            if form[1].endswith("/verify/"):
                return self._tested("test")
            return BIND
        url = html.unescape(link[1]) if link and not self.case.public else ""
        path = url.partition("?")[0]
        if "/-/add/" in path:
            dialog = self._client.get(url).content.decode()
            shown = {it: _value(dialog, it) for it in ("domain", "name")}
            chosen = re.search(r'<option value="([^"]+)" selected', dialog)
            assert chosen
            if not self.case.mends:
                assert shown["domain"] == "docker.io"
                return ADD
            assert shown["domain"] == self.text("{private}")
            return self._add({"namespace": chosen[1], "domain": shown["domain"]}, shown["name"], USER, CANARY)
        for action in ("password", "correct", "restart"):
            if path.endswith(f"/{action}/"):
                return self._dialog(action, url)
        shown = html.unescape(command[1]) if command else ""
        self._look(group)
        if not shown or "describe" in shown.partition("\n")[0]:
            return ""
        kubectl(self._server, shown)
        return COMMAND

    def _look(self, group: str) -> None:
        """The command that looks at a Secret names it, and reads no value of it but through the filter of types."""
        looks = [
            html.unescape(it)
            for it in re.findall(r'"command looks">\s*<pre.*?data-copy="(.*?)"', group, re.DOTALL)
        ]
        for it in looks:
            assert " delete secret " in it or it.endswith(SHAPE), it

    def _add(self, values: dict[str, str], name: str, username: str, password: str) -> str:
        values |= {"domain": f"http://{values['domain']}", "provider": "other", "tls": "system"}
        values |= {"name": name, "username": username, "password": password}
        answer = self._client.post("/registries/-/add/", values)
        assert answer.status_code == 302, answer.content.decode()
        self.key = Key(self.namespace, name)
        return self._tested(ADD)

    def _dialog(self, action: str, url: str) -> str:
        dialog = self._client.get(url).content.decode()
        fields = dict(re.findall(r'<input type="hidden" name="(uid|version)" value="([^"]*)"', dialog))
        fields |= {"password": CANARY, "anyway": "1"}
        if action == "correct":
            fields |= {"domain": self.text("http://{private}"), "username": USER, "provider": "other"}
            fields |= {"tls": "system", "ca_bundle": ""}
        answer = self._client.post(url.partition("?")[0], fields)
        assert answer.status_code in (200, 302), answer.content.decode()
        return action if action == "restart" else self._tested(action)

    def _tested(self, action: str) -> str:
        """After the test that follows has its verdict."""

        def has_verdict() -> bool:
            registry = services().registries.find(access=self._access, key=self.key)
            tested = registry.verification.status is not VerifyStatus.UNTESTED
            return tested and not services().history.under_way([registry.uid])

        assert wait_for(has_verdict), action
        return action


def label_of(group: str) -> str:
    found = re.search(r'<span class="pill[^"]*">.*?</svg>([^<]+)</span>', group, re.DOTALL)
    assert found, group
    return html.unescape(found[1]).strip()


def _value(dialog: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', dialog)
    return html.unescape(found[1]) if found else ""
