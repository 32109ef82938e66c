"""The rules that Prometheus reads are sound, and ask for metrics that there are."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.utils import timezone

from registries import metrics
from registries.domain.registry import VerifyStatus
from registries.probe import Reason, Result
from registries.wiring import services
from tests.api.test_api import TEAM_A
from tests.api.test_metrics import judged, scraped
from tests.cast import Cast

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "monitoring"


def found_promtool() -> str:
    """It comes with all of Prometheus, which is a lot to install for two files of rules."""
    return shutil.which("promtool") or pytest.skip("promtool is missing: apt-get install prometheus")


def rules(folder: Path) -> None:
    """rules.yml as promtool reads it, beside its tests."""
    spec = yaml.safe_load((DEPLOY / "rules.yaml").read_text())["spec"]
    (folder / "rules.yml").write_text(yaml.safe_dump(spec))
    shutil.copy(DEPLOY / "rules_test.yaml", folder)


@pytest.mark.parametrize("command", [["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yaml"]])
def test_promtool_finds_nothing_in_the_rules(tmp_path: Path, command: list[str]) -> None:
    promtool = found_promtool()
    rules(tmp_path)

    done = subprocess.run([promtool, *command], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_nothing_in_the_metrics(cast: Cast) -> None:
    promtool = found_promtool()
    judged(cast, "bad", VerifyStatus.FAILED, "timeout")
    client = cast.api("olive")
    client.get("/metrics")
    text = client.get("/metrics").content

    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_ask_for_metrics_that_there_are(cast: Cast) -> None:
    judged(cast, "bad", VerifyStatus.FAILED, "timeout")
    services().schedule.placing.update(timezone.now())
    client = cast.api("olive")
    client.get(TEAM_A)
    services().metrics.tested(Result(Reason.BAD_CREDENTIALS))
    there = {f"{metrics.PREFIX}_{name}" for name in scraped(client)}
    groups: Any = yaml.safe_load((DEPLOY / "rules.yaml").read_text())["spec"]["groups"]

    asked = {
        name
        for group in groups
        for rule in group["rules"]
        for name in re.findall(r"registry_console_\w+", rule["expr"])
    }

    assert asked <= there


def test_a_burst_after_the_start_is_an_increase(cast: Cast) -> None:
    found = scraped(cast.api("olive"))

    actions = {(labels["action"], labels["outcome"]): value for labels, value in found["actions_total"]}
    assert actions["delete", "ok"] == 0
    refused = [
        v for labels, v in found["test_duration_seconds_count"] if labels["reason"] == "bad_credentials"
    ]
    assert refused == [0]
