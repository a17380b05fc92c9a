"""Rejected files that are removed leave the list soon; those whose file system is away stay on it."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from tests.support import mounts
from tests.support.intake import Bench, bench
from uploader.folders import rejected_files

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


async def rejected(b: Bench, *names: str) -> None:
    """These files lie there and were rejected."""
    for name in names:
        b.put(name)
    for file_id in await b.settled(len(names)):
        await b.claim(file_id)
        await b.journal.files.rejected(file_id, "It is no raster.")


async def listed(b: Bench) -> int:
    """How many rejected files a status lists."""
    return len((await b.journal.status())["failed"])


async def test_an_event_tells_of_each_at_once(tmp_path: Path) -> None:
    """Also where nothing else is left in the folder; each is gone, and no hold comes of it."""
    async with bench(tmp_path) as b:
        await rejected(b, "a.tif", "sub/b.tif")
        for path in (b.drop / "a.tif", b.drop / "sub" / "b.tif"):
            path.unlink()

        await b.until(lambda: _is(b, {"gone": 2}), "both are gone")
        assert await listed(b) == 0
        assert await b.hold() == ""
        assert [row["current"] for row in await b.files()] == [None, None]


async def _is(b: Bench, states: dict[str, int]) -> bool:
    return await b.states() == states


@pytest.mark.parametrize("polling", ["auto", "always"])
async def test_without_an_event_they_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, polling: str
) -> None:
    """Well within a minute, however rarely the folder is scanned; a file that stays shows that the folder is there."""
    assert rejected_files.PERIOD <= 30
    monkeypatch.setattr(rejected_files, "PERIOD", 0.2)
    if polling == "auto":
        monkeypatch.setattr(rejected_files.RejectedFiles, "removed", lambda *_: anyio.lowlevel.checkpoint())
    async with bench(tmp_path, polling=polling) as b:
        await rejected(b, "a.tif", "b.tif", "c.tif")
        (b.drop / "a.tif").unlink()
        (b.drop / "b.tif").unlink()

        await b.until(lambda: _is(b, {"gone": 2, "rejected": 1}), "two are gone")
        assert await listed(b) == 1
        assert await b.hold() == ""


async def test_a_removed_file_that_is_dropped_again_is_new(tmp_path: Path) -> None:
    """Its history is over: the same content settles again."""
    async with bench(tmp_path) as b:
        await rejected(b, "a.tif")
        (b.drop / "a.tif").unlink()
        await b.until(lambda: _is(b, {"gone": 1}), "it is gone")
        b.put("a.tif")
        await b.until(lambda: _is(b, {"gone": 1, "settling": 1}), "it settles")


@pytest.mark.root
@pytest.mark.parametrize("count", [1, 2])
async def test_an_unmounted_folder_counts_as_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """They stay rejected, and are as they were when it is back."""
    if reason := mounts.missing():
        pytest.skip(reason)
    monkeypatch.setattr(rejected_files, "PERIOD", 0.2)
    with mounts.tmpfs(tmp_path / "disk") as disk:
        mounts.bind(disk, tmp_path / "drop")
        try:
            async with bench(tmp_path, rescan_seconds=1.0) as b:
                await rejected(b, *(f"{n}.tif" for n in range(count)))
                mounts.unmount(b.drop)
                await b.until(b.hold, "the hold")
                await anyio.sleep(1.5)
                assert await b.states() == {"rejected": count}
                mounts.bind(disk, b.drop)
                await b.until(lambda: _well(b), "the folder is back")
                await anyio.sleep(1.0)
                assert await b.states() == {"rejected": count}
        finally:
            mounts.unmount(tmp_path / "drop")


async def _well(b: Bench) -> bool:
    return not await b.hold()
