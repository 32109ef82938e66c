"""Logging in, being kept out, and ending."""

import json
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from django.utils.crypto import salted_hmac

from registries.log_in.backend import AccountBackend
from tests.cast import Cast

PASSWORD = "correct horse 9"


@pytest.fixture
def vic(cast: Cast) -> User:
    vic = cast.users["vic"]
    vic.set_password(PASSWORD)
    vic.save()
    return vic


def log_in(client: Client, password: str = PASSWORD, **values: str) -> Any:
    return client.post("/login/", {"username": "vic", "password": password, **values})


def test_the_right_password_leads_to_where_one_was_going(vic: User) -> None:
    response = log_in(Client(), next="/journal/")

    assert (response.status_code, response["Location"]) == (302, "/journal/")


@pytest.mark.parametrize(
    ("page", "location"),
    [
        ("http://testserver/channels/?q=a#silences", "/channels/%3Fq%3Da"),
        ("http://evil.example.com/channels/", "/registries/"),
        ("", "/registries/"),
    ],
)
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(
    vic: User, page: str, location: str
) -> None:
    response = Client().post("/channels/-/silences/1/end/", headers={"Referer": page})

    assert response["Location"] == f"/login/?next={location}"


STALE = {"csrfmiddlewaretoken": "a" * 64}


