"""`uploader demo`: what a stranger types first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import uploader
from uploader.cli import compare, samples

pytestmark = pytest.mark.e2e


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as a stranger would: no key, no configuration."""
    environment = {**os.environ, "PYTHONPATH": str(Path(uploader.__file__).parents[1])}
    command = [sys.executable, "-m", "uploader", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_every_sample_becomes_an_item(tmp_path):
    """All kinds, all pixels equal, everything kept where it was asked to be, JSON alone on standard output."""
    done = demo("--json", "--keep", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["files"] == len(samples.SAMPLES) == len(result["items"])
    assert len({item["id"] for item in result["items"]}) == result["files"]
    assert all(item["name"] for item in result["items"])
    assert (result["rejected"], result["unequal"]) == (0, [])
    assert 0 < result["seconds"] < 60
    assert "passthrough" in {item["method"] for item in result["items"]}
    assert {"drop", "state", "platform"} <= {path.name for path in (tmp_path / "kept").iterdir()}
    assert "equal their sources in every pixel" in done.stderr


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
