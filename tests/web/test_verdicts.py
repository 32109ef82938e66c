"""What a verdict says: stages, the provider's own next step, the history; and the links to other failing registries."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.utils import translation

from registries.domain.registry import Key, Provider, RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import verification_annotations
from registries.models import VerificationRecord
from registries.probe import Reason, Result, Step
from registries.verification.history import SCHEDULED, Check, to_json
from registries.web.lists.verdicts import stage_views, verdict_of_stored
from registries.wiring import services
from registries.words.labels import warning
from registries.words.providers import account_kind, next_step
from tests.cast import Cast

LIST = "/registries/"
ACCOUNTS = {
    Provider.HARBOR: ("robot$team+pull", "admin"),
    Provider.DOCKERHUB: ("account",),
    Provider.ALIYUN: ("name@1234",),
    Provider.OTHER: ("pull", "a$b"),
}
NAMES = {
    Provider.HARBOR: ("Harbor",),
    Provider.DOCKERHUB: ("Docker",),
    Provider.ALIYUN: ("Aliyun", "阿里云", "固定密码", "AccessKey", "VPC", "RAM"),
    Provider.OTHER: ("Nexus",),
}
"""Words that belong to one type of registry."""


def with_tests(
    cast: Cast, name: str, *reasons: Reason | Result, namespace: str = "team-a", **values: str
) -> None:
    """A registry with a test a day, the last one a minute ago."""
    results = [it if isinstance(it, Result) else Result(it) for it in reasons]
    it = cast.add(name, namespace, **values)
    for days, result in enumerate(reversed(results)):
        at = datetime.now(UTC) - timedelta(days=days, minutes=1)
        VerificationRecord.objects.create(
            uid=it.uid,
            namespace=namespace,
            name=name,
            person="omar",
            started_at=at,
            finished_at=at,
            outcome=to_json(result),
        )
    if results:
        last = results[-1].reason
        status = VerifyStatus.SUCCESS if last.ok else VerifyStatus.FAILED
        verdict = Verification(
            status=status, reason=last.value, message="", at=datetime.now(UTC) - timedelta(minutes=1)
        )
        services().store.annotate(it.key, verification_annotations(verdict), uid=it.uid)


def card(cast: Cast, name: str, language: str = "zh-hans") -> str:
    client = cast.client("vic")
    client.cookies["django_language"] = language
    return client.get(f"/registries/team-a/{name}/status/").content.decode()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_hint_names_another_type_of_registry(language: str) -> None:
    with translation.override(language):
        for provider, reason in product(Provider, Reason):
            for username in ACCOUNTS[provider]:
                text = next_step(reason.value, account_kind(provider, username))
                foreign = [
                    it
                    for other, names in NAMES.items()
                    if other is not provider
                    for it in names
                    if it in text
                ]
                assert not foreign, (provider, reason, text)


@pytest.mark.parametrize("provider", Provider)
def test_a_wrong_password_has_a_next_step_of_each_provider(provider: Provider) -> None:
    kinds = {account_kind(provider, username) for username in ACCOUNTS[provider]}
    texts = {next_step("bad_credentials", kind) for kind in kinds}

    assert all(texts)
    assert len(texts) == (2 if provider is Provider.HARBOR else 1)


def test_an_unknown_code_has_none() -> None:
    assert next_step("no_such_reason", Provider.HARBOR) == next_step("bad_credentials", "no-such-kind") == ""


def test_a_robot_reads_about_robots_and_when_it_last_connected(cast: Cast) -> None:
    with_tests(cast, "robot", Reason.OK, Reason.BAD_CREDENTIALS, username="robot$team-a+pull")

    shown = card(cast, "robot")

    assert "在 Harbor 中查看该机器人账号" in shown
    assert "阿里云" not in shown
    assert "令牌已刷新" in shown
    assert "上次连接成功：1 天前" in shown, "the secret is said once"
    with_tests(cast, "denied", Reason.OK, Reason.ACCESS_DENIED, username="robot$team-a+pull")
    assert "1 天前曾连接成功，此后机器人账号的令牌可能已刷新" in card(cast, "denied")


@pytest.mark.parametrize(
    ("reasons", "says"),
    [
        ((Reason.OK, Reason.TIMEOUT), "上次连接成功：1 天前"),
        ((Reason.OK, Reason.TIMEOUT, Reason.TLS_EXPIRED), "上次连接成功：2 天前"),
        ((Reason.OK, Reason.CREDENTIALS_EXPIRED), "密码或令牌可能已更换"),
        ((Reason.BAD_CREDENTIALS, Reason.TIMEOUT), ""),
        ((Reason.BAD_CREDENTIALS,), ""),
        ((Reason.TIMEOUT, Reason.OK), ""),
        ((Reason.OK, Reason.OK), ""),
    ],
)
def test_the_history_is_told_only_where_an_earlier_test_connected(
    cast: Cast, reasons: tuple[Reason, ...], says: str
) -> None:
    with_tests(cast, "it", *reasons)

    shown = card(cast, "it")

    assert ("verdict-before" in shown) is bool(says)
    assert says in shown


def test_each_stage_stands_once_with_its_whole_time() -> None:
    host = "h"
    steps = (
        Step("ping", 10, True, host),
        Step("confirm", 20, True, host),
        Step("token", 5, True, host),
        Step("confirm", 30, False, host),
    )

    views = stage_views(steps)

    assert [(it.name, it.duration, it.ok) for it in views] == [
        ("ping", "10 ms", True),
        ("confirm", "50 ms", False),
        ("token", "5 ms", True),
    ]


@pytest.mark.parametrize(
    ("reason", "stages"), [(Reason.OK, ["ok", "ok"]), (Reason.OK_UNVERIFIED, ["ok", "warn"])]
)
def test_a_confirmation_without_a_proof_has_no_tick(cast: Cast, reason: Reason, stages: list[str]) -> None:
    steps = (Step("ping", 10, True, "h"), Step("confirm", 20, True, "h"))
    with_tests(cast, "it", Result(reason, steps=steps))

    shown = card(cast, "it")

    assert re.findall(r'class="stage stage-(\w+)"', shown) == stages


@pytest.mark.parametrize("count", [2, 7, 20])
def test_the_newest_bar_is_at_the_right_edge_and_the_dates_stand_below(cast: Cast, count: int) -> None:
    with_tests(cast, "it", *([Reason.OK] * (count - 1)), Reason.TIMEOUT)

    shown = card(cast, "it")

    places = [int(it) for it in re.findall(r'<rect class="bar-\w+" x="(\d+)"', shown)]
    assert len(places) == count
    assert places[-1] + 6 == 177
    assert f"最近 {count} 次测试" in shown
    caption = shown[shown.index("<figcaption>") :]
    assert len(re.findall(r">\d\d-\d\d \d\d:\d\d</time>", caption)) == 2


def test_the_strip_of_tests_says_what_amber_means(cast: Cast) -> None:
    with_tests(cast, "it", *[Reason.OK_UNVERIFIED] * 3)
    assert "最近 3 次测试 · 3 次未校验密码" in card(cast, "it")
    with_tests(cast, "other", *[Reason.OK] * 3)
    assert "未校验密码" not in card(cast, "other")


class TestTheFailingOnes:
    @pytest.fixture
    def some(self, cast: Cast) -> Cast:
        for number in range(8):
            reason = Reason.OK if number % 2 else Reason.TIMEOUT
            with_tests(cast, f"r{number}", reason, provider=("harbor", "other")[number // 4])
        with_tests(cast, "r9", Reason.TIMEOUT, namespace="team-b")
        return cast

    def links(self, cast: Cast, path: str, person: str = "vic", **headers: str) -> dict[str, str]:
        page = cast.client(person).get(path, headers=headers).content.decode()
        return dict(
            re.findall(r'id="failing-(before|after)" rel="\w+" href="([^"]*)"', page.replace("&amp;", "&"))
        )

    @pytest.mark.parametrize(
        ("name", "query", "before", "after"),
        [
            ("r0", "", "", "r2"),
            ("r2", "", "r0", "r4"),
            ("r3", "", "r2", "r4"),
            ("r6", "", "r4", ""),
            ("r2", "?sort=-name", "r4", "r0"),
            ("r2", "?status=failed&sort=-name", "r4", "r0"),
            ("r2", "?status=success", "r0", "r4"),
            ("r2", "?provider=harbor", "r0", ""),
            ("r4", "?namespace=team-a&provider=other", "", "r6"),
            ("r0", "?q=nothing-matches", "", ""),
            ("r0", "?namespace=no-such", "", ""),
        ],
    )
    def test_lead_to_the_next_one_of_the_list(
        self, some: Cast, name: str, query: str, before: str, after: str
    ) -> None:
        links = self.links(some, f"/registries/team-a/{name}/{query}")

        wanted = {"before": before, "after": after}
        assert links == {it: f"/registries/team-a/{to}/{query}" for it, to in wanted.items() if to}

    def test_of_another_namespace_are_shown_to_who_sees_it(self, some: Cast) -> None:
        assert "after" not in self.links(some, "/registries/team-a/r6/", "vic")
        assert self.links(some, "/registries/team-a/r6/", "olive")["after"] == "/registries/team-b/r9/"

    @pytest.mark.parametrize(
        ("before", "query"),
        [
            ("http://testserver/registries/?provider=harbor", "?provider=harbor"),
            ("http://testserver/registries/team-a/r0/?q=r", "?q=r"),
            ("http://testserver/journal/?q=r", ""),
            ("http://testserver/registries/", ""),
            ("http://[", ""),
            ("http://testserver/registries/?" + "a&" * 9000, ""),
            ("http://testserver/registries/?namespace=%00&status=x&page=-1", "?namespace=%00"),
            ("not an address", ""),
        ],
    )
    def test_know_the_filter_by_the_page_before(self, some: Cast, before: str, query: str) -> None:
        page = some.client("vic").get("/registries/team-a/r2/", headers={"referer": before}).content.decode()

        assert f'data-query="{query}"' in page
        assert f'<a href="/registries/{query}">镜像源管理</a>' in page


@pytest.mark.parametrize("hx", [True, False])
@pytest.mark.parametrize("query", ["", "?status=failed&provider=harbor", "?q=it&page=2"])
def test_a_deletion_leads_back_to_the_list_as_it_was_filtered(cast: Cast, query: str, hx: bool) -> None:
    it = cast.add("it")
    here = f"http://testserver/registries/team-a/it/{query}"
    headers = {"referer": here}
    if hx:
        headers |= {"hx-request": "true", "hx-current-url": here}

    answer = cast.client("nina").post(
        "/registries/team-a/it/delete/", {"uid": it.uid, "confirm": "it"}, headers=headers
    )

    assert answer.headers["HX-Redirect" if hx else "Location"] == f"{LIST}{query}"
    assert services().index.known(access=cast.access("olive"), key=Key("team-a", "it")) is None


def test_the_warnings_of_the_last_test_stay_on_the_details_page(cast: Cast) -> None:
    warned = Result(Reason.OK, warnings=("nodes_have_mirrors", "password_outer_space"))
    with_tests(cast, "harbor-prod", warned)

    page = cast.client("vic").get("/registries/team-a/harbor-prod/").content.decode()

    assert "镜像加速（mirror）" in page
    assert "password_outer_space" not in page


@pytest.mark.parametrize(
    ("code", "mark"), [("tls_not_verified", "triangle-alert"), ("redirected_to_https", "info")]
)
def test_a_warning_has_an_icon_that_tells_care_from_information(cast: Cast, code: str, mark: str) -> None:
    with_tests(cast, "it", Result(Reason.OK, warnings=(code,)))

    line = re.search(rf'#([\w-]+)"/></svg>{warning(code)}</p>', card(cast, "it"))

    assert line
    assert line[1] == mark


@pytest.mark.parametrize(
    ("language", "text"), [("zh-hans", "containerd 节点无法拉取"), ("en", "containerd cannot pull")]
)
def test_the_view_of_a_node_is_a_line_of_its_own(cast: Cast, language: str, text: str) -> None:
    with_tests(cast, "harbor-prod", Result(Reason.OK, {"node_status": 403}, node="token_post_refused"))
    client = cast.client("vic")
    client.cookies["django_language"] = language

    page = client.get("/registries/team-a/harbor-prod/").content.decode()

    [line] = re.findall(r'<p class="check-warn verdict-node">(.*?)</p>', page, re.DOTALL)
    assert text in line
    assert "HTTP 403" in line


@pytest.mark.parametrize(
    ("language", "person", "shown"),
    [("zh-hans", SCHEDULED, "自动检查"), ("en", SCHEDULED, "scheduled check"), ("en", "nina", "nina")],
)
def test_a_check_that_nobody_started_is_named_in_the_readers_language(
    language: str, person: str, shown: str
) -> None:
    key, now = Key("team-a", "harbor"), datetime.now(UTC)
    verification = Verification(VerifyStatus.SUCCESS, "ok", at=now)
    stored = RegistrySecret(key, "u", "1", now, "reg.io", "a", Provider.HARBOR, verification=verification)
    with translation.override(language):
        verdict = verdict_of_stored(stored, [Check(1, key, "u", person, now, Result(Reason.OK))], now)
    assert verdict is not None
    assert verdict.person == shown
