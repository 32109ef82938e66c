"""访问令牌: each person's own, shown once, limited, revoked."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registries.domain.access import Role
from registries.models import ApiToken, AuditEntry
from registries.people import tokens
from registries.wiring import admitting, services
from tests.api.test_api import ALL
from tests.cast import Cast


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No day ends while a test runs."""
    now = timezone.localtime().replace(hour=12)
    monkeypatch.setattr(timezone, "now", lambda: now)


def made(cast: Cast, person: str = "nina", **values: Any) -> Any:
    until = timezone.localdate() + timedelta(days=30)
    typed = {"name": "build-server", "role": "image-viewer", "expires": until.isoformat(), **values}
    return cast.client(person, hx_request="true").post("/tokens/-/add/", typed)


def text_in(page: str) -> str:
    return (re.findall(r"rct_[\w-]{43}", page) or [""])[0]


def test_shows_the_token_once(cast: Cast) -> None:
    page = made(cast).content.decode()

    text = text_in(page)
    assert text
    assert f"Bearer {text}" not in page, "the example asks for it"
    assert "printf &#x27;Token: &#x27; &gt;&amp;2; IFS= read -rs TOKEN; echo &gt;&amp;2; curl " in page
    listed = cast.client("nina").get("/tokens/").content.decode()
    assert text not in listed
    assert text[:12] in listed


def test_the_token_works_within_its_limits(cast: Cast) -> None:
    cast.add("a", "team-a")
    cast.add("b", "team-b")
    text = text_in(made(cast, "olive", namespaces=["team-b"]).content.decode())

    found = Client(headers={"authorization": f"Bearer {text}"}).get(ALL).json()

    assert [it["metadata"]["name"] for it in found["items"]] == ["b"]
    [token] = services().tokens.all(access=cast.access("olive"))
    assert (token.role, token.namespaces) == (Role.VIEWER, ("team-b",))


def test_is_valid_to_the_end_of_its_last_day(cast: Cast) -> None:
    today = timezone.localdate().isoformat()
    assert f"</span> · 你的全部命名空间 · 有效期至 {today}</p>" in made(cast, expires=today).content.decode()

    [token] = services().tokens.all(access=cast.access("nina"))
    assert timezone.localtime(token.expires_at).strftime("%H:%M:%S") == "23:59:59"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": " "}, "此项必填"),
        ({"name": "x" * 65}, "64"),
        ({"role": "root"}, "请选择一个角色"),
        ({"expires": ""}, "此项必填"),
        ({"expires": "tomorrow"}, "一年以内"),
        ({"expires": "2020-01-01"}, "一年以内"),
        ({"expires": "2020-99-99"}, "一年以内"),
        ({"expires": "9999-12-31"}, "一年以内"),
        ({"namespaces": ["team-b"]}, "不存在"),
        ({"scope": "chosen"}, "至少选择一个命名空间"),
        ({"scope": "chosen", "namespaces": []}, "至少选择一个命名空间"),
        ({"scope": "chosen", "namespaces": ["team-b"]}, "不存在"),
        ({"scope": "chosen", "namespaces": ["team-a", "team-b"]}, "不存在"),
        ({"scope": "all", "namespaces": ["team-b"]}, "不存在"),
        ({"scope": "some"}, "不存在"),
        ({"scope": "some", "namespaces": ["team-a"]}, "不存在"),
    ],
)
def test_a_bad_one_is_refused_with_words(cast: Cast, values: dict[str, Any], says: str) -> None:
    response = made(cast, **values)

    assert response.status_code == 422
    assert says in response.content.decode()
    assert services().tokens.all(access=cast.access("nina")) == []


