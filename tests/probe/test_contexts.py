"""The cache of TLS contexts: made once while the trusted certificates stay the same, and bounded."""

import ssl
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from registries.probe import Policy, Reason
from registries.probe.fault import Fault
from registries.probe.policy import TlsContexts
from registries.probe.trust import tls_context
from tests.peers.certificates import Authority

pytest_plugins = ("tests.peers.authorities",)


def make() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def test_many_who_ask_at_once_get_one_context() -> None:
    contexts, made = TlsContexts(), []

    def slowly() -> ssl.SSLContext:
        time.sleep(0.05)
        made.append(make())
        return made[-1]

    threads = [threading.Thread(target=lambda: contexts.get("key", slowly)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_the_one_asked_for_least_recently_gives_way() -> None:
    contexts = TlsContexts(size=2)
    first = contexts.get("a", make)
    contexts.get("b", make)
    assert contexts.get("a", make) is first
    contexts.get("c", make)
    assert len(contexts) == 2
    assert contexts.get("a", make) is first


def test_a_failure_is_not_kept() -> None:
    contexts = TlsContexts()

    def fail() -> ssl.SSLContext:
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        contexts.get("key", fail)
    assert contexts.get("key", make)


def test_a_policy_and_those_made_of_it_share_their_contexts(authority: Authority) -> None:
    policy = Policy()
    context = tls_context(policy, "a.example")
    assert tls_context(replace(policy, allow_loopback=True), "b.example") is context
    assert tls_context(Policy(), "a.example") is not context, "no state outside the policy"
    assert tls_context(replace(policy, ca_pem=authority.root.pem), "a.example") is not context


def test_what_is_believed_of_one_registry_is_not_believed_of_another(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "a.example").mkdir()
    (tmp_path / "a.example" / "ca.crt").write_text(authority.root.pem)
    policy = Policy(certs_dir=str(tmp_path))
    one, other = (tls_context(policy, host) for host in ("a.example", "b.example"))
    count = len(other.get_ca_certs())
    assert len(one.get_ca_certs()) == count + 1


def test_a_context_that_verifies_nothing_is_never_shared() -> None:
    policy = Policy(skip_tls_verify=True)
    careless = tls_context(policy, "a.example")
    assert careless.verify_mode is ssl.CERT_NONE
    assert len(policy.contexts) == 0
    assert tls_context(replace(policy, skip_tls_verify=False), "a.example").verify_mode is ssl.CERT_REQUIRED


def test_a_ca_file_that_changes_is_read_anew(authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(authority.root.pem)
    policy = Policy(ca_file=str(file))
    first = tls_context(policy, "a.example")
    assert tls_context(policy, "a.example") is first
    file.write_text(authority.root.pem + "\n")
    assert tls_context(policy, "a.example") is not first
    file.unlink()
    with pytest.raises(Fault) as caught:
        tls_context(policy, "a.example")
    assert (caught.value.reason, caught.value.cause) == (Reason.TLS_UNTRUSTED, "bad_ca")
