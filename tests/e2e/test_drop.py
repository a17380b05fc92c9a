"""The main job: what is dropped becomes an item, whatever the way it came into the folder."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import rasterio

from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e


def test_rasters_become_items_whose_pixels_equal_the_source(make_world: Callable[..., World]) -> None:
    """Several kinds, two folders deep, two of the same name: one item each, equal to its source."""
    w = make_world()
    kinds = ["rgb_striped", "uint16_bands", "dem_nodata", "palette", "rgba", "masked", "ready_cog"]
    for kind in kinds:
        make(kind, w.drop / f"{kind}.tif", size=300)
    for number, below in enumerate(("north", "south")):
        (w.drop / below).mkdir()
        make("dem_nodata", w.drop / below / "same.tif", seed=number + 1, size=200)

    w.until_idle()

    assert w.problems() == []
    assert len(w.audit().items) == len(kinds) + 2
    for kind in kinds:
        assert w.unlike(w.drop / f"{kind}.tif") == []
    status = w.status()
    assert (status["pending"], status["completed"], status["rejected"]) == (0, len(kinds) + 2, 0)


def test_a_second_run_uploads_nothing_again(make_world: Callable[..., World]) -> None:
    """What is journaled is known, also when the file was touched meanwhile."""
    w = make_world()
    source = make("dem_nodata", w.drop / "a.tif", size=200)
    w.until_idle()
    os.utime(source)

    w.until_idle()

    assert len(w.audit().items) == 1
    assert len(w.audit().calls("uploads.initiate")) == 1


def test_new_content_at_a_path_is_a_new_item(make_world: Callable[..., World]) -> None:
    """The same name with other pixels is another version, and both become items."""
    w = make_world()
    make("dem_nodata", w.drop / "a.tif", size=200, seed=1)
    w.until_idle()
    make("dem_nodata", w.drop / "a.tif", size=200, seed=2)

    w.until_idle()

    assert len(w.audit().items) == 2
    assert w.problems() == []


def test_the_same_content_at_another_path_is_uploaded(make_world: Callable[..., World]) -> None:
    """Blank tiles are alike: two paths are two items, in sessions where their names do not collide."""
    w = make_world()
    make("dem_nodata", w.drop / "a.tif", size=200)
    (w.drop / "sub").mkdir()
    shutil.copy(w.drop / "a.tif", w.drop / "sub" / "a.tif")

    w.until_idle()

    names = w.audit().file_names
    assert len(names) == 2
    assert len(set(names)) == 1
    assert w.problems(twins=names) == []


def test_duplicates_are_skipped_where_the_folder_says_so(make_world: Callable[..., World]) -> None:
    """With `duplicates = "skip"` the second path ends as a duplicate of the first."""
    w = make_world()
    w.folders[0]["duplicates"] = "skip"
    w.write_config()
    make("dem_nodata", w.drop / "a.tif", size=200)
    shutil.copy(w.drop / "a.tif", w.drop / "b.tif")

    w.until_idle()

    assert len(w.audit().items) == 1
    assert w.status()["files"]["duplicate"] == 1


def test_a_file_that_grows_is_taken_when_it_is_whole(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    """A slow copy under its final name is taken once, with all its bytes."""
    w = make_world(settle=1.0)
    data = make("rgb_striped", tmp_path / "source.tif", size=400).read_bytes()
    with w.daemon():
        with (w.drop / "grown.tif").open("wb") as file:
            for start in range(0, len(data), len(data) // 12 + 1):
                file.write(data[start : start + len(data) // 12 + 1])
                file.flush()
                time.sleep(0.25)
        w.wait(lambda: len(w.audit().items) == 1, "the item of the grown file")

    assert w.unlike(w.drop / "grown.tif") == []
    assert len(w.audit().objects) == 1


def test_moved_renamed_and_populated_folders_are_found(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    """A file moved in, a temporary name renamed, a folder created and filled at once, a populated folder moved in."""
    w = make_world()
    outside = w.root / "outside"
    (outside / "whole").mkdir(parents=True)
    make("dem_nodata", outside / "moved.tif", size=100, seed=1)
    make("dem_nodata", outside / "whole" / "inside.tif", size=100, seed=2)
    with w.daemon():
        w.wait((w.state / "control.sock").exists, "the daemon")
        (outside / "moved.tif").rename(w.drop / "moved.tif")
        make("dem_nodata", w.drop / ".hidden.tif.x7Gh2k", size=100, seed=3)
        (w.drop / ".hidden.tif.x7Gh2k").rename(w.drop / "renamed.tif")
        (w.drop / "fresh").mkdir()
        make("dem_nodata", w.drop / "fresh" / "filled.tif", size=100, seed=4)
        (outside / "whole").rename(w.drop / "whole")
        w.wait(lambda: len(w.audit().items) == 4, "four items")

    assert [n.rpartition("-")[0] for n in w.audit().file_names] == ["filled", "inside", "moved", "renamed"]
    assert w.problems() == []


def test_a_source_that_changes_on_the_way_comes_twice(make_world: Callable[..., World]) -> None:
    """Replaced while its first content is converted or uploaded: both contents become items, each once."""
    w = make_world(options={"latency": 0.5})
    make("rgb_striped", w.drop / "a.tif", size=1500, seed=1)
    with w.daemon():
        w.wait(lambda: w.state.exists() and (w.state / "journal.sqlite").exists(), "the journal")
        w.wait(lambda: w.status()["files"]["queued"] or w.status()["completed"], "the claim")
        make("dem_nodata", w.root / "new.tif", size=150, seed=2)
        (w.root / "new.tif").rename(w.drop / "a.tif")
        w.wait(lambda: len(w.audit().items) == 2, "both versions")

    assert w.problems() == []


def test_sidecars_travel_with_their_raster(make_world: Callable[..., World]) -> None:
    """A world file beside a raster without georeference gives its item a place."""
    w = make_world()
    make("plain", w.drop / "map.tif", size=100)
    (w.drop / "map.tfw").write_text("10\n0\n0\n-10\n500005\n4999995\n")

    w.until_idle()

    (name,) = w.audit().file_names
    with rasterio.open(w.object(name)) as item:
        assert item.transform[:6] == (10, 0, 500000, 0, -10, 5000000)


@pytest.mark.parametrize("moment", ["start", "later"])
def test_sigterm_ends_within_the_drain_limit_and_the_next_start_goes_on(
    make_world: Callable[..., World], moment: str
) -> None:
    """A polite stop at any moment loses nothing."""
    w = make_world(options={"latency": 0.3}, settings={"transfer": {"drain_seconds": 5}})
    for number in range(6):
        make("dem_nodata", w.drop / f"{number}.tif", size=400, seed=number)
    process = w.start()
    w.wait((w.state / "control.sock").exists, "the daemon")
    time.sleep(0.2 if moment == "start" else 2.5)
    began = time.monotonic()
    process.terminate()

    assert process.wait(60) == 0
    assert time.monotonic() - began < 30  # the limit is five seconds; the rest is for a busy machine
    w.until_idle()
    assert len(w.audit().items) == 6
    assert w.problems() == []


def test_a_second_daemon_refuses_in_one_sentence(make_world: Callable[..., World]) -> None:
    """One daemon for a state directory, and one for a drop folder."""
    w = make_world()
    with w.daemon():
        w.wait((w.state / "control.sock").exists, "the daemon")
        same_state = w.command("run", "-c", str(w.config), check=1)
        other = w.config.read_text().replace(str(w.state), str(w.root / "state2"))
        (w.root / "other.toml").write_text(other)
        same_folder = w.command("run", "-c", str(w.root / "other.toml"), check=1)

    assert "Another daemon is running with the state directory" in same_state.stderr
    assert "Another daemon is watching the drop folder" in same_folder.stderr
    assert "Traceback" not in same_state.stderr + same_folder.stderr


def test_twenty_files_at_once(make_world: Callable[..., World]) -> None:
    """A burst from several writers is found as a whole and batched."""
    w = make_world(settings={"batch": {"linger_seconds": 3.0, "max_wait_seconds": 60.0}})

    def write(part: int) -> None:
        for number in range(5):
            make("dem_nodata", w.drop / f"{part}-{number}.tif", size=64, seed=part * 10 + number)

    threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    with w.daemon():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        w.wait(lambda: len(w.audit().items) == 20, "twenty items")

    assert w.problems() == []
    assert len(w.audit().calls("uploads.initiate")) <= 6


@pytest.mark.parametrize("control", ["{}.aria2", ".{}.part"])
def test_a_control_file_says_that_a_raster_still_arrives(
    make_world: Callable[..., World], control: str
) -> None:
    """A quiet, whole-looking file of its final size is left alone until its control file is gone, and that is told."""
    w = make_world()
    beside = w.drop / control.format("a.tif")
    beside.touch()
    make("dem_nodata", w.drop / "a.tif", size=64, seed=1)
    make("dem_nodata", w.drop / "b.tif", size=64, seed=2)
    with w.daemon():
        w.wait(lambda: len(w.audit().items) == 1, "the raster without a control file")
        told = [warning for warning in w.status()["warnings"] if warning["code"] == "still_arriving"]
        make("dem_nodata", w.drop / "a.tif", size=64, seed=3)  # the rest of it arrives
        beside.unlink()
        w.wait(lambda: len(w.audit().items) == 2, "the raster that has arrived")

    assert [beside.name in warning["text"] for warning in told] == [True]
    assert len(w.audit().items) == 2
    assert w.problems() == []
