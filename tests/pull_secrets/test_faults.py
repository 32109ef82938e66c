"""The fault in a message about a pull: the texts of containerd, Docker and CRI-O, and what they may cost."""

import re

import pytest

from registries.domain.shown import shown_words
from registries.pull_secrets.explain import Fault, fault_of, is_pull_reason, nearest_key
from tests.house.test_verdicts import PAGES, rows_of
from tests.peers.cost import processor_seconds

IMAGE = "reg.io/team/app:1"
PREFIX = f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = '
BACK_OFF = f'Back-off pulling image "{IMAGE}": ErrImagePull: '
TOKEN = "failed to authorize: failed to fetch oauth token: unexpected status"
RESOLVE = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '
REFUSED = "pulling from host reg.io failed with status code [manifests 1]: 401 Unauthorized"

TEXTS = {
    Fault.CREDENTIAL: (
        REFUSED,
        "unexpected status from HEAD request to https://reg.io/v2/team/app/manifests/1: 401 Unauthorized",
        "no basic auth credentials",
        "Error response from daemon: Get https://reg.io/v2/: no basic auth credentials",
        "reading manifest 1 in reg.io/team/app: unauthorized: authentication required",
        "unauthorized: authentication required",
        f"{TOKEN}: 401",
        f"{TOKEN} from POST request to https://auth.reg.io/token: 401",
        "unauthorized: incorrect username or password",
        "unable to retrieve auth token: invalid username/password: unauthorized: x",
        "failed to fetch anonymous token: unexpected status: 401",
        "failed to fetch anonymous token: unexpected status: 401 Unauthorized",
        "reading manifest 1 in reg.io/team/app: unauthorized",
        "pulling from host reg.io failed with status code [manifests 1]: 401 ",
        "error parsing HTTP 401 response body: invalid character '<'",
    ),
    Fault.DENIED: (
        f"{TOKEN} from GET request to https://auth.reg.io/token: 403 Forbidden",
        "denied: denied",
        "Requesting bearer token: invalid status code from registry 403 (Forbidden)",
        "pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed",
        "pull access denied for app, repository does not exist or may require 'docker login': denied: x",
        "errors: denied: requested access to the resource is denied",
        "unauthorized: unauthorized to access repository: team/app, action: pull",
        "denied",
        "error parsing HTTP 403 response body: unexpected end of JSON input",
    ),
    Fault.IMAGE_MISSING: (
        f"{RESOLVE}{IMAGE}: not found",
        f"manifest for {IMAGE} not found: manifest unknown: manifest unknown",
        "reading manifest 1 in reg.io/team/app: manifest unknown",
        "unknown: artifact team/app:1 not found",
    ),
    Fault.PLATFORM_MISSING: (
        f"{RESOLVE}no match for platform in manifest: not found",
        "no matching manifest for linux/amd64 in the manifest list entries",
        "no image found in image index for architecture riscv64, variant, OS linux",
    ),
    Fault.CERTIFICATE: (
        f"{RESOLVE}failed to do request: x509: certificate signed by unknown authority",
        "tls: failed to verify certificate: x509: certificate has expired",
    ),
    Fault.PLAIN_HTTP: ("failed to do request: http: server gave HTTP response to HTTPS client",),
    Fault.NETWORK: (
        "failed to do request: dial tcp 10.0.0.1:443: connect: connection refused",
        "dial tcp: lookup reg.io on 10.96.0.10:53: no such host",
        "pinging container registry reg.io: Get https://reg.io/v2/: EOF",
        "net/http: TLS handshake timeout",
        "context deadline exceeded",
        "EOF",
        "remote error: tls: handshake failure",
    ),
    Fault.RATE_LIMIT: (
        "unexpected status code https://reg.io/v2/: 429 Too Many Requests",
        "toomanyrequests: You have reached your pull rate limit.",
        "reading manifest 1 in reg.io/team/app: toomanyrequests",
    ),
    Fault.NOT_A_REGISTRY: (
        "unexpected media type text/html for sha256:0: not found",
        "error parsing HTTP 200 response body: invalid character '<' looking for beginning of value",
    ),
    Fault.NODE_LIMIT: ("pull QPS exceeded",),
    Fault.SERVER: (
        "unexpected status from HEAD request to https://reg.io/v2/: 503 Service Unavailable",
        "received unexpected HTTP status: 500 Internal Server Error",
        "pinging container registry reg.io: invalid status code from registry 503 (x)",
    ),
    Fault.BROKEN_SECRET: (
        "unable to parse auth field, must be formatted as base64(username:password)",
        "illegal base64 data at input byte 4",
    ),
    Fault.UNKNOWN: (
        "",
        "open /var/lib/images: permission denied",
        "something new",
    ),
}


@pytest.mark.parametrize(("fault", "text"), [(it, text) for it in TEXTS for text in TEXTS[it]])
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
    def read() -> None:
        shown_words(text, 600)
        fault_of(IMAGE, "ErrImagePull", text)
        nearest_key([text], IMAGE)

    assert processor_seconds(read) < 0.1


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
        return processor_seconds(lambda: fault_of(IMAGE, "ErrImagePull", text))

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
