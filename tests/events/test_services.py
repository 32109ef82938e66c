"""Every service: the exact form of a message, its signature, and what its answers mean."""

import base64
import json
import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from registries.events.change import ChangeKind
from registries.events.message import Message, message
from registries.events.services import SERVICES, dingtalk, feishu, webhook
from registries.events.services.base import Outcome, Post, Trouble
from registries.probe.answer import Answer
from registries.probe.fault import Fault
from registries.probe.post import post
from registries.probe.reason import Reason
from tests.events.conftest import change, told
from tests.peers.robots import coded, robot
from tests.peers.scripted import HERE, Reply, ScriptedServer, scripted

ROBOTS = ("dingtalk", "wecom", "feishu", "slack")
NASTY = '[点我](http://evil.example) @all <!channel> <@U1> *b* `c` <at user_id="all">x</at> &lt;'


def sent(service: str, text: Message, **config: str) -> Outcome:
    def to(request: Post) -> Answer:
        return post(request.url, request.body, request.headers, HERE)

    return SERVICES[service].send(text, config, key="msg_1", now=timezone.now(), post=to)


class TestSignatures:
    """The vectors of notifications.md, which were tried on the real services' examples."""

    def test_dingtalk(self) -> None:
        assert dingtalk.sign("1599360473000", "SECtest") == "9uMBwWNha8Pcr4QQCL9YQitwL0E0g2JIxycWz23gAkE="

    def test_feishu(self) -> None:
        assert feishu.sign("1599360473", "test") == "NVcdmaRhTlOqmXksontxmKEP4AYWAMD5VOczwSqarks="

    def test_standard_webhooks(self) -> None:
        body = b'{"type":"registry.failed"}'
        signature = webhook.sign("msg_1", "1674087231", body, b"0" * 24)
        assert signature == "/Gi0Sxlzl9L18YLPKh8zXDNUCDxVwNGoyQOl7doMzu8="

    def test_an_independent_verifier_accepts_a_whole_webhook(self) -> None:
        from standardwebhooks.webhooks import Webhook, WebhookVerificationError

        secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
        server = ScriptedServer(lambda _request: Reply(204))
        try:
            assert sent("webhook", told(), url=server.url("/hook"), secret=secret).ok
        finally:
            server.stop()
        [request] = server.requests
        headers = dict(request.headers)

        document = Webhook(secret).verify(request.body, headers)

        assert document["type"] == "registry.failing"
        assert document["data"]["changes"][0]["name"] == "harbor-prod"
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(request.body.replace(b"harbor", b"harbos"), headers)


