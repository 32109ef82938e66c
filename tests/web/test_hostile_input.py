"""What a curious person or a broken client may send: a clear answer, never a stack trace, nothing done."""

from typing import Any

import pytest
from django.test import Client

from registries.domain.query import Criteria
from registries.models import AuditEntry
from registries.wiring import services
from tests.cast import Cast, typed


def stored(cast: Cast) -> int:
    return len(services().index.matching(access=cast.access("olive"), criteria=Criteria()))


@pytest.mark.parametrize(
    "path", ["/nothing/", "/registries/UPPER/x/", "/registries/a/b/c/", "/registries/../x/y/"]
)
@pytest.mark.parametrize("person", ["olive", None])
def test_an_unknown_address_is_a_404_with_a_way_back(cast: Cast, path: str, person: str | None) -> None:
    response = cast.client(person).get(path)

    assert response.status_code == 404
    assert "返回镜像源列表" in response.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/registries/-/add/",
        "/registries/-/try/",
        "/registries/team-a/harbor-prod/delete/",
        "/registries/-/batch-delete/",
    ],
)
def test_without_its_csrf_token_nothing_is_done(cast: Cast, path: str) -> None:
    cast.add()
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users["olive"], backend="registries.log_in.backend.AccountBackend")

    response = client.post(path, typed("other"))

    assert response.status_code == 403
    assert "未做任何更改" in response.content.decode()
    assert stored(cast) == 1


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"name=%ff%fe&namespace=%00", b"&&&===", b"name[]=1&name[a]=2", b"{}" * 1000]
)
def test_a_body_that_makes_no_sense_is_an_answer_in_words(cast: Cast, body: bytes) -> None:
    response = cast.client("olive").post(
        "/registries/-/add/", body, content_type="application/x-www-form-urlencoded"
    )

    assert response.status_code in (400, 422)
    assert stored(cast) == 0


@pytest.mark.parametrize("field", ["name", "domain", "username", "password", "display_name", "description"])
def test_a_field_of_ten_megabytes_is_refused_with_words(cast: Cast, field: str) -> None:
    response = cast.client("olive").post("/registries/-/add/", typed(**{field: "x" * 10_000_000}))

    assert response.status_code == 413
    assert "过大" in response.content.decode()


def test_a_thousand_fields_are_refused_with_words(cast: Cast) -> None:
    response = cast.client("olive").post(
        "/registries/-/batch-delete/", {f"uids{n}": "x" for n in range(1500)}
    )

    assert response.status_code == 413


def test_a_thousand_keys_in_a_batch_are_fine(cast: Cast) -> None:
    chosen = cast.add("a")
    uids = " ".join([chosen.uid, *(f"{n:036}" for n in range(5000))])

    response = cast.client("olive").post("/registries/-/batch-delete/", {"uids": uids})

    assert response.status_code == 200
    assert "5,000 个已不存在" in response.content.decode()


@pytest.mark.parametrize(
    "value", ["🚢🚢", "<script>alert(1)</script>", "'; DROP TABLE x; --", "{{7*7}}", "../../x", "a" * 300]
)
@pytest.mark.parametrize(
    "field", ["name", "domain", "username", "display_name", "description", "provider", "namespace"]
)
def test_odd_text_in_any_field_is_kept_or_refused_as_text(cast: Cast, field: str, value: str) -> None:
    response = cast.client("olive", hx_request="true").post("/registries/-/add/", typed(**{field: value}))

    assert response.status_code in (204, 422)
    shown = response.content.decode() + cast.client("olive").get("/registries/").content.decode()
    assert "<script>alert" not in shown
    assert ">49<" not in shown


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/registries/-/try/00000000-0000-0000-0000-000000000000/"),
        ("post", "/registries/-/runs/00000000-0000-0000-0000-000000000000/start/"),
    ],
)
def test_an_htmx_request_gets_a_toast_and_changes_nothing_on_the_page(
    cast: Cast, method: str, path: str
) -> None:
    response = getattr(cast.client("olive", hx_request="true"), method)(path)

    assert response.status_code == 404
    assert response["HX-Reswap"] == "none"
    assert "toast" in response["HX-Trigger"]
    assert response["HX-Trigger"].isascii(), "no proxy mangles it"


