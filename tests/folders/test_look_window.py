"""Who is looked at when there is too much to look at, and that it is told."""

from __future__ import annotations

import os
import time
from pathlib import Path

import anyio
import pytest

from tests.support.chains import chain
from tests.support.intake import Bench, bench
from uploader.core import settle_rules

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


def codes(b: Bench) -> set[str]:
    """The kinds of warnings that are told."""
    return {warning["code"] for warning in b.intake.warnings()}


async def test_a_chain_of_thousands_of_folders_holds_nobody_up(tmp_path: Path) -> None:
    """The file beside it is ready in seconds, and the one at its end is found; so it is with each rescan."""
    (tmp_path / "drop").mkdir()
    with chain(tmp_path / "drop/chain", 3000) as lowest:
        os.close(os.open("low.tif", os.O_CREAT, dir_fd=lowest))
        async with bench(tmp_path) as b:
            started = time.monotonic()
            b.put("a.tif")
            await b.settled(1)
            await b.until(lambda: b.intake.settling()[str(b.drop)] == 2, "both are known")
            b.intake.rescan()
            b.put("b.tif")
            await b.until(lambda: b.intake.settling()[str(b.drop)] == 3, "the third is known")
            await b.until(lambda: "deep_folders" in codes(b), "it is told")
            assert time.monotonic() - started < 15


async def test_files_that_never_settle_give_their_places_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than there are places, and a file that is quiet: it gets its turn, and they are told of."""
    monkeypatch.setattr(settle_rules, "TURN", 0.3)
    async with bench(tmp_path, window=4) as b:

        async def grow() -> None:
            while True:
                for number in range(8):
                    with (b.drop / f"{number}.tif").open("ab") as file:
                        file.write(b"more")
                await anyio.sleep(0.02)

        async with anyio.create_task_group() as group:
            group.start_soon(grow)
            await b.until(lambda: b.intake.settling()[str(b.drop)] == 8, "all that grow are known")
            b.put("quiet.tif")
            (file_id,) = await b.settled(1)
            assert b.watcher.queue.path_of(file_id) == b"quiet.tif"
            await b.claim(file_id)
            await b.until(lambda: "never_settling" in codes(b), "it is told")
            group.cancel_scope.cancel()
        for _ in range(8):
            (file_id, *_) = await b.settled(1)
            await b.claim(file_id)
        await b.until(lambda: "never_settling" not in codes(b), "it is over")


async def test_what_is_ignored_although_its_name_matches_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A link to a raster is nobody's raster; whoever put it there learns of it."""
    (tmp_path / "drop").mkdir()
    (tmp_path / "a.tif").touch()
    (tmp_path / "drop/link.tif").symlink_to(tmp_path / "a.tif")
    os.mkfifo(tmp_path / "drop/pipe.tif")
    async with bench(tmp_path) as b:
        await b.until(lambda: codes(b) == {"ignored_link", "ignored_special"}, "they are told")
        (text,) = [w["text"] for w in b.intake.warnings() if w["code"] == "ignored_link"]
        assert text.startswith("links are ignored")
        assert text.endswith(": 1, the first link.tif")
        b.intake.rescan()
        b.put("b.tif")
        await b.settled(1)
        (b.drop / "link.tif").unlink()
        b.intake.rescan()
        await b.until(lambda: codes(b) == {"ignored_special"}, "it is over")
    assert len([r for r in caplog.records if "links are ignored" in r.message]) == 1


async def test_nothing_is_expected_of_a_folder_that_is_held(tmp_path: Path) -> None:
    """A batch waits for files that settle, and no longer once their folder is away."""
    async with bench(tmp_path, settle_seconds=5.0) as b:
        b.put("a.tif")
        b.put("b.tif")
        await b.until(lambda: b.intake.coming(10.0) == {str(b.drop)}, "they are expected")
        b.drop.rename(tmp_path / "away")
        b.intake.rescan()
        await b.until(lambda: b.intake.coming(10.0) == set(), "none is")
        (tmp_path / "away").rename(b.drop)
        await b.settled(2)
