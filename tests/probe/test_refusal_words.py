"""A word in a refusal decides only where the registry states one cause."""

import json

import pytest

from registries.probe import Reason
from registries.probe.answer import Answer
from registries.probe.endpoint import parse_endpoint
from registries.probe.refusal_words import stated_cause

GITLAB = (
    "HTTP Basic: access denied. If you sent a password, it is wrong, or a token has to take its place. If you sent a "
    "token, it is wrong, expired, or lacks a scope."
)
GITLAB_2FA = (
    "HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled and you "
    "must use a personal access token instead of a password."
)


def refused(body: str, kind: str = "application/json") -> Answer:
    at = parse_endpoint("https://registry.example/v2/")
    return Answer(401, (("content-type", kind),), body.encode(), complete=True, at=at)


def message(text: str, code: str = "UNAUTHORIZED") -> str:
    return json.dumps({"errors": [{"code": code, "message": text}]})


HUB_PAT = (
    "unauthorized: your account must log in with a Personal Access Token (PAT) - learn more at "
    "docs.docker.com/go/access-tokens"
)
"""Docker Hub, 2023 to 2025: https://github.com/pinterest/querybook/pull/1548"""
POSSIBILITIES = [
    "token failed verification: parse",
    "token failed verification",
    "your account must log in with a password",
    "you may have to log in with a personal access token",
    "the security token included in the request is invalid",
    GITLAB,
    GITLAB_2FA,
    "wrong password or expired token",
    "The token is invalid or expired",
    "Invalid credentials. Your password may have expired.",
    "Check whether your token has expired.",
    "Your token has not expired.",
    "unknown user: your token has expired",
    "no such user: two-factor authentication",
    "user expired not found",
    "token expired/bad password",
    "token expired and bad password",
    "user personal access token is unknown",
    "Expired tokens are listed in the console",
    "密码错误或令牌已过期",
    "用户名或密码错误，可能是凭证已过期",
    "expired",
    "2fa",
    "token has invalid claims: token is expired, token used before issued",
    "client login with unencrypted passwords is disabled",
    "The access token provided is expired, revoked, malformed, or invalid for other reasons.",
    "token is expired. You must have the scope read_registry",
    "Access token has expired or been revoked",
    "The provided token is malformed/expired",
    "token is expired by its owner",
]


@pytest.mark.parametrize("text", POSSIBILITIES)
def test_a_word_among_possibilities_or_in_a_name_decides_nothing(text: str) -> None:
    assert stated_cause(refused(message(text))) is None
    assert stated_cause(refused(json.dumps({"details": text}))) is None
    assert stated_cause(refused(text, "text/plain")) is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<html><p>Your session has expired</p></html>", "text/html"),
        ("Your session has expired.", "text/html; charset=utf-8"),
        ("<!doctype html>\nYour token has expired.", "text/plain"),
        ("Your token has expired. " * 100, "text/plain"),
        ('{"username": "your token has expired"}', "application/json"),
        ('["your token has expired"]', "application/json"),
        ('{"errors": [{"code": "TOKEN_EXPIRED"}, {"code": "UNAUTHORIZED"}]}', "application/json"),
        ('{"message": "Your token has expired. You must use a personal access token."}', "application/json"),
        ('{"errors": ["expired"]}', "application/json"),
        ('{"errors": []}', "application/json"),
        ("", ""),
    ],
)
def test_pages_other_fields_and_lists_decide_nothing(body: str, kind: str) -> None:
    assert stated_cause(refused(body, kind)) is None


def test_a_body_that_was_cut_decides_nothing() -> None:
    at = parse_endpoint("https://registry.example/v2/")
    assert stated_cause(Answer(401, (), b"Your token has expired.", complete=False, at=at)) is None


@pytest.mark.parametrize(
    "text",
    [
        "Your authorization token has expired. Reauthenticate and try again.\n",
        "Your authorization token has expired. Please run 'aws ecr get-login-password' for a new one.",
        "token expired",
        "The access token expired!",
        "authentication failed: token is expired",
        "Unauthorized. Your password has expired. Contact the administrator.",
        "Robot account credentials have expired",
        "Expired token",
        "Token failed verification: expired",
        "personal access token is expired",
        "The security token included in the request is expired",
        "Your credentials have expired, You must change your password before trying to login again.",
        "Your password expired. Please access GitLab from a web browser to update your password.",
        "Your password has expired and must be changed.",
        "The access token provided has expired",
        "The OAuth access token has expired",
        "App specific token has expired",
        "token is expired by 25m6s",
        "JWT expired at 2024-05-01T10:00:00Z. Current time: 2024-05-02T10:00:00Z, a difference of 86400000 ms.",
        "token has invalid claims: token is expired",
        "令牌已过期",
        "Token 已过期，请重新登录",
        "认证失败：您的访问令牌已过期，请重新生成。",
    ],
)
def test_a_stated_end_of_a_credential_is_read(text: str) -> None:
    assert stated_cause(refused(message(text))) is Reason.CREDENTIALS_EXPIRED
    assert stated_cause(refused(text, "text/plain; charset=utf-8")) is Reason.CREDENTIALS_EXPIRED


@pytest.mark.parametrize(
    "text",
    [
        "please use a personal access token",
        "HTTP Basic: Access denied\nYou must use a personal access token with 'api' scope for Git over HTTP",
        "a personal access token is required: two-factor authentication is enabled",
        "Your account has 2FA enabled.",
        "Client login with unencrypted passwords is disabled. Please generate an encrypted password in the user admin "
        "panel for use here.",
        "requires multi-factor authentication",
        "登录失败，请使用个人访问令牌",
        HUB_PAT,
        "You have to sign in using a personal access token (PAT).",
    ],
)
def test_a_stated_need_of_a_token_is_read(text: str) -> None:
    assert stated_cause(refused(json.dumps({"details": text}))) is Reason.PAT_REQUIRED


@pytest.mark.parametrize(
    "code",
    ["TOKEN_EXPIRED", "ExpiredTokenException", "token-expired", "CREDENTIALS_EXPIRED", "AccessTokenExpired"],
)
def test_a_known_code_decides_whatever_the_text(code: str) -> None:
    assert stated_cause(refused(message(GITLAB, code))) is Reason.CREDENTIALS_EXPIRED
    assert stated_cause(refused(json.dumps({"error": code}))) is Reason.CREDENTIALS_EXPIRED
