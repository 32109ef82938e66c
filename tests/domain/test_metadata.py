"""A client's own labels and annotations: kept and checked as an API server does, never a verdict that nobody gave,
never a password.
"""

import base64
import json
from typing import Any

import pytest
import yaml

from registries import wiring
from registries.domain.metadata import ANNOTATIONS_MAX, is_key
from registries.domain.reading import public, to_domain
from registries.domain.resource import LAST_APPLIED, PREFIX, encode_password
from registries.models import AuditEntry, StoredResource
from tests.api.test_api import ALL, MERGE, TEAM_A, body, notes, patch, post
from tests.canary import CANARY
from tests.cast import Cast

LABELS = {"app.kubernetes.io/part-of": "shop", "tier": "", "Zone": "cn-east-1a"}
UNTESTED = {PREFIX + "verify-status": "untested"}
OWN = {"example.com/Owner": "team 商店\n<b>", "note": "any text"}


def marked(
    name: str = "harbor-prod", labels: Any = None, annotations: Any = None, **spec: Any
) -> dict[str, Any]:
    asked = body(name, **spec)
    asked["metadata"] |= {"labels": labels} if labels is not None else {}
    asked["metadata"] |= {"annotations": annotations} if annotations is not None else {}
    return asked


def causes(response: Any) -> dict[str, str]:
    assert response.status_code == 422, response.content[:300]
    return {it["field"]: it["reason"] for it in response.json()["details"]["causes"]}


def test_they_are_kept_wherever_the_resource_is_read(cast: Cast) -> None:
    client = cast.api("nina")
    watched = cast.api("nina").get(f"{TEAM_A}?watch=true&timeoutSeconds=1")

    made = post(client, TEAM_A, marked(labels=LABELS, annotations=OWN))

    assert made.status_code == 201
    [event] = [json.loads(line) for line in b"".join(watched.streaming_content).splitlines()]
    [listed] = client.get(ALL).json()["items"]
    for resource in (made.json(), client.get(f"{TEAM_A}/harbor-prod").json(), listed, event["object"]):
        assert resource["metadata"]["labels"] == LABELS
        assert resource["metadata"]["annotations"].items() >= OWN.items()


def test_they_survive_edits_and_tests_and_are_on_the_details_page(cast: Cast) -> None:
    client, page = cast.api("nina"), cast.client("nina")
    post(client, TEAM_A, marked(labels=LABELS, annotations=OWN, domain="127.0.0.1:9"))
    form = dict.fromkeys(("description", "seen_display_name", "seen_description"), "")
    found = cast.find()
    seen = {"uid": found.uid, "resource_version": found.resource_version}
    edited = page.post("/registries/team-a/harbor-prod/edit/", {**form, **seen, "display_name": "新名"})
    assert edited.status_code == 302
    assert patch(client, f"{TEAM_A}/harbor-prod", notes(description="x")).status_code == 200
    assert post(client, f"{TEAM_A}/harbor-prod/verify").status_code == 200

    metadata = client.get(f"{TEAM_A}/harbor-prod").json()["metadata"]

    assert metadata["labels"] == LABELS
    assert metadata["annotations"].items() >= OWN.items()
    assert metadata["annotations"][PREFIX + "display-name"] == "新名"
    assert metadata["annotations"][PREFIX + "verify-status"] == "failed"
    html = page.get("/registries/team-a/harbor-prod/").content.decode()
    assert "app.kubernetes.io/part-of: shop" in html
    assert "example.com/Owner:" in html
    assert "<b>" not in html


def test_nobody_forges_what_the_console_says(cast: Cast) -> None:
    """A copy of another registry brings its verdict along, and is untested all the same."""
    forged = {
        PREFIX + name: value
        for name, value in {
            "verify-status": "success",
            "verify-reason": "ok",
            "verify-message": "连接成功",
            "verify-timestamp": "1704676800000",
            "verify-by": "olive",
            "domain": "evil.example.com",
            "username": "root",
            "provider": "aliyun",
        }.items()
    }

    made = post(cast.api("nina"), TEAM_A, marked(annotations={**forged, PREFIX + "cluster": "edge-1"}))

    assert made.json()["metadata"]["annotations"] == {
        PREFIX + "cluster": "edge-1",
        PREFIX + "domain": "harbor.example.com",
        PREFIX + "username": "admin",
        PREFIX + "provider": "harbor",
        PREFIX + "verify-status": "untested",
    }
    assert cast.find().verification.at is None


