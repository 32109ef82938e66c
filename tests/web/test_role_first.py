"""What costs time to parse is not parsed for people without the role: their request ends before it."""

from typing import Any

import pytest
from cryptography import x509

from registries import intake
from registries.domain.access import Role
from registries.domain.selectors import read_selector
from registries.sync import rules
from tests.api.test_api import TEAM_A
from tests.api.test_sync_rules import RULE
from tests.cast import Cast, typed
from tests.web.test_trust import certificate

PLACE = "/registries/team-a/harbor-prod"
PAGES = {
    "check": "/registries/-/add/ca/",
    "add": "/registries/-/add/",
    "try": "/registries/-/try/",
    "correct": f"{PLACE}/correct/",
    "try a correction": f"{PLACE}/correct/try/",
}
VALUES = {"domain": "harbor.example.com", "username": "u", "password": "p-only-7", "provider": "other"}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The certificates and selectors that were parsed."""
    seen = list[object]()

    class Counting:
        InvalidVersion = x509.InvalidVersion

        @staticmethod
        def load_pem_x509_certificate(pem: bytes) -> Any:
            seen.append(pem)
            return x509.load_pem_x509_certificate(pem)

    def counting(text: str, place: str) -> Any:
        seen.append(text)
        return read_selector(text, place)

    monkeypatch.setattr(intake, "x509", Counting)
    monkeypatch.setattr(rules, "read_selector", counting)
    return seen


def form() -> dict[str, str]:
    return typed(tls="ca", ca_bundle=certificate()[0], step="save")


@pytest.mark.parametrize("person", ["vic", "sam"])
@pytest.mark.parametrize("page", PAGES)
def test_certificates_in_a_page(cast: Cast, parsed: list[object], page: str, person: str) -> None:
    uid = cast.add().uid

    answer = cast.client(person).post(PAGES[page], {**form(), "uid": uid})

    assert answer.status_code in (403, 404, 422), "422: a namespace that this person does not see"
    assert not parsed
    cast.client("olive").post(PAGES[page], {**form(), "uid": uid, "name": "other"})
    assert parsed, "for others it is"


@pytest.mark.parametrize("person", ["vic", "sam"])
@pytest.mark.parametrize("query", ["", "?dryRun=All"])
def test_certificates_in_the_api(cast: Cast, parsed: list[object], person: str, query: str) -> None:
    notes = {"annotations": {"theriseunion.io/ca-bundle": certificate()[0]}}
    body = {"metadata": {"name": "new", **notes}, "spec": VALUES}

    answer = cast.api(person).post(f"{TEAM_A}{query}", body, content_type="application/json")

    assert answer.status_code in (403, 404)
    assert not parsed
    cast.api("olive").post(f"{TEAM_A}{query}", body, content_type="application/json")
    assert parsed


@pytest.mark.parametrize("person", ["nina", "omar", "vic", "sam"])
@pytest.mark.parametrize("way", ["API", "rehearsal", "dialog"])
def test_selectors_of_rules(cast: Cast, parsed: list[object], way: str, person: str) -> None:
    cast.add()

    def ask(who: str) -> int:
        if way == "dialog":
            posted = {"scope": "labels", "labels": "a in (b)", "step": "save"}
            return cast.client(who).post(f"{PLACE}/sync/edit/", posted).status_code
        query = "?dryRun=All" if way == "rehearsal" else ""
        client = cast.api(who, role=Role.ADMIN)
        body = {"labelSelector": "a in (b)"}
        return client.put(f"{RULE}{query}", body, content_type="application/json").status_code

    assert ask(person) in (403, 404)
    assert not parsed
    assert ask("olive") in (409, 422)
    assert parsed or way == "dialog", "a dialog without labels of namespaces asks for none"
