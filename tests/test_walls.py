"""Who may import whom: the layers of the house, read from the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PURE = {
    "domain": set(),
    "errors": set(),
    "access": {"errors"},
    "resource": {"domain", "metadata"},
    "listing": {"domain", "selectors"},
    "sealing": {"errors"},
    "outcome": {"probe"},
    "records": {"access", "domain", "outcome"},
    "authorities": set(),
    "metadata": {"domain", "errors"},
    "selectors": {"domain", "metadata"},
    "drafts": {"authorities", "domain", "errors", "metadata", "probe"},
    "changelog": {"domain", "selectors"},
    "rates": set(),
    "index": {"access", "changelog", "domain", "listing", "resource", "selectors", "stores"},
    "reading": {
        "access",
        "changelog",
        "domain",
        "errors",
        "index",
        "listing",
        "probe",
        "records",
        "resource",
        "selectors",
        "stores",
    },
    "pulling": {"access", "domain", "errors", "reading", "records", "resource", "stores"},
    "testing": {"access", "domain", "errors", "outcome", "probe", "reading", "records", "resource"},
    "service": {
        "access",
        "changelog",
        "domain",
        "drafts",
        "errors",
        "index",
        "listing",
        "metadata",
        "outcome",
        "probe",
        "pulling",
        "records",
        "resource",
        "stores",
        "testing",
    },
}
"""Modules without Django, and which of our own they may import."""


def imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def outside(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def ours(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path))
    return {parts[1] for parts in names if parts[0] == "registries" and len(parts) > 1}


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_imports_what_it_may(name: str) -> None:
    path = ROOT / "registries" / f"{name}.py"

    assert "django" not in outside(path)
    assert "console" not in outside(path)
    assert ours(path) <= PURE[name]


@pytest.mark.parametrize("path", sources("registries/probe"), ids=lambda path: path.name)
def test_the_probe_knows_nothing_of_ours_but_itself(path: Path) -> None:
    assert not outside(path) & {"django", "console", "kubernetes"}
    assert ours(path) <= {"probe"}


def test_requests_is_the_probes_alone() -> None:
    """And urllib3, which the `kubernetes` package raises through."""
    for path in sources("registries") + sources("console"):
        if "probe" not in path.parts:
            assert not outside(path) & {"requests"}, path
            assert "urllib3" not in outside(path) or "kubernetes" in path.parts, path


def test_kubernetes_is_its_stores_alone() -> None:
    for path in sources("registries") + sources("console"):
        if "kubernetes" not in path.parts:
            assert "kubernetes" not in outside(path), path


@pytest.mark.parametrize("path", sources("registries/stores/kubernetes"), ids=lambda path: path.name)
def test_the_clusters_store_knows_no_django(path: Path) -> None:
    assert not outside(path) & {"django", "console"}
    assert ours(path) <= {"domain", "errors", "resource", "stores"} | (
        {"reviews.py": {"access"}, "images.py": {"probe"}}.get(path.name, set())
    )


def test_a_table_is_written_by_its_owner() -> None:
    owners = {
        "StoredResource": {"embedded.py", "seed.py"},
        "StoreVersion": {"embedded.py"},
        "Tombstone": {"embedded.py"},
        "Grant": {"grants.py", "accounts.py"},
        "ApiToken": {"tokens.py"},
        "VerificationRecord": {"history.py", "seed.py"},
        "Trial": {"trials.py"},
        "Run": {"runs.py", "verify_runs.py"},
        "RunItem": {"runs.py", "delete_runs.py", "verify_runs.py", "verify_drive.py"},
        "TestQuota": {"quota.py"},
        "ApiBucket": {"buckets.py"},
        "Pause": {"pauses.py"},
        "ClusterSession": {"cluster_sessions.py", "cluster_backend.py"},
        "AuditEntry": {"audit.py", "details.py", "journal.py", "seed.py"},
    }
    for path in sources("registries"):
        for name in imports(path):
            if name.startswith("registries.models."):
                assert path.name in owners[name.rpartition(".")[2]], f"{path} imports {name}"


def test_the_project_knows_no_domain() -> None:
    """console/ imports the app only where it starts it."""
    for path in sources("console"):
        assert not ours(path) - {"grants", "wiring"} or path.name == "urls.py", path


@pytest.mark.parametrize("path", sources("registries") + sources("console"), ids=lambda path: path.name)
def test_settings_are_read_where_things_are_built(path: Path) -> None:
    if {"views", "commands", "migrations"} & set(path.parts) or path.name in (
        "wiring.py",
        "probing.py",
        "models.py",
    ):
        return
    if path.parts[-2] == "console":
        return
    assert "django.conf.settings" not in set(imports(path))


def test_the_environment_is_read_by_settings_alone() -> None:
    for path in sources("registries") + sources("console"):
        if path.name in ("settings.py", "__main__.py", "wsgi.py"):
            continue
        assert "os.environ" not in path.read_text(), path


@pytest.mark.parametrize("path", sources("registries") + sources("console"), ids=lambda path: path.name)
def test_a_file_is_no_longer_than_one_can_hold_in_mind(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 350 or "migrations" in path.parts, path


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("path", sources("registries") + sources("console"), ids=lambda path: path.name)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= 45, f"{path}: {function.name} has {length} lines"


@pytest.mark.parametrize("path", sources("registries") + sources("console"), ids=lambda path: path.name)
def test_a_module_says_what_it_owns(path: Path) -> None:
    tree = ast.parse(path.read_text())

    assert ast.get_docstring(tree) or not tree.body or "migrations" in path.parts, path
