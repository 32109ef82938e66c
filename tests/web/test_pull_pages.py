"""Parts of the pages of pull secrets and of tests from nodes, from what their views give them."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils.translation import override

from registries.domain.registry import Key, Provider, RegistrySecret
from registries.pull_secrets.node_test import Outcome
from registries.pull_secrets.scan import Finding, Scanned
from registries.web.pulls import secret_scan
from registries.web.pulls.adopt import add_url
from registries.words import labels
from registries.words.names import named
from registries.words.node_tests import OUTCOMES, NodeResult
from registries.words.pull_secrets import FINDINGS, UNREAD_LOCAL

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def part(template: str, language: str = "en", **values: Any) -> str:
    with override(language):
        return " ".join(render_to_string(template, {"namespaces": ["team-a"], **values}).split())


def test_a_result_of_the_console_that_is_too_old_is_marked() -> None:
    console = labels.status(
        RegistrySecret(Key("team-a", "own"), "r", "1", NOW, "own.example.com", "u", Provider.HARBOR)
    )
    shown = [part("registry/_console_verdict.html", console=console, stale=it) for it in (True, False)]
    assert ["Test again." in it for it in shown] == [True, False]


def test_the_image_of_a_changed_pod_is_apart_from_its_pull_secrets() -> None:
    result = NodeResult(OUTCOMES[Outcome.CHANGED], "edge-1", "", image="mirror/a:1", secrets=("one", "two"))
    text = part("registry/_node_verdict.html", result=result, several=True)
    assert 'Image: <span class="mono">mirror/<wbr>a<wbr>:1</span>' in text
    assert 'Pull secrets: <span class="mono">one, two</span>' in text


@pytest.mark.parametrize("by_cluster", [True, False])
def test_a_secret_that_was_not_read_has_the_reason_that_applies(
    by_cluster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_scan, "services", lambda: SimpleNamespace(by_cluster=by_cluster))
    scanned = Scanned(Key("team-a", "theirs"), (), (Finding.UNREAD,))
    wanted = FINDINGS[Finding.UNREAD].hint if by_cluster else UNREAD_LOCAL
    assert secret_scan._reason(Finding.UNREAD, scanned) == named({}, wanted)


@pytest.mark.parametrize(
    ("may_add", "text"), [(True, "Add a registry"), (False, "Ask an image-admin of <code")]
)
def test_a_person_who_may_not_add_a_registry_is_told_whom_to_ask(may_add: bool, text: str) -> None:
    scanned = Scanned(Key("team-a", "gone"), (), (Finding.MISSING,))
    with override("en"):
        assert secret_scan._reason(Finding.MISSING, scanned, may_add=may_add).startswith(text)


@pytest.mark.parametrize(("namespace", "title"), [("", "in use"), ("team-a", "in use in team-a")])
def test_an_empty_scan_names_its_namespace_and_is_no_success(namespace: str, title: str) -> None:
    shown = part("pulls/_secret_scan.html", namespace=namespace)
    assert f"<h2>No pull secret {title}</h2>" in shown
    assert "#circle-check" not in shown


@pytest.mark.parametrize(
    ("by_cluster", "who"), [(True, "You are not allowed"), (False, "The console is not allowed")]
)
def test_the_namespaces_whose_pods_were_not_read_are_counted(by_cluster: bool, who: str) -> None:
    unread = {"unread": ["team-a"], "unread_more": 2, "unread_all": 3, "by_cluster": by_cluster}

    shown = part("pulls/_pull_failures.html", **unread)

    assert f"<strong>{who} to list pods in 3 namespaces.</strong>" in shown
    assert 'team-a</span></span>, <span class="unbroken">and 2 more' in shown, "only names are in monospace"


@pytest.mark.parametrize(("namespace", "title"), [("", "No pod waits"), ("team-a", "No pod in team-a waits")])
def test_an_empty_list_of_failures_names_its_namespace(namespace: str, title: str) -> None:
    assert f"<h2>{title} for an image</h2>" in part("pulls/_pull_failures.html", namespace=namespace)


@pytest.mark.parametrize(
    ("host", "user", "provider"),
    [
        ("docker.io", "shop", "dockerhub"),
        ("x.example.com", "shop", "other"),
        ("x.example.com", "robot$shop", "harbor"),
    ],
)
def test_the_form_for_a_credential_of_a_secret_has_the_likely_provider(
    host: str, user: str, provider: str
) -> None:
    assert f"provider={provider}&" in add_url(Key("team-a", "theirs"), host, user)
