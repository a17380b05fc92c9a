"""Hints of where to look."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from tests.support.groups import as_nobody, public_folder
from uploader.watch import WHOLE, FolderSpec, Missed, changes, events

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


class Heard:
    """All paths that were hinted at so far."""

    def __init__(self) -> None:
        self.paths: set[bytes] = set()
        self.answers = 0

    async def until(self, *paths: bytes, seconds: float = 10.0) -> None:
        """Wait for these paths."""
        with anyio.move_on_after(seconds):
            while not self.paths.issuperset(paths):  # noqa: ASYNC110 - the hints set nothing but this
                await anyio.sleep(0.02)
        assert self.paths.issuperset(paths), f"never heard of {set(paths) - self.paths}"


@asynccontextmanager
async def listening(folder: Path, missed: Missed | None = None, **options: object) -> AsyncIterator[Heard]:
    """Collect hints; the watches stand when this is entered."""
    heard = Heard()
    poll = options.pop("poll_seconds", 0.1)

    async def listen() -> None:
        spec = FolderSpec(str(folder), **options)  # type: ignore[arg-type]
        async with aclosing(changes(spec, missed, poll_seconds=poll)) as hints:  # type: ignore[arg-type]
            async for paths in hints:
                heard.answers += 1
                heard.paths |= paths

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        if folder.is_dir():  # noqa: ASYNC240 - a test may block
            (folder / "first.tif").touch()
            await heard.until(b"first.tif")
        yield heard
        group.cancel_scope.cancel()


def fill(folder: Path) -> None:
    """A tree that appears at once."""
    (folder / "deep/deeper").mkdir(parents=True)
    (folder / "a.tif").touch()
    (folder / "deep/deeper/b.tif").touch()


@pytest.mark.parametrize("polling", ["never", "always"])
async def test_what_happens_to_rasters_is_told(tmp_path: Path, polling: str) -> None:
    """Created, written, renamed into place, and with sidecars: each names the raster."""
    drop = tmp_path / "drop"
    (drop / "sub").mkdir(parents=True)
    async with listening(drop, polling=polling, ready_marker="{stem}.done") as heard:
        (drop / "new.tif").touch()
        (drop / "sub/.x.tif.Ab12").touch()
        (drop / "sub/.x.tif.Ab12").rename(drop / "sub/x.tif")
        (drop / "notes.txt").touch()
        await heard.until(b"new.tif", b"sub/x.tif")
        heard.paths.clear()
        (drop / "new.tfw").touch()
        (drop / "sub/x.done").touch()
        await heard.until(b"new.tif", b"sub/x.tif")
    assert b"notes.txt" not in heard.paths


@pytest.mark.parametrize(
    "appear",
    [
        pytest.param(lambda drop, _: fill(drop / "made"), id="made and filled"),
        pytest.param(lambda drop, aside: (fill(aside), aside.rename(drop / "made")), id="moved in populated"),
    ],
)
async def test_a_folder_that_appears_is_looked_at_as_a_whole(
    tmp_path: Path, appear: Callable[[Path, Path], object]
) -> None:
    """Files that are older than the watch on their folder are found without a rescan."""
    drop = tmp_path / "drop"
    drop.mkdir()
    async with listening(drop) as heard:
        appear(drop, tmp_path / "aside")
        await heard.until(b"made/a.tif", b"made/deep/deeper/b.tif")


async def test_what_was_there_before_the_watch_is_told_at_its_start(tmp_path: Path) -> None:
    """Nothing falls between the first scan and the first watch."""
    fill(tmp_path / "sub")
    async with listening(tmp_path) as heard:
        await heard.until(b"sub/a.tif", b"sub/deep/deeper/b.tif")


async def test_names_that_are_not_utf8_do_not_end_the_watch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The watcher dies of them: it is started again, says so, and the names are found."""
    async with listening(tmp_path) as heard:
        os.close(os.open(os.fsencode(tmp_path) + b"/\xff.tif", os.O_CREAT))
        await heard.until(b"\xff.tif")
        await anyio.sleep(0.2)
        (tmp_path / "later.tif").touch()
        await heard.until(b"later.tif")
    assert [r.levelno for r in caplog.records if "events failed" in r.message] == [logging.WARNING]


async def test_a_folder_that_goes_and_comes_back_is_watched_again(tmp_path: Path) -> None:
    """Whether it was missing at the start or is replaced later."""
    drop = tmp_path / "drop"
    async with listening(drop) as heard:
        await anyio.sleep(0.1)
        drop.mkdir()
        (drop / "a.tif").touch()
        await heard.until(b"a.tif")
        shutil.rmtree(drop)
        await anyio.sleep(0.2)
        drop.mkdir()
        (drop / "b.tif").touch()
        await heard.until(b"b.tif")


