"""How a registry's certificate is believed: its own CA, or no verification; fixed, and sealed with the password."""

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.utils.html import strip_tags

from registries.domain.errors import Unavailable
from registries.domain.resource import PREFIX
from registries.intake import BUNDLE_MAX, BundleError, read_bundle
from registries.models import StoredResource, VerificationRecord
from registries.wiring import services
from tests.cast import Cast, Probing, typed
from tests.peers.basic_registry import registry
from tests.peers.certificates import Authority
from tests.peers.scripted import scripted

pytest_plugins = ("tests.peers.authorities",)

ADD = "/registries/-/add/"
TRY = "/registries/-/try/"


def certificate(name: str = "Edge Root CA", days: int = 365) -> tuple[str, str]:
    """A self-signed certificate and its private key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM).decode(), secret.decode()


def test_a_bundle_is_kept_without_what_stands_around_it_and_each_certificate_once() -> None:
    pem, _ = certificate()

    kept, found = read_bundle(f"# 公司根证书\r\n{pem}\n{pem}\ntrailing")

    assert kept == pem
    assert [it.subject for it in found] == ["CN=Edge Root CA"]
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", found[0].fingerprint)
    assert found[0].not_after
    assert found[0].not_after > datetime.now(UTC)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hello", "ca_empty"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "ca_unreadable"),
        ("-----BEGIN CERTIFICATE-----\n证书\n-----END CERTIFICATE-----", "ca_unreadable"),
        ("x" * (BUNDLE_MAX + 1), "too_long"),
    ],
)
def test_what_is_no_bundle_is_refused_with_its_problem(text: str, problem: str) -> None:
    with pytest.raises(BundleError) as caught:
        read_bundle(text)

    assert caught.value.problem == problem


def test_a_private_key_is_refused_and_shown_to_nobody(cast: Cast) -> None:
    pem, secret = certificate()

    answer = cast.client("nina", hx_request="true").post("/registries/-/add/ca/", {"ca_bundle": pem + secret})

    assert "内容中含有私钥" in answer.content.decode()
    assert secret.splitlines()[1] not in answer.content.decode()


def test_a_pasted_ca_says_whose_it_is_and_until_when(cast: Cast) -> None:
    client = cast.client("nina", hx_request="true")

    good = client.post("/registries/-/add/ca/", {"ca_bundle": certificate()[0]}).content.decode()
    old = client.post("/registries/-/add/ca/", {"ca_bundle": certificate(days=-1)[0]}).content.decode()

    assert "CN=Edge Root CA" in good
    assert "已过期" not in good
    assert "已过期" in old


def test_an_untrusted_certificate_is_shown_and_can_be_trusted_exactly(cast: Cast, probing: Probing) -> None:
    client = cast.client("nina", hx_request="true")
    values = typed(**probing("self-signed"))

    shown = client.post(TRY, values).content.decode()

    assert "证书不受信任" in shown
    for part in ("主体", "颁发者", "有效期", "SHA-256", "仅信任此 CA 并重新测试"):
        assert part in shown
    pem = html.unescape(re.search(r'data-pem="([^"]+)"', shown)[1])  # type: ignore[index]
    again = client.post(TRY, {**values, "tls": "ca", "ca_bundle": pem}).content.decode()
    assert "连接成功" in again

    saved = client.post(ADD, {**values, "tls": "ca", "ca_bundle": pem})
    assert saved.status_code == 204
    registry = cast.find()
    assert registry.verification.reason == "ok"
    assert read_bundle(registry.ca_bundle)[1][0].fingerprint in shown.replace("<wbr>", "")


def test_the_ca_is_an_annotation_beside_the_others_and_shown_on_the_details_page(cast: Cast) -> None:
    pem, _ = certificate()
    registry = cast.add(tls="ca", ca_bundle=pem)

    body = json.loads(StoredResource.objects.get(uid=registry.uid).body)
    assert body["metadata"]["annotations"][PREFIX + "ca-bundle"] == pem
    assert PREFIX + "skip-tls-verify" not in body["metadata"]["annotations"]
    page = cast.client("vic").get("/registries/team-a/harbor-prod/").content.decode()
    assert "CN=Edge Root CA" in page
    assert "仅信任此 CA" not in page
    assert "theriseunion.io/ca-bundle: |\n      -----BEGIN CERTIFICATE-----\n      MII" in page


def test_skipping_the_verification_connects_and_says_so_everywhere(cast: Cast, probing: Probing) -> None:
    client = cast.client("nina", hx_request="true")
    values = typed(**probing("self-signed"), tls="skip")

    assert "连接成功" in client.post(TRY, values).content.decode()
    assert client.post(ADD, values).status_code == 204

    registry = cast.find()
    assert registry.skip_tls_verify
    assert registry.verification.reason == "ok"
    assert "TLS 未校验" in client.get("/registries/").content.decode()
    assert "TLS 未校验" in client.get("/registries/team-a/harbor-prod/").content.decode()
    assert "跳过校验" in client.get("/registries/team-a/harbor-prod/edit/").content.decode()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"tls": "ca"}, "ca_bundle"),
        ({"tls": "ca", "ca_bundle": "not a certificate"}, "ca_bundle"),
        ({"tls": "sometimes"}, "tls"),
        ({"tls": "skip", "domain": "http://harbor.example.com"}, "tls"),
    ],
)
def test_a_wrong_choice_is_said_at_its_field_when_testing_and_when_saving(
    cast: Cast, values: dict[str, str], field: str
) -> None:
    client = cast.client("nina", hx_request="true")

    saved, tried = client.post(ADD, typed(**values)), client.post(TRY, typed(**values))

    assert saved.status_code == tried.status_code == 422
    assert f'id="id_{field}_error"' in saved.content.decode()
    assert values.get("ca_bundle", "") in saved.content.decode()
    assert f'data-error-for="id_{field}' in tried.content.decode()


@pytest.mark.parametrize("annotation", ["skip-tls-verify", "ca-bundle"])
def test_a_stored_password_is_never_sent_under_another_trust_than_the_stored_one(
    cast: Cast, annotation: str
) -> None:
    registry = cast.add(tls="ca", ca_bundle=certificate()[0])
    row = StoredResource.objects.get(uid=registry.uid)
    body = json.loads(row.body)
    body["metadata"]["annotations"][PREFIX + annotation] = (
        "true" if "skip" in annotation else certificate()[0]
    )
    StoredResource.objects.filter(pk=row.pk).update(body=json.dumps(body))

    with pytest.raises(Unavailable, match="seal_broken"):
        services().store.credential(registry.key, uid=registry.uid)


def test_a_ca_per_host_in_the_nodes_layout_gives_the_nodes_verdict(
    cast: Cast, probing: Probing, tmp_path: object, settings: object
) -> None:
    values = probing("self-signed")
    cast.add(**values)
    cast.client("omar").post("/registries/team-a/harbor-prod/verify/")
    shown = VerificationRecord.objects.latest("started_at")
    assert cast.find().verification.reason == "tls_untrusted"
    assert "BEGIN CERTIFICATE" not in shown.outcome, "what is kept for good has the facts only"

    tried = cast.client("nina", hx_request="true").post(TRY, typed(**values)).content.decode()
    pem = html.unescape(re.search(r'data-pem="([^"]+)"', tried)[1])  # type: ignore[index]
    folder = tmp_path / values["domain"]  # type: ignore[operator]
    folder.mkdir()
    (folder / "ca.crt").write_text(pem)
    settings.PROBE_CERTS_DIR = str(tmp_path)  # type: ignore[attr-defined]
    cast.client("omar").post("/registries/team-a/harbor-prod/verify/")

    assert cast.find().verification.reason == "ok"


def test_of_many_names_the_registrys_own_comes_first_and_the_rest_is_counted(
    cast: Cast, authority: Authority, settings: Any
) -> None:
    settings.PROBE_ALLOW_LOOPBACK = True
    others = [f"n{number:02}.example" for number in range(12)]
    pair = authority.issue(*others, "localhost")
    with scripted(registry, tls=authority.server_context(pair)) as server:
        shown = cast.client("nina", hx_request="true").post(TRY, typed(domain=server.address))

    words = " ".join(strip_tags(shown.content.decode()).split())
    assert "、".join(["localhost", *others[:7]]) + "，另有 5 个" in words