def test_an_error_of_ours_shows_no_cause_and_logs_it(cast: Cast, monkeypatch: Any, caplog: Any) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the cause")

    client = cast.client("olive")
    client.raise_request_exception = False
    monkeypatch.setattr("registries.web.lists.list._context", fails)

    response = client.get("/registries/")

    assert response.status_code == 500
    assert "服务器出错" in response.content.decode()
    assert "the cause" not in response.content.decode()
    assert "the cause" in caplog.text


@pytest.mark.parametrize("host", ["evil.example.com", "localhost.evil.example.com"])
def test_another_host_name_is_refused(cast: Cast, host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]

    assert cast.client("olive").get("/registries/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize(
    "host", ["10.20.30.40:8000", "[fd12::1]:8000", "target.elb.internal", "not a host", "a_b", ""]
)
def test_health_checks_are_answered_for_any_host(cast: Cast, host: str, path: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]

    for ask in (cast.client("olive").get, Client().get, Client().head):
        assert ask(path, headers={"host": host}).status_code == 200
    assert Client().post(path, headers={"host": host}).status_code == 405


NO_URL = "http://[x/?q=1"
"""Python cannot split it."""


@pytest.mark.parametrize("person", ["nina", None])
def test_a_page_before_that_is_no_url_is_none(cast: Cast, person: str | None) -> None:
    """A browser sends none; a script without an account must not fill the log with errors."""
    cast.add()
    client = cast.client(person, referer=NO_URL)

    answers = [
        client.get("/registries/"),
        client.get(
            "/registries/", {"current": NO_URL}, headers={"hx-request": "true", "hx-current-url": NO_URL}
        ),
        client.get("/registries/-/namespaces/", {"current": NO_URL}),
        client.get("/registries/team-a/harbor-prod/delete/"),
        client.post("/registries/-/batch-delete/", {"uids": "nothing"}),
        client.post(
            "/registries/-/add/", typed("other"), headers={"hx-request": "true", "hx-current-url": NO_URL}
        ),
    ]

    assert {it.status_code for it in answers} <= ({200, 204, 422} if person else {302, 401})
    assert stored(cast) == (2 if person else 1)


NUL = "a\0b"
"""PostgreSQL, on which these tests run as well, can neither store it nor look for it."""


def test_a_nul_from_nobody_is_a_text_like_others(cast: Cast) -> None:
    client = Client(headers={"cookie": 'sessionid="\\000aaaaaaaaaaaaaaaa"'})
    answers = [client.get(path).status_code for path in ("/login/", "/registries/", "/registries/?q=%00")]
    refused = Client().post("/login/", {"username": NUL, "password": "x"})

    assert answers == [200, 302, 302]
    assert refused.status_code == 422


def test_a_nul_is_a_text_like_others(cast: Cast) -> None:
    registry, api = cast.add(), cast.api("olive")
    json = {"content_type": "application/json"}
    one = "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets/harbor-prod"
    item = {"namespace": "team-a", "name": NUL, "uid": registry.uid}

    undone = api.post(f"{one}/undo", {"uid": NUL}, **json)
    refused = cast.api("omar").post(
        f"{one[: one.index('/namespaces')]}/runs", {"type": "delete", "items": [item]}, **json
    )
    revoked = cast.client("olive").post("/accounts/vic/roles/revoke/", {"namespace": NUL})
    silenced = cast.client("nina").post("/channels/-/silences/add/", {"namespace": "team-a", "host": NUL})

    assert (undone.status_code, refused.status_code) == (404, 403)
    assert (revoked.status_code, silenced.status_code) == (302, 422)
    assert AuditEntry.objects.filter(person="omar", outcome="Forbidden", name__startswith="a").exists()
