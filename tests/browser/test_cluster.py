"""The walk through the guide once more, in Chromium and both languages, with the registries on a cluster."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from registries.demo.seed import NAMESPACES
from tests import examples
from tests.browser.test_guide import *  # noqa: F403  the same tests, on the console of this module
from tests.gallery.furnishing import EMPTY, LONGEST
from tests.gallery.looking import ALL, Variant, look_at
from tests.gallery.on_cluster import CLUSTER_STATES, clear, fill
from tests.gallery.scene import Scene, State
from tests.peers.api_server import ApiServer
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.console_page import add_registry, choose, dialog, open_menu, row
from tests.peers.failing_pods import fails
from tests.peers.held import HeldRegistry
from tests.peers.ports import demo_base
from tests.peers.running_console import RunningConsole
from tests.peers.visitors import People
from tests.peers.words import BOTH, ZH, Words

SOON = 60_000
"""Milliseconds that a change by kubectl may take to show up: a second is meant, but without the watch it is minutes."""


@pytest.fixture(scope="module")
def wire(cluster: Cluster) -> Iterator[Cable | None]:
    """Between the console and a cluster of ours."""
    if not isinstance(cluster.server, ApiServer):
        yield None
        return
    cable = Cable(cluster.server.port)
    yield cable
    cable.close()


@pytest.fixture(scope="module")
def console(
    chromium: Browser, cluster: Cluster, wire: Cable | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningConsole]:
    cluster.empty(*NAMESPACES, EMPTY, LONGEST)
    port = {"port": wire.port} if wire else {}
    kubeconfig = str(cluster.server.kubeconfig("console", **port))
    running = RunningConsole(
        tmp_path_factory.mktemp("console") / "data",
        demo_base(),
        "--into-cluster",
        CONSOLE_STORE="kubernetes",
        KUBECONFIG=kubeconfig,
        CONSOLE_NAMESPACE="nowhere",  # no lease to hold: no pull secrets but of what the console itself writes or shows
    )
    yield running
    running.stop()
    assert running.leaks() == []
    cluster.empty()


@pytest.fixture(params=BOTH if examples.LONG else ["en"])
def words(request: pytest.FixtureRequest) -> Words:
    """The gate walks in one language: nothing that a cluster changes has to do with it."""
    return BOTH[request.param]


@pytest.fixture(scope="module")
def failing_pods(console: RunningConsole, cluster: Cluster) -> Iterator[None]:
    fill(cluster)
    yield
    clear(cluster)


def test_a_service_account_is_bound_and_its_use_told_before_a_deletion(
    people: People, cluster: Cluster
) -> None:
    pod = {
        "metadata": {"name": "shop-web"},
        "spec": {
            "containers": [{"name": "c", "image": "nginx"}],
            "imagePullSecrets": [{"name": "harbor-staging"}],
        },
    }
    core = "/api/v1/namespaces/prod-namespace"
    cluster.server.call("POST", f"{core}/serviceaccounts", {"metadata": {"name": "default"}})
    cluster.server.call("POST", f"{core}/pods", pod)
    page = people("olive").open("/registries/prod-namespace/harbor-staging/")
    panel = page.get_by_role("region", name="拉取凭证")

    panel.get_by_role("button", name="绑定", exact=True).focus()
    page.keyboard.press("Enter")
    unbind = panel.get_by_role("button", name="解绑")
    expect(unbind).to_be_focused()
    expect(panel).to_contain_text("已绑定默认服务账号")
    page.get_by_role("link", name=ZH.delete, exact=True).click()
    used = dialog(page).get_by_role("region", name="引用其拉取凭证的对象")

    expect(used).to_contain_text("default")
    expect(used).to_contain_text("shop-web")
    expect(dialog(page).get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")
    unbind.click()
    expect(panel.get_by_role("button", name="绑定", exact=True)).to_be_visible()
    cluster.server.call("DELETE", f"{core}/pods/shop-web?gracePeriodSeconds=0")


def test_failing_pods_are_followed_while_somebody_looks_at_them(
    people: People, cluster: Cluster, failing_pods: None
) -> None:
    page = people("olive").open()
    page.clock.install()
    page.goto("/pull-failures/?namespace=team-a")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    folds = page.locator("#failures-found details summary")
    folds.first.click()
    page.clock.run_for(90_000)
    assert asked == [], "what somebody opened stays"

    folds.first.click()
    page.get_by_role("heading", level=1).click()
    late = page.locator("#failures-found li", has_text="late")
    expect(late).to_have_count(0)
    fails(cluster, "late", image="late.example.com/a:1")
    with page.expect_response("**/pull-failures/*"):
        page.clock.run_for(30_000)

    expect(late).to_have_count(1)
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")
    asked.clear()
    page.clock.run_for(90_000)
    assert asked == [], "nobody sees it"
    page.close()


def test_a_row_under_test_keeps_no_change_of_others_away(
    people: People, console: RunningConsole, cluster: Cluster, held: HeldRegistry
) -> None:
    add_registry(people("olive"), console, "registry-held", namespace="team-b", **held.credential)
    page = people("olive").open("/registries/?namespace=team-b&size=100")
    tested = row(page, "registry-held")
    expect(tested).to_contain_text(ZH.failed)
    held.hold()
    choose(page, "registry-held", ZH.test)
    expect(tested).to_contain_text("测试中…")

    cluster.apply("team-b", "by-kubectl", password="p")

    expect(row(page, "by-kubectl")).to_be_visible(timeout=SOON)
    expect(tested).to_contain_text("测试中…")
    held.let_go()
    expect(tested).to_contain_text(ZH.failed)
    cluster.delete("team-b", "by-kubectl")
    expect(row(page, "by-kubectl")).to_be_hidden(timeout=SOON)


def test_the_menu_of_a_registry_without_a_valid_address_blames_no_role(
    people: People, cluster: Cluster
) -> None:
    cluster.apply("team-b", "mistyped", domain="https://harbor example.com/a?b", password="p")
    page = people("olive").open("/registries/?namespace=team-b&size=100")
    expect(row(page, "mistyped")).to_be_visible(timeout=SOON)

    menu = open_menu(page, "mistyped")

    expect(menu.get_by_role("menuitem", name=ZH.delete)).to_be_visible()
    expect(menu.get_by_role("menuitem", name=ZH.test)).to_be_hidden()
    expect(menu.locator("#row-menu-note")).to_be_hidden()
    cluster.delete("team-b", "mistyped")


def test_what_kubectl_does_shows_up_in_an_open_details_page(people: People, cluster: Cluster) -> None:
    cluster.apply("prod-namespace", "by-kubectl", password="p")
    page = people("olive").open("/registries/prod-namespace/by-kubectl/")
    expect(page.get_by_role("region", name="拉取凭证")).to_contain_text("就绪")  # who looks has it made

    cluster.annotate("prod-namespace", "by-kubectl", {"theriseunion.io/display-name": "改名了"})
    expect(page.get_by_role("heading", level=1)).to_have_text("改名了", timeout=SOON)
    people.watch.expected.add(404)  # the page may be asking for its parts
    cluster.delete("prod-namespace", "by-kubectl")
    expect(page.get_by_role("alert")).to_contain_text("已被删除", timeout=SOON)


def test_what_kubectl_does_shows_up_in_an_open_page(people: People, cluster: Cluster) -> None:
    page = people("olive").open("/registries/?namespace=prod-namespace&size=100")
    expect(row(page, "harbor-staging")).to_be_visible()

    cluster.apply("prod-namespace", "by-kubectl", password="p")
    expect(row(page, "by-kubectl")).to_be_visible(timeout=SOON)
    cluster.annotate("prod-namespace", "by-kubectl", {"theriseunion.io/display-name": "改名了"})
    expect(page.get_by_text("改名了")).to_be_visible(timeout=SOON)
    cluster.delete("prod-namespace", "by-kubectl")
    expect(row(page, "by-kubectl")).to_be_hidden(timeout=SOON)


@pytest.mark.parametrize(
    ("state", "variant"),
    [(state, ALL[(7 * number) % len(ALL)]) for number, state in enumerate(CLUSTER_STATES)],
    ids=lambda it: it.name,
)
def test_layout(
    failing_pods: None,
    people: People,
    console: RunningConsole,
    cluster: Cluster,
    wire: Cable | None,
    held: HeldRegistry,
    state: State,
    variant: Variant,
) -> None:
    looks = look_at(state, people, Scene(console, held, cluster, wire), [variant], None, axe=True)

    assert [fault for look in looks for fault in look.faults] == []
