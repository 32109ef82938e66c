"""What the Pods of a test from a node prove, without a cluster: every pair of answers, early and late."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registries.domain.registry import Key, Provider, RegistrySecret, Verification, VerifyStatus
from registries.pull_secrets.explain import Code
from registries.pull_secrets.kinds import PullSecret, is_object_name
from registries.pull_secrets.node_pods import _node
from registries.pull_secrets.node_test import (
    NO_SECRET,
    PATIENCE,
    REPOSITORY_MAX,
    NodePod,
    Outcome,
    image_of,
    judge,
    pod_name,
)
from registries.words.node_tests import node_result

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EARLY, LATE = NOW - timedelta(seconds=5), NOW - PATIENCE - timedelta(seconds=1)
HOST = "harbor.example.com"
REGISTRY = RegistrySecret(Key("team-a", "harbor"), "r", "1", NOW, HOST, "u", Provider.HARBOR)


IMAGE = f"{HOST}/project/app:console-test-0"


def pod(
    state: dict[str, Any], created: datetime = EARLY, *, control: bool = False, phase: str = ""
) -> NodePod:
    name, said = pod_name("0", control=control), "Evicted too full"
    secrets = (NO_SECRET if control else "harbor",)
    return NodePod(name, "u", "r", "edge-07", IMAGE, control, created, state, phase, said, secrets)


def waits(message: str, reason: str = "ErrImagePull") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


NOT_THERE = waits("rpc error: code = NotFound desc = failed to pull: not found")
DENIED = waits("pull access denied, repository does not exist: insufficient_scope: authorization failed")
REFUSED = waits(f"pulling from host {HOST} failed with status code [manifests t]: 401 Unauthorized")
BY_MIRROR = waits("pulling from host mirror:5000 failed with status code [manifests t]: 401 Unauthorized")
UNTRUSTED = waits("x509: certificate signed by unknown authority")
TIMEOUT = waits("dial tcp 10.0.0.1:443: i/o timeout")
LIMIT = waits("429 Too Many Requests")
BACKS_OFF = waits('Back-off pulling image "x"', "ImagePullBackOff")
STARTS = waits("", "ContainerCreating")
RUNS = {"running": {}}
NOTHING: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("tested", "control", "early", "late"),
    [
        (NOT_THERE, REFUSED, Outcome.ACCEPTED, Outcome.ACCEPTED),
        (NOT_THERE, DENIED, Outcome.ACCEPTED, Outcome.ACCEPTED),
        (NOT_THERE, NOT_THERE, Outcome.OPEN, Outcome.OPEN),
        (RUNS, RUNS, Outcome.OPEN, Outcome.OPEN),
        (RUNS, REFUSED, Outcome.ACCEPTED, Outcome.ACCEPTED),
        (NOT_THERE, TIMEOUT, Outcome.UNPROVEN, Outcome.UNPROVEN),
        (NOT_THERE, LIMIT, Outcome.UNPROVEN, Outcome.UNPROVEN),
        (NOT_THERE, BY_MIRROR, Outcome.UNPROVEN, Outcome.UNPROVEN),
        (NOT_THERE, STARTS, Outcome.WAITING, Outcome.UNPROVEN),
        (NOT_THERE, BACKS_OFF, Outcome.WAITING, Outcome.UNPROVEN),
        (NOT_THERE, None, Outcome.UNPROVEN, Outcome.UNPROVEN),
        (REFUSED, STARTS, Outcome.EXPLAINED, Outcome.EXPLAINED),
        (REFUSED, NOT_THERE, Outcome.EXPLAINED, Outcome.EXPLAINED),
        (DENIED, REFUSED, Outcome.EXPLAINED, Outcome.EXPLAINED),
        (UNTRUSTED, STARTS, Outcome.EXPLAINED, Outcome.EXPLAINED),
        (TIMEOUT, TIMEOUT, Outcome.EXPLAINED, Outcome.EXPLAINED),
        (BACKS_OFF, REFUSED, Outcome.WAITING, Outcome.EXPLAINED),
        (STARTS, REFUSED, Outcome.WAITING, Outcome.SILENT),
        (NOTHING, NOTHING, Outcome.WAITING, Outcome.SILENT),
    ],
)
def test_every_pair_of_answers(
    tested: dict[str, Any], control: dict[str, Any] | None, early: Outcome, late: Outcome
) -> None:
    for created, expected in ((EARLY, early), (LATE, late)):
        pods = [pod(tested, created)] + ([pod(control, created, control=True)] if control is not None else [])

        assert judge(pods, REGISTRY, PullSecret.READY, NOW).outcome is expected


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (REFUSED, Code.CREDENTIAL_UNTESTED),
        (DENIED, Code.DENIED),
        (BY_MIRROR, Code.MIRROR),
        (UNTRUSTED, Code.CERTIFICATE),
        (TIMEOUT, Code.NETWORK),
        (LIMIT, Code.RATE_LIMIT),
    ],
)
def test_a_failure_is_explained_as_that_of_any_pod(state: dict[str, Any], code: Code) -> None:
    found = judge([pod(state)], REGISTRY, PullSecret.READY, NOW)

    assert found.explanation
    assert found.explanation.code is code


def test_a_pod_that_the_node_ends_has_the_reason() -> None:
    found = judge([pod(NOTHING, phase="Failed")], REGISTRY, PullSecret.READY, NOW)

    assert (found.outcome, found.message) == (Outcome.STOPPED, "Evicted too full")


def test_without_pods_there_is_no_result() -> None:
    assert judge([], REGISTRY, None, NOW).outcome is Outcome.GONE
    assert judge([pod(NOT_THERE, control=True)], REGISTRY, None, NOW).outcome is Outcome.GONE


@pytest.mark.parametrize(
    ("control", "changed"),
    [
        (control, changed)
        for control in (False, True)
        for changed in (
            {"image": f"mirror.corp.example/{HOST}/project/app:console-test-0"},
            {"image": "mirror.corp.example/project/app:console-test-0"},
            {"image": f"{HOST}/project/app:1"},
            {"image": f"{HOST}/project/app:console-test-1"},
            {"image": f"{HOST}@sha256:{'0' * 64}"},
            {"secrets": ()},
            {"secrets": ("theirs",)},
            {"secrets": ("harbor", NO_SECRET)},
        )
    ],
)
def test_a_pod_that_a_rule_of_the_cluster_changed_proves_nothing(
    control: bool, changed: dict[str, Any]
) -> None:
    pods = [pod(NOT_THERE), pod(REFUSED, control=True)]
    pods[control] = replace(pods[control], **changed)

    found = judge(pods, REGISTRY, PullSecret.READY, NOW)

    assert (found.outcome, found.pod, found.node) == (Outcome.CHANGED, pods[control], "edge-07")
    shown = node_result(found, REGISTRY)
    assert (shown.image, shown.secrets) == (pods[control].image, pods[control].secrets)
    assert "registry-console/node-test" in str(shown.hint)


def test_more_pull_secrets_count_where_the_control_is_accepted() -> None:
    """A webhook gives every Pod the secret of a mirror, or one of this registry."""
    right, refused, open_ = (
        replace(it, secrets=(*it.secrets, "of-all-pods"))
        for it in (pod(NOT_THERE), pod(REFUSED, control=True), pod(NOT_THERE, control=True))
    )

    assert judge([right, refused], REGISTRY, PullSecret.READY, NOW).outcome is Outcome.ACCEPTED
    assert judge([right, open_], REGISTRY, PullSecret.READY, NOW).outcome is Outcome.CHANGED


def test_console_and_node_are_compared_where_they_disagree() -> None:
    untrusted = judge([pod(UNTRUSTED)], REGISTRY, PullSecret.READY, NOW)
    fine = judge([pod(NOT_THERE), pod(REFUSED, control=True)], REGISTRY, PullSecret.READY, NOW)
    tested = (VerifyStatus.SUCCESS, VerifyStatus.FAILED)
    connected, failed = (replace(REGISTRY, verification=Verification(it)) for it in tested)

    assert node_result(untrusted, connected).sentence
    assert node_result(fine, failed).sentence
    assert node_result(untrusted, failed).sentence == node_result(fine, connected).sentence == ""

    refused = judge([pod(REFUSED)], connected, PullSecret.READY, NOW)
    assert refused.explanation
    assert refused.explanation.code in (Code.CREDENTIAL_GOOD, Code.CREDENTIAL_OLD)
    assert node_result(refused, connected).sentence == "", "its reason says it"


def test_an_error_that_proves_a_pull_is_called_expected() -> None:
    fine = judge([pod(NOT_THERE), pod(REFUSED, control=True)], REGISTRY, PullSecret.READY, NOW)
    wrong = judge([pod(UNTRUSTED), pod(REFUSED, control=True)], REGISTRY, PullSecret.READY, NOW)
    assert [node_result(it, REGISTRY).expected for it in (fine, wrong)] == [True, False]


@pytest.mark.parametrize("repository", ["a", "library/nginx", "a/b/c", "a-b/c_d.e", "a" * REPOSITORY_MAX])
def test_repositories(repository: str) -> None:
    assert image_of(REGISTRY, repository, "0") == f"{HOST}/{repository}:console-test-0"


@pytest.mark.parametrize(
    "repository",
    [
        *(
            "",
            " ",
            "a b",
            "A/b",
            "a:1",
            "a@sha256",
            "../a",
            "a//b",
            "/a",
            "a/",
            "https://a",
            "a\nb",
            "a?b",
            "仓库",
        ),
        *("a" * (REPOSITORY_MAX + 1), "a/" * 200 + "a"),
    ],
)
def test_what_is_no_repository(repository: str) -> None:
    assert image_of(REGISTRY, repository, "0") is None


@pytest.mark.parametrize(
    ("name", "valid"),
    [(it, True) for it in ("a", "edge-07", "ip-10-0-0-1.ec2.internal", "a" * 253)]
    + [(it, False) for it in ("", "Edge", "a/../b", "-a", "a-", "a b", "a\n", "节点", "a" * 254, "a,b=c")],
)
def test_names_of_nodes(name: str, *, valid: bool) -> None:
    assert is_object_name(name) is valid


@pytest.mark.parametrize(
    ("reported", "labelled", "shown"),
    [
        ("arm64", "", "arm64"),
        ("arm", "", "arm"),
        ("x86_64", "", "amd64"),
        ("", "riscv64", "riscv64"),
        ("<b>" * 300_000, "s390x", "s390x"),
        ("amd64\u202e<script>", "", ""),
        (7, {"a": "b"}, ""),
    ],
)
def test_a_node_cannot_choose_the_text_of_its_architecture(
    reported: object, labelled: object, shown: str
) -> None:
    item = {
        "metadata": {"name": "edge-1", "labels": {"kubernetes.io/arch": labelled}},
        "status": {"nodeInfo": {"architecture": reported}},
    }

    assert _node(item, ()).architecture == shown
