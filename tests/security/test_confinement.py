"""What a converting child can reach, tried from inside; and what is said where a host cannot confine it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

import anyio
import psutil
import pytest

from tests.security import spying
from tests.support import rasters, stranger
from uploader.convert import Converter, Job
from uploader.convert.engine import child_answers, starting
from uploader.convert.engine.zygote_client import Worker
from uploader.convert.isolation.syscalls import DENIED, JUDGED, SETUP, number
from uploader.convert.isolation.verdict import TRIED, Confinement
from uploader.convert.read.formats.open_raster import DRIVERS
from uploader.core.errors import ConversionFailed, RasterRefused

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

ROOT = Path(__file__).resolve().parents[2]
_NOBODY = 65534
_CONVERT = """
import sys, json, anyio
from pathlib import Path
from uploader.convert import Converter, Job
async def main():
    async with Converter(1) as converter:
        report = await converter.convert(Job(Path(sys.argv[1]), Path(sys.argv[2])))
        host = await converter._idle[0].ready()
    print(json.dumps({"method": report.method, **host.confinement.to_json()}))
anyio.run(main)
"""


@pytest.fixture
def staged(tmp_path: Path) -> Job:
    """A raster as in staging, with a neighbour and a secret file nearby."""
    for name in ("mine", "other"):
        rasters.make("classes", tmp_path / name / "in" / "source.tif", size=64)
    (tmp_path / "key").write_text("canary-key")
    return Job(
        tmp_path / "mine" / "in" / "source.tif",
        tmp_path / "mine" / "out.tif",
        memory_limit=1 << 30,
        timeout_seconds=120,
    )


async def host() -> Confinement:
    """What this host gives."""
    zygote = await Worker.start()
    try:
        return (await zygote.ready()).confinement
    finally:
        await zygote.kill()


def _let_in(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Have zygotes run a spy instead of the conversion."""
    monkeypatch.setattr(starting, "_START", spying.START.format(what=what))
    monkeypatch.setattr(child_answers, "_REASON_LENGTH", 100_000)
    monkeypatch.setattr(starting, "module_path", lambda: [str(ROOT), *sys.path])


async def spied(monkeypatch: pytest.MonkeyPatch, what: str, job: Job, *, turn: int = 1):
    """What a spy in a real child found: the first of its zygote, or one after it."""
    monkeypatch.setattr(starting, "_START", spying.START.format(what=what))
    monkeypatch.setattr(child_answers, "_REASON_LENGTH", 100_000)
    monkeypatch.setattr(starting, "module_path", lambda: [str(ROOT), *sys.path])
    async with Converter(1) as converter:
        for _ in range(turn):
            with pytest.raises(RasterRefused) as refusal:
                await converter.convert(job)
    return json.loads(refusal.value.reason)


@pytest.mark.parametrize("turn", [1, 2])
async def test_nothing_is_in_reach(monkeypatch, staged: Job, turn: int) -> None:
    """No foreign file, no write but in the workshop, no socket, process, signal or call of the deny-list.

    Of a zygote that rehearsed, too.
    """
    found = await host()
    possible = await spied(monkeypatch, "escape", staged, turn=turn)

    if not found.landlock:
        possible = [name for name in possible if not re.match("read|write|list|change|remove|move", name)]
    if not found.seccomp:
        pytest.skip("this host allows no seccomp")
    assert possible == []


@pytest.mark.parametrize("turn", [1, 2])
async def test_no_secret_and_no_descriptor(monkeypatch, staged: Job, turn: int) -> None:
    """The child has no variable of ours, no descriptor but its four, its limits; and all that a job needs works.

    After a rehearsal it has PROJ's tables open, too, for reading.
    """
    monkeypatch.setenv("GEOPERA_API_KEY", "canary-key")
    inherited = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    facts = await spied(monkeypatch, "tell", staged, turn=turn)
    os.close(inherited)

    assert not [name for name in facts["environment"] if re.search("KEY|TOKEN|AWS|GEOPERA|http", name)]
    assert facts["descriptors"] == [0, 1, 2, 3, *facts["tables"]]
    assert len(facts["tables"]) == turn - 1
    assert (facts["data"], facts["core"], facts["threads"]) == ([1 << 30, 1 << 30], [0, 0], [1])
    assert set(facts["drivers"]) <= set(DRIVERS)


