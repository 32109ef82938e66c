"""People of a cluster at their browsers: the login page, and a session that ends in the middle of something."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from registries.cluster.paths import pods_in
from registries.demo.seed import NAMESPACES
from tests.browser.test_session import CHECKS, session_dialog
from tests.canary import CANARY, TOKEN
from tests.gallery.looking import ALL, RULES, Variant, look_at
from tests.gallery.of_people import PEOPLE_STATES, furnished
from tests.gallery.scene import Scene, State
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.axe import complaints
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.console_page import dialog, fill, input_, open_add, row
from tests.peers.failing_pods import HARBOR, RESTARTER, fails
from tests.peers.held import HeldRegistry
from tests.peers.kubeconfigs import client_certificate, kubeconfig
from tests.peers.ports import demo_base
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import BOTH, EN, ZH, Words

BOUND = (
    ("team-a-admin", "image-admin", "team-a"),
    ("omar", "image-operator", "team-a"),
    ("console", "registry-console-token-reviews", ""),
)


@pytest.fixture(scope="module")
def console(
    chromium: Browser, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningConsole]:
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    cluster.empty(*NAMESPACES)
    for binding in BOUND:
        cluster.bind(*binding)
    running = RunningConsole(
        tmp_path_factory.mktemp("console") / "data",
        demo_base(),
        "--into-cluster",
        CONSOLE_STORE="kubernetes",
        CONSOLE_AUTH="kubernetes",
        CONSOLE_ACCESS_SECONDS="1",
        CONSOLE_LOGIN_ATTEMPTS="50",
        KUBECONFIG=str(cluster.server.kubeconfig("console")),
    )
    yield running
    running.stop()
    assert running.leaks() == []
    for binding in BOUND:
        cluster.unbind(*binding)
    cluster.empty()


def log_in(place: Page | Locator, user: str, words: Words = ZH) -> None:
    place.get_by_label("令牌" if words is ZH else "Token", exact=True).fill(canary_token(user))
    place.get_by_role("button", name=words.log_in, exact=True).click()


def arrived(page: Page, user: str) -> None:
    expect(page.get_by_role("button", name=f"账号 {user}")).to_be_visible()


class TestTheLoginPage:
    @pytest.mark.parametrize(
        ("words", "said"),
        [(ZH, "集群不接受该凭证"), (EN, "The cluster does not accept this credential")],
        ids=BOTH,
    )
    def test_says_what_is_wrong_and_forgets_what_was_typed(
        self, people: People, words: Words, said: str
    ) -> None:
        page = people.stranger().open("/login/", language=words.code)

        log_in(page, "nobody-at-all", words)

        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_label("令牌" if words is ZH else "Token", exact=True)).to_have_value("")

    def test_works_by_keyboard_alone(self, people: People) -> None:
        page = people.stranger().open("/login/")
        expect(page.get_by_label("令牌", exact=True)).to_be_focused()
        page.keyboard.press("Tab")  # the button that shows the token
        page.keyboard.press("Tab")
        expect(page.get_by_label("或 kubeconfig 文件")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # opens what is folded
        page.keyboard.press("Tab")
        expect(page.get_by_label("kubeconfig 的内容")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=ZH.log_in, exact=True)).to_be_focused()

        page.get_by_label("令牌", exact=True).focus()
        page.keyboard.type(canary_token("team-a-admin"))
        page.keyboard.press("Enter")

        arrived(page, "team-a-admin")

    def test_takes_a_kubeconfig_file_without_scripts(
        self, people: People, cluster: Cluster, tmp_path: Path
    ) -> None:
        assert isinstance(cluster.server, ApiServer)
        pair = cluster.server.client_authority.issue(common_name="team-a-admin")
        file = tmp_path / "config"
        file.write_text(kubeconfig(cluster.server.url, client_certificate(pair)))
        page = people.stranger(java_script_enabled=False).open("/login/")

        page.get_by_label("或 kubeconfig 文件").set_input_files(file)
        page.get_by_role("button", name=ZH.log_in, exact=True).click()

        expect(page.get_by_text("team-a-admin", exact=True).first).to_be_attached()
        expect(row(page, "harbor-team-a")).to_be_visible()

    def test_fits_a_narrow_screen(self, people: People) -> None:
        page = people.stranger().open("/login/", width=360)

        assert page.evaluate("document.documentElement.scrollWidth") <= 360


class TestASessionThatEnds:
    def test_in_the_add_dialog_loses_nothing(self, people: People) -> None:
        people.watch.expected.add(401)
        person = people.stranger("team-a-admin")
        page = person.open("/login/")
        log_in(page, "team-a-admin")
        arrived(page, "team-a-admin")
        page.route(CHECKS, lambda route: route.fulfill(status=204))  # must not be what notices it
        form = open_add(page).filter(has=page.get_by_role("heading", name=ZH.add))
        typed = {"name": "harbor-kept", "domain": "127.0.0.1:9", "username": "robot$kept", "password": CANARY}
        fill(form, provider="Harbor", namespace="team-a", **typed)
        person.post("/logout/")

        form.get_by_role("button", name=ZH.ok, exact=True).click()
        again = session_dialog(page)
        expect(again.get_by_label("令牌", exact=True)).to_be_focused()
        log_in(again, "nobody-at-all")
        expect(again.get_by_role("alert")).to_contain_text("集群不接受该凭证")
        log_in(again, "team-a-admin")

        expect(again).to_be_hidden()
        for name, value in typed.items():
            expect(input_(form, getattr(ZH, name))).to_have_value(value)
        form.get_by_role("button", name=ZH.ok, exact=True).click()
        expect(form).to_have_count(0)
        expect(row(page, "harbor-kept")).to_be_visible()

    def test_shows_nothing_of_one_person_to_the_next(self, people: People) -> None:
        people.watch.expected.add(401)
        person = people.stranger("team-a-admin")
        page = person.open("/login/")
        log_in(page, "team-a-admin")
        arrived(page, "team-a-admin")
        form = open_add(page)
        fill(form, description="von jemandem")
        person.context.clear_cookies(name="sessionid")

        form.get_by_role("button", name=ZH.ok, exact=True).click()
        log_in(session_dialog(page), "omar")

        arrived(page, "omar")
        expect(dialog(page)).to_have_count(0)

    def test_the_credential_is_nowhere_in_the_browser(self, people: People) -> None:
        person = people.stranger("omar")
        page = person.open("/login/")
        log_in(page, "omar")
        arrived(page, "omar")

        kept = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
        assert TOKEN not in kept + str(person.context.cookies())


def test_a_failing_pod_is_made_again_in_the_name_of_the_person(people: People, cluster: Cluster) -> None:
    core = "/api/v1/namespaces/team-a"
    accounts = f"{core}/serviceaccounts"
    account = {"metadata": {"name": "default"}, "imagePullSecrets": [{"name": "harbor-shop"}]}
    cluster.server.call("DELETE", f"{accounts}/default")
    assert cluster.server.call("POST", accounts, account).status == 201
    cluster.apply("team-a", "harbor-shop", domain=HARBOR, password="p")
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "shop", "uid": "1", "controller": True}
    fails(cluster, "shop-0", ownerReferences=[owner])
    page = people.stranger().open("/pull-failures/?namespace=team-a", theme="system", width=390, height=844)
    log_in(page, "team-a-admin")
    people.watch.expected.add(409)

    page.get_by_role("link", name="重新创建 shop-0").click()
    expect(dialog(page)).to_contain_text("shop-0")
    assert complaints(page) == []
    assert page.evaluate(RULES, True) == []
    dialog(page).get_by_role("button", name="重启", exact=True).click()
    expect(dialog(page).get_by_role("alert")).to_contain_text("你在集群上无权重启该工作负载")
    assert page.evaluate(RULES, True) == []
    cluster.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", RESTARTER)
    cluster.bind("team-a-admin", "restarter-of-workloads", "team-a")
    dialog(page).get_by_role("button", name="重启", exact=True).click()

    expect(page.get_by_text("已重启「Pod/shop-0」")).to_be_visible()
    expect(page.get_by_role("heading", name="没有 Pod 在等待镜像")).to_be_visible()
    assert cluster.server.call("GET", f"{core}/pods/shop-0").status == 404
    cluster.unbind("team-a-admin", "restarter-of-workloads", "team-a")


def test_a_test_from_a_node(people: People, cluster: Cluster) -> None:
    """No kubelet runs: the test writes what one writes."""
    cluster.bind("team-a-admin", "image-prober", "team-a")
    person = people.stranger("team-a-admin")
    page = person.open("/login/", theme="system")
    log_in(page, "team-a-admin")
    page.wait_for_url("**/registries/")
    page.goto(f"{page.url}team-a/harbor-team-a/")

    page.get_by_role("link", name="从节点测试").click()
    form = dialog(page)
    form.locator("#id_node").fill("edge-07")
    form.locator("#id_repository").fill("project/app")
    form.get_by_role("button", name="从节点测试").click()

    expect(form.locator("#node-verdict.verdict-busy")).to_contain_text("edge-07")
    again = form.locator("#node-test-start")
    expect(again).to_have_text("重新测试")
    expect(again).to_have_attribute("aria-disabled", "true")
    for it in cluster.server.call("GET", pods_in("team-a")).body["items"]:
        control = "registry-console/control" in it["metadata"]["labels"]
        said = "401 Unauthorized" if control else "manifest unknown: not found"
        waiting = {"reason": "ErrImagePull", "message": said}
        container = {"name": "test", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
        status = {"containerStatuses": [{**container, "state": {"waiting": waiting}}]}
        path = f"{pods_in('team-a')}/{it['metadata']['name']}/status"
        cluster.server.call("PATCH", path, {"status": status}, kind=MERGE_PATCH)
    expect(form.locator("#node-verdict")).to_contain_text("不带凭证的拉取被拒绝")
    expect(again).to_be_enabled()
    assert complaints(page) == []
    assert cluster.server.call("GET", pods_in("team-a")).body["items"] == []
    cluster.unbind("team-a-admin", "image-prober", "team-a")


@pytest.fixture(scope="module")
def states(console: RunningConsole, cluster: Cluster) -> Iterator[None]:
    """It ends the roles of this module as well, so it comes last."""
    with furnished(cluster):
        yield


@pytest.mark.usefixtures("states")
@pytest.mark.parametrize(
    ("state", "variant"),
    [(state, ALL[(7 * number) % len(ALL)]) for number, state in enumerate(PEOPLE_STATES)],
    ids=lambda it: it.name,
)
def test_layout(
    people: People, console: RunningConsole, cluster: Cluster, state: State, variant: Variant
) -> None:
    """One variant of each state of people; `make gallery` looks at all."""
    held = HeldRegistry()
    try:
        scene = Scene(console, held, cluster)
        looks = list(look_at(state, people, scene, [variant], None, axe=True))
    finally:
        held.stop()

    assert [fault for look in looks for fault in look.faults] == []
