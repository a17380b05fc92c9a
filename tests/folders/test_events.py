"""Hints of where to look."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from tests.support import mounts
from tests.support.configured import watched
from tests.support.groups import as_nobody, public_folder
from uploader.folders import WHOLE, Missed, changes, events, inotify

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


def watches() -> int:
    """How many of the descriptors of this process are watches; other tests may have theirs."""
    found = [str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
    return found.count("anon_inode:inotify")


class Heard:
    """All paths that were hinted at so far."""

    def __init__(self) -> None:
        self.paths: set[bytes] = set()
        self.answers = 0

    async def until(self, *paths: bytes, seconds: float = 60.0) -> None:
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
        spec = watched(folder, **options)
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


async def test_a_folder_that_stays_away_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is looked for again and again, and the log does not say so each time."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(events, "PAUSE_SHORT", 0.01)
    monkeypatch.setattr(events, "PAUSE_LONG", 0.02)
    looks: list[int] = []
    look = events._identity
    monkeypatch.setattr(events, "_identity", lambda *given: looks.append(0) or look(*given))
    async with listening(tmp_path / "away", poll_seconds=0.01):
        while len(looks) < 5:  # noqa: ASYNC110 - the watches set nothing but this
            await anyio.sleep(0.01)

    assert len([r for r in caplog.records if r.message.startswith("polling folder=")]) == 1


async def test_names_that_are_not_utf8_are_names_like_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A foreign file of such a name, rewritten all the time, ends nothing and hides nothing."""
    foreign = os.fsencode(tmp_path) + b"/r\xe9sum\xe9.log"
    async with listening(tmp_path, polling="never") as heard:
        for number in range(20):
            with open(foreign, "ab") as file:  # noqa: ASYNC230, PTH123 - names are bytes
                file.write(b"more")
            (tmp_path / f"{number}.tif").touch()
            await anyio.sleep(0.02)
        os.close(os.open(os.fsencode(tmp_path) + b"/\xff.tif", os.O_CREAT))
        await heard.until(b"\xff.tif", *(b"%d.tif" % n for n in range(20)))
    assert not caplog.records


LINKS = {
    "a folder beside it": ("current", "2026-11"),
    "the folder above": ("2026-11/up", ".."),
    "/": ("all", "/"),
}


@pytest.mark.parametrize("link", LINKS)
async def test_a_link_beside_a_folder_hides_no_event_and_is_not_followed(tmp_path: Path, link: str) -> None:
    """Files are told of under the folder's own path, at once, and nobody waits for the watches to stand."""
    drop = tmp_path / "drop"
    (drop / "2026-11").mkdir(parents=True)
    name, target = LINKS[link]
    (drop / name).symlink_to(target)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await anyio.sleep(0.01)
            ticks += 1

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        async with listening(drop, polling="never") as heard:
            started, ticks = time.monotonic(), 0
            (drop / "2026-11/a.tif").touch()
            await heard.until(b"2026-11/a.tif")
            assert ticks > 20 * (time.monotonic() - started)
            assert {path for path in heard.paths if b"/" in path} == {b"2026-11/a.tif"}
        group.cancel_scope.cancel()


async def test_a_folder_that_is_renamed_is_told_of_under_its_new_name(tmp_path: Path) -> None:
    """Also what lies below it; and one that was moved away is not told of at all."""
    drop = tmp_path / "drop"
    for name in ("old/deep", "away"):
        (drop / name).mkdir(parents=True)
    async with listening(drop, polling="never") as heard:
        (drop / "old").rename(drop / "new")
        (drop / "away").rename(tmp_path / "away")
        await anyio.sleep(0.5)
        (drop / "new/deep/a.tif").touch()
        (tmp_path / "away/b.tif").touch()
        await heard.until(b"new/deep/a.tif")
        assert heard.paths == {b"first.tif", b"new/deep/a.tif"}


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


async def test_events_that_were_lost_ask_for_a_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the kernel's queue was too short, it says so: all is looked at, and the watches are made anew."""
    async with listening(tmp_path, polling="never") as heard:
        read, lost = inotify.Watches.read, iter([True])
        monkeypatch.setattr(
            inotify.Watches,
            "read",
            lambda *a: inotify.WatchEvents(overflowed=True) if next(lost, False) else read(*a),
        )
        await heard.until(WHOLE)
        (tmp_path / "later.tif").touch()
        await heard.until(b"later.tif")
    assert [r.levelno for r in caplog.records if "events were lost" in r.message] == [logging.WARNING]


async def test_watches_that_end_are_told_and_the_folder_is_polled_until_they_are_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file waits for the rescan, and the reason is known as long as it lasts."""
    missed, broken = Missed(), True
    build = inotify.Watches.build

    def fail(*given: object) -> None:
        if broken:
            raise OSError(errno.EIO, "the disk is ill")
        build(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(inotify.Watches, "build", fail)
    async with listening(tmp_path, missed, polling="never") as heard:
        (tmp_path / "polled.tif").touch()
        await heard.until(b"polled.tif")
        assert missed.ended == "the disk is ill"
        broken = False
        with anyio.fail_after(60):
            while missed.ended:  # noqa: ASYNC110 - nothing is set but this
                await anyio.sleep(0.05)
        (tmp_path / "told.tif").touch()
        await heard.until(b"told.tif")


async def test_more_than_can_be_named_asks_for_a_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of a million paths one hint says that all may have changed."""
    monkeypatch.setattr(events, "NAMED", 5)
    for number in range(10):
        (tmp_path / f"{number}.tif").touch()
    heard = Heard()
    async with aclosing(changes(watched(tmp_path))) as hints:
        with anyio.move_on_after(10):
            async for paths in hints:
                heard.paths |= paths
                if WHOLE in heard.paths:
                    break
    assert WHOLE in heard.paths


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
    before = watches()
    async with listening(tmp_path):
        assert watches() == before + 1
        started = time.monotonic()
    assert time.monotonic() - started < 30
    assert watches() == before


LIMITED = """
    import logging, sys, anyio
    from contextlib import aclosing
    from pathlib import Path
    from tests.support.configured import watched
    from uploader.folders import changes

    logging.basicConfig(stream=sys.stdout)

    async def main(drop):
        for number in range(20):
            (drop / str(number)).mkdir()
        async with aclosing(changes(watched(drop), poll_seconds=0.1)) as hints:
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
    roots = Path(events.__file__).parents[2], Path(__file__).parents[2]
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
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.fspath, roots))},
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


@pytest.mark.root
@pytest.mark.skipif(bool(mounts.missing()), reason=mounts.missing() or "-")
async def test_a_file_system_that_is_mounted_below_is_watched(tmp_path: Path) -> None:
    """No event tells of a mount: the table is compared now and then, and what is dropped there is told of."""
    drop = tmp_path / "drop"
    (drop / "disk").mkdir(parents=True)
    async with listening(drop, polling="never") as heard:
        with mounts.tmpfs(drop / "disk"):
            await heard.until(WHOLE)
            (drop / "disk/a.tif").touch()
            await heard.until(b"disk/a.tif")