class TestRobots:
    @pytest.mark.parametrize("service", ROBOTS)
    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_a_message_arrives_with_what_an_operator_needs(self, service: str, language: str) -> None:
        with robot(service) as running:
            outcome = sent(service, told(language, owner="王芳", support="400-800"), url=running.url)
        assert outcome == Outcome()
        texts = running.texts()
        reason = "用户名或密码错误" if language == "zh" else "Wrong user name or password"
        for wanted in ("team-a/harbor-prod", "harbor.example.com", reason, "王芳", "400-800"):
            assert wanted in texts
        assert "https://console.example/registries/team-a/harbor-prod/" in texts

    @pytest.mark.parametrize("service", ["dingtalk", "feishu"])
    def test_a_signed_robot_takes_it_and_refuses_another_secret(self, service: str) -> None:
        with robot(service, secret="SECright") as running:
            assert sent(service, told(), url=running.url, secret="SECright") == Outcome()
            refused = sent(service, told(), url=running.url, secret="SECwrong")
        assert refused.trouble is Trouble.SIGNATURE
        assert refused.code in ("310000", "19021")
        assert len(running.received) == 1

    @pytest.mark.parametrize("service", ROBOTS)
    def test_twelve_hundred_registries_with_long_names_fit(self, service: str) -> None:
        many = [
            change(f"{'n' * 240}-{n}", f"{'s' * 58}-{n % 7}", display_name="名" * 200) for n in range(1200)
        ]
        with robot(service) as running:
            text = message(many, language="zh", url="https://console.example")
            assert sent(service, text, url=running.url) == Outcome()
        assert "1200" in running.texts()
        assert "https://console.example/registries/?q=harbor.example.com&status=failed" in running.texts()

    @pytest.mark.parametrize("service", ROBOTS)
    def test_a_typed_text_stays_text(self, service: str) -> None:
        with robot(service) as running:
            assert sent(service, told(display_name=NASTY, owner=NASTY, support=NASTY), url=running.url).ok
        texts = running.texts()
        for live in ("http://evil", "[点我]", "@all", "<!channel>", "<@U1>", "<at ", "`c`"):
            assert live not in texts
        assert "点我" in texts
        kinds = str(running.received)
        assert "markdown" not in kinds
        assert "mrkdwn" not in kinds
        assert "lark_md" not in kinds

    @pytest.mark.parametrize("service", ROBOTS)
    @pytest.mark.parametrize("many", [False, True])
    def test_no_bare_name_becomes_a_link(self, service: str, many: bool) -> None:
        """Whoever chooses the name, the host or a text of a registry."""
        typed = "点www.evil.example WWW2.evil.example http://www.evil.example/x www。evil.example"
        host, name = "www.evil.example:443", "www.evil.example"
        changes = [change(name, host=host, display_name=typed, owner=typed, support=typed)]
        changes += [change(f"{name}.{n}", host=host) for n in range(3 * many)]
        with robot(service) as running:
            assert sent(
                service, message(changes, language="zh", url="https://www.console.example"), url=running.url
            ).ok
        texts = running.texts()
        assert "www．evil.example" in texts
        others = re.sub(r'https://www\.console\.example/[^\s"\\]*', "", texts)
        assert len(others) < len(texts)
        assert not re.search(r"(?i)www\d*[.。]", others)

    @pytest.mark.parametrize(
        ("service", "reply", "trouble"),
        [
            ("dingtalk", coded(errcode=310000, errmsg="keywords not in content"), Trouble.SIGNATURE),
            ("dingtalk", coded(errcode=130101, errmsg="send too fast"), Trouble.TOO_OFTEN),
            ("dingtalk", coded(errcode=400013, errmsg="x"), Trouble.REFUSED),
            ("dingtalk", coded(errcode=True), Trouble.UNREADABLE),
            ("dingtalk", coded(errcode="0"), Trouble.UNREADABLE),
            ("wecom", coded(errcode=45009, errmsg="api freq out of limit"), Trouble.TOO_OFTEN),
            ("wecom", coded(errcode=93000, errmsg="invalid webhook url"), Trouble.KEY),
            ("feishu", coded(code=11232, msg="frequency limited"), Trouble.TOO_OFTEN),
            ("feishu", coded(StatusCode=19001, StatusMessage="x"), Trouble.KEY),
            ("slack", Reply(200, body=b"<html>log in</html>"), Trouble.UNREADABLE),
            ("slack", Reply(404, body=b"no_service"), Trouble.KEY),
            ("slack", Reply(429, [("Retry-After", "7")]), Trouble.TOO_OFTEN),
            *(
                (service, Reply(200, body=b"<html>"), Trouble.UNREADABLE)
                for service in ("dingtalk", "wecom", "feishu")
            ),
            *((service, Reply(302, [("Location", "http://x/")]), Trouble.STATUS) for service in ROBOTS),
            *((service, Reply(500), Trouble.STATUS) for service in ROBOTS),
        ],
    )
    def test_an_error_is_no_success(self, service: str, reply: Reply, trouble: Trouble) -> None:
        with robot(service) as running:
            running.answers.append(reply)
            outcome = sent(service, told(), url=running.url)
        assert outcome.trouble is trouble
        assert len(running.server.requests) == 1  # no redirect was followed
        if reply.status == 429:
            assert outcome.retry_after == 7


