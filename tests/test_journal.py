"""操作记录: what is written down, and who may read it."""

from registries import wiring
from registries.models import AuditEntry
from registries.records import Action
from tests.canary import CANARY
from tests.conftest import Cast


def journal(cast: Cast, reader: str, **query: str) -> str:
    return cast.client(reader).get("/journal/", query).content.decode()


def test_people_read_of_their_namespaces_and_of_themselves(cast: Cast) -> None:
    cast.add("mine", "team-a")
    cast.add("harbor-secret", "team-b")
    wiring.audit().record(cast.access("omar"), Action.LOGIN)
    wiring.audit().record(cast.access("vic"), Action.LOGIN)

    page = journal(cast, "vic")

    assert "team-a/mine" in page
    assert "harbor-secret" not in page
    assert '<td role="cell">vic</td>' in page, "one's own log-ins"
    assert "omar" not in page, "nobody else's"
    assert "team-b/harbor-secret" in journal(cast, "olive")
    assert "team-a/mine" not in journal(cast, "sam")


def test_can_be_filtered(cast: Cast) -> None:
    cast.add("a", "team-a")
    cast.add("b", "team-b")
    wiring.audit().record(cast.access("nina"), Action.DELETE, namespace="team-b")

    assert "team-a/a" not in journal(cast, "olive", namespace="team-b")
    assert "team-b/b" not in journal(cast, "olive", action="delete")
    assert "team-b/b" not in journal(cast, "olive", person="nina")
    assert "team-b/b" in journal(cast, "olive", namespace="team-b", action="create", person="olive")


def test_an_odd_filter_finds_nothing_and_breaks_nothing(cast: Cast) -> None:
    assert (
        cast.client("olive").get("/journal/", {"person": "a\0b", "namespace": "x" * 5000}).status_code == 200
    )


def test_pages_through_everything(cast: Cast) -> None:
    for number in range(60):
        wiring.audit().record(cast.access("vic"), Action.TEST, namespace="team-a", note=f"n{number}")

    assert "page=2" in journal(cast, "vic")
    for page in ("2", "999", "x"):
        assert "测试" in journal(cast, "vic", page=page)


def test_a_failed_log_in_keeps_a_name_only_when_there_is_such_an_account(cast: Cast) -> None:
    client = cast.client(None)
    client.post("/login/", {"username": "vic", "password": "wrong"})
    client.post("/login/", {"username": "my-password-by-mistake", "password": CANARY})

    entries = AuditEntry.objects.filter(action="login").order_by("pk")

    assert [(it.person, it.outcome) for it in entries] == [("vic", "failed"), ("?", "failed")]


def test_a_very_long_name_does_not_break_the_journal(cast: Cast) -> None:
    client = cast.client("olive")

    response = client.get(f"/registries/team-a/{'x' * 253}/")

    assert response.status_code == 404
