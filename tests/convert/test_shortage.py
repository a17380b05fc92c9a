"""A machine without processes, threads or memory: nobody hangs, and no raster is to blame."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import psutil
import pytest

from tests.support import mounts, rasters, stranger, tasks
from uploader.convert import Converter, Job
from uploader.convert.engine import starting, zygote_client
from uploader.core.capacity import pool_threads
from uploader.core.errors import ConversionFailed, ConverterBroken, NoSpace

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
NEEDED = 2 + pool_threads(os.cpu_count() or 1)
"""A zygote, its child, and the child's threads."""

CONVERT = """
import sys, anyio
from pathlib import Path
from uploader.convert import Converter, Job
from uploader.core.errors import UploaderError
async def main():
    async with Converter(1) as converter:
        for _ in range(2):
            try:
                report = await converter.convert(Job(Path(sys.argv[1]), Path(sys.argv[2]), timeout_seconds=100))
                print("converted", report.method)
            except UploaderError as error:
                print(type(error).__name__, error)
anyio.run(main)
"""

SPYING = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from uploader.convert.engine import child, child_progress, zygote; "
    "zygote.BEAT = child_progress.BEAT = 0.5; "
    "from tests.convert import lazing; child.perform = lazing.{what}; zygote.main(sys.argv[1:])"
)
"""A zygote whose children do one of the things in `lazing` instead of converting."""


