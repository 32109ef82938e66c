"""The certificates of the demo."""

import contextlib
import ssl

import pytest

from registries.demo import certificates


def test_certificates_are_private_reused_and_renewed_in_time(tmp_path, monkeypatch):
    def contents():
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    certificates.issue(tmp_path, ["a.localhost"])
    first = contents()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    certificates.issue(tmp_path, ["a.localhost"])
    assert contents() == first
    certificates.issue(tmp_path, ["a.localhost", "b.localhost"])
    changed = {name for name, content in contents().items() if content != first[name]}
    assert changed == {"registries.pem", "self-signed.pem", "expired.pem"}
    second = contents()
    monkeypatch.setattr(certificates, "RENEW_DAYS", 400)
    certificates.issue(tmp_path, ["a.localhost", "b.localhost"])
    changed = {name for name, content in contents().items() if content != second[name]}
    assert changed == {"registries.pem", "self-signed.pem", "wrong-name.pem"}
    monkeypatch.undo()
    for name in ("ca-key.pem", "expired.pem"):
        (tmp_path / name).write_text("damaged")
    files = certificates.issue(tmp_path, ["a.localhost", "b.localhost"])
    assert handshake(files, files.wrong_name, "former-name.localhost")
    assert contents()["ca.pem"] != first["ca.pem"]
    assert set(contents()) == set(first)


def test_the_authority_vouches_for_loopback_names_only(tmp_path):
    files = certificates.issue(tmp_path, ["a.localhost", "b.example.com"])
    assert handshake(files, files.wrong_name, "former-name.localhost")
    for name in ("a.localhost", "b.example.com"):
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            handshake(files, files.registries, name)
        assert refused.value.verify_code == 47  # X509_V_ERR_PERMITTED_VIOLATION


def handshake(files, certificate, name):
    """A handshake in memory. Raises the client's error about the certificate."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    client = ssl.create_default_context(cafile=files.ca)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (here, there):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    here.do_handshake()
    return here.version()
