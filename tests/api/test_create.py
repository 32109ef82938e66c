"""Create: what is taken, what is stored, what is refused and why."""

import base64
from typing import Any

import pytest

from registries.demo.process import DemoRegistries
from registries.domain.resource import PREFIX
from registries.models import StoredResource
from registries.wiring import services
from tests.api.test_api import TEAM_A, body, notes, post
from tests.cast import Cast


@pytest.fixture
def authority(demo_registries: DemoRegistries) -> str:
    """A certificate in PEM."""
    return demo_registries.ca_file.read_text()


class TestCreate:
    def test_answers_with_the_resource_without_its_password(self, cast: Cast) -> None:
        asked = body()
        asked["metadata"] |= notes(display_name="生产环境 Harbor", description="主\n仓库")

        response = post(cast.api("nina"), TEAM_A, asked)

        made = response.json()
        assert response.status_code == 201
        assert made["kind"] == "RegistrySecret"
        assert made["metadata"]["namespace"] == "team-a"
        assert made["metadata"]["uid"]
        assert made["metadata"]["annotations"] == {
            PREFIX + "display-name": "生产环境 Harbor",
            PREFIX + "description": "主\n仓库",
            PREFIX + "domain": "harbor.example.com",
            PREFIX + "username": "admin",
            PREFIX + "provider": "harbor",
            PREFIX + "verify-status": "untested",
        }
        assert made["spec"] == {"domain": "harbor.example.com", "username": "admin", "provider": "harbor"}
        assert response["ETag"] == f'"{made["metadata"]["resourceVersion"]}"'

    def test_keeps_a_password_that_looks_like_base64_as_it_was_typed(self, cast: Cast) -> None:
        typed = base64.b64encode(b"secret").decode()

        post(cast.api("nina"), TEAM_A, body(password=typed))

        found = cast.find()
        assert services().store.credential(found.key, uid=found.uid).password == typed

    @pytest.mark.parametrize(
        ("domain", "kept", "plain"),
        [
            ("HARBOR.example.com:8443", "harbor.example.com:8443", None),
            ("https://harbor.example.com/v2/", "harbor.example.com", None),
            ("http://harbor.example.com", "harbor.example.com", "true"),
            ("index.docker.io", "docker.io", None),
        ],
    )
    def test_keeps_the_domain_as_others_expect_it(
        self, cast: Cast, domain: str, kept: str, plain: str | None
    ) -> None:
        made = post(cast.api("nina"), TEAM_A, body(domain=domain)).json()

        assert made["spec"]["domain"] == kept
        assert made["metadata"]["annotations"].get(PREFIX + "plain-http") == plain

    def test_takes_plain_http_as_an_annotation_too(self, cast: Cast) -> None:
        asked = body()
        asked["metadata"] |= notes(plain_http="true")

        post(cast.api("nina"), TEAM_A, asked)

        assert cast.find().address == "http://harbor.example.com"

    def test_takes_how_a_certificate_is_believed_as_annotations(self, cast: Cast, authority: str) -> None:
        asked = body()
        asked["metadata"] |= notes(ca_bundle=authority)
        insecure = body("insecure")
        insecure["metadata"] |= notes(skip_tls_verify="true")
        client = cast.api("nina")

        made = [post(client, TEAM_A, it).json()["metadata"]["annotations"] for it in (asked, insecure)]

        assert made[0][PREFIX + "ca-bundle"].startswith("-----BEGIN CERTIFICATE-----")
        assert PREFIX + "skip-tls-verify" not in made[0]
        assert made[1][PREFIX + "skip-tls-verify"] == "true"
        assert cast.find("insecure").skip_tls_verify

    def test_refuses_what_is_no_certificate(self, cast: Cast) -> None:
        asked = body()
        asked["metadata"] |= notes(ca_bundle="nonsense")

        response = post(cast.api("nina"), TEAM_A, asked)

        assert response.status_code == 422
        place = response.json()["details"]["causes"][0]["field"]
        assert place == f"metadata.annotations[{PREFIX}ca-bundle]"

    def test_names_every_field_that_is_missing(self, cast: Cast) -> None:
        response = post(cast.api("nina"), TEAM_A, {})

        causes = response.json()["details"]["causes"]
        assert response.status_code == 422
        assert response.json()["reason"] == "Invalid"
        assert {cause["field"] for cause in causes} == {
            "metadata.name",
            "spec.domain",
            "spec.username",
            "spec.password",
            "spec.provider",
        }
        assert {cause["reason"] for cause in causes} == {"FieldValueRequired"}

    @pytest.mark.parametrize(
        ("field", "asked", "reason"),
        [
            ("spec.provider", body(provider="quay"), "FieldValueNotSupported"),
            ("spec.domain", body(domain="a b"), "FieldValueInvalid"),
            ("spec.domain", body(domain=7), "FieldValueTypeInvalid"),
            ("spec.username", body(username="a:b"), "FieldValueInvalid"),
            ("spec.username", body(username="x" * 300), "FieldValueTooLong"),
            ("spec.password", body(password=None), "FieldValueRequired"),
            ("spec.password", body(password=["x"]), "FieldValueTypeInvalid"),
            ("metadata.name", body("Upper"), "FieldValueInvalid"),
            ("metadata.name", body(" harbor "), "FieldValueInvalid"),
            ("spec", {**body(), "spec": []}, "FieldValueTypeInvalid"),
            ("metadata", {**body(), "metadata": 1}, "FieldValueTypeInvalid"),
            (
                "metadata.annotations",
                {**body(), "metadata": {"name": "x", "annotations": "y"}},
                "FieldValueTypeInvalid",
            ),
            (
                f"metadata.annotations[{PREFIX}display-name]",
                {**body(), "metadata": {"name": "x", **notes(display_name="x" * 129)}},
                "FieldValueTooLong",
            ),
        ],
    )
    def test_names_a_field_that_is_wrong(self, cast: Cast, field: str, asked: Any, reason: str) -> None:
        response = post(cast.api("nina"), TEAM_A, asked)

        causes = {cause["field"]: cause["reason"] for cause in response.json()["details"]["causes"]}
        assert response.status_code == 422
        assert causes[field] == reason
        assert not StoredResource.objects.filter(kind="RegistrySecret").exists()

    def test_refuses_a_namespace_that_contradicts_the_path(self, cast: Cast) -> None:
        asked = body()
        asked["metadata"]["namespace"] = "team-b"

        assert post(cast.api("olive"), TEAM_A, asked).status_code == 400

    @pytest.mark.parametrize("change", [{"kind": "Secret"}, {"apiVersion": "v1"}])
    def test_refuses_another_kind(self, cast: Cast, change: dict[str, str]) -> None:
        assert post(cast.api("olive"), TEAM_A, {**body(), **change}).status_code == 400

    def test_does_without_kind_and_version(self, cast: Cast) -> None:
        asked = {name: value for name, value in body().items() if name not in ("kind", "apiVersion")}

        assert post(cast.api("olive"), TEAM_A, asked).status_code == 201

    def test_says_that_a_name_is_taken(self, cast: Cast) -> None:
        client = cast.api("nina")
        post(client, TEAM_A, body())

        response = post(client, TEAM_A, body())

        assert response.status_code == 409
        assert response.json()["reason"] == "AlreadyExists"
        assert response.json()["details"]["name"] == "harbor-prod"

    def test_rehearses(self, cast: Cast) -> None:
        client = cast.api("nina")

        response = post(client, f"{TEAM_A}?dryRun=All", body())

        assert response.status_code == 201
        assert "password" not in response.json()["spec"]
        assert not StoredResource.objects.filter(kind="RegistrySecret").exists()
        assert post(client, f"{TEAM_A}?dryRun=some", body()).status_code == 400
        post(client, TEAM_A, body())
        assert post(client, f"{TEAM_A}?dryRun=All", body()).status_code == 409
