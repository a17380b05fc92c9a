"""The rules for Prometheus in docs/alerts.yml: what they name exists, and promtool finds that they do what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from uploader.core.alarms import AT_ONCE, PATIENCE
from uploader.core.model import HoldCause
from uploader.report.metrics import FAMILIES

pytestmark = pytest.mark.unit

RULES = Path(__file__).parents[2] / "docs/alerts.yml"
PLAYED = Path(__file__).with_name("alerts_test.yml")
FOUND = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(FOUND is None, reason="promtool is not installed (Debian: prometheus)")


def promtool(*arguments: str, cwd: Path) -> str:
    """What it says, once it is content."""
    done = subprocess.run([FOUND or "", *arguments], capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_name_what_there_is() -> None:
    """Metrics by their names, causes by theirs; what a person must end is told at once here, too."""
    text = RULES.read_text()
    names = {f"uploader_{family.name}{'_total' * family.grows}" for family in FAMILIES}
    causes = [set(words.split("|")) for words in re.findall(r'cause!?[=~]+"([^"]*)"', text)]
    at_once = {cause.value for cause, seconds in PATIENCE.items() if seconds == AT_ONCE}

    assert set(re.findall(r"\buploader_\w+", text)) <= names
    assert set().union(*causes) <= {cause.value for cause in HoldCause}
    assert at_once - {"stalled"} in causes


@needs_promtool
def test_promtool_can_read_them(tmp_path: Path) -> None:
    """As a server would when it starts."""
    assert "SUCCESS" in promtool("check", "rules", str(RULES), cwd=tmp_path)


@needs_promtool
def test_each_rule_alarms_when_it_should_and_only_then(tmp_path: Path) -> None:
    """Played by promtool: an hour in which all is well, and a day in which nothing is."""
    shutil.copy(RULES, tmp_path / "alerts.yml")
    shutil.copy(PLAYED, tmp_path / "played.yml")
    assert "SUCCESS" in promtool("test", "rules", "played.yml", cwd=tmp_path)
    played = set(re.findall(r"alertname: (\w+)\n", PLAYED.read_text()))
    assert played == set(re.findall(r"alert: (\w+)", RULES.read_text()))
