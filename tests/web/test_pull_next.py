"""The next step for images that no credential helps."""

import pytest
from django.template.loader import render_to_string
from django.utils.translation import override

from registries.domain.registry import RegistrySecret
from registries.pull_secrets.explain import Code, Explanation, Waiting
from registries.pull_secrets.failing import FailingPod
from registries.service.pull_failures import Failure
from registries.web.pulls.pull_failures import _group
from registries.web.pulls.pull_steps import steps_for
from registries.web.pulls.step import BARE, Accounts, Step, restart
from registries.words.names import named
from registries.words.pull_failures import NEXT
from tests.cast import Cast


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("code", NEXT)
def test_says_what_to_do_about_the_image(cast: Cast, code: Code, *, known: bool) -> None:
    """The page of the registry would not help, and neither would the events of the pod."""
    registry: RegistrySecret | None = cast.add() if known else None
    waiting = Waiting("app", "harbor.example.com/team/app:1.0", "ErrImagePull", "")
    pod = FailingPod("team-a", "app-0", "default", (), (waiting,))
    explanation = Explanation(code, "harbor.example.com", registry=registry.key if registry else None)

    with override("en"):
        (step,) = steps_for([Failure(pod, waiting, explanation)], cast.access("olive"), Accounts())

        assert step.hint == named({}, NEXT[code])
    assert (step.url, step.command) == ("", "")


@pytest.mark.parametrize(
    ("person", "text", "button"),
    [
        ("olive", "Change the address of the registry %s to %s, or add", "Correct and create again"),
        ("vic", "The address of the registry %s is not the host of the image, %s.", "Open registry Harbor"),
    ],
)
def test_a_registry_with_another_address_is_named_with_the_host(
    cast: Cast, person: str, text: str, button: str
) -> None:
    registry, host = cast.add(display_name="Harbor"), "other.example.com:8443"
    waiting = Waiting("app", f"{host}/app:1.0", "ErrImagePull", "")
    pod = FailingPod("team-a", "app-0", "default", (), (waiting,))
    explanation = Explanation(Code.NO_MATCH, host, registry=registry.key)

    with override("en"):
        (step,) = steps_for([Failure(pod, waiting, explanation)], cast.access(person), Accounts())

    code = '<code class="unbroken">%s</code>'
    assert step.hint.startswith(text % (code % registry.name, code % host))
    assert step.text == button


@pytest.mark.parametrize(("person", "posts"), [("omar", True), ("vic", False)])
@pytest.mark.parametrize("code", [Code.CREDENTIAL_UNTESTED, Code.CREDENTIAL_OLD, Code.CREDENTIAL_UNPROVEN])
def test_a_credential_that_is_not_proven_is_tested(
    cast: Cast, code: Code, person: str, *, posts: bool
) -> None:
    registry = cast.add()
    waiting = Waiting("app", "harbor.example.com/app:1.0", "ErrImagePull", "")
    pod = FailingPod("team-a", "app-0", "default", (), (waiting,))
    explanation = Explanation(code, "harbor.example.com", secret=registry.name, registry=registry.key)

    (step,) = steps_for([Failure(pod, waiting, explanation)], cast.access(person), Accounts())

    assert (step.posts, step.url.endswith("/verify/")) == (posts, posts)


def test_a_missing_image_or_platform_has_a_step() -> None:
    assert {Code.IMAGE_MISSING, Code.PLATFORM_MISSING} <= NEXT.keys()


def test_a_group_counts_pods_and_lists_the_containers_of_each(cast: Cast) -> None:
    explanation, failures = Explanation(Code.IMAGE_MISSING, "harbor.example.com"), []
    for name in ("a", "a", "b"):
        waiting = Waiting(f"app-{len(failures)}", "harbor.example.com/app:1.0", "ErrImagePull", "")
        failures.append(Failure(FailingPod("team-a", name, "default", (), (waiting,)), waiting, explanation))

    group = _group(failures, cast.access("olive"), Accounts())

    assert group.pods == [("a", ["app-0", "app-1"]), ("b", ["app-2"])]
    assert (group.count, group.more) == (2, 0)


@pytest.mark.parametrize(
    ("step", "items"),
    [
        (Step("Bind", "/bind/", posts=True, hint="Bind it.", command="delete"), ["Bind it.", "delete"]),
        (Step(hint="Use it.", command="patch", look="get", last="gone"), ["get", "Use it.", "gone"]),
        (Step("Open", "/open/", hint="Name it.", command="patch"), []),
        (Step("Test", "/test/", posts=True, hint="Test it."), []),
    ],
)
def test_several_steps_are_numbered_each_with_its_command(step: Step, items: list[str]) -> None:
    shown = render_to_string("pulls/_pull_step.html", {"step": step.with_commands([step.command])})

    parts = shown.split("<li>")[1:]
    assert len(parts) == len(items) == shown.count("</li>")
    assert all(text in part for text, part in zip(items, parts, strict=True))
    assert ("<ol" in shown) == bool(items)
    assert "form-text" not in shown, "steps have the size of what one reads"


@pytest.mark.parametrize(("forced", "posts"), [(True, True), (True, False), (False, True)])
def test_a_command_that_makes_a_pod_without_a_workload_again_says_so(forced: bool, posts: bool) -> None:
    command = restart("team-a", (BARE if forced else "Deployment", "web"), "web-0")
    step = Step("Bind", "/bind/", posts=posts, hint="Bind it.", command=command).with_commands([command])

    with override("en"):
        shown = render_to_string("pulls/_pull_step.html", {"step": step})

    assert ("Where no workload made a pod, the command deletes it" in shown) is (forced and posts)
