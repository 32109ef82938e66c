"""通知渠道: who may manage which channel, what is never shown, and the test message."""

import json
from typing import Any

import pytest

from registries.models import AuditEntry, Channel
from registries.wiring import services
from tests import canary
from tests.cast import Cast
from tests.web.channel_pages import HX, URL, add


def test_the_page_of_a_new_console_says_what_it_is_for(cast: Cast) -> None:
    assert "尚无通知渠道" in cast.client("olive").get("/channels/").content.decode()
    assert "不在此列出" not in cast.client("olive").get("/channels/").content.decode()
    assert "尚无通知渠道" not in cast.client("omar").get("/channels/").content.decode(), "he cannot see any"


def test_a_page_that_lists_a_part_says_so(cast: Cast) -> None:
    add(cast.client("olive"), namespace="*")

    page = cast.client("nina").get("/channels/").content.decode()

    assert "你的命名空间尚无通知渠道" in page
    assert "你的命名空间没有静默。" in page
    assert "面向全部命名空间的通知渠道和静默不在此列出。" in page


def test_a_free_name_is_proposed(cast: Cast) -> None:
    client, form = cast.client("nina"), "/channels/-/add/dingtalk/"
    for name in ("钉钉", "钉钉 2", "钉钉 3"):
        assert f'name="name" value="{name}"' in client.get(form).content.decode()
        assert add(client, name=name).status_code == 302


@pytest.mark.parametrize("service", ["dingtalk", "wecom", "feishu", "slack", "alertmanager", "webhook"])
def test_every_service_has_a_form(cast: Cast, service: str) -> None:
    assert f"/channels/-/add/{service}/" in cast.client("nina").get("/channels/-/add/").content.decode()
    page = cast.client("nina").get(f"/channels/-/add/{service}/").content.decode()
    assert 'name="url"' in page
    assert 'value="*"' not in page, "a namespace's admin is offered all namespaces"


def test_what_is_stored_is_not_optional(cast: Cast) -> None:
    client = cast.client("nina")
    add(client)
    new = client.get("/channels/-/add/dingtalk/").content.decode()
    page = client.get(f"/channels/{Channel.objects.get().pk}/edit/").content.decode()

    assert '<span class="optional">' in new
    assert '<span class="optional">' not in page
    assert '命名空间：<span class="mono">team-a</span>' in page


def test_the_command_for_a_secret_stands_apart_to_be_copied(cast: Cast) -> None:
    page = cast.client("nina").get("/channels/-/add/webhook/").content.decode()

    hint = page.partition('id="id_secret_helptext"')[2].partition("</div>")[0]
    assert hint.endswith("：")
    command = "echo whsec_$(openssl rand -base64 32)"
    code = page.partition('<div class="command">')[2].partition("</div>")[0]
    assert f'data-copy="{command}"' in code
    assert "<pre" in code
    assert page.count('<div class="command">') == 1


def test_mail_is_offered_when_a_server_is_set(cast: Cast, settings: Any) -> None:
    assert cast.client("olive").get("/channels/-/add/mail/").status_code == 404
    settings.NOTIFY_MAIL = "smtp://localhost"
    services().__dict__.pop("channels")
    assert 'name="to"' in cast.client("olive").get("/channels/-/add/mail/").content.decode()


def test_many_recipients_are_whole_in_their_form(cast: Cast, settings: Any) -> None:
    settings.NOTIFY_MAIL = "smtp://localhost"
    services().__dict__.pop("channels", None)
    many = ", ".join(f"on-call-{number:02}@mail.example.com" for number in range(20))
    assert add(cast.client("olive", **HX), "*", "mail", to=many).status_code == 200
    page = cast.client("olive").get(f"/channels/{Channel.objects.get().pk}/edit/").content.decode()
    assert f'value="{many}"' in page
    listed = cast.client("olive").get("/channels/").content.decode().replace("<wbr>", "")
    assert "on-call-07@mail.example.com, …<" in listed, "in the list, as many as fit"


def test_a_channel_with_a_refused_recipient_delivers_in_part(cast: Cast) -> None:
    Channel.objects.create(name="ops", service="mail", trouble="recipients", code="550")
    page = cast.client("olive").get("/channels/").content.decode()
    assert "部分送达" in page
    assert "未送达" not in page
    assert "邮件服务器拒绝了部分收件人（550）" in page


@pytest.mark.parametrize(
    ("person", "namespace", "made"),
    [
        ("olive", "*", True),
        ("olive", "team-b", True),
        ("nina", "team-a", True),
        ("nina", "team-b", False),
        ("nina", "*", False),
        ("nina", "", False),
        ("omar", "team-a", False),
        ("vic", "team-a", False),
        ("sam", "team-a", False),
        ("sam", "*", False),
    ],
)
def test_who_may_add_where(cast: Cast, person: str, namespace: str, made: bool) -> None:
    answer = add(cast.client(person, **HX), namespace)
    assert Channel.objects.count() == int(made)
    assert (answer.status_code < 300) == made


