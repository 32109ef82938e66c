"""测试连接 of a stored registry: begun, shown, recorded, and never in anybody's way."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from registries.domain.registry import VerifyStatus
from registries.domain.resource import PREFIX
from registries.models import AuditEntry, StoredResource, VerificationRecord
from registries.web.registry.test_one import strip_text
from registries.wiring import services
from tests.cast import Cast, Probing

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
        "机器人账号",
        "omar",
        "刚刚",
        "UTC+08:00",
        "解析域名",
        "获取令牌",
        " ms",
    ):
        assert part in card, part
    assert "stage-bad" in card


def test_the_card_has_the_issuer_and_validity_of_a_certificate_and_the_details_have_the_rest(
    cast: Cast, probing: Probing
) -> None:
    cast.add(**probing("self-signed"))
    verify(cast)
    client = cast.client("vic")

    card, details = (client.get(path).content.decode() for path in (f"{PATH}status/", PATH))

    for part in ("颁发者", "有效期"):
        assert part in card
        assert part in details
    assert "SHA-256" not in card
    assert "SHA-256" in details


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
    assert "8 天前 · 结果过旧" in client.get(f"{PATH}row/").content.decode()
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
