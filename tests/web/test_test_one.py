"""测试连接 of a stored registry: begun, shown, recorded, and never in anybody's way."""

import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone, translation

from registries import wiring
from registries.domain.errors import Problem
from registries.domain.query import Criteria
from registries.domain.registry import Credential, RegistrySecret, VerifyStatus
from registries.domain.resource import PREFIX
from registries.index.search import Index
from registries.limits import Rates, StoredBuckets
from registries.models import AuditEntry, StoredResource, VerificationRecord
from registries.probe import Reason, Result
from registries.service.guard import Guard
from registries.service.tests import Tests
from registries.verification.outcome import NotTested
from registries.verification.pauses import Pauses
from registries.web.test_one import strip_text
from registries.wiring import services
from tests.cast import Cast
from tests.peers.scripted import wait_for
from tests.peers.silent import SilentServers

Probing = Callable[[str], dict[str, str]]
PATH = "/registries/team-a/harbor-prod/"


def verify(cast: Cast, person: str = "omar") -> str:
    return cast.client(person, hx_request="true").post(f"{PATH}verify/").content.decode()


def test_the_verdict_is_kept_on_the_resource_and_shown_in_the_row(cast: Cast, probing: Probing) -> None:
    cast.add(**probing("harbor"))
    begun = datetime.now(UTC)

    row = verify(cast)

    notes = json.loads(services().store.get(cast.find().key).document)["metadata"]["annotations"]
    assert "pill-ok" in row
    assert "连接成功" in row
    assert "刚刚" in row
    assert notes[PREFIX + "verify-status"] == "success"
    assert notes[PREFIX + "verify-message"] == "连接成功"
    at = int(notes[PREFIX + "verify-timestamp"]) / 1000
    assert begun.timestamp() - 0.001 <= at <= datetime.now(UTC).timestamp() + 0.001, "kept in milliseconds"


@pytest.mark.parametrize(
    ("behaviour", "reason", "says"),
    [
        ("wrong-password", "bad_credentials", "用户名或密码错误"),
        ("self-signed", "tls_untrusted", "证书不受信任"),
        ("down", "connection_refused", "连接被拒绝"),
        ("login-page", "not_a_registry", "不是镜像仓库"),
        ("rate-limited", "rate_limited", "请求过于频繁"),
        ("hanging", "timeout", "超时"),
        ("plain-http", "plain_http_server", "HTTP 服务"),
    ],
)
def test_a_failure_says_why_and_keeps_its_code(
    cast: Cast, probing: Probing, behaviour: str, reason: str, says: str
) -> None:
    cast.add(**probing(behaviour))

    row = verify(cast)

    assert "连接失败" in row
    assert says in row
    verification = cast.find().verification
    assert (verification.status, verification.reason) == (VerifyStatus.FAILED, reason)


def test_a_success_that_proves_nothing_carries_a_warning(cast: Cast, probing: Probing) -> None:
    cast.add(**probing("open"))

    row = verify(cast)

    assert "pill-warn" in row
    assert "密码未校验" in row
    assert cast.find().verification.status is VerifyStatus.SUCCESS


def test_the_message_is_kept_in_chinese_whoever_tests_and_shown_in_the_readers_language(
    cast: Cast, probing: Probing
) -> None:
    cast.add(**probing("wrong-password"))
    client = cast.client("omar", hx_request="true")
    client.cookies["django_language"] = "en"

    row = client.post(f"{PATH}verify/").content.decode()

    assert "Wrong user name or password" in row
    assert cast.find().verification.message == "用户名或密码错误"


def test_what_the_server_said_is_shown_to_who_tried_and_written_down_nowhere(
    cast: Cast, probing: Probing
) -> None:
    wrong = {**probing("basic"), "password": "x", "namespace": "team-a"}
    shown = cast.client("nina", hx_request="true").post("/registries/-/try/", wrong).content.decode()
    cast.add(**{**probing("basic"), "password": "x"})
    verify(cast)

    assert "UNAUTHORIZED" in shown
    kept = [row.body for row in StoredResource.objects.all()]
    kept += [row.outcome for row in VerificationRecord.objects.all()]
    kept += [row.note for row in AuditEntry.objects.all()]
    assert not [text for text in kept if "UNAUTHORIZED" in text]