async def test_no_capability_is_left() -> None:
    """A zygote has none; that of root keeps the one of reading what belongs to others."""
    zygote = await Worker.start()
    try:
        await zygote.ready()
        found = _capabilities(zygote.pid)
    finally:
        await zygote.kill()

    kept = 2 if os.geteuid() == 0 else 0
    assert (found["CapAmb"], found["CapInh"]) == (0, 0)
    assert found["CapPrm"] | found["CapEff"] in (0, kept)


def _capabilities(pid: int) -> dict[str, int]:
    status = Path(f"/proc/{pid}/status").read_text()
    return {name: int(value, 16) for name, value in re.findall(r"^(Cap\w+):\s+(\w+)", status, re.MULTILINE)}


async def test_a_host_holds_every_layer_that_it_has(staged: Job) -> None:
    """What the child finds of itself is what the kernel has, and nothing that it tried was possible."""
    found = await host()

    assert found.seccomp
    assert not {"open a socket", "start a process", "signal a process"} & set(found.reached)
    assert found.reached == (() if found.landlock else TRIED[:2])


@pytest.mark.parametrize(
    ("lacking", "layers", "reached"),
    [
        ("landlock", {"network": "own namespace and seccomp", "files": "none", "syscalls": "seccomp"}, 2),
        ("unit", {"network": "seccomp"}, 0),
        ("seccomp", {"network": "own namespace", "syscalls": "none"}, 2),
        ("landlock,namespaces,seccomp", {"network": "none", "files": "none", "syscalls": "none"}, 5),
    ],
)
async def test_a_host_that_lacks_a_layer_converts_and_says_so(staged: Job, lacking, layers, reached) -> None:
    """A kernel, container or unit without one of them still converts; the layer is told as missing."""
    full = await host()
    if not (full.landlock and full.seccomp and full.namespace):
        pytest.skip(f"this host itself lacks a layer: {full}")
    done = await _elsewhere(
        [sys.executable, "-m", "tests.security.denying", lacking, "--", sys.executable], staged
    )
    told = Confinement.from_json(done)

    assert done["method"] == "encode"
    assert layers.items() <= told.layers().items()
    assert len(told.reached) == reached or lacking == "seccomp"
    assert bool(told.missing()) == (lacking != "unit")


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")
async def test_somebody_without_rights_is_confined_alike() -> None:
    """An ordinary user gets the same layers as root."""
    python = stranger.interpreter(_NOBODY)
    # Not in pytest's own folder: every session of root's shuts that to others when it starts.
    with tempfile.TemporaryDirectory(prefix="confined-") as name:
        source = rasters.make("classes", Path(name) / "in" / "source.tif", size=64)
        for path in (source, source.parent, Path(name)):
            os.chown(path, _NOBODY, _NOBODY)
        program = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", python, "-B"]
        told = Confinement.from_json(await _elsewhere(program, Job(source, Path(name) / "out.tif")))

    assert (told.landlock, told.seccomp, told.reached) == (await _layers())


async def _layers() -> tuple[int, bool, tuple[str, ...]]:
    found = await host()
    return found.landlock, found.seccomp, found.reached


