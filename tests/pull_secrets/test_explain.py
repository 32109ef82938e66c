"""Why a pod cannot pull: what its message, its Secrets and the registries say together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from registries.domain.registry import Key, Provider, RegistrySecret, Verification, VerifyStatus
from registries.pull_secrets.explain import (
    Code,
    Fault,
    Near,
    PodSecret,
    SecretState,
    Waiting,
    explain,
    fault_of,
    nearest_key,
)
from registries.words.pull_failures import CUT, reason
from tests.pull_secrets.test_faults import IMAGE, REFUSED

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def registry(
    name: str = "mine",
    domain: str = "reg.io",
    status: VerifyStatus = VerifyStatus.SUCCESS,
    reason: str = "ok",
    days: int = 0,
) -> RegistrySecret:
    verification = Verification(status, reason, "", NOW - timedelta(days=days))
    key = Key("team-a", name)
    return RegistrySecret(key, "u", "1", NOW, domain, "u", Provider.OTHER, verification=verification)


def secret(*keys: str, name: str = "mine", state: SecretState = SecretState.READABLE) -> PodSecret:
    return PodSecret(name, state, keys)


def waiting(message: str = REFUSED, image: str = IMAGE, reason: str = "ErrImagePull") -> Waiting:
    return Waiting("c", image, reason, message)


MISSING, TYPE, UNREAD = (
    secret(state=it) for it in (SecretState.MISSING, SecretState.WRONG_TYPE, SecretState.UNREAD)
)
BROKEN = secret(state=SecretState.BROKEN)
DENIED = "pull access denied, repository does not exist or may require authorization"
GOOD, BAD = registry(), registry(status=VerifyStatus.FAILED, reason="bad_credentials")
OLD, UNTESTED = registry(days=9), registry(status=VerifyStatus.UNTESTED, reason="")
OPEN = registry(reason="ok_unverified")


@pytest.mark.parametrize(
    ("code", "message", "secrets", "registries"),
    [
        (Code.NO_SECRET, REFUSED, [], []),
        (Code.NO_SECRET, DENIED, [], [GOOD]),
        (Code.NO_SECRET, "", [], [GOOD]),
        (Code.UNKNOWN, "", [], []),
        (Code.SECRET_MISSING, REFUSED, [MISSING], [GOOD]),
        (Code.SECRET_MISSING, "", [MISSING], []),
        (Code.SECRET_TYPE, REFUSED, [TYPE], []),
        (Code.SECRET_UNREAD, REFUSED, [UNREAD], []),
        (Code.SECRET_MISSING, REFUSED, [secret("other.io"), UNREAD, MISSING], []),
        (Code.SECRET_BROKEN, REFUSED, [secret("reg.io"), BROKEN], [GOOD]),
        (Code.SECRET_BROKEN, f"{IMAGE}: not found", [BROKEN], []),
        (Code.SECRET_BROKEN, "illegal base64 data at input byte 4", [UNREAD], []),
        (Code.UNKNOWN, "illegal base64 data at input byte 4", [secret("reg.io")], []),
        (Code.NO_MATCH, REFUSED, [secret("other.io")], []),
        (Code.NO_MATCH, DENIED, [secret("reg.io:443")], []),
        (Code.NO_MATCH, "", [secret("https://reg.io/v2")], []),
        (Code.CREDENTIAL_BAD, REFUSED, [secret("reg.io")], [BAD]),
        (Code.CREDENTIAL_BAD, DENIED, [secret("reg.io")], [BAD]),
        (Code.CREDENTIAL_BAD, "", [secret("reg.io")], [BAD]),
        (Code.CREDENTIAL_GOOD, REFUSED, [secret("reg.io")], [GOOD]),
        (Code.CREDENTIAL_OLD, REFUSED, [secret("reg.io")], [OLD]),
        (Code.CREDENTIAL_UNTESTED, REFUSED, [secret("reg.io")], [UNTESTED]),
        (Code.CREDENTIAL_UNPROVEN, REFUSED, [secret("reg.io")], [OPEN]),
        (Code.CREDENTIAL_FOREIGN, REFUSED, [secret("reg.io", name="theirs")], [GOOD]),
        (Code.CREDENTIAL_FOREIGN, REFUSED, [secret("reg.io")], [registry(domain="other.io")]),
        (Code.DENIED, DENIED, [secret("reg.io")], [GOOD]),
        (Code.DENIED, DENIED, [secret("reg.io", name="theirs")], []),
        (Code.UNKNOWN, "", [secret("reg.io")], [GOOD]),
        (Code.MIRROR, REFUSED.replace("reg.io", "127.0.0.1:5011"), [secret("reg.io")], [GOOD]),
        (
            Code.MIRROR,
            "unexpected status from HEAD request to https://m.io/v2/a?ns=reg.io: 401 Unauthorized",
            [],
            [],
        ),
        (Code.IMAGE_MISSING, f"{IMAGE}: not found", [], []),
        (Code.CERTIFICATE, "x509: certificate signed by unknown authority", [secret("reg.io")], [BAD]),
    ],
)
def test_an_explanation(
    code: Code, message: str, secrets: list[PodSecret], registries: list[RegistrySecret]
) -> None:
    found = explain(waiting(message), secrets, registries, NOW)

    assert (found.code, found.host) == (code, "reg.io")
    assert found.certain or fault_of(IMAGE, "ErrImagePull", message) is Fault.UNKNOWN


@pytest.mark.parametrize("fault", [it for it in Fault if it not in (Fault.CREDENTIAL, Fault.BROKEN_SECRET)])
def test_each_fault_that_is_not_about_a_secret_is_an_explanation(fault: Fault) -> None:
    assert Code(fault.value)


@pytest.mark.parametrize(
    "image", ["Reg.io/A", "reg.io/a b", "reg.io/a:", "", "https://reg.io/a", "u:p@reg.io/a"]
)
def test_an_invalid_image_name(image: str) -> None:
    for message, why in (("couldn't parse image name", "InvalidImageName"), (REFUSED, "ErrImagePull")):
        assert explain(waiting(message, image, why), [], [], NOW).code is Code.INVALID_NAME


@pytest.mark.parametrize(
    ("secrets", "cut"),
    [
        ([replace(secret("other.io"), cut=True)], True),
        ([secret("other.io"), replace(secret("reg.io:443"), cut=True)], True),
        ([secret(*(f"h{it}.io/{'a' * 90}" for it in range(350)), name=it) for it in "ab"], True),
        ([secret(*(f"h{it}.io/{'a' * 90}" for it in range(350)))], False),
    ],
)
def test_no_match_is_not_certain_where_not_all_keys_were_compared(
    secrets: list[PodSecret], cut: bool
) -> None:
    found = explain(waiting(), secrets, [GOOD], NOW)

    assert (found.code, found.cut, found.certain) == (Code.NO_MATCH, cut, not cut)
    assert (str(CUT) in reason(found)) is cut


def test_docker_hub_is_no_mirror_of_itself() -> None:
    text = "unexpected status from HEAD request to https://registry-1.docker.io/v2/x/manifests/1: 401 Unauthorized"

    found = explain(waiting(text, "nginx"), [secret("https://index.docker.io/v1/")], [], NOW)

    assert (found.code, found.host) == (Code.CREDENTIAL_FOREIGN, "docker.io")


def test_a_registry_for_the_host_is_offered_and_the_pull_secret_is_judged() -> None:
    mine, other = registry("other", status=VerifyStatus.FAILED), registry("mine")

    assert explain(waiting(), [], [registry("x", "other.io"), mine], NOW).registry == mine.key
    assert explain(waiting(), [secret("reg.io")], [mine, other], NOW).registry == other.key


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("reg.io:443", Near.PORT),
        ("reg.io:5000", Near.PORT),
        ("https://reg.io:443/v1/", Near.PORT),
        ("REG.IO", Near.CASE),
        ("https://Reg.io", Near.CASE),
        (" reg.io", Near.SPACE),
        ("reg.io\n", Near.SPACE),
        ("https://https://reg.io", Near.SCHEME),
        ("https://reg.io/v2", Near.VERSION),
        ("reg.io/v1", Near.VERSION),
        ("reg.io/team/*", Near.PATH),
        ("reg.io/team/app:1", Near.PATH),
        ("reg.io/other", Near.PATH),
        ("*.reg.io", Near.PATTERN),
        ("other.io", None),
        ("", None),
        ("*", None),
        ("x" * 10_000, None),
        ("reg.io/" + "x" * 10_000, None),
    ],
)
def test_the_nearest_key(key: str, near: Near | None) -> None:
    assert nearest_key([key], IMAGE) == ((key, near) if near else None)
    assert nearest_key(["other.io", key], IMAGE) == ((key, near) if near else None)


@pytest.mark.parametrize("key", ["registry-1.docker.io", "https://index.docker.io/v1", "hub.docker.com"])
def test_a_name_of_docker_hub_that_kubelets_do_not_use(key: str) -> None:
    assert nearest_key([key], "nginx") == (key, Near.HUB)
