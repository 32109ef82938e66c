"""The copies of a credential: which are offered, and that they change one after the other behind a connected test."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.service.copies import GUESSES_PER_MINUTE, CopyState, Difference
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.examples import of
from tests.web.password_copies import five as five
from tests.web.password_copies import lines, passwords, run_of
from tests.web.password_pages import PATH, posted, typed_verdict


def offered(html: str) -> dict[str, tuple[bool, bool]]:
    """Of each copy: whether it is checked, and whether it can be."""
    found = re.findall(
        r'name="copies" value="([^"]+)"([^>]*)>\s*<span[^>]*>\s*<span class="mono">([^<]+)<',
        html.replace("<wbr>", ""),
    )
    return {name: ("checked" in rest, "disabled" not in rest) for _, rest, name in found}


def test_those_with_the_same_password_are_chosen(cast: Cast, five: dict[str, RegistrySecret]) -> None:
    of_olive = offered(cast.client("olive").get(PATH).content.decode())
    of_nina = offered(cast.client("nina").get(PATH).content.decode())

    near = {"team-a/differs": (False, True), "team-a/same": (True, True)}
    assert of_olive == {**near, "team-b/far": (True, True)}
    assert of_nina == near  # another namespace does not exist for her


def test_where_one_may_only_look_nothing_is_compared(cast: Cast, five: dict[str, RegistrySecret]) -> None:
    from registries.domain.access import Access, Role

    access = Access.from_grants("x", [("team-a", Role.ADMIN), ("team-b", Role.VIEWER)])
    states = {
        it.registry.name: it.state for it in services().copies.of(access=access, registry=five["first"])
    }

    assert states == {"same": CopyState.SAME, "differs": CopyState.DIFFERS, "far": CopyState.FORBIDDEN}


@pytest.mark.parametrize("guessed", ["first", "same"])
def test_a_comparison_is_a_guess_and_there_are_few(
    cast: Cast, five: dict[str, RegistrySecret], guessed: str
) -> None:
    """Otherwise who may add registries could guess at the password of another one, without a request to anybody: from
    its own page, or from that of a copy."""
    other = "same" if guessed == "first" else "first"
    told = 0
    for number in range(3 * GUESSES_PER_MINUTE):
        services().store.set_password(five[other].key, f"guess-{number}", uid=five[other].uid)
        copies = services().copies.of(access=cast.access("nina"), registry=cast.find(five["first"].name))
        [state] = [it.state for it in copies if it.registry.name == "same"]
        told += state is not CopyState.UNKNOWN

    assert GUESSES_PER_MINUTE / 2 <= told <= GUESSES_PER_MINUTE + 1


def test_the_same_answer_again_is_no_guess(cast: Cast, five: dict[str, RegistrySecret]) -> None:
    for _ in range(3 * GUESSES_PER_MINUTE):
        seen = {it.state for it in services().copies.of(access=cast.access("nina"), registry=five["first"])}
        assert seen == {CopyState.SAME, CopyState.DIFFERS}


WORDS = st.sampled_from(["a", "A", "aa", "a ", "ä", "密码", "p" * 200])
PLACES = (("one", "team-a"), ("two", "team-a"), ("one", "team-b"))


@pytest.fixture
def three(cast: Cast) -> list[RegistrySecret]:
    return [cast.add(name, namespace, username="robot") for name, namespace in PLACES]


@settings(max_examples=of(160), suppress_health_check=list(HealthCheck))
@given(passwords=st.tuples(WORDS, WORDS, WORDS), one=st.sampled_from(range(3)))
def test_copies_and_relatives_agree_with_the_passwords(
    cast: Cast, three: list[RegistrySecret], passwords: tuple[str, ...], one: int
) -> None:
    """From whichever side one looks, and for nobody who may not use both."""
    parts, store = services(), services().store
    parts.guesses._budget._per_minute = 0  # no limit: it has tests of its own
    for registry, password in zip(three, passwords, strict=True):
        store.set_password(registry.key, password, uid=registry.uid)
    registry = cast.find(*PLACES[one])
    wanted = {it.uid: passwords[one] == passwords[n] for n, it in enumerate(three) if n != one}

    olive, vic = cast.access("olive"), cast.access("vic")
    of_copies = {it.registry.uid: it.state for it in parts.copies.of(access=olive, registry=registry)}
    relatives = parts.relatives.of(access=olive, registry=registry)
    of_relatives = {it.registry.uid: Difference.PASSWORD not in it.differences for it in relatives}
    by_likeness = {
        it.uid: parts.likeness.same_password(olive.owner, cast.find(*PLACES[n]), registry)
        for n, it in enumerate(three)
        if n != one
    }

    assert of_copies == {uid: CopyState.SAME if it else CopyState.DIFFERS for uid, it in wanted.items()}
    assert of_relatives == by_likeness == wanted
    told = {it.state for it in parts.copies.of(access=vic, registry=registry)}
    assert told <= {CopyState.FORBIDDEN}


def test_the_chosen_ones_follow_once_the_first_has_connected(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret]
) -> None:
    client, right = cast.client("olive", hx_request="true"), probing("harbor")["password"]
    chosen = [five["same"].uid, five["far"].uid]

    answer = posted(client, password=right, anyway="1", copies=chosen)  # type: ignore[arg-type]

    assert answer.status_code == 204
    for event in ("registries-changed", "registry-saved", "runs-changed", "toast", "dialog-close"):
        assert event in answer["HX-Trigger"]
    assert passwords(five) == {
        **dict.fromkeys(("first", "same", "far"), right),
        "differs": "third-password",
        "user": "old-password",
    }
    toast = json.loads(answer["HX-Trigger"])["toast"]["text"]
    assert toast.startswith("已更换「harbor-prod」等 3 个镜像源的密码。")
    assert "另有 1 个域名和用户名相同的镜像源使用不同的密码" in toast
    for name, registry in five.items():
        assert cast.find(registry.name, registry.namespace).uid == registry.uid, name
    assert cast.find("same").verification.status is VerifyStatus.SUCCESS


def test_a_tested_password_that_does_not_connect_when_stored_is_rolled_back(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret]
) -> None:
    """The registry changed its mind between the test in the dialog and the save."""
    client, right = cast.client("olive", hx_request="true"), probing("harbor")["password"]
    trial = re.search(r'name="trial" value="([^"]+)"', typed_verdict(client, right))[1]  # type: ignore[index]
    values = {"password": "wrong", "trial": trial, "copies": [five["same"].uid]}

    answer = posted(client, **values)  # type: ignore[arg-type]
    html = answer.content.decode()

    assert passwords(five)["first"] == "old-password"
    assert passwords(five)["same"] == "old-password"
    assert "rotation-done" in html
    assert "rotation-retry" not in html
    assert "已回滚" in html
    assert "run-progress" not in html, "nothing was changed in the end"
    shown = lines(html)
    assert "已恢复为原密码" in shown["team-a/harbor-prod"]
    assert shown["team-a/same"] == "未更改。"


def test_a_wrong_password_that_is_wanted_anyway_stops_before_the_copies(
    cast: Cast, five: dict[str, RegistrySecret]
) -> None:
    client = cast.client("olive", hx_request="true")
    answer = posted(client, password="wrong", anyway="1", copies=[five["same"].uid])  # type: ignore[arg-type]
    stopped, kept = answer.content.decode(), passwords(five)
    client.post(f"{run_of(stopped)}retry/")

    assert (kept["first"], kept["same"]) == ("wrong", "old-password")
    assert "仍然更换" in stopped
    assert re.search(r'btn-primary" id="([^"]+)"', stopped)[1] == "rotation-roll-back"  # type: ignore[index]
    assert "已更换 0 / 2" not in stopped, "the first one has the new password"
    assert ("未开始" in stopped, "等待中" in stopped, "reason-bad" in stopped) == (True, False, True)
    assert passwords(five)["same"] == "wrong"


def test_what_was_rolled_back_is_called_so(cast: Cast, five: dict[str, RegistrySecret]) -> None:
    client = cast.client("olive", hx_request="true")
    answer = posted(client, password="wrong", anyway="1", copies=[five["same"].uid])  # type: ignore[arg-type]

    rolled_back = client.post(f"{run_of(answer.content.decode())}roll-back/").content.decode()

    assert (passwords(five)["first"], passwords(five)["same"]) == ("old-password", "old-password")
    assert "已回滚" in rolled_back
    assert "均使用原密码" in rolled_back
    assert re.findall("#(undo-2|minus|circle-[a-z]+)", rolled_back) == ["undo-2", "minus"], (
        "each has its own sign"
    )
    assert "未更换任何密码" in client.get("/registries/-/notices/").content.decode()
    assert "run-progress" not in rolled_back
