"""What a zygote does before its second raster, and what its children have of it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from tests.support import rasters
from uploader.convert import Converter, Job
from uploader.convert.engine import rehearsal, starting
from uploader.convert.engine.rehearsal import left_open, tables
from uploader.convert.engine.zygote import Zygote
from uploader.core.errors import ConverterBroken, Shortage


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A small raster in a folder of its own."""
    rasters.make("classes", tmp_path / "in" / "source.tif", size=64)
    return Job(tmp_path / "in" / "source.tif", tmp_path / "out.tif", memory_limit=1 << 30)


def names_of_open_files(pid: int) -> set[str]:
    """Of a process."""
    return {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir()}


async def test_children_after_it_tell_the_same(job: Job) -> None:
    """Before the second raster a zygote rehearses; then it still has one thread, and only tables open besides its own.

    What it makes of a raster is what it made before.
    """
    made, open_files = [], []
    async with Converter(1) as converter:
        for _ in range(3):
            report = await converter.convert(job)
            made.append((job.target.read_bytes(), report.bands, report.facts))
            zygote = Path(f"/proc/{converter._idle[0].pid}")
            open_files.append({link.readlink().name for link in (zygote / "fd").iterdir()})
            assert len(list((zygote / "task").iterdir())) == 1

    assert made[0] == made[1] == made[2]
    assert not any("proj.db" in names for names in open_files[:1])
    assert all("proj.db" in names for names in open_files[1:])
    assert not list(job.target.parent.glob("*/rehearsal"))


async def test_zygotes_rehearse_before_there_is_a_raster(job: Job, tmp_path: Path) -> None:
    """They leave nothing behind, and are those that convert."""
    async with Converter(2) as converter:
        await converter.rehearse(tmp_path, 2)
        ready = {worker.pid: names_of_open_files(worker.pid) for worker in converter._idle}
        for _ in range(3):
            await converter.convert(job)

        assert len(ready) == 2
        assert all("proj.db" in names for names in ready.values())
        assert {worker.pid for worker in converter._idle} == ready.keys()
    assert not list(job.target.parent.rglob(".*"))


async def test_who_waits_is_converted_before_a_rehearsal(job: Job, tmp_path: Path) -> None:
    """It waits for the zygote that comes up, and for nothing else; no other one is started for it."""
    async with Converter(1) as converter:
        async with anyio.create_task_group() as group:
            group.start_soon(converter.rehearse, tmp_path, 1)
            while not converter._busy:
                await anyio.lowlevel.checkpoint()
            (first,) = converter._busy
            group.start_soon(converter.convert, job)
        open_files = names_of_open_files(first.pid)

        assert converter._idle == [first]
        assert "proj.db" not in open_files
        await converter.convert(job)
        assert converter._idle == [first]


async def test_a_zygote_that_does_not_come_up_is_told_by_a_conversion(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal that fails holds nobody up, and keeps no turn of the converters."""
    monkeypatch.setattr(starting, "command", lambda: ["/nonexistent"])
    async with Converter(1) as converter:
        await converter.rehearse(tmp_path, 1)
        with pytest.raises(ConverterBroken):
            await converter.convert(job)
        monkeypatch.undo()
        await converter.rehearse(tmp_path / "missing", 1)
        await converter.convert(job)


def test_without_proc_nothing_is_rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could tell what it leaves open; it is no failure of the raster that came second."""
    monkeypatch.setattr(rehearsal, "DESCRIPTORS", tmp_path / "fd")
    zygote = Zygote((), namespace=False, answers=io.BytesIO())
    zygote.serve({"rehearse": str(tmp_path / "workshop")})

    assert (zygote.kept, zygote.as_is) == (frozenset(), False)
    assert not list(tmp_path.iterdir())


def test_only_tables_are_shared(tmp_path: Path) -> None:
    """A child goes on with what is open only where that is a file of the libraries, and open for reading."""
    table, other = tmp_path / "share" / "table", tmp_path / "other"
    for path in (table, other):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    handles = [os.open(table, os.O_RDONLY), os.open(other, os.O_RDONLY), os.open(table, os.O_RDWR)]
    try:
        found = left_open(handles[0])
        told = [tables({handle}, [table.parent]) for handle in handles]
    finally:
        for handle in handles:
            os.close(handle)

    assert found >= set(handles)
    assert told == [True, False, False]
    assert tables((), ())


def test_a_process_is_forked_as_it_is() -> None:
    """The child is one that Python knows of, and libraries were not told; but one of several threads is forked as ever.

    Else the child would wait for a thread that it does not have.
    """
    script = """
import os, threading
fork, told = os.fork, []
os.fork = lambda: told.append("told") or fork()
from uploader.convert.isolation import kernel

def forked():
    parent = os.getpid()
    pid = kernel.fork_as_is()
    if pid == 0:
        os._exit(7 if os.getppid() == parent else 8)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

print(forked(), told)
gate = threading.Event()
threading.Thread(target=gate.wait).start()
print(forked(), told)
gate.set()
"""
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], check=True, capture_output=True, text=True, timeout=60
    )

    assert found.stdout.split("\n")[:2] == ["7 []", "7 ['told']"]


def test_nothing_is_rehearsed_where_threads_are_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """GDAL would wait for them for ever, and the zygote with it."""

    def short(count: int) -> None:
        raise Shortage("The machine has no threads to give.", "Raise the limit.")

    monkeypatch.setattr(rehearsal, "require_threads", short)
    monkeypatch.setattr(rehearsal, "_convert", lambda *_: pytest.fail("it was rehearsed"))

    rehearsal.rehearse(tmp_path / "folder")

    assert not list(tmp_path.iterdir())