async def _elsewhere(prefix: list[str], job: Job) -> dict:
    """Convert in a process of its own; its report and confinement."""
    done = await anyio.run_process(
        [*prefix, "-c", _CONVERT, str(job.source), str(job.target)],
        check=False,
        env=stranger.environment(),
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


async def test_the_zygote_has_one_thread_and_opened_nothing(staged: Job) -> None:
    """Forking is only safe from a process with a single thread, and nothing of a raster may stay in it."""
    async with Converter(1) as converter:
        await converter.convert(staged)
        (zygote,) = converter._idle
        process = psutil.Process(zygote.pid)

        assert process.num_threads() == 1
        # pyproj, which rio-cogeo brings along, opens its tables when it is loaded; children close them unread.
        assert [file.path for file in process.open_files() if Path(file.path).name != "proj.db"] == []
        assert process.children() == []


async def test_memory_ends_where_the_limit_is(monkeypatch, staged: Job) -> None:
    """A child that takes all it can get dies of its limit alone: the zygote lives, and converts the next raster."""
    monkeypatch.setattr(starting, "_START", spying.START.format(what="eat"))
    monkeypatch.setattr(starting, "module_path", lambda: [str(ROOT), *sys.path])
    async with Converter(1) as converter:
        for _ in range(2):
            with pytest.raises(ConversionFailed, match="memory"):
                await converter.convert(staged)
        assert len(converter._idle) == 1


async def test_a_child_that_hangs_is_ended_with_nothing_left(monkeypatch, staged: Job) -> None:
    """One that closed all its pipes and waits is ended at its deadline, by its zygote: no process, no zombie."""
    monkeypatch.setattr(starting, "_START", spying.START.format(what="hang"))
    monkeypatch.setattr(starting, "module_path", lambda: [str(ROOT), *sys.path])
    seen: list[psutil.Process] = []
    async with Converter(1) as converter, anyio.create_task_group() as tasks:
        tasks.start_soon(_collect, staged.target.parent, seen)
        converter._idle.append(await Worker.start())
        await converter._idle[0].ready()
        with pytest.raises(ConversionFailed, match="longer than 5 seconds"):
            await converter.convert(Job(staged.source, staged.target, timeout_seconds=5))
        tasks.cancel_scope.cancel()

    assert len(seen) >= 2
    assert [process for process in seen if process.is_running()] == []


async def _collect(folder: Path, seen: list[psutil.Process]) -> None:
    """The zygote and its child, once the child says that it lives."""
    before = set(psutil.Process().children(recursive=True))
    await _started(folder)
    seen += [one for one in psutil.Process().children(recursive=True) if one not in before]


async def _started(folder: Path) -> None:
    with anyio.fail_after(120):
        while not _present(folder):  # noqa: ASYNC110 - another process is waited for
            await anyio.sleep(0.05)


def _present(folder: Path) -> bool:
    return any(folder.glob(".*/started"))


async def test_all_die_with_the_daemon(monkeypatch, staged: Job, tmp_path: Path) -> None:
    """SIGKILL of the parent ends the zygote, and the child that hangs in a conversion."""
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}]; import anyio; from pathlib import Path\n"
        "from tests.security import spying; from uploader.convert import Converter, Job; "
        "from uploader.convert.engine import starting\n"
        f"starting._START = spying.START.format(what='hang')\n"
        f"starting.module_path = lambda: {[str(ROOT), *sys.path]!r}\n"
        f"anyio.run(Converter(1).convert, Job(Path({str(staged.source)!r}), Path({str(staged.target)!r})))\n"
    )
    process = await anyio.open_process([sys.executable, "-c", program], stderr=None)
    await _started(staged.target.parent)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await process.aclose()

    assert len(family) == 2
    _, alive = await anyio.to_thread.run_sync(lambda: psutil.wait_procs(family, timeout=30))
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


async def test_an_idle_zygote_that_died_is_nobodys_failure(staged: Job) -> None:
    """Whoever kills one that waits for work harms no raster: the next gets a new one."""
    async with Converter(1) as converter:
        await converter.convert(staged)
        (first,) = converter._idle
        os.kill(first.pid, signal.SIGKILL)
        with anyio.fail_after(60):
            await first._process.wait()
        await converter.convert(staged)

        assert [zygote.pid for zygote in converter._idle] != [first.pid]


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_numbers_are_those_of_the_kernel(machine: str, header: str) -> None:
    """Each number of a system call is that of the kernel's headers, where they are installed."""
    if not Path(header).exists():
        pytest.skip(f"no {header}")
    text = Path(header).read_text()
    known = {m[1]: int(m[2]) for m in re.finditer(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    ours = {name: number(numbers, machine) for name, numbers in {**DENIED, **JUDGED, **SETUP}.items()}
    newer = {"fchmodat2", "statmount", "listmount"}  # than the headers of some distributions

    wrong = {name: value for name, value in ours.items() if value != known.get(name)}
    assert {name for name in wrong if name not in newer or name in known} == set()