def test_nobody_sees_changes_or_deletes_a_channel_that_is_not_theirs(cast: Cast) -> None:
    for namespace in ("team-a", "team-b", "*"):
        add(cast.client("olive", **HX), namespace)
    own = Channel.objects.get(namespace="team-a")
    for person in ("nina", "omar", "vic", "sam"):
        client = cast.client(person)
        page = client.get("/channels/").content.decode()
        assert (str(own.pk) in page) == (person == "nina")
        for other in Channel.objects.exclude(pk=own.pk if person == "nina" else None):
            assert str(other.pk) not in page
            for view in ("edit", "delete", "try"):
                method = client.post if view == "try" else client.get
                assert method(f"/channels/{other.pk}/{view}/").status_code == 404
            client.post(f"/channels/{other.pk}/delete/")
    assert Channel.objects.count() == 3


class TestSecrets:
    def test_are_in_no_answer_after_they_were_typed(self, cast: Cast) -> None:
        """The canary's watch looks at every answer, log line and row of this test."""
        client = cast.client("nina", **HX)
        typed = {"url": f"{URL}{canary.CANARY}"}
        assert add(client, name="", **typed).status_code == 422
        assert add(client, **typed).status_code == 200
        pk = Channel.objects.get().pk
        page = client.get("/channels/").content.decode().replace("<wbr>", "")
        form = client.get(f"/channels/{pk}/edit/").content.decode()
        for text in (page, form):
            assert "secret-token" not in text
            assert "SECx" not in text
        assert "oapi.dingtalk.com" in page

    def test_stay_when_they_are_left_empty(self, cast: Cast) -> None:
        client = cast.client("nina", **HX)
        add(client)
        pk = Channel.objects.get().pk
        typed = {"name": "other", "language": "en", "enabled": "on", "url": "", "secret": ""}
        assert client.post(f"/channels/{pk}/edit/", typed).status_code == 200
        config = services().channels.merged(access=cast.access("nina"), channel=pk, config={})
        assert config == {"url": URL, "secret": "SECx"}
        assert Channel.objects.get().name == "other"

    def test_do_not_go_to_a_new_address(self, cast: Cast) -> None:
        """Else a second admin of the namespace could send the first one's secret to a server of their own."""
        client = cast.client("nina", **HX)
        add(client, service="alertmanager", url="https://am.example.com", token="t0ken")
        pk = Channel.objects.get().pk
        typed = {"name": "x", "language": "en", "url": "https://evil.example.com", "token": ""}
        client.post(f"/channels/{pk}/edit/", typed)
        config = services().channels.merged(access=cast.access("nina"), channel=pk, config={})
        assert config == {"url": "https://evil.example.com"}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"name": ""}, "此项必填"),
        ({"url": ""}, "此项必填"),
        ({"url": "example.com/hook"}, "请输入完整地址"),
        ({"url": "https://user:pw@example.com/"}, "请输入完整地址"),
        ({"url": "http://example.com/"}, "请输入 https:// 地址"),
        ({"url": "https://example.com/" + "x" * 3000}, "最多 2,048 个字符"),
        ({"secret": "two words"}, "只能使用 ASCII 字符"),
        ({"language": "fr"}, "请选择一种语言"),
        ({"name": "n" * 65}, "最多 64 个字符"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(cast: Cast, values: dict[str, str], text: str) -> None:
    answer = add(cast.client("nina", **HX), **values)
    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert not Channel.objects.exists()


def test_one_that_is_deleted_while_it_is_saved_is_missing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(cast.client("nina"))
    channel = Channel.objects.get()
    channels = services().channels
    merged = channels.merged

    def late(**asked: Any) -> dict[str, str]:
        found = merged(**asked)
        Channel.objects.all().delete()
        return found

    monkeypatch.setattr(channels, "merged", late)
    typed = {"name": "group", "language": "zh", "url": "", "secret": "", "enabled": "on"}
    answer = cast.client("nina", **HX).post(f"/channels/{channel.pk}/edit/", typed)

    assert answer.status_code == 404
    told = json.loads(answer["HX-Trigger"])["toast"]["text"]
    assert told == "请求的对象不存在，或你在其命名空间中没有角色。", "it is no registry"


def test_one_name_is_one_channel_of_a_namespace(cast: Cast) -> None:
    add(cast.client("nina", **HX))
    assert "此处已有同名渠道" in add(cast.client("nina", **HX)).content.decode()
    assert add(cast.client("olive", **HX), "team-b").status_code == 200


def test_what_was_done_stands_in_the_log_of_the_namespace(cast: Cast) -> None:
    client = cast.client("nina", **HX)
    add(client)
    pk = Channel.objects.get().pk
    client.post(f"/channels/{pk}/delete/")
    entries = AuditEntry.objects.filter(action="channel").order_by("pk")
    assert [(it.namespace, it.note) for it in entries] == [
        ("team-a", "create dingtalk group"),
        ("team-a", "delete dingtalk group"),
    ]
    assert "删除通知渠道 group" in cast.client("nina").get("/journal/").content.decode()


def test_a_new_namespace_of_an_old_name_has_no_channel(cast: Cast) -> None:
    olive = cast.client("olive", **HX)
    add(olive, "team-b")
    olive.post("/namespaces/team-b/delete/", {"name": "team-b", "confirm": "team-b"})
    assert not Channel.objects.exists()
