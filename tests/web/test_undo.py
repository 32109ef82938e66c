"""撤销 on pages: the toast, the dialogs, the journal and the notice offer it, to who may, as long as it is possible."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from registries import wiring
from registries.models import AuditEntry, DeletedRegistry, Run
from registries.wiring import services
from tests.cast import EVERYBODY, Cast

ONE = "/registries/team-a/harbor-prod/"
LIST = "http://testserver/registries/"
BATCH = "/registries/-/batch-delete/"


def on_list(cast: Cast, person: str | None) -> Client:
    """A browser that shows the list, with htmx, in English."""
    return in_english(cast.client(person, hx_request="true", hx_current_url=LIST))


def in_english(client: Client) -> Client:
    client.cookies["django_language"] = "en"
    return client


def delete(client: Client, uid: str, **values: str) -> Any:
    return client.post(f"{ONE}delete/", {"confirm": "harbor-prod", "uid": uid, **values})


def events(response: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(response["HX-Trigger"])
    return told


def undo_of(uid: str) -> str:
    return f"{ONE}undo/{uid}/"


def test_the_toast_of_a_deletion_undoes_it_and_the_row_is_highlighted(cast: Cast) -> None:
    client, uid = on_list(cast, "nina"), cast.add(display_name="Production").uid

    toast = events(delete(client, uid))["toast"]
    undone = client.post(toast["undo"])

    assert toast == {"text": "Deleted Production.", "kind": "ok", "href": "", "undo": undo_of(uid)}
    assert undone.status_code == 204
    after = cast.find()
    assert events(undone)["registry-saved"] == {"uids": [after.uid]}
    assert events(undone)["toast"]["text"] == "Restored Production."
    assert events(undone)["toast"]["href"] == ONE


def test_without_scripts_the_list_has_the_button_too(cast: Cast) -> None:
    client, uid = in_english(cast.client("nina")), cast.add().uid

    page = client.post(f"{ONE}delete/", {"confirm": "harbor-prod", "uid": uid}, follow=True).content.decode()

    assert f'data-undo="{undo_of(uid)}"' in page
    assert client.post(undo_of(uid)).url == ONE  # type: ignore[attr-defined]
    assert "data-undo" not in client.get("/registries/").content.decode()


def test_the_dialogs_offer_to_forget_and_then_nothing_is_kept(cast: Cast) -> None:
    client, uid = on_list(cast, "nina"), cast.add().uid
    page = client.get(f"{ONE}delete/").content.decode()
    assert "You can undo this within 24 h" in page
    assert re.search(r'name="forget"[^>]*value="1" >', page)
    others = "since other registries in this console may still have it"
    assert others not in page
    cast.add(namespace="team-b")
    assert others not in client.get(f"{ONE}delete/").content.decode(), "this person does not see it"
    cast.add("twin")
    assert others in client.get(f"{ONE}delete/").content.decode()
    wrong = client.post(f"{ONE}delete/", {"confirm": "x", "uid": uid, "forget": "1"}).content.decode()
    assert re.search(r'name="forget"[^>]*checked', wrong), "a wrong name forgets no choice"

    toast = events(delete(client, uid, forget="1"))["toast"]

    assert (toast["text"], toast["undo"]) == ("Deleted harbor-prod.", "")
    assert not DeletedRegistry.objects.exists()
    assert "/undo/" not in client.get("/journal/").content.decode()


def test_a_deletion_that_cannot_be_undone_says_so(cast: Cast, settings: Any) -> None:
    uid = cast.add().uid
    settings.PASSWORD_KEYS = lambda: ["5S1s6oIsvWQNH1ykcBX8rqQ5Yvmeckz5Hs0HCwdEpvE="]
    wiring.reset()

    toast = events(delete(on_list(cast, "nina"), uid))["toast"]

    assert (
        toast["text"] == "Deleted harbor-prod. The deletion cannot be undone: the password could not be read."
    )
    assert toast["undo"] == ""


@pytest.mark.parametrize("hours", [0, -1])
def test_where_undo_is_off_nobody_speaks_of_it(cast: Cast, settings: Any, hours: float) -> None:
    settings.UNDO_HOURS = hours
    wiring.reset()
    client, uid = on_list(cast, "nina"), cast.add().uid

    assert 'name="forget"' not in client.get(f"{ONE}delete/").content.decode()
    toast = events(delete(client, uid))["toast"]
    assert (toast["text"], toast["undo"]) == ("Deleted harbor-prod.", "")
    assert "/undo/" not in client.get("/journal/").content.decode()
    assert client.post(undo_of(uid)).status_code == 404


@pytest.mark.parametrize("person", EVERYBODY)
def test_the_journal_offers_it_to_who_may(cast: Cast, person: str | None) -> None:
    uid = cast.add().uid
    delete(on_list(cast, "olive"), uid)
    client = cast.client(person, hx_request="true", hx_current_url="http://testserver/journal/")

    page = client.get("/journal/").content.decode()
    undone = client.post(undo_of(uid))

    may = person in ("olive", "nina")
    assert (f'hx-post="{undo_of(uid)}"' in page) == may
    expected = {"omar": 403, "vic": 403, "sam": 404, None: 401}
    assert undone.status_code == expected.get(person, 200)
    if may:
        assert undone["HX-Redirect"] == ONE
        after = client.get("/journal/").content.decode()
        assert f'hx-post="{undo_of(uid)}"' not in after
        assert "撤销删除" in after
    assert DeletedRegistry.objects.exists() != may


def test_a_second_press_says_that_it_is_done(cast: Cast) -> None:
    client, uid = on_list(cast, "nina"), cast.add().uid
    delete(client, uid)
    client.post(undo_of(uid))

    again = client.post(undo_of(uid))

    assert again.status_code == 404
    assert events(again)["toast"]["text"].startswith("This deletion cannot be undone any more: it was undone")


def test_a_taken_name_is_said(cast: Cast) -> None:
    client, uid = on_list(cast, "nina"), cast.add().uid
    delete(client, uid)
    cast.add(domain="other.example.com")

    taken = client.post(undo_of(uid))

    assert taken.status_code == 409
    assert "Delete that registry first" in events(taken)["toast"]["text"]
    assert DeletedRegistry.objects.get().uid == uid


def batch(client: Client, uids: list[str], **values: str) -> tuple[UUID, str]:
    page = client.post(BATCH, {"uids": " ".join(uids)}).content.decode()
    assert 'name="forget"' in page
    run = Run.objects.filter(kind="delete").latest("created_at")
    wrong = client.post(f"/registries/-/runs/{run.id}/start/", {"count": "x", **values}).content.decode()
    assert ("checked" in wrong) == ("forget" in values)
    client.post(f"/registries/-/runs/{run.id}/start/", {"count": str(len(uids)), **values})
    return run.id, client.get(f"/registries/-/runs/{run.id}/").content.decode()


@pytest.fixture
def uids(cast: Cast) -> list[str]:
    return [cast.add(f"r-{number:02}").uid for number in range(24)]


def test_twenty_four_are_back_after_one_press(cast: Cast, uids: list[str]) -> None:
    client = on_list(cast, "nina")
    run, ended = batch(client, uids)
    assert "24 registries can be restored" in ended
    notice = client.get("/registries/-/notices/").content.decode()
    assert f'hx-post="/registries/-/runs/{run}/undo/"' in notice

    undone = client.post(f"/registries/-/runs/{run}/undo/")

    assert undone.status_code == 200
    undo = Run.objects.get(kind="undo")
    page = client.get(f"/registries/-/undo/{undo.id}/")
    assert "24 of 24 restored" in page.content.decode()
    assert len(events(page)["registry-saved"]["uids"]) == 24
    names = [cast.find(f"r-{number:02}").name for number in range(24)]
    assert len(names) == 24
    assert "undo-delete" not in client.get("/registries/-/notices/").content.decode()
    lines = list(AuditEntry.objects.filter(run=undo.id).values_list("action", "outcome").distinct())
    assert lines == [("undo", "ok")]
    assert "Restored 24 registries" in client.get("/journal/").content.decode()


def test_each_that_could_not_come_back_is_named(cast: Cast, uids: list[str]) -> None:
    client = on_list(cast, "nina")
    run, _ = batch(client, uids)
    cast.add("r-07", domain="other.example.com")
    key = next(it for it in services().trash.kept(uids).values() if it.name == "r-11")
    services().trash.forget([key])

    client.post(f"/registries/-/runs/{run}/undo/")

    page = client.get(f"/registries/-/undo/{Run.objects.get(kind='undo').id}/").content.decode()
    assert "Restore finished, with failures" in page
    assert "22 of 23 restored" in page
    assert '<a href="/registries/team-a/r-07/">team-a/<wbr>r-07</a>' in page
    assert "Another registry uses this name now" in page
    assert "r-07" in client.get("/registries/?q=other.example.com").content.decode()


@pytest.mark.parametrize("person", EVERYBODY)
def test_whoever_may_undoes_the_run_of_somebody_else_from_the_journal(
    cast: Cast, uids: list[str], person: str | None
) -> None:
    run, _ = batch(on_list(cast, "olive"), uids)
    client, path = cast.client(person, hx_request="true"), f"/registries/-/runs/{run}/undo/"

    may = person in ("olive", "nina")
    assert (f'hx-post="{path}"' in client.get("/journal/").content.decode()) == may
    line = client.get(f"/journal/runs/{run}/?open=1").content.decode()
    assert (f'hx-post="{path}"' in line) == may
    status = client.post(path).status_code

    assert status == (200 if may else 401 if person is None else 404)
    assert DeletedRegistry.objects.count() == (0 if may else 24)


def test_a_run_that_forgets_offers_nothing(cast: Cast, uids: list[str]) -> None:
    client = on_list(cast, "nina")

    run, ended = batch(client, uids, forget="1")

    assert "can be restored" not in ended
    assert client.post(f"/registries/-/runs/{run}/undo/").status_code == 404
    assert not DeletedRegistry.objects.exists()
    assert "/undo/" not in client.get("/journal/").content.decode()


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("forget", "cannot be undone: the passwords were deleted at once, as chosen."),
        ("undo", "This deletion was already undone."),
        ("late", "can no longer be undone: that was possible for 24 h."),
        ("lost", "cannot be undone: the passwords are no longer kept."),
    ],
)
def test_a_run_that_cannot_be_undone_says_the_one_cause(
    cast: Cast, uids: list[str], way: str, says: str
) -> None:
    client = on_list(cast, "nina")
    run, _ = batch(client, uids[:2], **({"forget": "1"} if way == "forget" else {}))
    if way == "undo":
        client.post(f"/registries/-/runs/{run}/undo/")
    elif way != "forget":
        DeletedRegistry.objects.all().delete()
    if way == "late":
        Run.objects.filter(pk=run).update(finished_at=timezone.now() - timedelta(hours=25))

    page = client.get(f"/registries/-/runs/{run}/").content.decode()

    assert says in page


def test_pages_do_not_ask_once_for_each_line(
    cast: Cast, uids: list[str], django_assert_max_num_queries: Any
) -> None:
    client = on_list(cast, "nina")
    for number, uid in enumerate(uids):
        key = cast.find(f"r-{number:02}").key
        services().registries.delete(access=cast.access("nina"), key=key, uid=uid)
    client.get("/journal/")

    with django_assert_max_num_queries(20):
        page = client.get("/journal/").content.decode()

    assert page.count('class="j-undo"') == 24