@pytest.fixture
def stale(vic: User) -> Client:
    """The browser of a person who logged in after a form was opened in another tab."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(vic, backend="registries.log_in.backend.AccountBackend")
    return client


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("", "/registries/"),
        ("/journal/", "/journal/"),
        ("/registries/?q=a&page=2", "/registries/?q=a&page=2"),
        ("https://evil.example.com/", "/registries/"),
        ("//evil.example.com", "/registries/"),
        ("/\\evil.example.com", "/registries/"),
        ("javascript:alert(1)", "/registries/"),
        ("\r\nX-Injected: 1", "/registries/"),
    ],
)
@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_the_stale_log_in_form_of_a_person_who_is_logged_in_goes_on(
    stale: Client, target: str, location: str, password: str
) -> None:
    response = log_in(stale, password, next=target, **STALE)

    assert (response.status_code, response["Location"]) == (302, location)
    assert not AccessAttempt.objects.exists(), "the password was not looked at"


@pytest.mark.parametrize("path", ["/logout/", "/password/", "/language/", "/registries/-/add/", "/tokens/"])
def test_no_answer_to_a_stale_form_advises_to_send_it_again(stale: Client, path: str) -> None:
    for language, advice in (("en", "Open the form again"), ("zh-hans", "重新打开该表单")):
        stale.cookies["django_language"] = language
        response = stale.post(path, STALE)

        page = response.content.decode()
        assert response.status_code == 403
        assert advice in page
        assert "刷新" not in page.partition("<main")[2]
        assert "eload" not in page.partition("<main")[2]


def test_a_stale_log_in_form_without_a_session_is_refused(vic: User) -> None:
    assert log_in(Client(enforce_csrf_checks=True), **STALE).status_code == 403


@pytest.mark.parametrize("target", ["https://evil.example.com/", "//evil.example.com", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_site(vic: User, target: str) -> None:
    assert log_in(Client(), next=target)["Location"] == "/registries/"


def test_a_wrong_password_says_no_more_than_needed(vic: User) -> None:
    known, unknown = log_in(Client(), "wrong"), log_in(Client(), "wrong", username="nobody")

    assert known.status_code == unknown.status_code == 422
    assert "用户名或密码错误" in known.content.decode()
    assert "wrong" not in known.content.decode()

    def told(response: Any) -> str:
        text: str = response.content.decode()
        return text[text.index('id="error-summary"') : text.index("</p>", text.index('id="error-summary"'))]

    assert told(known) == told(unknown)


def test_after_five_failures_even_the_right_password_waits(vic: User) -> None:
    client = Client()
    statuses = [log_in(client, "wrong").status_code for _ in range(6)]

    locked = log_in(client)

    assert statuses[:4] == [422] * 4
    assert statuses[-1] == locked.status_code == 429
    assert locked["Retry-After"] == "900"
    assert "15 分钟后再试" in locked.content.decode()
    assert log_in(Client(REMOTE_ADDR="10.9.9.9")).status_code == 302, "from elsewhere it is another matter"


def test_the_lock_opens_by_itself(vic: User) -> None:
    client = Client()
    for _ in range(6):
        log_in(client, "wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))

    assert log_in(client).status_code == 302


def test_what_throttling_keeps_names_nobody(vic: User) -> None:
    log_in(Client(), "hunter2-typed", username="my-password-by-mistake", next="/x?secret=1")

    kept = str(list(AccessAttempt.objects.values()))

    assert "my-password-by-mistake" not in kept
    assert "hunter2-typed" not in kept


def test_failures_counted_before_an_update_still_count(vic: User) -> None:
    log_in(Client(), "wrong")

    [attempt] = AccessAttempt.objects.all()

    assert attempt.username == salted_hmac("console.login", "vic").hexdigest()


def test_logging_out_ends_the_session_on_the_server(vic: User) -> None:
    client = Client()
    log_in(client)
    stolen = client.cookies["sessionid"].value

    client.post("/logout/")

    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert thief.get("/registries/").status_code == 302
    assert not Session.objects.filter(session_key=stolen).exists()


def test_logging_out_takes_a_post(vic: User) -> None:
    client = Client()
    log_in(client)

    assert client.get("/logout/").status_code == 405
    assert client.get("/registries/").status_code == 200


def test_a_session_expires(vic: User) -> None:
    client = Client()
    log_in(client)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert client.get("/registries/").status_code == 302


def test_an_account_that_was_deactivated_is_out_at_once(vic: User) -> None:
    client = Client()
    log_in(client)
    User.objects.filter(pk=vic.pk).update(is_active=False)

    assert client.get("/registries/").status_code == 302
    assert log_in(Client()).status_code == 422


def test_a_session_of_an_earlier_version_goes_on(vic: User) -> None:
    client = Client()
    client.force_login(vic, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/registries/").status_code == 200
    vic.delete()
    assert client.get("/registries/").status_code == 302


def test_the_account_of_a_session_is_the_account(vic: User) -> None:
    read = AccountBackend().get_user(vic.pk)

    assert read == vic
    assert read is not None
    for field in User._meta.concrete_fields:
        assert getattr(read, field.attname) == getattr(vic, field.attname), field
        assert type(getattr(read, field.attname)) is type(getattr(vic, field.attname)), field


def test_a_new_password_ends_the_other_sessions(vic: User) -> None:
    here, elsewhere = Client(), Client()
    log_in(here)
    log_in(elsewhere)

    response = here.post(
        "/password/",
        {"old_password": PASSWORD, "new_password1": "another 77 horse", "new_password2": "another 77 horse"},
    )

    assert response.status_code == 302
    assert here.get("/registries/").status_code == 200
    assert elsewhere.get("/registries/").status_code == 302


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"old_password": "x"}, "当前密码不正确"),
        ({"new_password2": "other"}, "两次输入的新密码不一致"),
        ({"new_password1": "123", "new_password2": "123"}, "密码"),
    ],
)
def test_a_bad_new_password_is_refused_at_its_field(vic: User, values: dict[str, str], says: str) -> None:
    client = Client()
    log_in(client)
    typed = {
        "old_password": PASSWORD,
        "new_password1": "another 77 horse",
        "new_password2": "another 77 horse",
        **values,
    }

    response = client.post("/password/", typed)

    assert response.status_code == 422
    assert says in response.content.decode()


def test_logging_in_again_from_a_dialog_answers_with_an_event(vic: User) -> None:
    client = Client(headers={"hx_request": "true"})

    wrong, right = log_in(client, "wrong"), log_in(client)

    assert (wrong.status_code, right.status_code) == (422, 204)
    assert "<html" not in wrong.content.decode()
    assert json.loads(right["HX-Trigger"]) == {"signed-in": {}}


def test_the_demo_accounts_are_shown_in_the_demo_only(cast: Cast, settings: Any) -> None:
    assert "olive" not in Client().get("/login/").content.decode()
    settings.DEMO = True
    assert "olive" in Client().get("/login/").content.decode()


def test_a_stranger_has_no_button_for_a_navigation(cast: Cast) -> None:
    assert 'id="nav-toggle"' not in Client().get("/login/").content.decode()
    assert 'id="nav-toggle"' in cast.client("sam").get("/overview/").content.decode()


def test_cookies_are_for_https_and_not_for_scripts(vic: User) -> None:
    client = Client()
    log_in(client)

    session = client.cookies["sessionid"]

    assert session["secure"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
