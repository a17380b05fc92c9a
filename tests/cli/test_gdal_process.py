"""A process that imports GDAL ends before the command that started it goes on after a stop."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from uploader.cli import gdal_process
from uploader.core.errors import UploaderError


@pytest.mark.parametrize("number", gdal_process.STOPS)
def test_a_stop_that_comes_while_the_process_starts_ends_it(number, tmp_path, monkeypatch):
    """Else it goes on making rasters in a folder that is being removed."""
    started: list[subprocess.Popen] = []

    class Interrupted(subprocess.Popen):
        def _execute_child(self, *arguments):
            super()._execute_child(*arguments)
            started.append(self)
            os.kill(os.getpid(), number)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        gdal_process.run("samples", str(tmp_path))
    (process,) = started
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(number) is before


def test_a_process_that_fails_is_told_with_its_last_line(tmp_path):
    """It names the step and the cause."""
    (tmp_path / "taken").touch()
    with pytest.raises(UploaderError, match=r"The step samples of the demo failed: .*taken"):
        gdal_process.run("samples", str(tmp_path / "taken"))
