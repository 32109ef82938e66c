"""The text of a message: its words in both languages, its title and link, and that nothing typed in it is live."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from registries.events.change import ChangeKind
from registries.events.message import message, typed
from tests.events.conftest import change, told


def test_a_group_is_one_message() -> None:
    changes = [change(f"r{n}", f"team-{n % 7}") for n in range(12)]
    text = message(changes, language="en", url="")
    assert text.title.startswith("12 registries on harbor.example.com fail in 7 namespaces")
    assert "Namespaces (7): team-0, team-1, team-2, team-3, team-4, …" in text.lines
    assert "and 2 more" in text.lines
    chinese = message(changes, language="zh", url="").lines
    assert "命名空间（7 个）：team-0、team-1、team-2、team-3、team-4、…" in chinese


def test_the_last_change_of_a_registry_counts() -> None:
    twice = [change(reason="timeout"), change(reason="timeout", owner="wang")]
    assert [it.owner for it in message(twice, language="zh", url="").changes] == ["wang"]


@pytest.mark.parametrize("kind", list(ChangeKind))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_has_words(kind: ChangeKind, language: str) -> None:
    now = datetime(2026, 11, 28, 6, 20, tzinfo=UTC)
    name = "" if kind in (ChangeKind.NETWORK, ChangeKind.NETWORK_OVER, ChangeKind.TEST) else "harbor"
    text = message([change(name, kind=kind, since=now, at=now)], language=language, url="")
    assert text.title
    assert text.lines
    if language == "zh":
        assert any("一" <= letter <= "鿿" for letter in text.title)
    if kind is not ChangeKind.TEST:
        at = "2026-11-28" if kind is ChangeKind.EXPIRING else "2026-11-28 14:20 CST"
        assert any(at in line for line in text.lines)


def test_no_half_character_is_sent() -> None:
    text = told(display_name="名" * 79)
    for limit in range(60, 200):
        assert len(text.text(limit).encode()) <= limit


def test_an_address_of_mail_stays() -> None:
    assert typed("ops@example.com, @all") == "ops@example.com, ＠all"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("点evil.example/x 登录", "点evil．example/x 登录"),
        ("harbor.evil.com.cn", "harbor．evil．com．cn"),
        ("evil。com evil｡com 登录.中国", "evil．com evil．com 登录．中国"),
        ("https://a:b@evil.example/x", "https：//a:b@evil．example/x"),
        ("a@evil.example:8443", "a@evil．example:8443"),
        *((it, it) for it in ("v1.2 10.0.0.1:5000 400-800", "换密码。Node 好", "ops@mail.example.com.")),
    ],
)
def test_a_domain_that_somebody_typed_becomes_no_link(text: str, shown: str) -> None:
    assert typed(text) == shown


def test_the_host_of_a_registry_can_be_copied() -> None:
    assert "Host: harbor.example.com:8443" in told("en", host="harbor.example.com:8443").lines


def test_a_title_has_host_namespaces_and_reason() -> None:
    many = [change(f"r{n}", f"team-{n % 7}", host="harbor.example.com:443") for n in range(12)]
    text = message(many, language="en", url="")
    assert (
        text.title == "12 registries on harbor.example.com fail in 7 namespaces: Wrong user name or password"
    )
    assert message(many[:1], language="en", url="").title.endswith(": Wrong user name or password")
    hub = message([change("a", host="registry-1.docker.io:443"), change("b")], language="en", url="https://c")
    assert hub.link == "https://c/registries/?namespace=team-a&q=docker.io&status=failed"
    recovered = message([replace(many[0], kind=ChangeKind.RECOVERED)], language="zh", url="")
    assert recovered.title == "镜像源 team-0/r0 已恢复"
    assert any(it.startswith("恢复时间：") for it in recovered.lines)


@pytest.mark.parametrize(
    ("kind", "count", "link"),
    [
        (ChangeKind.FAILING, 1, "registries/team-0/r0/"),
        (ChangeKind.FAILING, 3, "registries/?q=h.example.com%3A5000&status=failed"),
        (ChangeKind.RECOVERED, 3, "registries/?q=h.example.com%3A5000"),
        (ChangeKind.FLAPPING, 3, "registries/?q=h.example.com%3A5000"),
        (ChangeKind.EXPIRING, 3, "registries/?q=h.example.com%3A5000&status=expiring"),
        (ChangeKind.NETWORK, 0, "overview/"),
        (ChangeKind.TEST, 0, "overview/"),
    ],
)
def test_a_link_leads_to_what_the_message_tells(kind: ChangeKind, count: int, link: str) -> None:
    named = [change(f"r{n}", f"team-{n}", host="h.example.com:5000", kind=kind) for n in range(count)]
    changes = named or [change("", "", host="", kind=kind)]
    assert message(changes, language="en", url="https://c").link == f"https://c/{link}"
