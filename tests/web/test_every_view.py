"""Every view, walked by the whole cast and by nobody: who gets in, who is told that it takes a role, for whom it
does not exist. A view that is missing from the table fails the last test.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from registries.urls import urlpatterns
from registries.web.lists.list import registry_list, selection
from tests.cast import EVERYBODY, Cast, undone

SEES = {"olive": 200, "nina": 200, "omar": 200, "vic": 200, "sam": 404}
EDITS = {**SEES, "vic": 403}
DELETES = {**EDITS, "omar": 403}
TELLS = {"olive": 200, "nina": 200, "omar": 403, "vic": 403, "sam": 403}
ADMINISTERS = {"olive": 200, "nina": 403, "omar": 403, "vic": 403, "sam": 403}
ANYBODY = dict.fromkeys(SEES, 200)
IN_TEAM_A = {"namespace": "team-a", "name": "harbor-prod"}
IN_TEAM_B = {"namespace": "team-b", "name": "harbor-secret"}


@dataclass(frozen=True)
class View:
    """`expected` is the status for each of the cast; `wrong` a method that it does not take."""

    expected: dict[str, int]
    arguments: dict[str, Any] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] | None = None
    wrong: str = "post"

    def url(self, view: str, **arguments: Any) -> str:
        return reverse(f"registries:{view}", kwargs={**self.arguments, **arguments})

    def response(self, client: Client, view: str) -> Any:
        """Without the query."""
        return client.get(self.url(view)) if self.data is None else client.post(self.url(view), self.data)

    def ask(self, client: Client, view: str, **arguments: Any) -> int:
        url = self.url(view, **arguments)
        if self.data is None:
            return client.get(url, self.query).status_code
        return client.post(url, self.data).status_code


VIEWS = {
    "overview": View(ANYBODY),
    "list": View(SEES, query={"namespace": "team-a"}),
    "namespace_options": View(ANYBODY),
    "palette": View(ANYBODY),
    "selection": View(SEES, query={"namespace": "team-a"}),
    "pulse": View(dict.fromkeys(SEES, 204)),
    "add": View({**ANYBODY, "omar": 403, "vic": 403, "sam": 403}, wrong="put"),
    "check_name": View(ANYBODY, query={"namespace": "team-a", "name": "x"}),
    "check_ca": View({**ANYBODY, "vic": 403, "sam": 403}, data={"ca_bundle": "x"}, wrong="get"),
    "add_images": View(EDITS, query={"namespace": "team-a", "domain": "h.example.com"}),
    "check_address": View(ANYBODY, query={"domain": "h.example.com"}),
    "try": View(
        EDITS,
        data={"namespace": "team-a", "domain": "127.0.0.1:9", "username": "u", "password": "p"},
        wrong="get",
    ),
    "trial": View(dict.fromkeys(SEES, 404), {"trial": uuid4()}),
    "batch_delete": View({**dict.fromkeys(SEES, 422)}, data={"uids": "nothing"}, wrong="get"),
    "verify_batch": View(dict.fromkeys(SEES, 422), data={"uids": "nothing"}, wrong="get"),
    "run_notices": View(ANYBODY),
    "dismiss_notice": View(dict.fromkeys(ANYBODY, 302), {"run": uuid4()}, data={}, wrong="get"),
    "copy": View(DELETES, IN_TEAM_A),
    "relatives": View(SEES, IN_TEAM_A),
    "align": View({**DELETES, "olive": 404, "nina": 404}, IN_TEAM_A, wrong="put"),
    "relink": View({**DELETES, "olive": 404, "nina": 404}, IN_TEAM_A, wrong="put"),
    "sync": View(SEES, IN_TEAM_A),
    "sync_edit": View({**ADMINISTERS, "sam": 404}, IN_TEAM_A, wrong="put"),
    "sync_off": View({**ADMINISTERS, "olive": 404, "sam": 404}, IN_TEAM_A, wrong="put"),
    "sync_solve": View(
        {**ADMINISTERS, "olive": 404, "sam": 404}, {**IN_TEAM_A, "place": "team-c"}, wrong="put"
    ),
    "copy_many": View(dict.fromkeys(SEES, 422), data={"uids": "nothing"}, wrong="get"),
    "copy_plan": View(dict.fromkeys(SEES, 422), data={"uids": "nothing"}, wrong="get"),
    "copy_run": View(dict.fromkeys(SEES, 404), {"run": uuid4()}),
    "copy_start": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "copy_cancel": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "verify_run": View(dict.fromkeys(SEES, 404), {"run": uuid4()}),
    "verify_run_start": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "verify_run_cancel": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "verify_run_failures": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "verify_run_group": View(dict.fromkeys(SEES, 404), {"run": uuid4()}),
    "run": View(dict.fromkeys(SEES, 404), {"run": uuid4()}),
    "run_items": View(dict.fromkeys(SEES, 404), {"run": uuid4()}),
    "run_usage": View(dict.fromkeys(SEES, 404), {"run": uuid4()}),
    "run_cancel": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "run_start": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={"count": "1"}, wrong="get"),
    "undo_run": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "undo_progress": View(dict.fromkeys(SEES, 404), {"run": uuid4()}),
    "undo_start": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "undo": View({**DELETES, "olive": 404, "nina": 404}, {**IN_TEAM_A, "uid": "x"}, data={}, wrong="get"),
    "rotation": View(dict.fromkeys(SEES, 404), {"run": uuid4()}),
    "rotation_retry": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "rotation_cancel": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "rotation_leave": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "rotation_roll_back": View(dict.fromkeys(SEES, 404), {"run": uuid4()}, data={}, wrong="get"),
    "details": View(SEES, IN_TEAM_A),
    "row": View(SEES, IN_TEAM_A),
    "card": View(SEES, IN_TEAM_A),
    "verify": View({**EDITS, "olive": 302, "nina": 302, "omar": 302}, IN_TEAM_A, data={}, wrong="get"),
    "images": View(EDITS, IN_TEAM_A),
    "edit": View(EDITS, IN_TEAM_A, wrong="put"),
    "interval": View(EDITS, IN_TEAM_A, wrong="put"),
    "delete": View(DELETES, IN_TEAM_A, wrong="put"),
    "correct": View(DELETES, IN_TEAM_A, wrong="put"),
    "correct_try": View({**DELETES, "olive": 422, "nina": 422}, IN_TEAM_A, data={}, wrong="get"),
    "password": View(DELETES, IN_TEAM_A, wrong="put"),
    "password_try": View({**DELETES, "olive": 409, "nina": 409}, IN_TEAM_A, data={}, wrong="get"),
    "password_harbor": View({**DELETES, "olive": 422, "nina": 422}, IN_TEAM_A, data={}, wrong="get"),
    "usage": View(DELETES, IN_TEAM_A),
    "pull_secret": View({**DELETES, "olive": 409, "nina": 409}, IN_TEAM_A, data={"bound": "1"}, wrong="put"),
    "node_test": View({**dict.fromkeys(SEES, 404), "vic": 403}, IN_TEAM_A, wrong="put"),
    "node_verdict": View({**dict.fromkeys(SEES, 404), "vic": 403}, {**IN_TEAM_A, "test": "0" * 16}),
    "pull_failures": View(dict.fromkeys(SEES, 404)),
    "secret_scan": View(dict.fromkeys(SEES, 404)),
    "restart_pod": View(dict.fromkeys(SEES, 404), IN_TEAM_A, wrong="put"),
    "journal": View(ANYBODY),
    "journal_export": View(ANYBODY),
    "journal_run": View(dict.fromkeys(SEES, 404), {"run": uuid4()}),
    "tokens": View(ANYBODY),
    "token_add": View(ANYBODY, wrong="put"),
    "token_revoke": View(dict.fromkeys(SEES, 404), {"token": 1}, wrong="put"),
    "accounts": View(ADMINISTERS),
    "account_add": View(ADMINISTERS, wrong="put"),
    "account_password": View(ADMINISTERS, {"name": "vic"}, wrong="put"),
    "account_grant": View(ADMINISTERS, {"name": "vic"}, wrong="put"),
    "account_revoke": View(
        {**ADMINISTERS, "olive": 302}, {"name": "vic"}, data={"namespace": "x"}, wrong="get"
    ),
    "account_active": View({**ADMINISTERS, "olive": 302}, {"name": "vic"}, data={"active": "1"}, wrong="put"),
    "account_delete": View(ADMINISTERS, {"name": "vic"}, wrong="put"),
    "channels": View(ANYBODY),
    "silence_add": View({**EDITS, "sam": 403}, wrong="put"),
    "silence_end": View(dict.fromkeys(SEES, 404), {"silence": 1}, data={}, wrong="get"),
    "channel_add": View(TELLS, wrong="put"),
    "channel_add_to": View(TELLS, {"service": "slack"}, wrong="put"),
    "channel_try": View(
        {"olive": 422, "nina": 422, "omar": 403, "vic": 403, "sam": 404},
        {"service": "slack"},
        data={"namespace": "team-a"},
        wrong="get",
    ),
    "channel_edit": View(dict.fromkeys(SEES, 404), {"channel": uuid4()}, wrong="put"),
    "channel_try_again": View(dict.fromkeys(SEES, 404), {"channel": uuid4()}, data={}, wrong="get"),
    "channel_delete": View(dict.fromkeys(SEES, 404), {"channel": uuid4()}, wrong="put"),
    "mirrors": View(ADMINISTERS),
    "rules": View(ANYBODY),
    "mirror_add": View(ADMINISTERS, wrong="put"),
    "mirror_probe": View({**ADMINISTERS, "olive": 404}, {"mirror": 1}, data={}, wrong="get"),
    "mirror_delete": View({**ADMINISTERS, "olive": 404}, {"mirror": 1}, wrong="put"),
    "namespaces": View({**EDITS, "sam": 403}),
    "namespace_interval": View(EDITS, {"name": "team-a"}, wrong="put"),
    "namespace_add": View(ADMINISTERS, wrong="put"),
    "namespace_delete": View(ADMINISTERS, {"name": "team-b"}, wrong="put"),
    "icons": View(ANYBODY, {"version": "x"}),
    "metrics": View(dict.fromkeys(SEES, 401)),
}
OPEN = {"icons", "metrics"}
"""Views for people who are not logged in; the second one takes a token, whoever is."""
CLOSED = [name for name in VIEWS if name not in OPEN]


@pytest.fixture
def stage(cast: Cast) -> Cast:
    cast.add("harbor-prod", "team-a")
    cast.add("harbor-secret", "team-b")
    return cast


def of_each(ask: Callable[[str, View], Any], views: Iterable[str] = VIEWS) -> dict[str, Any]:
    """What each view answers, by its name. What a view has done is undone before the next one is asked."""
    answers = {}
    for name in views:
        with undone():
            answers[name] = ask(name, VIEWS[name])
    return answers


@pytest.mark.parametrize("person", [person for person in EVERYBODY if person])
def test_each_person_gets_what_the_role_allows(stage: Cast, person: str) -> None:
    client = stage.client(person)

    answers = of_each(lambda name, view: view.ask(client, name))

    assert answers == {name: view.expected[person] for name, view in VIEWS.items()}


def test_nobody_is_sent_to_the_login_page(stage: Cast) -> None:
    def sent_to(name: str, view: View) -> tuple[int, str]:
        response = view.response(stage.client(None), name)
        return response.status_code, response.get("Location", "")[: len("/login/?next=")]

    answers = of_each(sent_to, CLOSED)

    assert answers == dict.fromkeys(CLOSED, (302, "/login/?next="))


def test_an_htmx_request_whose_session_has_ended_is_told_so(stage: Cast) -> None:
    def told(name: str, view: View) -> tuple[int, bool, bytes]:
        response = view.response(stage.client(None, hx_request="true"), name)
        return response.status_code, "session-ended" in response["HX-Trigger"], response.content

    answers = of_each(told, CLOSED)

    assert answers == dict.fromkeys(CLOSED, (401, True, b""))


def test_a_wrong_method_is_a_405(stage: Cast) -> None:
    client = stage.client("olive")

    answers = of_each(lambda name, view: getattr(client, view.wrong)(view.url(name)).status_code)

    assert answers == dict.fromkeys(VIEWS, 405)


@pytest.mark.parametrize("person", ["nina", "omar", "vic", "sam"])
def test_another_namespace_does_not_exist(stage: Cast, person: str) -> None:
    client = stage.client(person)
    views = [name for name, view in VIEWS.items() if view.arguments == IN_TEAM_A]

    assert of_each(lambda name, view: view.ask(client, name, **IN_TEAM_B), views) == dict.fromkeys(views, 404)
    nowhere = {"namespace": "nowhere", "name": "x"}
    assert of_each(lambda name, view: view.ask(client, name, **nowhere), views) == dict.fromkeys(views, 404)


@pytest.mark.parametrize("person", ["nina", "omar", "vic"])
@pytest.mark.parametrize("view", [registry_list, selection])
def test_another_namespace_in_the_filter_does_not_exist(stage: Cast, person: str, view: Any) -> None:
    name = "list" if view is registry_list else "selection"

    assert stage.client(person).get(reverse(f"registries:{name}"), {"namespace": "team-b"}).status_code == 404


@pytest.mark.parametrize("person", ["nina", "omar", "vic", "sam"])
def test_no_page_names_what_a_person_may_not_see(stage: Cast, person: str) -> None:
    client = stage.client(person)
    for name, view in VIEWS.items():
        if view.data is not None:
            continue
        url = reverse(f"registries:{name}", kwargs=view.arguments)
        page = b"".join(client.get(url, view.query)).decode()
        assert "harbor-secret" not in page, name
        assert "team-b" not in page or name == "namespace_delete", name


def test_no_view_is_missing_here() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(VIEWS)