def converted(source: Path, prefix: Sequence[str] = (), python: str = sys.executable, **more) -> list[str]:
    """What a process says that converts the raster twice."""
    done = subprocess.run(
        [*prefix, python, "-B", "-c", CONVERT, str(source), str(source.parent.parent / "out.tif")],
        capture_output=True,
        text=True,
        env=stranger.environment(),
        timeout=200,
        check=False,
        **more,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A raster of some size, as in staging."""
    return rasters.make("rgb_striped", tmp_path / "in" / "source.tif", size=1500)


@pytest.mark.root
@pytest.mark.skipif(bool(tasks.missing()), reason=tasks.missing() or "-")
def test_a_group_without_tasks_is_the_machines_fault(source: Path) -> None:
    """Whatever cannot be had (the zygote, its child, some of the threads), it is said at once; with enough it works."""
    with tasks.group("few") as group:
        group.limit(None)
        needed = _own_tasks(group, source) + NEEDED
        for missing in range(3, NEEDED, 1 if NEEDED < 8 else 5):
            group.limit(needed - missing)
            said = converted(source, preexec_fn=group.enter)
            assert [line.partition(" ")[0] for line in said] == ["Shortage"] * 2, (missing, said)
        group.limit(needed + 4)
        assert converted(source, preexec_fn=group.enter) == ["converted encode"] * 2


def _own_tasks(group: tasks.Group, source: Path) -> int:
    """What a process that converts takes, besides those that convert."""
    code = "import anyio\nasync def main():\n    await anyio.to_thread.run_sync(print)\n"
    code += "    await anyio.open_process(['true'])\n"
    code += f"    print(open({str(group.folder / 'pids.current')!r}).read())\nanyio.run(main)"
    done = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=group.enter, capture_output=True, check=True
    )
    return int(done.stdout.split()[-1])


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")
def test_a_user_without_processes_is_told_so() -> None:
    """The limit of one user's processes and threads (`ulimit -u`) counts them all."""
    user = 61_234  # who runs nothing else
    prefix = ["setpriv", f"--reuid={user}", "--clear-groups", "prlimit", "--nproc=4"]
    with tempfile.TemporaryDirectory(prefix="short-") as name:
        Path(name).chmod(0o755)
        source = rasters.make("rgb_striped", Path(name) / "in" / "source.tif", size=600)
        for path in (source, source.parent, Path(name)):
            os.chown(path, user, user)
        said = converted(source, prefix, stranger.interpreter(user))
    assert [line.partition(" ")[0] for line in said] == ["Shortage"] * 2, said


def test_memory_that_the_host_limits_is_not_the_rasters_fault(source: Path) -> None:
    """RLIMIT_DATA from outside may be below convert.memory_limit, and that is said."""
    said = converted(source, ["prlimit", f"--data={100 << 20}"])
    assert all(line.startswith(f"MemoryTooNarrow The host gives a converter {100 << 20}") for line in said), (
        said
    )


async def test_one_that_stands_still_is_noticed(source: Path, monkeypatch) -> None:
    """A child that waits for something, with all its pipes open, is stopped long before its deadline."""
    async with lazing(monkeypatch, "wait") as converter:
        started = time.monotonic()
        with pytest.raises(ConversionFailed, match="no progress for 5 seconds"):
            await converter.convert(Job(source, source.parent.parent / "out.tif", timeout_seconds=100))
        assert time.monotonic() - started < 30


async def test_one_that_works_slowly_is_left_alone(source: Path, monkeypatch) -> None:
    """Some milliseconds of the processor now and then are progress, be it ever so slow."""
    async with lazing(monkeypatch, "dawdle") as converter:
        with pytest.raises(ConversionFailed, match="dawdled"):
            await converter.convert(Job(source, source.parent.parent / "out.tif", timeout_seconds=100))


async def test_a_frozen_zygote_is_noticed(source: Path, monkeypatch) -> None:
    """It is stopped with its child, as by a debugger or a freezer: nobody says anything any more."""
    before = {*psutil.Process().children()}  # those of other tests, which last longer

    def zygotes() -> list[psutil.Process]:
        return [child for child in psutil.Process().children() if child not in before]

    async with lazing(monkeypatch, "dawdle") as converter, anyio.create_task_group() as group:

        async def freeze() -> None:
            while not (found := zygotes()) or not found[0].children():  # noqa: ASYNC110 - others are waited for
                await anyio.sleep(0.05)
            await anyio.sleep(1)
            found[0].send_signal(signal.SIGSTOP)

        group.start_soon(freeze)
        with pytest.raises(ConversionFailed, match="no progress"):
            await converter.convert(Job(source, source.parent.parent / "out.tif", timeout_seconds=100))
    assert zygotes() == []


async def test_a_zygote_that_froze_while_it_was_idle_is_nobodys_failure(source: Path, monkeypatch) -> None:
    """No child of it has seen the raster: two such zygotes must not have it rejected."""
    async with lazing(monkeypatch, "wait") as converter:
        monkeypatch.setattr(zygote_client, "SILENCE", 0.5)
        monkeypatch.setattr(zygote_client, "_END_SECONDS", 0.1)
        os.kill(converter._idle[0].pid, signal.SIGSTOP)
        with pytest.raises(ConverterBroken, match="no progress"):
            await converter.convert(Job(source, source.parent.parent / "out.tif", timeout_seconds=100))


async def test_a_zygote_that_does_not_come_up_is_nobodys_failure(source: Path, monkeypatch) -> None:
    """One that hangs while it starts says something of the machine, and nothing of the raster."""
    monkeypatch.setattr(zygote_client, "SILENCE", 1.0)
    monkeypatch.setattr(starting, "_START", "import time; time.sleep(99)")
    async with Converter(1) as converter:
        with pytest.raises(ConverterBroken, match="does not come up within 1 seconds"):
            await converter.convert(Job(source, source.parent.parent / "out.tif", timeout_seconds=100))


@asynccontextmanager
async def lazing(monkeypatch, what: str) -> AsyncIterator[Converter]:
    """A converter whose child does something else; it is up already, and from now on given up quickly."""
    monkeypatch.setattr(starting, "_START", SPYING.format(what=what))
    monkeypatch.setattr(starting, "module_path", lambda: [str(ROOT), *sys.path])
    async with Converter(1) as converter:
        zygote = await zygote_client.Worker.start()
        await zygote.ready()
        converter._idle.append(zygote)
        monkeypatch.setattr(zygote_client, "SILENCE", 5.0)
        yield converter


@pytest.mark.root
@pytest.mark.skipif(bool(mounts.missing()), reason=mounts.missing() or "-")
def test_a_host_without_devices_converts(source: Path) -> None:
    """An empty /dev, as in some containers: neither zygote nor child needs anything of it."""
    empty = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev; exec "$@"', "x"]
    assert converted(source, empty) == ["converted encode"] * 2


@pytest.mark.root
@pytest.mark.skipif(bool(mounts.missing()), reason=mounts.missing() or "-")
@pytest.mark.parametrize("files", range(2, 6))
async def test_a_disk_without_room_for_one_more_file_is_nobodys_fault(tmp_path: Path, files: int) -> None:
    """There are bytes enough, but no inode for the folders and files of a conversion: it waits, or is done."""
    source = rasters.make("dem_nodata", tmp_path / "in" / "source.tif", size=64)
    with mounts.tmpfs(tmp_path / "staging", inodes=files) as staging:
        target = staging / "out.tif"
        async with Converter(1) as converter:
            with suppress(NoSpace):
                await converter.convert(Job(source, target, min_free_bytes=0))

        assert [path for path in staging.iterdir() if path != target] == []
