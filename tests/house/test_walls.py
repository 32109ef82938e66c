"""What import-linter cannot see: tables and their owners, who reads settings and the environment, sizes.

Who may import whom is in pyproject.toml, [tool.importlinter].
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 310
LONGEST_FUNCTION = 45
FLAT_MODULES = {"__init__", "addresses", "apps", "intake", "limits", "metrics", "models", "urls"}
OWNERS = {
    "StoredResource": {"stores/embedded.py", "stores/embedded_reads.py", "demo/seed.py"},
    "StoreVersion": {"stores/embedded.py", "stores/embedded_reads.py"},
    "StoreChange": {"stores/embedded.py", "stores/embedded_reads.py"},
    "DeletedRegistry": {
        *("stores/trash.py", "runs/clean_up.py", "schedule/moving.py"),
        "audit/search.py",
    },
    "Grant": {"people/grants.py", "people/accounts.py"},
    "ApiToken": {"people/tokens.py"},
    "VerificationRecord": {
        *("runs/clean_up.py", "verification/history.py", "demo/past.py", "schedule/moving.py"),
    },
    "Trial": {"runs/single.py"},
    "Run": {
        f"runs/{it}.py"
        for it in ("clean_up", "engine", "execution", "heartbeat", "owned", "run", "rotation_rows")
    },
    "RunItem": {
        "schedule/moving.py",
        *(f"runs/{it}.py" for it in ("clean_up", "kinds", "engine", "execution", "run", "rotation_rows")),
    },
    "SyncRule": {"sync/rows.py"},
    "SyncCopy": {"sync/rows.py"},
    "Rotation": {"runs/rotation_rows.py"},
    "RotationTarget": {"runs/rotation_rows.py"},
    "ApiBucket": {"limits.py"},
    "Pause": {"limits.py"},
    "ScheduledCredential": {
        *("web/registry/watched.py", "demo/past.py"),
        *(
            f"schedule/{name}.py"
            for name in ("rows", "claims", "joining", "placing", "intervals", "network", "telling", "recent")
        ),
    },
    "ScheduledRegistry": {
        "demo/past.py",
        *(
            f"schedule/{it}.py"
            for it in (
                "rows",
                "claims",
                "joining",
                "placing",
                "resource_verdicts",
                "intervals",
                "network",
                "sweep",
                "telling",
                "recent",
            )
        ),
    },
    "CheckInterval": {
        *("schedule/intervals.py", "schedule/placing.py", "schedule/moving.py", "runs/clean_up.py"),
    },
    "ExpiryNotice": {"schedule/expiry.py", "schedule/moving.py"},
    "StateChange": {
        "web/registry/watched.py",
        *(f"schedule/{name}.py" for name in ("rows", "silences", "telling", "recent", "moving")),
        "runs/clean_up.py",
    },
    "DayRecord": {
        *("web/registry/watched.py", "schedule/days.py", "schedule/moving.py", "runs/clean_up.py"),
    },
    "NetworkIncident": {"schedule/network.py", "schedule/telling.py", "runs/clean_up.py"},
    "Silence": {
        "runs/clean_up.py",
        "schedule/silences.py",
        "schedule/moving.py",
        "web/administration/channels.py",
        "web/administration/silences.py",
    },
    "ClusterSession": {"people/cluster_sessions.py", "log_in/backend.py"},
    "Mirror": {"mirrors/listing.py"},
    "Channel": {"events/channels.py", "events/outbox.py", "events/sender.py"},
    "Delivery": {"events/outbox.py"},
    "DeliveryItem": {"events/outbox.py"},
    "AuditEntry": {
        *(
            "audit/log.py",
            "audit/search.py",
            "runs/clean_up.py",
            "words/journal.py",
            "web/registry/details.py",
        ),
        *("web/journal/journal.py", "web/journal/journal_export.py"),
        *("demo/seed.py", "demo/past.py"),
    },
}
"""The modules that may import a table."""
READ_SETTINGS = {"log_in", "web", "management", "api", "models", "wiring"}
"""Rooms that may read Django's settings, beside the flat modules and the prober."""


def imports(path: Path) -> Iterator[str]:
    """Absolute dotted names that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources() -> list[tuple[str, Path]]:
    """Every source file but migrations, by its path below registries/ or console/."""
    found = [
        (path.relative_to(ROOT / folder).as_posix(), path)
        for folder in ("registries", "console")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    ]
    assert len(found) > 150
    return found


def test_registries_has_few_flat_modules() -> None:
    assert {path.stem for path in (ROOT / "registries").glob("*.py")} <= FLAT_MODULES


def test_a_table_is_written_by_its_owner() -> None:
    for place, path in sources():
        for name in imports(path):
            if name.startswith("registries.models."):
                assert place in OWNERS[name.rpartition(".")[2]], f"{place} imports {name}"


def test_settings_are_read_where_things_are_built() -> None:
    for place, path in sources():
        flat_or_project = "/" not in place or path.is_relative_to(ROOT / "console")
        if flat_or_project or place == "verification/prober.py" or place.split("/")[0] in READ_SETTINGS:
            continue
        assert "django.conf.settings" not in set(imports(path)), place


def test_the_environment_is_read_by_settings_alone() -> None:
    for place, path in sources():
        if path.name not in ("settings.py", "__main__.py", "wsgi.py"):
            assert "os.environ" not in path.read_text(), place


def test_a_file_is_short() -> None:
    for place, path in sources():
        assert len(path.read_text().splitlines()) <= MOST_LINES, place


def test_a_function_fits_on_a_screen() -> None:
    for place, path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{place}: {node.name} has {length} lines"


def test_a_module_has_a_docstring() -> None:
    for place, path in sources():
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree) or not tree.body, place
