"""`uploader run`: what it says when it begins and ends. What it does is for the tests of the daemon."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit


def test_it_says_what_it_watches_what_is_missing_and_how_it_ended(tmp_path):
    """An empty terminal would leave a person guessing; a missing key is told before the first file waits for it."""
    (tmp_path / "drop").mkdir()
    config = tmp_path / "config.toml"
    config.write_text(
        'state_dir = "state"\n[platform]\nbase_url = "http://127.0.0.1:9"\n'
        '[[folders]]\npath = "drop"\nproject_id = "p-1"\n[dashboard]\nlisten = ""\n'
    )
    command = [sys.executable, "-m", "uploader", "run", "-c", str(config), "--until-idle"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={"PATH": ""})
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert f"drop folder={tmp_path / 'drop'} project=p-1 after_upload=keep" in done.stderr
    assert "nothing can be uploaded yet: There is no API key." in done.stderr
    assert "stopped: 0 pending, 0 completed" in done.stderr
    assert "dashboard" not in done.stderr
