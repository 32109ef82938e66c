"""The contract, operation by operation (api.md): what goes in, what comes out, what is stored."""

import json
from typing import Any

import pytest
from django.test import Client

from registries.domain.registry import Draft, Key, Provider, VerifyStatus
from registries.domain.resource import LAST_APPLIED, PREFIX
from registries.models import StoredResource
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast

BASE = "/oapis/image.theriseunion.io/v1alpha1"
TEAM_A = f"{BASE}/namespaces/team-a/registry-secrets"
ALL = f"{BASE}/namespaces/_all_/registry-secrets"
MERGE = "application/merge-patch+json"


def body(name: str = "harbor-prod", **spec: Any) -> dict[str, Any]:
    values = {"domain": "harbor.example.com", "username": "admin", "password": CANARY, "provider": "harbor"}
    return {
        "apiVersion": "image.theriseunion.io/v1alpha1",
        "kind": "RegistrySecret",
        "metadata": {"name": name},
        "spec": {**values, **spec},
    }


def post(client: Client, path: str, data: Any = None) -> Any:
    return client.post(path, data if data is not None else "", content_type="application/json")


def patch(client: Client, path: str, metadata: dict[str, Any], **rest: Any) -> Any:
    return client.patch(path, {"metadata": metadata, **rest}, content_type=MERGE)


def notes(**values: str | None) -> dict[str, Any]:
    return {"annotations": {PREFIX + name.replace("_", "-"): value for name, value in values.items()}}


class TestGet:
    def test_shows_all_but_the_password(self, cast: Cast) -> None:
        made = cast.add(display_name="生产")

        found = cast.api("vic").get(f"{TEAM_A}/harbor-prod").json()

        assert found["metadata"]["uid"] == made.uid
        assert found["metadata"]["resourceVersion"] == made.resource_version
        assert "password" not in found["spec"]

    def test_is_a_status_when_there_is_none(self, cast: Cast) -> None:
        response = cast.api("vic").get(f"{TEAM_A}/nothing")

        assert response.status_code == 404
        assert response.json() == {
            "apiVersion": "image.theriseunion.io/v1alpha1",
            "kind": "Status",
            "metadata": {},
            "status": "Failure",
            "message": 'registrysecrets.image.theriseunion.io "nothing" not found',
            "reason": "NotFound",
            "details": {"name": "nothing", "group": "image.theriseunion.io", "kind": "RegistrySecret"},
            "code": 404,
        }


class TestList:
    @pytest.fixture
    def five(self, cast: Cast) -> Cast:
        for name, namespace in (
            ("b", "team-b"),
            ("c", "team-a"),
            ("a", "team-b"),
            ("a", "team-a"),
            ("d", "team-a"),
        ):
            cast.add(name, namespace, display_name=f"仓库 {name.upper()}", domain=f"{name}.example.com")
        return cast

    @staticmethod
    def names(response: Any) -> list[str]:
        return [f"{it['metadata']['namespace']}/{it['metadata']['name']}" for it in response.json()["items"]]

    def test_is_by_namespace_then_name(self, five: Cast) -> None:
        response = five.api("olive").get(ALL)

        assert response.json()["kind"] == "RegistrySecretList"
        assert response.json()["totalItems"] == 5
        assert self.names(response) == ["team-a/a", "team-a/c", "team-a/d", "team-b/a", "team-b/b"]
        assert all("password" not in it["spec"] for it in response.json()["items"])

    def test_shows_of_all_what_the_caller_may_see(self, five: Cast) -> None:
        assert self.names(five.api("vic").get(ALL)) == ["team-a/a", "team-a/c", "team-a/d"]
        nobody = five.api("sam").get(ALL)
        assert nobody.status_code == 200
        assert (nobody.json()["items"], nobody.json()["totalItems"]) == ([], 0)

    def test_pages(self, five: Cast) -> None:
        client = five.api("olive")

        pages = [self.names(client.get(ALL, {"limit": "2", "page": str(page)})) for page in (1, 2, 3, 4)]

        assert [len(page) for page in pages] == [2, 2, 1, 0]
        assert [name for page in pages for name in page] == self.names(client.get(ALL))
        assert client.get(ALL, {"limit": "2", "page": "4"}).json()["totalItems"] == 5

    @pytest.mark.parametrize("search", ["C.EXAMPLE", "仓库 c", "c"])
    def test_searches_name_display_name_and_domain(self, five: Cast, search: str) -> None:
        found = self.names(five.api("olive").get(ALL, {"search": search}))

        assert "team-a/c" in found
        assert search == "c" or found == ["team-a/c"]

    def test_has_ten_unless_told_and_five_hundred_at_most(self, cast: Cast) -> None:
        for number in range(12):
            cast.add(f"r{number:02}")
        client = cast.api("olive")

        assert len(self.names(client.get(TEAM_A))) == 10
        assert len(self.names(client.get(TEAM_A, {"limit": "9" * 30}))) == 12
        assert self.names(client.get(TEAM_A, {"page": "9" * 30})) == []

    @pytest.mark.parametrize("name", ["page", "limit"])
    @pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.5", "٣", "+1", " 1", "00"])
    def test_a_number_that_is_none_is_a_400(self, cast: Cast, name: str, value: str) -> None:
        response = cast.api("olive").get(TEAM_A, {name: value})

        assert response.status_code == 400
        assert name in response.json()["message"]

    def test_holds_what_another_client_wrote(self, cast: Cast) -> None:
        registry = cast.add()
        services().store.annotate(registry.key, {"example.com/team": "红队", "x": "y"}, uid=registry.uid)
        client = cast.api("vic")

        listed = client.get(TEAM_A).json()["items"][0]

        assert listed == client.get(f"{TEAM_A}/harbor-prod").json()
        assert listed["metadata"]["annotations"]["example.com/team"] == "红队"

    def test_holds_no_copy_of_a_password_that_kubectl_left(self, cast: Cast) -> None:
        registry = cast.add()
        applied = '{"spec":{"password":"hush-hush-9"}}'
        services().store.annotate(registry.key, {LAST_APPLIED: applied}, uid=registry.uid)
        client = cast.api("vic")

        for path in (TEAM_A, f"{TEAM_A}/harbor-prod"):
            assert b"hush" not in client.get(path).content


def test_lists_the_namespaces_that_the_caller_may_see(cast: Cast) -> None:
    cast.add()
    path = f"{BASE}/namespaces"

    assert [it["name"] for it in cast.api("olive").get(path).json()["items"]] == ["team-a", "team-b"]
    assert cast.api("vic").get(path).json()["items"] == [
        {
            "name": "team-a",
            "registries": 1,
            "success": 0,
            "failed": 0,
            "untested": 1,
            "permissions": ["list"],
        }
    ]
    assert cast.api("sam").get(path).json()["items"] == []


def test_a_resource_with_a_plain_password_and_a_scheme_works(cast: Cast) -> None:
    made = services().store.create(
        Draft(Key("team-a", "applied"), "http://h.example.com", "u", Provider.OTHER, CANARY)
    )
    row = StoredResource.objects.get(uid=made.uid)
    body = json.loads(row.body)
    body["spec"]["provider"] = "x"
    del body["metadata"]["annotations"]  # nor does what kubectl applies need any
    row.body = json.dumps(body)
    row.save()
    found = cast.api("vic").get(f"{TEAM_A}/applied").json()

    assert "password" not in json.dumps(found)
    credential = services().store.credential(Key("team-a", "applied"), uid=made.uid)
    assert (credential.address, credential.password) == ("http://h.example.com", CANARY)
    assert cast.find("applied").verification.status is VerifyStatus.UNTESTED
