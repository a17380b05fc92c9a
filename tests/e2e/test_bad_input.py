"""Bad input of every kind gets one clear sentence with the way out, and nothing else is held up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e


def test_bad_files_are_rejected_alone(make_world: Callable[..., World]) -> None:
    """Text, nothing, half a file: each is rejected with its reason, and the good one passes at once."""
    w = make_world()
    make("dem_nodata", w.drop / "good.tif", size=200)
    data = (w.drop / "good.tif").read_bytes()
    (w.drop / "text.tif").write_text("<html>not a raster, whatever its name says</html>")
    (w.drop / "empty.tif").write_bytes(b"")
    (w.drop / "half.tif").write_bytes(data[: len(data) // 2])
    with w.daemon():
        w.wait(lambda: len(w.audit().items) == 1, "the good one")
        w.wait(lambda: w.status()["rejected"] == 3, "three rejections")

    reasons = {failure["path"].rpartition("/")[2]: failure["reason"] for failure in w.status()["failed"]}
    assert "not a TIFF" in reasons["text.tif"]
    assert "Listed in `passthrough` of its folder" in reasons["text.tif"]
    assert "empty" in reasons["empty.tif"]
    assert "ends too early" in reasons["half.tif"]
    assert w.problems() == []


def test_a_mended_file_is_taken_by_itself_and_by_retry(make_world: Callable[..., World]) -> None:
    """A change starts anew; `retry` takes up what did not change."""
    w = make_world()
    (w.drop / "a.tif").write_text("no raster")
    w.until_idle(check=1)
    make("dem_nodata", w.drop / "a.tif", size=64)
    w.until_idle()
    (w.drop / "b.tif").write_text("no raster either")
    w.until_idle(check=1)

    assert w.status()["rejected"] == 1
    assert "1 file will be tried again" in w.command("retry", "-c", str(w.config), "--all", check=0).stdout
    assert w.status()["files"]["settling"] == 1
    assert len(w.audit().items) == 1


def test_an_unreadable_file_is_told(make_world: Callable[..., World]) -> None:
    """A file without read rights is rejected with the way out, and taken when the rights are mended."""
    w = make_world()
    source = make("dem_nodata", w.drop / "a.tif", size=64)
    source.chmod(0)
    caps = "-dac_override,-dac_read_search"  # without these, root is stopped by file rights as everybody is
    prefix = ["setpriv", "--bounding-set", caps, "--inh-caps", caps] if os.geteuid() == 0 else []

    done = w.until_idle(check=1, prefix=prefix)

    assert "Traceback" not in done.stderr
    (failure,) = w.status()["failed"]
    assert "ermission" in failure["reason"] or "read" in failure["reason"]
    source.chmod(0o644)
    w.until_idle(prefix=prefix)
    assert len(w.audit().items) == 1


def test_a_missing_folder_is_a_hold(make_world: Callable[..., World]) -> None:
    """The other folder goes on; the missing one is taken up when it appears."""
    w = make_world()
    w.folders.append({"path": str(w.root / "absent"), "project_id": "p-1"})
    w.write_config()
    make("dem_nodata", w.drop / "a.tif", size=64)

    w.until_idle(check=1)

    (hold,) = w.status()["holds"]
    assert (hold["scope"], hold["subject"]) == ("folder", str(w.root / "absent"))
    assert "missing" in hold["reason"]
    (w.root / "absent").mkdir()
    w.until_idle()
    assert w.status()["holds"] == []


def test_a_wrong_key_is_a_hold_until_it_is_mended(make_world: Callable[..., World]) -> None:
    """The daemon waits, says so, and goes on with the new key."""
    w = make_world()
    good = (w.root / "key").read_text()
    (w.root / "key").write_text("gpra_wrong_key_0000000000")
    make("dem_nodata", w.drop / "a.tif", size=64)

    done = w.until_idle(check=1)

    (hold,) = w.status()["holds"]
    assert hold["scope"] == "platform"
    assert "key" in hold["reason"]
    assert "gpra_wrong" not in done.stderr + json.dumps(w.status())
    (w.root / "key").write_text(good)
    w.until_idle()
    assert len(w.audit().items) == 1


def test_a_key_file_that_others_can_read_is_refused(make_world: Callable[..., World]) -> None:
    """The way out is a chmod."""
    w = make_world()
    (w.root / "key").chmod(0o644)
    make("dem_nodata", w.drop / "a.tif", size=64)

    w.until_idle(check=1)

    assert "chmod 600" in w.status()["holds"][0]["way_out"]


def test_a_platform_that_answers_html_is_waited_for(make_world: Callable[..., World]) -> None:
    """A proxy's page is no answer: retried, shown, and the file is not blamed."""
    w = make_world()
    fault = {
        "operation": "uploads.initiate",
        "kind": "status",
        "status": 200,
        "body": "html",
        "when": {"count": 2},
    }
    assert w.fault(fault)
    make("dem_nodata", w.drop / "a.tif", size=64)

    w.until_idle()

    assert len(w.audit().items) == 1
    assert w.status()["possibly_leaked_bytes"] > 0


def test_no_disk_space_is_a_hold(make_world: Callable[..., World]) -> None:
    """What does not fit waits in words; nothing is rejected."""
    w = make_world(settings={"limits": {"min_free_bytes": "900TiB"}})
    make("dem_nodata", w.drop / "a.tif", size=64)

    w.until_idle(check=1)

    status = w.status()
    assert [h["scope"] for h in status["holds"]] == ["staging"]
    assert (status["rejected"], status["pending"]) == (0, 1)
    w.settings["limits"] = {"min_free_bytes": 0}
    w.write_config()
    w.until_idle()
    assert w.status()["completed"] == 1


def test_three_mistakes_in_a_configuration_are_three_lines(make_world: Callable[..., World]) -> None:
    """All at once, each with its line and the nearest known key; exit 78."""
    w = make_world()
    text = w.config.read_text().replace("settle_seconds = 0.3", 'settle_secnds = 0.3\nrecursive = "yes"')
    w.config.write_text(text + "\n[bath]\nmax_files = 3\n")

    done = w.command("run", "-c", str(w.config), check=78)

    assert done.stderr.count(str(w.config) + ":") == 3
    assert "settle_seconds" in done.stderr
    assert "[batch]" in done.stderr or "batch" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_absent_configuration_names_where_it_was_looked_for(make_world: Callable[..., World]) -> None:
    """Exit 78 and the places."""
    w = make_world()
    done = w.command("run", check=78, cwd=w.root / "box")

    assert "config.toml" in done.stderr


def test_a_wrong_option_is_wrong_usage() -> None:
    """Exit 2, as everybody else does it."""
    done = subprocess.run(
        [sys.executable, "-m", "uploader", "run", "--nonsense"], check=False, capture_output=True
    )

    assert done.returncode == 2