async def test_a_burst_is_followed_by_a_look_at_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the kernel's queue may have overflowed, names are read from the folder itself."""
    monkeypatch.setattr(events, "BURST", 50)
    (tmp_path / "old.tif").touch()
    async with listening(tmp_path) as heard:
        await heard.until(b"old.tif")
        heard.paths.clear()
        for number in range(100):
            (tmp_path / f"{number}.tif").touch()
        await heard.until(b"old.tif", *(b"%d.tif" % n for n in range(100)))


async def test_more_than_can_be_named_asks_for_a_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of a million paths one hint says that all may have changed."""
    monkeypatch.setattr(events, "NAMED", 5)
    for number in range(10):
        (tmp_path / f"{number}.tif").touch()
    heard = Heard()
    async with aclosing(changes(FolderSpec(str(tmp_path)))) as hints:
        with anyio.move_on_after(10):
            async for paths in hints:
                heard.paths |= paths
                if WHOLE in heard.paths:
                    break
    assert WHOLE in heard.paths


def test_a_short_queue_of_the_kernel_makes_small_bursts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of what the kernel keeps may already be what is left of more."""
    for queued, burst in ((16384, 4000), (400, 100), (8, 16)):
        monkeypatch.setattr(events, "inotify_limits", lambda queued=queued: {"max_queued_events": queued})
        assert events._burst() == burst
    monkeypatch.setattr(events, "inotify_limits", dict)
    assert events._burst() == 4000


async def test_polling_tells_what_changed_and_nothing_else(tmp_path: Path) -> None:
    """An untouched file is named once."""
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).touch()
    async with listening(tmp_path, polling="always") as heard:
        await heard.until(b"a.tif", b"b.tif")
        heard.paths.clear()
        (tmp_path / "b.tif").write_bytes(b"more")
        await heard.until(b"b.tif")
        await anyio.sleep(0.3)
        assert heard.paths == {b"b.tif"}


async def test_what_is_told_does_not_count_as_missed(tmp_path: Path) -> None:
    """The counter knows what events named."""
    missed = Missed()
    async with listening(tmp_path, missed) as heard:
        (tmp_path / "a.tif").touch()
        await heard.until(b"a.tif")
    missed.found(b"a.tif", time.monotonic())
    missed.found(b"b.tif", time.monotonic())

    assert missed.total(time.monotonic() + 1000) == 1


async def test_cancelling_is_quick_and_leaves_no_thread(tmp_path: Path) -> None:
    """Half a second, whatever the watcher waits for."""
    async with listening(tmp_path):
        started = time.monotonic()
    assert time.monotonic() - started < 2
    assert not [t for t in threading.enumerate() if "notify" in t.name.lower()]


LIMITED = """
    import logging, sys, anyio
    from contextlib import aclosing
    from pathlib import Path
    from uploader.watch import FolderSpec, changes

    logging.basicConfig(stream=sys.stdout)

    async def main(drop):
        for number in range(20):
            (drop / str(number)).mkdir()
        async with aclosing(changes(FolderSpec(str(drop)), poll_seconds=0.1)) as hints:
            async for paths in hints:
                if b"19/late.tif" in paths:
                    return
                (drop / "19/late.tif").touch()

    anyio.run(main, Path(sys.argv[1]))
    print("heard")
"""


@pytest.mark.root
def test_limits_on_watches_lead_to_polling_and_words(tmp_path: Path) -> None:
    """Where the kernel gives no more watches the folder is polled, and the log says what to raise."""
    (tmp_path / "first.tif").touch()
    script = tmp_path / "limited.py"
    script.write_text(textwrap.dedent(LIMITED))
    done = subprocess.run(
        [
            "unshare",
            "-Ur",
            "sh",
            "-c",
            'echo 5 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"',
            sys.executable,
            str(script),
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.fspath(Path(events.__file__).parents[2])},
    )
    if "unshare" in done.stderr or "Permission denied" in done.stderr:
        pytest.skip(f"no user namespace here: {done.stderr.strip()}")

    assert "heard" in done.stdout, done.stdout + done.stderr
    assert "max_user_watches" in done.stdout


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_subfolder_that_may_not_be_read_does_not_end_the_watch() -> None:
    """Its neighbours are watched all the same."""
    with public_folder() as drop:
        (drop / "closed").mkdir(mode=0o700)

        async def hear() -> None:
            async with listening(drop, polling="never") as heard:
                (drop / "open.tif").touch()
                await heard.until(b"open.tif")

        assert as_nobody(lambda: anyio.run(hear))