def test_a_label_opens_no_door(cast: Cast) -> None:
    for person, status in (("omar", 403), ("vic", 403), ("sam", 404)):
        assert post(cast.api(person), TEAM_A, marked(labels=LABELS, annotations=OWN)).status_code == status
    changes = {"labels": {"a": "b"}}
    cast.add()
    assert causes(patch(cast.api("nina"), f"{TEAM_A}/harbor-prod", changes)) == {
        "metadata.labels.a": "FieldValueForbidden"
    }
    assert causes(patch(cast.api("nina"), f"{TEAM_A}/harbor-prod", {"annotations": {"note": "x"}}))


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("a", True),
        ("A-b_c.d9", True),
        ("x" * 63, True),
        ("example.com/x", True),
        (f"{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}/x", True),
        ("", False),
        ("x" * 64, False),
        ("-a", False),
        ("a.", False),
        ("a b", False),
        ("a\n", False),
        ("鸟", False),
        ("/x", False),
        ("x/", False),
        ("a/b/c", False),
        ("Example.com/x", False),
        ("a_b/x", False),
        (f"{'a' * 254}/x", False),
    ],
)
def test_a_key_is_a_qualified_name(key: str, good: bool) -> None:
    assert is_key(key) is good


@pytest.mark.parametrize(
    ("labels", "annotations", "expected"),
    [
        ({"a b": "x"}, {}, {"metadata.labels": "FieldValueInvalid"}),
        ({"Example.com/a": "x"}, {}, {"metadata.labels": "FieldValueInvalid"}),
        ({"a": "x" * 64}, {}, {"metadata.labels[a]": "FieldValueInvalid"}),
        ({"a": "x y"}, {}, {"metadata.labels[a]": "FieldValueInvalid"}),
        ({"a": "x-"}, {}, {"metadata.labels[a]": "FieldValueInvalid"}),
        ({"a": "x\n"}, {}, {"metadata.labels[a]": "FieldValueInvalid"}),
        ({"a": 1}, {}, {"metadata.labels[a]": "FieldValueTypeInvalid"}),
        ({"a": None}, {}, {"metadata.labels[a]": "FieldValueTypeInvalid"}),
        ([], {}, {"metadata.labels": "FieldValueTypeInvalid"}),
        ({}, {"a/b/c": "x"}, {"metadata.annotations": "FieldValueInvalid"}),
        ({}, {"a": {}}, {"metadata.annotations[a]": "FieldValueTypeInvalid"}),
        ({}, {"a": "x" * ANNOTATIONS_MAX}, {"metadata.annotations": "FieldValueTooLong"}),
        ({}, {"a": "é" * (ANNOTATIONS_MAX // 2)}, {"metadata.annotations": "FieldValueTooLong"}),
        (
            {"a": "x y", "b c": ""},
            {"/": ""},
            {
                "metadata.labels": "FieldValueInvalid",
                "metadata.labels[a]": "FieldValueInvalid",
                "metadata.annotations": "FieldValueInvalid",
            },
        ),
    ],
)
def test_what_kubernetes_would_not_take_is_named(
    cast: Cast, labels: Any, annotations: Any, expected: dict[str, str]
) -> None:
    assert causes(post(cast.api("nina"), TEAM_A, marked(labels=labels, annotations=annotations))) == expected
    assert not StoredResource.objects.filter(kind="RegistrySecret").exists()


def test_as_many_annotations_as_may_be_are_kept(cast: Cast) -> None:
    """And room is left for a verdict and other texts, on a cluster as well."""
    whole = {"a": "x" * (ANNOTATIONS_MAX - 1)}

    made = post(cast.api("nina"), TEAM_A, marked(annotations=whole))

    assert made.status_code == 201
    assert made.json()["metadata"]["annotations"]["a"] == whole["a"]


class TestPasswords:
    @pytest.mark.parametrize(
        "form", [CANARY, f"password: {CANARY}!", base64.b64encode(CANARY.encode()).decode()]
    )
    def test_a_text_that_holds_it_is_refused_without_being_shown(self, cast: Cast, form: str) -> None:
        answer = post(cast.api("nina"), TEAM_A, marked(annotations={"note": form}))

        assert causes(answer) == {"metadata.annotations[note]": "FieldValueForbidden"}

    def test_so_is_a_key_that_holds_it(self, cast: Cast) -> None:
        password = "s3cret-enough"
        for place in ("labels", "annotations"):
            asked = marked(password=password, **{place: {f"x-{password}": "a b"}})

            answer = post(cast.api("nina"), TEAM_A, asked)

            assert causes(answer) == {f"metadata.{place}": "FieldValueForbidden"}
            assert password not in answer.content.decode()

    def test_a_word_that_is_a_short_password_as_well_is_a_word(self, cast: Cast) -> None:
        made = post(cast.api("nina"), TEAM_A, marked(labels={"app": "harbor-prod"}, password="harbor"))

        assert made.json()["metadata"]["labels"] == {"app": "harbor-prod"}

    def test_kubectls_copy_of_it_all_is_dropped(self, cast: Cast) -> None:
        copy = {LAST_APPLIED: json.dumps(body(), ensure_ascii=False)}

        made = post(cast.api("nina"), TEAM_A, marked(annotations={**copy, "note": "x"}))

        assert made.status_code == 201
        assert LAST_APPLIED not in StoredResource.objects.get(kind="RegistrySecret").body
        assert made.json()["metadata"]["annotations"]["note"] == "x"

    @pytest.mark.parametrize("stored", [encode_password(CANARY), CANARY])
    def test_what_another_tool_copied_on_a_cluster_is_not_shown(self, stored: str) -> None:
        copies = {
            "kapp.k14s.io/original": yaml.safe_dump({"password": CANARY}, allow_unicode=True),
            "note": "x",
        }
        copies["base64"] = f"password: {encode_password(CANARY)}"
        labels = {"tier": "gold", "copy": encode_password(CANARY)}
        spec = {"domain": "h", "password": stored}

        shown = public({"metadata": {"annotations": copies, "labels": labels}, "spec": spec})

        assert shown["metadata"] == {"annotations": {"note": "x", **UNTESTED}, "labels": {"tier": "gold"}}

    def test_who_is_called_like_the_password_keeps_the_name(self) -> None:
        ours = {PREFIX + "username": "administrator", "note": "x", **UNTESTED}
        spec = {"username": "administrator", "password": encode_password("administrator")}

        assert public({"metadata": {"annotations": ours}, "spec": spec})["metadata"] == {"annotations": ours}

    @pytest.mark.parametrize("field", ["display_name", "description"])
    def test_neither_text_may_hold_it(self, cast: Cast, field: str) -> None:
        client, one = cast.api("nina"), f"{TEAM_A}/harbor-prod"
        asked = body(password="topsecret9")
        asked["metadata"] |= notes(**{field: "it is topsecret9"})
        place = f"metadata.annotations[{PREFIX}{field.replace('_', '-')}]"

        refused = post(client, TEAM_A, asked)

        assert causes(refused) == {place: "FieldValueForbidden"}
        assert b"topsecret9" not in refused.content
        assert post(client, TEAM_A, body(password="topsecret9")).status_code == 201
        for query in ("", "?dryRun=All"):
            metadata = {"metadata": notes(**{field: encode_password("topsecret9")})}
            changed = client.patch(f"{one}{query}", metadata, content_type=MERGE)
            assert causes(changed) == {place: "FieldValueForbidden"}
        assert patch(client, one, notes(**{field: "topsecret"})).status_code == 200
        [refusals] = AuditEntry.objects.filter(action="edit", outcome="failed", note="holds_password")
        assert refusals.count == 2

    def test_a_text_of_kubectls_that_holds_it_is_not_shown(self) -> None:
        resource = {
            "metadata": {
                "name": "x",
                "namespace": "n",
                "uid": "u",
                "resourceVersion": "1",
                "creationTimestamp": "2024-01-08T08:00:00Z",
                **notes(display_name="topsecret9", description="for topsecret9", provider="topsecret9"),
            },
            "spec": {"domain": "h", "username": "u", "password": "topsecret9"},
        }

        shown = to_domain(resource)

        assert (shown.display_name, shown.description) == ("", "")
        assert json.loads(shown.document)["metadata"]["annotations"] == {
            PREFIX + "provider": "other",
            **UNTESTED,
        }

    def test_what_cannot_be_opened_can_still_be_renamed(self, cast: Cast, settings: Any) -> None:
        cast.add()
        settings.PASSWORD_KEYS = lambda: ["0" * 43 + "="]
        wiring.reset()

        response = patch(cast.api("omar"), f"{TEAM_A}/harbor-prod", notes(display_name="a longer name"))

        assert response.status_code == 200