@pytest.mark.parametrize(
    ("behaviour", "label", "other"),
    [
        ("wrong-password", "服务器返回：", "详情："),
        ("self-signed", "详情：", "服务器返回："),
        ("plain-http", "详情：", "服务器返回："),
        ("insecure-realm", "详情：", "服务器返回："),
    ],
)
def test_only_what_a_server_said_is_called_so(
    cast: Cast, probing: Probing, behaviour: str, label: str, other: str
) -> None:
    values = {**probing(behaviour), "namespace": "team-a"}

    shown = cast.client("nina", hx_request="true").post("/registries/-/try/", values).content.decode()

    assert label in shown
    assert other not in shown


def test_the_details_name_message_time_person_stages_and_duration(cast: Cast, probing: Probing) -> None:
    cast.add(**probing("wrong-password"))
    verify(cast)

    card = cast.client("vic").get(f"{PATH}status/").content.decode()

    for part in (
        "连接失败",
        "用户名或密码错误",
        "CLI 密钥",
        "omar",
        "刚刚",
        "UTC+08:00",
        "解析域名",
        "获取令牌",
        " ms",
    ):
        assert part in card, part
    assert "stage-bad" in card


def test_the_card_says_in_words_what_its_colours_say(cast: Cast, probing: Probing) -> None:
    cast.add(**probing("wrong-password"))
    verify(cast)
    verify(cast)

    card = cast.client("vic").get(f"{PATH}status/").content.decode()

    stages = re.findall(r"<span>([^<]+)</span>\s*<span class=\"visually-hidden\">([^<]+)</span>", card)
    assert dict(stages)["解析域名"] == "通过"
    assert dict(stages)["获取令牌"] == "失败"
    assert 'aria-label="最近 2 次：0 次成功，2 次失败；最近一次失败"' in card


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        ("bad bad", "最近 2 次：0 次成功，2 次失败；最近一次失败"),
        ("ok warn ok bad", "最近 4 次：3 次成功，1 次失败；最近一次失败"),
        ("bad bad warn", "最近 3 次：1 次成功，2 次失败；最近一次成功"),
    ],
)
def test_the_strip_of_the_last_tests_has_its_counts(kinds: str, says: str) -> None:
    with translation.override("zh-hans"):
        assert strip_text([{"kind": kind} for kind in kinds.split()]) == says


def test_a_verdict_that_is_older_than_a_week_says_so(cast: Cast, probing: Probing) -> None:
    registry = cast.add(**probing("harbor"))
    verify(cast)
    stamp = str(round((datetime.now(UTC) - timedelta(days=8)).timestamp() * 1000))
    services().store.annotate(registry.key, {PREFIX + "verify-timestamp": stamp}, uid=registry.uid)

    client = cast.client("vic")
    assert "8 天前 · 已过期" in client.get(f"{PATH}row/").content.decode()
    assert "该结果已超过一周" in client.get(f"{PATH}status/").content.decode()


def test_a_verdict_of_another_client_is_shown_as_it_stands(cast: Cast) -> None:
    registry = cast.add()
    notes: dict[str, str | None] = {
        PREFIX + "verify-status": "failed",
        PREFIX + "verify-message": "自定义 <b>原因</b>",
        PREFIX + "verify-timestamp": "1704676800000",
    }
    services().store.annotate(registry.key, notes, uid=registry.uid)

    row = cast.client("vic").get(f"{PATH}row/").content.decode()

    assert "自定义 &lt;b&gt;原因" in row


def test_a_test_that_is_under_way_shows_in_the_row_and_is_not_started_again(
    cast: Cast, settings: Any
) -> None:
    registry = cast.add()
    services().tests.begin_test(access=cast.access("omar"), key=registry.key)

    row = verify(cast)

    assert "测试中" in row
    assert 'hx-trigger="load delay:' in row
    assert VerificationRecord.objects.count() == 1
    assert "测试中" in cast.client("vic").get("/registries/").content.decode()


