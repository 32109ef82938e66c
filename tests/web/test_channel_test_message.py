"""The test message of a channel: what is sent, and what is shown of the answer."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.test import Client

from registries.models import Channel
from registries.web.administration.channels import _said
from tests.cast import Cast
from tests.peers.robots import coded, robot
from tests.web.channel_pages import ENCODED, HX, KEY, add


class TestTheTestMessage:
    @pytest.fixture(autouse=True)
    def loopback(self, settings: Any) -> None:
        settings.NOTIFY_PLAIN_HTTP = settings.PROBE_ALLOW_LOOPBACK = True

    def try_it(self, client: Client, **values: str) -> str:
        typed = {"namespace": "*", "name": "", "language": "zh", **values}
        return client.post("/channels/-/try/dingtalk/", typed).content.decode()

    def test_is_sent_by_what_is_typed(self, cast: Cast) -> None:
        with robot("dingtalk", secret="SECx") as running:
            page = self.try_it(cast.client("olive", **HX), url=running.url, secret="SECx")
        assert "已发送" in page
        assert "镜像源控制台测试消息" in running.texts()

    def test_shows_what_the_service_said_without_the_secret(self, cast: Cast) -> None:
        with robot("dingtalk") as running:
            running.answers.append(
                coded(errcode=310000, errmsg=f"sign not match for {running.url} <b>SECx</b>")
            )
            page = self.try_it(cast.client("olive", **HX), url=running.url, secret="SECx")
        assert "测试消息未送达。" in page
        assert "310000" in page
        assert "时钟" in page
        assert "sign not match" in page
        assert "SECx" not in page
        assert running.url not in page
        assert "<b>" not in page

    @pytest.mark.parametrize(
        "url",
        [
            f"/robot/send?access_token={KEY}",
            f"/cgi-bin/webhook/send?key={KEY}",
            f"/open-apis/bot/v2/hook/{KEY}",
            f"/services/T00000000/B00000000/{KEY}",
            f"/hook/{quote(KEY)}/?a=b;k={KEY}",
        ],
    )
    @pytest.mark.parametrize("written", ENCODED)
    def test_shows_no_key_of_its_address(self, cast: Cast, url: str, written: str) -> None:
        """To another administrator of its namespace: the address is write-only."""
        with robot("dingtalk") as running:
            assert add(cast.client("olive", **HX), "*", url=running.server.url(url)).status_code == 200
            running.answers.append(coded(errcode=300001, errmsg=f"no robot for {ENCODED[written]} here"))
            pk: UUID = Channel.objects.get().pk
            page = (
                cast.client("olive", **HX).post(f"/channels/{pk}/try/", {"language": "en"}).content.decode()
            )
        assert "300001" in page
        assert KEY.casefold() not in page.casefold()
        assert ENCODED[written].casefold() not in page.casefold()

    @pytest.mark.parametrize("before", [291, 295, 1_000, 3_000])
    @pytest.mark.parametrize("twice", [True, False])
    def test_shows_no_part_of_a_key_at_the_end_of_what_it_shows(
        self, cast: Cast, before: int, twice: bool
    ) -> None:
        with robot("dingtalk") as running:
            url = running.server.url(f"/first-part/{KEY}")
            said = f"{KEY if twice else ''}{'. ' * before}"[:before] + KEY
            running.answers.append(coded(errcode=300001, errmsg=said))
            page = self.try_it(cast.client("olive", **HX), url=url)
        assert "300001" in page
        assert KEY[:4] not in page

    def test_tells_which_recipient_was_refused(self) -> None:
        said = "gone@example.com (550)"
        assert _said(said, {"to": "gone@example.com"}) == said

    def test_is_sent_by_what_is_stored(self, cast: Cast) -> None:
        with robot("dingtalk", secret="SECx") as running:
            assert add(cast.client("olive", **HX), "*", url=running.url).status_code == 200
            pk: UUID = Channel.objects.get().pk
            page = (
                cast.client("olive", **HX).post(f"/channels/{pk}/try/", {"language": "en"}).content.decode()
            )
            assert "已发送" in page
        assert "Test message of the registry console" in running.texts()

    def test_of_a_namespace_reaches_no_loopback_address(self, cast: Cast) -> None:
        with robot("dingtalk") as running:
            page = self.try_it(cast.client("nina", **HX), namespace="team-a", url=running.url)
        assert "该地址被安全策略禁止访问" in page
        assert not running.server.requests

    @pytest.mark.parametrize(
        ("person", "namespace", "status"),
        [("nina", "*", 403), ("nina", "team-b", 404), ("vic", "team-a", 403)],
    )
    def test_needs_the_right_to_add_it(self, cast: Cast, person: str, namespace: str, status: int) -> None:
        with robot("dingtalk") as running:
            typed = {"namespace": namespace, "name": "x", "language": "zh", "url": running.url}
            assert cast.client(person, **HX).post("/channels/-/try/dingtalk/", typed).status_code == status
        assert not running.server.requests

    def test_is_limited(self, cast: Cast) -> None:
        with robot("dingtalk") as running:
            client = cast.client("olive", **HX)
            statuses = [
                client.post(
                    "/channels/-/try/dingtalk/", {"namespace": "*", "language": "zh", "url": running.url}
                ).status_code
                for _ in range(12)
            ]
        assert statuses.count(429) >= 1
        assert len(running.received) <= 11
