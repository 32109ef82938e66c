"""The sentences of the audit log: no line shows a code."""

import re

import pytest
from django.utils import translation
from django.utils.html import escape

from registries.audit.action import Action
from registries.models import AuditEntry
from registries.probe import Reason
from registries.wiring import services
from registries.words import labels
from registries.words.journal import line
from tests.cast import Cast
from tests.web.journal_pages import page as journal

SENTENCES: list[tuple[Action, str, str, str]] = [
    (Action.ACCOUNT, "create ada", "添加账号", "Added the account"),
    (Action.ACCOUNT, "password ada", "重置密码", "Reset the password"),
    (Action.ACCOUNT, "activate ada", "启用账号", "Activated the account"),
    (Action.ACCOUNT, "deactivate ada", "停用账号", "Deactivated the account"),
    (Action.ACCOUNT, "delete ada", "删除账号", "Deleted the account"),
    (Action.ACCOUNT, "delete %s", "删除账号", "Deleted the account"),
    (Action.GRANT, "ada image-admin", "授予 ada 角色 image-admin", "Gave ada the role image-admin"),
    (Action.GRANT, "ada -", "移除 ada 的角色", "Removed the role of ada"),
    (Action.NAMESPACE, "create", "添加命名空间", "Added the namespace"),
    (Action.NAMESPACE, "delete", "删除命名空间", "Deleted the namespace"),
    (Action.TOKEN, "create rct_a", "创建访问令牌 rct_a…", "Created the access token rct_a…"),
    (Action.TOKEN, "revoke rct_a", "吊销访问令牌 rct_a…", "Revoked the access token rct_a…"),
    (
        Action.TOKEN,
        "revoke rct_a of ada",
        "吊销 ada 的访问令牌 rct_a…",
        "Revoked the access token rct_a… of ada",
    ),
    (Action.TOKEN, "unknown", "使用未知的访问令牌", "Used an unknown access token"),
    (Action.TOKEN, "revoked rct_a", "使用已吊销的访问令牌 rct_a…", "Used the revoked access token rct_a…"),
    (Action.TOKEN, "expired rct_a", "使用已过期的访问令牌 rct_a…", "Used the expired access token rct_a…"),
    (Action.TOKEN, "expired", "使用已过期的访问令牌", "Used an expired access token"),
    (
        Action.TOKEN,
        "inactive rct_a",
        "使用已停用账号的访问令牌 rct_a…",
        "Used the access token rct_a… of a deactivated account",
    ),
    (Action.TOKEN, "some later note", "访问令牌", "Access token"),
    (Action.EDIT, "", "编辑", "Edited"),
]


@pytest.mark.parametrize(("action", "note", "chinese", "english"), SENTENCES)
def test_an_action_is_a_sentence_in_the_readers_language(
    action: Action, note: str, chinese: str, english: str
) -> None:
    entry = AuditEntry(person="olive", action=action.value, outcome="ok", note=note)

    for language, sentence in (("zh-hans", chinese), ("en", english)):
        with translation.override(language):
            assert line(entry).action == sentence


def test_shows_no_code_of_an_administrators_actions(cast: Cast) -> None:
    olive = cast.client("olive", hx_request="true")
    olive.post("/accounts/-/add/", {"username": "ada", "password": "quiet river 42"})
    olive.post("/accounts/ada/roles/", {"namespace": "team-b", "role": "image-operator"})
    olive.post("/accounts/ada/roles/revoke/", {"namespace": "team-b"})
    olive.post("/accounts/ada/active/", {"active": "0"})
    olive.post("/namespaces/-/add/", {"namespace": "team-c"})

    page = journal(cast, "olive")

    assert not re.search(r"\b(create|deactivate|delete|revoke|password) ", page.partition("<tbody")[2])
    assert re.search(
        r"停用账号\s*</td>\s*<td role=\"cell\" class=\"mono j-object\">\s*<span class=\"whole\" title=\"ada\">ada<",
        page,
    )


@pytest.mark.parametrize("action", [Action.TEST, Action.TRY])
@pytest.mark.parametrize("reason", list(Reason))
def test_a_failed_test_is_not_done(cast: Cast, action: Action, reason: Reason) -> None:
    services().audit.record(cast.access("vic"), action, namespace="team-a", note=reason.value)

    rows = journal(cast, "vic", action=action.value).partition("<tbody")[2]

    assert f"<span>{escape(labels.reason(reason.value))}</span>" in rows
    assert ('<span class="text-bad">失败</span>' in rows) is not reason.ok
    assert "完成" not in rows, "what it found says that it is done"
    assert f">{reason.value}" not in rows