@pytest.mark.parametrize(
    ("values", "namespaces"),
    [
        ({}, ()),
        ({"namespaces": ["team-a"]}, ("team-a",)),
        ({"scope": "", "namespaces": ["team-a"]}, ("team-a",)),
        ({"scope": "all"}, ()),
        ({"scope": "all", "namespaces": ["team-a"]}, ()),
        ({"scope": "chosen", "namespaces": ["team-a"]}, ("team-a",)),
        ({"scope": "chosen", "namespaces": ["team-a", "team-b"]}, ("team-a", "team-b")),
    ],
)
def test_is_valid_in_the_namespaces_that_were_chosen(
    cast: Cast, values: dict[str, Any], namespaces: tuple[str, ...]
) -> None:
    assert made(cast, "olive", **values).status_code == 200

    [token] = services().tokens.all(access=cast.access("olive"))
    assert token.namespaces == namespaces


def test_revokes(cast: Cast) -> None:
    text = text_in(made(cast).content.decode())
    [token] = services().tokens.all(access=cast.access("nina"))
    client = cast.client("nina", hx_request="true")
    assert text[:12] in client.get(f"/tokens/{token.id}/revoke/").content.decode()

    response = client.post(f"/tokens/{token.id}/revoke/")

    assert response["HX-Redirect"] == "/tokens/"
    assert services().tokens.all(access=cast.access("nina")) == []
    assert client.post(f"/tokens/{token.id}/revoke/").status_code == 404


def test_somebody_elses_is_not_there(cast: Cast) -> None:
    made(cast)
    [token] = services().tokens.all(access=cast.access("nina"))

    for method in ("get", "post"):
        assert getattr(cast.client("omar"), method)(f"/tokens/{token.id}/revoke/").status_code == 404
    assert "build-server" in cast.client("nina").get("/tokens/").content.decode()
    assert "build-server" not in cast.client("omar").get("/tokens/").content.decode()


def test_the_journal_has_words_for_it(cast: Cast) -> None:
    made(cast)
    Client(headers={"authorization": "Bearer wrong"}).get(ALL)

    page = cast.client("olive").get("/journal/?action=token").content.decode()

    assert "访问令牌" in page
    assert "令牌无效" in page


def test_the_journal_names_it_whatever_its_name_is(cast: Cast) -> None:
    """The name is no registry, and may look like the words around it."""
    text = text_in(made(cast, name="CI of ada").content.decode())
    [token] = services().tokens.all(access=cast.access("nina"))
    cast.client("olive").post(f"/tokens/{token.id}/revoke/")
    Client(headers={"authorization": f"Bearer {text}"}).get(ALL)

    reader = cast.client("olive")
    shown = reader.get("/journal/?action=token").content.decode()
    reader.cookies["django_language"] = "en"
    english = reader.get("/journal/?action=token").content.decode()

    named = f"CI of ada（{text[:12]}…）"
    for sentence in ("创建访问令牌 ", "吊销 nina 的访问令牌 ", "使用已吊销的访问令牌 "):
        assert sentence + named in shown
    assert f"Revoked the access token CI of ada ({text[:12]}…) of nina" in english
    assert "/CI of ada" not in shown


def test_works_without_scripts(cast: Cast) -> None:
    client = cast.client("nina")
    assert "<!DOCTYPE html>" in client.get("/tokens/-/add/").content.decode()
    until = timezone.localdate().isoformat()

    page = client.post(
        "/tokens/-/add/", {"name": "x", "role": "image-viewer", "expires": until}
    ).content.decode()

    assert "<!DOCTYPE html>" in page
    assert text_in(page)


@pytest.mark.parametrize("person", ["sam", "vic", "olive"])
def test_one_person_makes_no_flood_of_tokens(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, person: str
) -> None:
    monkeypatch.setattr(tokens, "REVOKED_KEPT", 2)
    monkeypatch.setattr(admitting, "TOKENS_PER_MINUTE", 4)
    access, statuses = cast.access(person), []

    for _ in range(12):
        statuses.append(made(cast, person).status_code)
        for it in services().tokens.all(access=access):
            services().tokens.revoke(access=access, token_id=it.id)

    assert statuses[:4] == [200] * 4
    assert statuses.count(429) >= 5
    assert ApiToken.objects.count() == 3
    assert AuditEntry.objects.filter(action="token").count() == 2 * statuses.count(200)
    assert made(cast, "omar").status_code == 200