class TestWebhook:
    SECRET = "whsec_" + base64.b64encode(b"0" * 24).decode()

    @pytest.mark.parametrize(
        ("reply", "trouble"),
        [
            (Reply(204), None),
            (Reply(410), Trouble.GONE),
            (Reply(429), Trouble.TOO_OFTEN),
            (Reply(301), Trouble.STATUS),
        ],
    )
    def test_answers(self, reply: Reply, trouble: Trouble | None) -> None:
        server = ScriptedServer(lambda _request: reply)
        try:
            assert sent("webhook", told(), url=server.url(), secret=self.SECRET).trouble == trouble
        finally:
            server.stop()

    @pytest.mark.parametrize("secret", ["whsec_", "whsec_AAAA", "no base64!", "whsec_" + "A" * 200])
    def test_a_wrong_secret_is_told(self, secret: str) -> None:
        with pytest.raises(ValueError, match=r"base64|bytes"):
            webhook.secret_bytes(secret)


class TestTheNetwork:
    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://127.0.0.1:1/", Reason.BLOCKED_ADDRESS),
            ("http://169.254.169.254/latest", Reason.BLOCKED_ADDRESS),
            ("http://[::ffff:169.254.169.254]/", Reason.BLOCKED_ADDRESS),
            ("http://[fd00:ec2::254]/", Reason.BLOCKED_ADDRESS),
            ("ftp://example.com/", Reason.INVALID_DOMAIN),
            ("http://user:pw@example.com/", Reason.INVALID_DOMAIN),
        ],
    )
    def test_a_channel_reaches_no_forbidden_address(self, url: str, reason: Reason) -> None:
        from registries.probe import Policy

        with pytest.raises(Fault) as caught:
            post(url, b"{}", {}, Policy(allow_loopback=False))
        assert caught.value.reason is reason

    def test_plain_http_takes_the_setting(self) -> None:
        from registries.probe import Policy

        with pytest.raises(Fault) as caught:
            post("http://example.com/", b"", {}, Policy(allow_plain_http=False))
        assert caught.value.reason is Reason.PLAIN_HTTP_FORBIDDEN

    def test_a_huge_answer_is_not_read(self) -> None:
        pieces = (b"x" * 65536 for _ in range(1000))
        server = ScriptedServer(lambda _request: Reply(200, pieces=pieces))
        try:
            outcome = sent("wecom", told(), url=server.url())
        finally:
            server.stop()
        assert outcome.trouble is Trouble.UNREADABLE
        assert next(pieces, None), "the whole answer was read"


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (Reply(200), None),
        (Reply(200, body=b'{"status":"success"}'), None),
        (Reply(200, body=b"\n<!DOCTYPE html><title>Log in</title>"), Trouble.UNREADABLE),
        (Reply(200, [("Content-Type", "text/html; charset=utf-8")], b"Log in"), Trouble.UNREADABLE),
        (Reply(400, [("Content-Type", "application/json")], b'"bad"'), Trouble.STATUS),
    ],
)
def test_a_page_in_front_of_alertmanager_is_no_success(reply: Reply, trouble: Trouble | None) -> None:
    """A proxy that asks for a log-in answers 200: nobody has the alert."""
    with scripted(lambda _request: reply) as server:
        assert sent("alertmanager", told(), url=server.url()).trouble is trouble


def test_alerts_of_failure_and_recovery_have_the_same_labels() -> None:
    now = timezone.now()
    service = SERVICES["alertmanager"]
    bodies = []
    for kind in (ChangeKind.FAILING, ChangeKind.RECOVERED):
        sent_to: list[Post] = []

        def keep(request: Post, into: list[Post] = sent_to) -> Answer:
            into.append(request)
            raise Fault(Reason.TIMEOUT)

        with pytest.raises(Fault):
            service.send(told(kind=kind, display_name="x"), {"url": "http://a/"}, key="k", now=now, post=keep)
        assert sent_to[0].url == "http://a/api/v2/alerts"
        bodies.append(json.loads(sent_to[0].body)[0])
    failing, recovered = bodies
    assert failing["labels"] == recovered["labels"]
    assert datetime.fromisoformat(failing["endsAt"]) - now == timedelta(minutes=15)
    assert datetime.fromisoformat(recovered["endsAt"]) == now
