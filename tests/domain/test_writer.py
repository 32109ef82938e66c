"""Who wrote an annotation, from managedFields as API servers write them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from registries.domain.writer import LAST_APPLIED, PASSWORD, Writer

NAME = "theriseunion.io/description"
NOON = "2026-11-28T12:00:00Z"


def entry(manager: str, *names: str, time: str | None = NOON) -> dict[str, Any]:
    fields = {"f:metadata": {"f:annotations": {".": {}, **{f"f:{name}": {} for name in names}}}}
    return {"manager": manager, "operation": "Update", "fieldsV1": fields, **({"time": time} if time else {})}


def writer(*entries: dict[str, Any]) -> tuple[str, str] | None:
    found = Writer.of({"metadata": {"managedFields": list(entries)}}, NAME)
    return found and (found.program, found.at.strftime("%H") if found.at else "")


@pytest.mark.parametrize(
    ("manager", "program"),
    [
        ("kubectl", "kubectl"),
        ("kubectl-edit", "kubectl"),
        ("kubectl-annotate", "kubectl"),
        ("kubectl-client-side-apply", "kubectl"),
        ("kubectl-", "kubectl"),
        ("kubectlx", "kubectlx"),
        ("argocd-controller", "Argo CD"),
        ("kustomize-controller", "Flux"),
        ("Helm", "Helm"),
        ("node-fetch", "node-fetch"),
        ("线\u202e上\x00", "线上"),
        ("m" * 128, "m" * 60),
        ("", ""),
    ],
)
def test_the_program_is_named(manager: str, program: str) -> None:
    assert writer(entry(manager, NAME)) == (program, "12")


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([], None),
        ([entry("registry-console", NAME)], None),
        ([entry("registry-console", NAME), entry("kubectl-edit", "other")], None),
        (
            [entry("registry-console", NAME), entry("kubectl-edit", "other", time="2026-11-28T13:00:00Z")],
            None,
        ),
        (
            [entry("kubectl-edit", NAME), entry("registry-console", "other", time="2026-11-28T13:00:00Z")],
            "kubectl",
        ),
        # Two programs that applied the same value own it together.
        ([entry("Helm", NAME), entry("kubectl", NAME, time="2026-11-28T13:00:00Z")], "kubectl"),
        ([entry("Helm", NAME, time=None), entry("kubectl", NAME)], "kubectl"),
        ([entry("Helm", NAME, time="yesterday")], "Helm"),
        # Nobody owns an annotation that was removed: the last writer of anything removed it, perhaps.
        (
            [entry("registry-console", "a"), entry("kubectl-edit", "b", time="2026-11-28T13:00:00Z")],
            "kubectl",
        ),
        ([entry("kubectl-edit", "a"), entry("registry-console", "b", time="2026-11-28T13:00:00Z")], None),
        ([{"manager": "Helm"}], "Helm"),
        ([{"manager": "Helm", "fieldsV1": {"f:spec": {}}}], "Helm"),
    ],
)
def test_of_several_programs_the_last_one_that_owns_it_counts(
    entries: list[dict[str, Any]], found: str | None
) -> None:
    told = writer(*entries)

    assert (told and told[0]) == found


@pytest.mark.parametrize("time", [None, "", "yesterday"])
def test_a_time_that_is_none_is_not_known(time: str | None) -> None:
    found = Writer.of({"metadata": {"managedFields": [entry("Helm", NAME, time=time)]}}, NAME)

    assert found == Writer("Helm", None)


def test_the_time_is_that_of_the_server() -> None:
    found = Writer.of({"metadata": {"managedFields": [entry("Helm", NAME)]}}, NAME)

    assert found == Writer("Helm", datetime(2026, 11, 28, 12, tzinfo=UTC))


def test_a_resource_without_managed_fields_was_written_by_the_console() -> None:
    assert Writer.of({"metadata": {}}, NAME) is None


def of_spec(manager: str, *names: str, operation: str = "Apply") -> dict[str, Any]:
    fields = {"f:spec": {f"f:{name}": {} for name in names}}
    return {"manager": manager, "operation": operation, "fieldsV1": fields, "time": NOON}


@pytest.mark.parametrize(
    ("entries", "notes", "program"),
    [
        ([of_spec("registry-console", "password", "domain", operation="Update")], {}, None),
        ([of_spec("kubectl-edit", "password", operation="Update")], {}, "kubectl"),
        ([of_spec("Python-urllib", "domain"), of_spec("registry-console", "password")], {}, None),
        # It wrote the whole of spec, and will again, although the console wrote the password last.
        ([of_spec("argocd-controller", "domain"), of_spec("registry-console", "password")], {}, "Argo CD"),
        ([of_spec("kustomize-controller", "domain", "username")], {}, "Flux"),
        ([of_spec("helm-controller", "provider"), of_spec("registry-console", "password")], {}, "Flux"),
        ([entry("argocd-controller", NAME), of_spec("registry-console", "password")], {}, None),
        ([of_spec("registry-console", "password")], {LAST_APPLIED: "{}"}, "kubectl"),
        ([], {LAST_APPLIED: "{}"}, "kubectl"),
        ([], None, None),
    ],
)
def test_a_program_that_applies_spec_writes_the_password_again(
    entries: list[dict[str, Any]], notes: dict[str, str] | None, program: str | None
) -> None:
    found = Writer.of({"metadata": {"managedFields": entries, "annotations": notes}}, PASSWORD)

    assert (found.program if found else None) == program