def test_a_test_whose_process_died_does_not_run_for_ever(cast: Cast) -> None:
    registry = cast.add()
    services().tests.begin_test(access=cast.access("omar"), key=registry.key)
    VerificationRecord.objects.update(
        started_at=timezone.now() - services().prober.patience - timedelta(seconds=1)
    )

    assert "测试中" not in cast.client("vic").get(f"{PATH}row/").content.decode()


def test_one_that_was_deleted_during_its_test_is_not_brought_back(cast: Cast) -> None:
    registry = cast.add()
    check, _ = services().tests.begin_test(access=cast.access("omar"), key=registry.key)
    services().store.delete(registry.key, uid=registry.uid)
    new = cast.add(display_name="new")

    outcome = services().tests.finish_test(access=cast.access("omar"), check=check)

    assert outcome == NotTested(Problem.RECREATED)
    assert cast.find() == new


def test_one_that_is_recreated_while_the_registry_answers_keeps_its_own_verdict(cast: Cast) -> None:
    old = cast.add()
    kept: list[RegistrySecret] = []

    def prober(credential: Credential) -> Result:
        services().store.delete(old.key, uid=old.uid)
        kept.append(cast.add(display_name="new"))
        return Result(Reason.OK)

    store = services().store
    service = Tests(
        store=store,
        index=Index(store, lambda: datetime.now(UTC)),
        guard=Guard(store, services().audit, transaction.atomic),
        prober=prober,
        audit=services().audit,
        history=services().history,
        limit=Rates(0, StoredBuckets()),
        restraint=Pauses(),
    )
    check, _ = service.begin_test(access=cast.access("omar"), key=old.key)

    outcome = service.finish_test(access=cast.access("omar"), check=check)

    assert outcome == NotTested(Problem.RECREATED)
    assert cast.find() == kept[0]


def test_a_password_whose_key_is_lost_says_so(cast: Cast, probing: Probing, settings: Any) -> None:
    cast.add(**probing("harbor"))
    settings.PASSWORD_KEYS = lambda: ["0" * 43 + "="]
    wiring.reset()

    client = cast.client("omar", hx_request="true")
    client.post(f"{PATH}verify/")
    response = client.get(f"{PATH}row/")

    assert "key_missing" not in response.content.decode()
    assert "\\u5bc6\\u94a5" in response["HX-Trigger"] or "密钥" in response["HX-Trigger"]
    assert cast.find().verification.status is VerifyStatus.UNTESTED


def test_only_the_newest_tests_are_remembered(cast: Cast) -> None:
    registry = cast.add()
    access = cast.access("omar")
    for _ in range(25):
        check, _new = services().tests.begin_test(access=access, key=registry.key)
        services().history.finish(check, Result(Reason.OK))

    assert VerificationRecord.objects.filter(uid=registry.uid).count() == 20


@pytest.mark.django_db(transaction=True)
def test_ten_tests_that_hang_hold_no_page_up(
    transactional_db: None,
    probing: Probing,
    silent_servers: SilentServers,
    settings: Any,
    request: pytest.FixtureRequest,
) -> None:
    settings.TEST_THREADS = 16
    wiring.reset()
    cast: Cast = request.getfixturevalue("cast")
    client = cast.client("olive", hx_request="true")
    for number, address in enumerate(silent_servers(10)):
        cast.add(f"r{number}", domain=address)

    for number in range(10):
        assert "测试中" in client.post(f"/registries/team-a/r{number}/verify/").content.decode()
    listed = client.get("/registries/").content.decode()

    assert listed.count("pill-busy") == 10, "the list is answered while all ten hang"
    assert sum(it.name.startswith("test-") for it in threading.enumerate()) >= 10
    assert wait_for(lambda: silent_servers.connected() == 10)
    silent_servers.hang_up()  # no timeout could be short for the test and long enough for the ten to be seen together
    assert wait_for(lambda: not services().history.under_way([it.uid for it in _all(cast)]))
    assert {it.verification.reason for it in _all(cast)} == {"connection_reset"}


def _all(cast: Cast) -> tuple[RegistrySecret, ...]:
    return services().index.matching(access=cast.access("olive"), criteria=Criteria())
