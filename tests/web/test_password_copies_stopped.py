"""Changes of a password that stop before all copies have it, and how they go on."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registries.domain.errors import Problem
from registries.domain.registry import RegistrySecret
from registries.models import Run, RunItem
from registries.service.replacement import Replacement
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.web.password_copies import five as five
from tests.web.password_copies import lines, passwords, run_of
from tests.web.password_pages import PATH, posted, stored


@pytest.mark.parametrize("end", ["retry", "roll-back", "leave", "twice"])
def test_a_failure_stops_and_the_person_decides(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret], end: str
) -> None:
    client, right = cast.client("olive", hx_request="true"), probing("harbor")["password"]
    html = stopped_at(five["differs"], client, right, [five[it].uid for it in ("same", "differs", "far")])
    assert passwords(five) == {
        **dict.fromkeys(("first", "same"), right),
        "differs": "of-somebody-else",
        **dict.fromkeys(("user", "far"), "old-password"),
    }
    for button in ("rotation-retry", "rotation-roll-back", "rotation-leave"):
        assert f'id="{button}"' in html
    assert "rotation-done" not in html
    notice = client.get("/registries/-/notices/").content.decode()
    assert run_of(notice) == run_of(html)

    if end == "retry":
        services().store.set_password(five["differs"].key, "third-password", uid=five["differs"].uid)
    answer = client.post(f"{run_of(html)}{end if end != 'twice' else 'leave'}/")
    if end == "twice":
        answer = client.post(f"{run_of(html)}retry/")
        assert answer.status_code == 200

    now = passwords(five)
    if end == "retry":
        assert answer.status_code == 204
        assert set(now.values()) == {right, "old-password"}
    elif end == "roll-back":
        assert (now["first"], now["same"], now["differs"]) == (
            "old-password",
            "old-password",
            "of-somebody-else",
        )
        assert "rotation-roll-back" not in answer.content.decode()
    else:
        assert (now["first"], now["far"]) == (right, "old-password")
        assert "rotation-done" in answer.content.decode()


def stopped_at(it: RegistrySecret, client: Client, password: str, chosen: list[str]) -> str:
    """The dialog of a run that stopped at a copy: somebody else changed it after the run had read it."""
    real = Replacement.put

    def put(self: Replacement, **values: Any) -> Any:
        if values["new"].key == it.key:
            services().store.set_password(it.key, "of-somebody-else", uid=it.uid)
        return real(self, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replacement, "put", put)
        answer = posted(client, password=password, anyway="1", copies=chosen)  # type: ignore[arg-type]
    return str(answer.content.decode())


def test_an_interrupted_one_goes_on_by_itself_in_an_open_dialog(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret]
) -> None:
    client, right = cast.client("olive", hx_request="true"), probing("harbor")["password"]
    html = stopped_at(five["same"], client, right, [five["same"].uid])
    services().store.set_password(five["same"].key, "old-password", uid=five["same"].uid)
    Run.objects.update(state="running", beat_at=timezone.now() - timedelta(minutes=1))

    page = client.get(run_of(html)).content.decode()
    answer = client.post(f"{run_of(html)}retry/")

    assert 'hx-trigger="load delay:1s, submit"' in page
    assert (answer.status_code, passwords(five)["same"]) == (204, right)


@pytest.mark.parametrize("person", ["nina", "olive"])
def test_only_copies_are_changed_whatever_is_sent(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret], person: str
) -> None:
    """Another user name, and for nina another namespace."""
    client, right = cast.client(person, hx_request="true"), probing("harbor")["password"]
    other = five["user"] if person == "olive" else five["far"]
    before = passwords(five)

    answer = posted(client, password=right, anyway="1", copies=[other.uid])  # type: ignore[arg-type]

    assert answer.status_code == 409
    assert passwords(five) == before
    if person == "nina":
        assert "team-b" not in answer.content.decode()


@pytest.mark.parametrize("change", ["version", "uid"])
def test_what_changed_since_the_dialog_was_opened_is_not_written_over(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret], change: str
) -> None:
    client = cast.client("olive", hx_request="true")
    page = client.get(PATH).content.decode()
    first = five["first"]
    if change == "version":
        services().store.set_password(first.key, "of-somebody-else", uid=first.uid)
    else:
        services().store.delete(first.key, uid=first.uid)
        cast.add(**{**probing("harbor"), "password": "of-somebody-else"})

    answer = posted(client, page, password="x", anyway="1", copies=[five["same"].uid])  # type: ignore[arg-type]

    assert answer.status_code == 409
    assert (stored(), stored("same")) == ("of-somebody-else", "old-password")


@pytest.mark.parametrize("person", ["nina", "omar", "vic", "sam"])
def test_a_run_is_there_for_its_own_person_only(
    cast: Cast, five: dict[str, RegistrySecret], person: str
) -> None:
    client = cast.client("olive", hx_request="true")
    answer = posted(client, password="wrong", anyway="1", copies=[five["same"].uid])  # type: ignore[arg-type]
    run, other = run_of(answer.content.decode()), cast.client(person, hx_request="true")

    assert other.get(run).status_code == 404
    for way in ("retry", "roll-back", "leave", "cancel"):
        assert other.post(f"{run}{way}/").status_code == 404
    assert passwords(five)["first"] == "wrong"


@pytest.mark.parametrize("waits", [True, False])
def test_only_what_waits_is_called_waiting(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret], waits: bool
) -> None:
    chosen = [five[it].uid for it in ("differs", *(["far"] if waits else []))]
    html = stopped_at(
        five["differs"], cast.client("olive", hx_request="true"), probing("harbor")["password"], chosen
    )
    assert ("未开始的镜像源仍用原密码" in html) == waits
    assert ("并非所有镜像源都已更换" in html) != waits


@pytest.mark.parametrize(
    ("problem", "reason", "says"),
    [
        (Problem.CLUSTER_REFUSED, "", "仍使用原密码。"),
        ("", "rate_limited", "已使用新密码。"),
        (Problem.CLUSTER_UNCERTAIN, "", "可能是原密码，也可能是新密码；重试即可确定。"),
        (Problem.CHANGED, "", ""),
    ],
)
def test_a_failed_one_says_which_password_it_has(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret], problem: str, reason: str, says: str
) -> None:
    client, right = cast.client("olive", hx_request="true"), probing("harbor")["password"]
    html = stopped_at(five["differs"], client, right, [five["differs"].uid, five["far"].uid])
    RunItem.objects.filter(uid=five["differs"].uid).update(problem=problem, reason=reason)

    shown = lines(client.get(run_of(html)).content.decode())["team-a/differs"]

    known = ("仍使用原密码", "已使用新密码", "可能是原密码")
    assert shown.endswith(says or "后重试。")
    assert sum(it in shown for it in known) == bool(says)
