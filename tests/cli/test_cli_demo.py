"""`uploader demo`: what a stranger types first."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

import uploader
from uploader.cli import compare, samples
from uploader.daemon.control_client import SOCKET

pytestmark = pytest.mark.e2e


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(uploader.__file__).parents[1])}


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a stranger would: no key, no configuration."""
    command = [sys.executable, "-m", "uploader", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=120, check=False)


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end."""
    return call("demo", *arguments)


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def has_ended(process: psutil.Process) -> bool:
    """Whether it is gone, or a zombie that nobody has asked how it ended."""
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def test_every_sample_becomes_an_item(tmp_path):
    """All kinds, all pixels equal, everything kept where it was asked to be, JSON alone on standard output."""
    started = time.monotonic()
    done = demo("--json", "--keep", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["files"] == len(samples.SAMPLES) == len(result["items"])
    assert len({item["id"] for item in result["items"]}) == result["files"]
    assert all(item["name"] for item in result["items"])
    assert (result["rejected"], result["unequal"]) == (0, [])
    assert 0 < result["seconds"] < time.monotonic() - started
    assert "passthrough" in {item["method"] for item in result["items"]}
    assert {"drop", "state", "platform"} <= {path.name for path in (tmp_path / "kept").iterdir()}
    assert "All 9 stored objects equal their sources in every pixel." in done.stderr
    config = next(line.split()[-1] for line in done.stderr.splitlines() if " status -c " in line)
    assert "0 pending, 9 completed" in call("status", "-c", config).stdout


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    """A sentence instead of a mess."""
    (tmp_path / "mine.txt").touch()
    done = demo("--keep", str(tmp_path))
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_comparison_sees_a_single_pixel(tmp_path):
    """Its word is worth something only if it can say no."""
    one, two = tmp_path / "one.tif", tmp_path / "two.tif"
    samples.palette(one)
    samples.palette(two)
    assert compare.difference(str(one), str(two)) == ""
    with compare.rasterio.open(two, "r+") as target:
        band = target.read(1)
        band[1023, 1023] += 1
        target.write(band, 1)
    assert "pixels differ" in compare.difference(str(one), str(two))
    samples.palette(two)
    with compare.rasterio.open(two, "r+") as target:
        target.nodata = 3
    assert compare.difference(str(one), str(two)).startswith("nodata")


def test_a_killed_demo_goes_on_where_it_was(tmp_path):
    """What a person types who has just tried the promise: kill -9, then the same again."""
    kept = tmp_path / "kept"
    command = [sys.executable, "-m", "uploader", "demo", "--keep", str(kept)]
    running = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for((kept / "state" / "journal.sqlite").exists)
    time.sleep(2)
    running.send_signal(signal.SIGKILL)
    running.wait()
    done = demo("--json", "--keep", str(kept))
    assert done.returncode == 0, done.stderr
    assert "Going on" in done.stderr
    result = json.loads(done.stdout)
    assert len({item["id"] for item in result["items"]}) == len(samples.SAMPLES)


def test_a_demo_that_is_told_to_end_leaves_nothing_behind(tmp_path):
    """Neither the child that makes its rasters nor a folder of its own; and it says how another one could go on."""
    running = subprocess.Popen(
        [sys.executable, "-m", "uploader", "demo"],
        env={**ENVIRONMENT, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(psutil.Process(running.pid).children)
    (child,) = psutil.Process(running.pid).children()
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "Interrupted. Nothing of it was kept; with --keep DIR" in said
    wait_for(lambda: has_ended(child), 10)
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_is_told_to_end_tells_no_result(tmp_path):
    """What was not looked at is not told as missing."""
    command = [sys.executable, "-m", "uploader", "demo", "--keep", str(tmp_path / "kept")]
    running = subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    wait_for((tmp_path / "kept" / "state" / SOCKET).exists)  # then the daemon listens to signals
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "Finishing what is being sent; Ctrl-C again ends at once.\n" in said
    assert said.endswith("goes on where this one ended.\n")
    assert "rasters became items" not in said
    assert "not found" not in said


@pytest.mark.parametrize("pieces", [0, 3])
def test_a_demo_killed_while_it_makes_its_rasters_makes_them_anew(tmp_path, pieces):
    """At any moment, also before the first raster; the child that makes them ends with it, and writes no more."""
    kept = tmp_path / "kept"
    command = [sys.executable, "-m", "uploader", "demo", "--keep", str(kept)]
    for enough in (lambda: len(list(kept.rglob("*.tif"))) >= pieces, (kept / "samples.json").exists):
        assert not (kept / "samples.json").exists()
        running = subprocess.Popen(
            command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(lambda enough=enough: kept.exists() and enough())
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert len(list((kept / "drop").rglob("*.tif"))) == len(samples.SAMPLES)
    assert [path.name for path in kept.glob("making-*")] == []
