"""The resource as registry-management.zh.md shows it, and as kubectl may have made it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.domain.reading import public, to_domain
from registries.domain.registry import Draft, Key, Provider, Verification, VerifyStatus
from registries.domain.resource import (
    LAST_APPLIED,
    PREFIX,
    decode_password,
    encode_password,
    new_resource,
    verification_annotations,
)


def draft(**values: Any) -> Draft:
    given_values: dict[str, Any] = {
        "key": Key("default", "harbor-prod"),
        "domain": "harbor.example.com",
        "username": "admin",
        "provider": Provider.HARBOR,
        "password": "p",
        "display_name": "生产环境 Harbor",
        "description": "生产环境主镜像仓库",
    }
    return Draft(**{**given_values, **values})


def stored(**values: Any) -> dict[str, Any]:
    resource = new_resource(draft(**values))
    resource["metadata"] |= {"uid": "u", "resourceVersion": "7", "creationTimestamp": "2024-01-08T08:00:00Z"}
    return resource


def test_a_new_resource_has_the_shape_of_the_guide() -> None:
    assert new_resource(draft()) == {
        "apiVersion": "image.theriseunion.io/v1alpha1",
        "kind": "RegistrySecret",
        "metadata": {
            "name": "harbor-prod",
            "namespace": "default",
            "annotations": {
                "theriseunion.io/display-name": "生产环境 Harbor",
                "theriseunion.io/description": "生产环境主镜像仓库",
                "theriseunion.io/domain": "harbor.example.com",
                "theriseunion.io/username": "admin",
                "theriseunion.io/provider": "harbor",
                "theriseunion.io/verify-status": "untested",
            },
        },
        "spec": {
            "domain": "harbor.example.com",
            "username": "admin",
            "password": "cA==",
            "provider": "harbor",
        },
    }


def test_a_verdict_is_kept_as_the_guide_has_it() -> None:
    verdict = Verification(VerifyStatus.SUCCESS, "ok", "连接成功", datetime(2024, 1, 8, 0, 0, 0, tzinfo=UTC))

    assert verification_annotations(verdict, "3") == {
        "theriseunion.io/verify-status": "success",
        "theriseunion.io/verify-reason": "ok",
        "theriseunion.io/verify-message": "连接成功",
        "theriseunion.io/verify-timestamp": "1704672000000",
        "theriseunion.io/verify-generation": "3",
        "theriseunion.io/token-expires": None,
    }
    ends = datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)
    token = verification_annotations(replace(verdict, token_ends=ends))
    assert token["theriseunion.io/token-expires"] == "2024-02-29T01:02:03Z"
    assert set(verification_annotations(Verification()).values()) == {"untested", None}


def test_what_goes_in_comes_out() -> None:
    resource = stored(plain_http=True)
    resource["metadata"]["annotations"] |= {
        "theriseunion.io/verify-status": "success",
        "theriseunion.io/verify-reason": "ok_unverified",
        "theriseunion.io/verify-timestamp": "1704676800123",
    }

    registry = to_domain(resource)

    assert (registry.key, registry.uid, registry.resource_version) == (
        Key("default", "harbor-prod"),
        "u",
        "7",
    )
    assert registry.address == "http://harbor.example.com"
    assert registry.verification.unproven
    assert registry.verification.at == datetime(2024, 1, 8, 1, 20, 0, 123000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("domain", "address"),
    [("http://10.0.0.5:5000", "http://10.0.0.5:5000"), ("https://h.example.com/v2/", "h.example.com")],
)
def test_a_domain_that_was_applied_with_a_scheme_works_as_it_reads(domain: str, address: str) -> None:
    resource = stored()
    resource["spec"]["domain"] = domain

    assert to_domain(resource).address == address


def test_a_resource_that_lacks_everything_it_may_lack_can_be_read() -> None:
    bare = {
        "metadata": {
            "name": "x",
            "namespace": "n",
            "uid": "u",
            "resourceVersion": "1",
            "creationTimestamp": "2024-01-08T08:00:00Z",
        },
        "spec": {"domain": "h", "provider": "nexus"},
    }

    registry = to_domain(bare)

    assert registry.provider is Provider.OTHER
    assert registry.verification == Verification()


@pytest.mark.parametrize(
    "notes",
    [
        {"verify-status": "maybe"},
        {"verify-status": "success", "verify-timestamp": "9" * 40},
        {"verify-timestamp": "x"},
    ],
)
def test_mangled_annotations_do_no_harm(notes: dict[str, str]) -> None:
    resource = stored()
    resource["metadata"]["annotations"] |= {f"theriseunion.io/{name}": value for name, value in notes.items()}

    assert to_domain(resource).verification.at is None


@pytest.mark.parametrize(
    ("notes", "shown"),
    [
        ({}, {"verify-status": "untested"}),
        ({"verify-status": "maybe", "verify-message": "x"}, {"verify-status": "untested"}),
        ({"verify-status": "untested", "verify-timestamp": "1"}, {"verify-status": "untested"}),
        ({"verify-status": "failed", "verify-timestamp": "-1"}, {"verify-status": "failed"}),
        ({"verify-status": "failed", "verify-timestamp": "1_0"}, {"verify-status": "failed"}),
        (
            {"verify-status": "failed", "verify-reason": "x", "verify-timestamp": "1704676800123"},
            {"verify-status": "failed", "verify-reason": "x", "verify-timestamp": "1704676800123"},
        ),
        ({"plain-http": "yes", "skip-tls-verify": "True"}, {"verify-status": "untested"}),
        ({"plain-http": "true"}, {"plain-http": "true", "verify-status": "untested"}),
        (
            {"display-name": "鸟" * 129, "description": "x" * 1025},
            {"display-name": "鸟" * 128, "description": "x" * 1024, "verify-status": "untested"},
        ),
    ],
)
def test_our_annotations_are_shown_as_they_are_read(notes: dict[str, str], shown: dict[str, str]) -> None:
    resource = stored()
    resource["metadata"]["annotations"] = {PREFIX + name: value for name, value in notes.items()}

    registry = to_domain(resource)

    assert public(resource)["metadata"]["annotations"] == {PREFIX + it: value for it, value in shown.items()}
    assert registry.display_name == shown.get("display-name", "")
    assert registry.verification.status == shown["verify-status"]


def test_what_may_be_shown_holds_no_password_nor_a_copy_of_it() -> None:
    resource = stored(password="s3cret")
    resource["metadata"]["annotations"][LAST_APPLIED] = '{"spec":{"password":"s3cret"}}'
    resource["metadata"]["managedFields"] = [{"x": "s3cret"}]

    shown = public(resource)

    assert "s3cret" not in str(shown)
    assert encode_password("s3cret") not in str(shown)
    assert "password" in resource["spec"], "the original is left alone"


@pytest.mark.parametrize(
    ("kept", "password"),
    [
        ("cA==", "p"),
        (encode_password("密码: 1"), "密码: 1"),
        ("cA", "cA"),  # not padded: not canonical
        ("cB==", "cB=="),  # decodes to the same as cA==, which is the canonical form
        ("cA==\n", "p"),
        ("hunter2!", "hunter2!"),
        ("//8=", "//8="),  # base64, but of bytes that are no UTF-8
        ("密码", "密码"),
        ("", ""),
    ],
)
def test_a_password_that_kubectl_applied_in_plain_text_is_taken_as_it_stands(
    kept: str, password: str
) -> None:
    assert decode_password(kept) == password


@given(st.text())
def test_every_password_survives_its_encoding(password: str) -> None:
    assert decode_password(encode_password(password)) == password


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("width", [4, 7, 64, 76])
@pytest.mark.parametrize("password", ["s3cret-of-the-robot", "密码" * 40, "x" * 300])
def test_an_applied_password_is_decoded_with_line_ends(password: str, width: int, end: str) -> None:
    whole = encode_password(password)
    wrapped = end.join(whole[at : at + width] for at in range(0, len(whole), width))
    assert decode_password(wrapped) == password
    assert decode_password(wrapped + end) == password


@pytest.mark.parametrize("kept", ["not base64\n", "c2Vj cmV0", "c2VjcmV\n0x", "c2VjcmV0\t", "c2V-cmV_\n"])
def test_other_white_space_is_not_skipped(kept: str) -> None:
    assert decode_password(kept) == kept


@pytest.mark.parametrize(
    ("generation", "tested", "counts"),
    [(3, "3", True), (3, "2", False), (3, "", False), (3, None, True), (None, "2", True)],
)
def test_a_verdict_counts_for_the_generation_that_was_tested(
    generation: int | None, tested: str | None, counts: bool
) -> None:
    """One that names none is of an earlier release."""
    resource = stored()
    notes = {"verify-status": "failed", "verify-reason": "bad_credentials", "verify-generation": tested}
    metadata = resource["metadata"]
    metadata["annotations"] |= {PREFIX + name: it for name, it in notes.items() if it is not None}
    metadata |= {} if generation is None else {"generation": generation}

    registry = to_domain(resource)

    assert (registry.verification.reason == "bad_credentials") is counts
    assert PREFIX + "verify-generation" not in json.loads(registry.document)["metadata"]["annotations"]
