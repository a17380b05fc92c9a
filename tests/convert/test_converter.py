"""Rasters of every kind through the pool, compared by code that is not the program's."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import anyio
import anyio.lowlevel
import numpy as np
import psutil
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from tests.support import compare, rasters
from tests.support.warned import losses
from uploader.convert import Converter, Job, Report
from uploader.convert.engine import pool, starting
from uploader.convert.write import publish
from uploader.core.errors import ConversionFailed, ConverterBroken, NoSpace, RasterRefused, RasterUnreadable

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_ENDING = "{'exit': 0, 'peak_bytes': 0, 'errors': ''}"
_READY = "{'exit': 1, 'peak_bytes': 0, 'errors': '', 'versions': {'gdal': '', 'rasterio': ''}}"
_FAKE = (
    f"import sys, os, time, json; print(json.dumps({_READY}), end=chr(10) * 3, flush=True); "
    "line = sys.stdin.readline(); "
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One raster of every kind, each in a folder of its own."""
    root = tmp_path_factory.mktemp("kinds")
    for kind in rasters.KINDS:
        rasters.make(kind, root / kind / "in" / "source.tif")
    return root


def job(root: Path, kind: str, **options: object) -> Job:
    """The conversion of one of the made rasters."""
    return Job(root / kind / "in" / "source.tif", root / kind / "out.tif", **options)


def left(folder: Path) -> set[str]:
    """What lies beside the working folder."""
    return {path.name for path in folder.iterdir()} - {"in"}


async def test_every_sound_kind_is_exact(made: Path) -> None:
    """Each sound kind becomes a valid COG that differs in nothing, with exact statistics inside it."""
    async with Converter(2) as converter:
        for kind in rasters.SOUND:
            report = await converter.convert(job(made, kind))
            target = made / kind / "out.tif"

            assert compare.differences(made / kind / "in" / "source.tif", target) == [], kind
            assert cog_validate(target, strict=True)[0], kind
            assert left(made / kind) == {"out.tif"}, kind
            assert losses(report) == (["extra_pages"] if kind == "multi_page" else []), kind
            _check_statistics(target, report)
            target.unlink()


def _check_statistics(target: Path, report) -> None:
    with rasterio.open(target) as dataset:
        for index, band in zip(dataset.indexes, report.bands, strict=True):
            samples = dataset.read(index)[dataset.read_masks(index) != 0]
            samples = samples[np.isfinite(samples)].real.astype(np.longdouble)
            assert band.valid_percent == pytest.approx(100 * samples.size / (dataset.width * dataset.height))
            tags = dataset.tags(index)
            if not samples.size:
                assert (band.min, tags.get("STATISTICS_MINIMUM")) == (None, None)
                continue
            assert (band.min, band.max) == (samples.min(), samples.max())
            assert band.mean == pytest.approx(float(samples.mean()), rel=1e-12)
            assert band.std == pytest.approx(float(samples.std()), rel=1e-12)
            assert float(tags["STATISTICS_MEAN"]) == pytest.approx(band.mean, rel=1e-9)


@pytest.mark.parametrize(
    ("kind", "error"), [("truncated", RasterUnreadable), ("empty", RasterUnreadable), ("text", RasterRefused)]
)
async def test_broken_kinds_leave_nothing_and_keep_the_child(made: Path, kind: str, error: type) -> None:
    """What does not open or ends too early is a clean error, and the same child takes the next raster."""
    async with Converter(1) as converter:
        with pytest.raises(error):
            await converter.convert(job(made, kind))
        first = [child.pid for child in converter._idle]
        await converter.convert(job(made, "classes"))

        assert [child.pid for child in converter._idle] == first
    assert left(made / kind) == set()


async def test_ready_cog_is_sent_as_it_is(made: Path) -> None:
    """A valid COG with exact statistics is passed through byte for byte; one without them gets a new head."""
    async with Converter(1) as converter:
        ready = await converter.convert(job(made, "ready_cog"))
        lacking = await converter.convert(job(made, "cog_without_statistics"))

    assert (ready.method, lacking.method) == ("passthrough", "rewrite")
    source, target = made / "ready_cog" / "in" / "source.tif", made / "ready_cog" / "out.tif"
    assert source.read_bytes() == target.read_bytes()


async def test_wrong_statistics_are_not_passed_through(tmp_path: Path) -> None:
    """A COG whose embedded statistics lie gets a head with the true ones."""
    source = rasters.make("ready_cog", tmp_path / "in" / "source.tif")
    content = source.read_bytes()
    with rasterio.open(source) as dataset:
        mean = dataset.tags(1)["STATISTICS_MEAN"].encode()
    source.write_bytes(content.replace(mean, b"1" + mean[1:].replace(mean[1:2], b"9")))

    async with Converter(1) as converter:
        report = await converter.convert(Job(source, tmp_path / "out.tif"))

    assert report.method == "rewrite"
    with rasterio.open(tmp_path / "out.tif") as dataset:
        assert float(dataset.tags(1)["STATISTICS_MEAN"]) == pytest.approx(report.bands[0].mean, rel=1e-15)


async def test_kinds_of_data_are_told_apart(made: Path) -> None:
    """Palettes, masks and class codes are categorical, measurements are not, and the folder has the last word."""
    async with Converter(1) as converter:
        found = {
            kind: (await converter.convert(job(made, kind))).categorical
            for kind in ("palette", "classes", "one_bit", "rgb_striped", "dem_nodata", "blank", "int8")
        }
        forced = await converter.convert(job(made, "classes", categorical="no"))

    assert [kind for kind, categorical in found.items() if categorical] == ["palette", "classes", "one_bit"]
    assert not forced.categorical


async def test_strict_refuses_what_is_only_warned_of(made: Path) -> None:
    """A second page is a warning, and under `strict` a refusal that names it."""
    async with Converter(1) as converter:
        with pytest.raises(RasterRefused, match="2 pages"):
            await converter.convert(job(made, "multi_page", strict=True))
    assert left(made / "multi_page") == set()


@pytest.mark.parametrize(
    ("options", "words"), [({"max_pixels": 1000}, "600 x 600"), ({"max_bands": 3}, "4 bands")]
)
async def test_limits_are_judged_before_reading(made: Path, options: dict, words: str) -> None:
    """A raster that declares more than the limits is refused with the numbers."""
    async with Converter(1) as converter:
        with pytest.raises(RasterRefused, match=words):
            await converter.convert(job(made, "uint16_bands", **options))


async def test_full_disk_is_nobodys_fault(made: Path) -> None:
    """When the estimate does not fit above the reserve, that is NoSpace and not the raster's failure."""
    async with Converter(1) as converter:
        with pytest.raises(NoSpace, match="free above the reserve"):
            await converter.convert(job(made, "uint16_bands", min_free_bytes=1 << 60))


async def test_too_little_memory_is_said(tmp_path: Path) -> None:
    """A child that hits its memory limit is replaced, and the error says memory."""
    source = rasters.make("rgb_striped", tmp_path / "in" / "source.tif", size=1500)
    async with Converter(1) as converter:
        with pytest.raises(ConversionFailed, match=r"memory|crashed|gave up"):
            await converter.convert(Job(source, tmp_path / "out.tif", memory_limit=72 << 20))
        await converter.convert(Job(source, tmp_path / "out.tif"))

    assert left(tmp_path) == {"out.tif"}


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("os.kill(os.getpid(), 11)", "segmentation fault"),
        ("os.kill(os.getpid(), 9)", "killed"),
        ("os._exit(0)", "ended with code 0"),
        ("raise KeyError('no such word')", "code 1 on this raster, by a mistake of its own"),
        ("sys.stderr.write('boom'); sys.exit(3)", "code 3.*boom"),
        ("print('ready or not', flush=True); time.sleep(60)", "makes no sense"),
        ("print('[1]', flush=True); time.sleep(60)", "makes no sense"),
        ("print(json.dumps({'report': {'method': 'magic'}}), flush=True); time.sleep(60)", "makes no sense"),
        ("sys.stdout.write('x' * 9_000_000); sys.stdout.flush(); time.sleep(60)", "does not stop"),
        ("time.sleep(60)", "longer than 1.5 seconds"),
    ],
)
async def test_a_misbehaving_child_is_replaced(made: Path, monkeypatch, behaviour: str, words: str) -> None:
    """Crash, kill, early end, garbage, babble and hang are each named, and no such child is used again."""
    async with Converter(1) as converter:
        with monkeypatch.context() as patch:
            patch.setattr(starting, "_START", _FAKE + behaviour)
            with pytest.raises(ConversionFailed, match=words):
                await converter.convert(job(made, "classes", timeout_seconds=1.5 if "1.5" in words else 60))
            assert converter._idle == []
    assert left(made / "classes") <= {"out.tif"}


async def test_the_next_child_works(made: Path, monkeypatch) -> None:
    """After a crash the next conversion gets a new child."""
    async with Converter(1) as converter:
        with monkeypatch.context() as patch:
            patch.setattr(starting, "_START", _FAKE + "os.abort()")
            with pytest.raises(ConversionFailed, match="abort"):
                await converter.convert(job(made, "classes"))
        await converter.convert(job(made, "classes"))
    assert left(made / "classes") == {"out.tif"}


async def test_a_converter_that_does_not_come_up_is_no_rasters_fault(made: Path, monkeypatch) -> None:
    """A broken installation is told as what it is, and nothing is left behind."""
    monkeypatch.setattr(starting, "_START", "import no_such_module")
    async with Converter(1) as converter:
        with pytest.raises(ConverterBroken, match=r"does not start.*no_such_module"):
            await converter.convert(job(made, "classes"))


async def test_a_converter_that_is_killed_at_its_start_says_by_what(made: Path, monkeypatch) -> None:
    """As by a filter of system calls, which leaves it no last words."""
    monkeypatch.setattr(starting, "_START", "import os; os.kill(os.getpid(), 31)")
    async with Converter(1) as converter:
        with pytest.raises(ConverterBroken, match=r"does not start: it ended with signal 31\."):
            await converter.convert(job(made, "classes"))


async def test_the_last_words_of_a_converter_are_waited_for(made: Path, monkeypatch) -> None:
    """They may come after its end: here from a process that it has left behind."""
    leaves = "import os, sys, time; os.fork() and os._exit(1); os.close(1); time.sleep(0.3); sys.exit('no disk for it')"
    monkeypatch.setattr(starting, "_START", leaves)
    async with Converter(1) as converter:
        with pytest.raises(ConverterBroken, match=r"does not start.*no disk for it"):
            await converter.convert(job(made, "classes"))


async def test_success_without_a_file_is_a_failure(made: Path, monkeypatch) -> None:
    """A child that reports success but wrote nothing is not believed."""
    answer = "{'report': {'method': 'cog_driver', 'categorical': False, 'warnings': [], 'bands': [], 'declared': {}, "
    answer += "'seconds': 0, 'peak_bytes': 0, 'sampled': False, 'facts': {}}}"
    lines = f"print(json.dumps({_ENDING}), json.dumps({answer}), sep=chr(10), end=chr(10) * 2, flush=True)"
    monkeypatch.setattr(starting, "_START", f"{_FAKE}{lines}; time.sleep(9)")
    async with Converter(1) as converter:
        with pytest.raises(ConversionFailed, match="left no result"):
            await converter.convert(job(made, "int8"))


async def test_cancelling_kills_the_child_and_leaves_nothing(made: Path, monkeypatch) -> None:
    """A cancelled conversion ends at once; its child is dead and no part of a target is there."""
    target = made / "rgba" / "out.tif"
    target.unlink(missing_ok=True)
    monkeypatch.setattr(starting, "_START", _FAKE + "time.sleep(60)")
    async with Converter(1) as converter:
        started = time.monotonic()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(converter.convert, job(made, "rgba"))
            while not converter._busy:
                await anyio.lowlevel.checkpoint()
            pid = next(iter(converter._busy)).pid
            await anyio.sleep(0.2)
            tasks.cancel_scope.cancel()

        assert time.monotonic() - started < 30
        assert not psutil.pid_exists(pid)
    assert left(made / "rgba") == set()


async def test_what_was_warmed_up_does_the_first_job(made: Path) -> None:
    """Whoever knows that a job will come has its process come up meanwhile; no second one is started for it."""
    async with Converter(1) as converter:
        await converter.warm_up()
        (first,) = converter._idle
        await converter.convert(job(made, "classes"))

        assert converter._idle == [first]


async def test_children_are_shared_and_end_with_the_pool(made: Path) -> None:
    """Never more children than workers, whatever is asked at once; none is left after closing."""
    converter = Converter(2)
    async with anyio.create_task_group() as tasks:
        for kind in ("classes", "int8", "palette", "gcps", "rpcs"):
            tasks.start_soon(converter.convert, job(made, kind))
    pids = [child.pid for child in converter._idle]
    await converter.aclose()
    await converter.aclose()

    assert 1 <= len(pids) <= 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_a_result_is_put_in_its_place_while_the_next_raster_is_converted(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashes, syncs and renames of one keep no child from the next."""
    gate, finish = threading.Event(), publish.finish

    def gated(asked: Job, report: Report) -> None:
        if asked.source.parent.parent.name == "classes":
            assert gate.wait(60)
        finish(asked, report)

    monkeypatch.setattr(publish, "finish", gated)
    async with Converter(1) as converter, anyio.create_task_group() as tasks:
        tasks.start_soon(converter.convert, job(made, "classes"))
        await anyio.lowlevel.checkpoint()
        await converter.convert(job(made, "int8"))
        gate.set()

    assert left(made / "classes") == left(made / "int8") == {"out.tif"}


async def test_child_has_no_secret_and_little_reach(made: Path, monkeypatch) -> None:
    """What children are forked from has nothing of ours in its environment, and only its own descriptors."""
    monkeypatch.setenv("GEOPERA_API_KEY", "canary-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-key")
    inherited = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    async with Converter(1) as converter:
        await converter.convert(job(made, "classes", memory_limit=1 << 30))
        child = converter._idle[0]
        environment, limits, status, descriptors = _seen(child.pid)
    os.close(inherited)

    assert "canary" not in environment
    assert not any(name in environment for name in ("AWS", "GEOPERA", "http"))
    assert "Max core file size        0" in limits
    assert "NoNewPrivs:\t1" in status
    assert "/dev/null" not in descriptors


def _seen(pid: int) -> tuple[str, str, str, set[str]]:
    """Environment, limits, status and open files of a process, as the kernel tells them."""
    folder = Path(f"/proc/{pid}")
    texts = [(folder / name).read_text() for name in ("environ", "limits", "status")]
    return texts[0], texts[1], texts[2], {str(entry.readlink()) for entry in (folder / "fd").iterdir()}


async def test_child_dies_with_its_parent(made: Path, tmp_path: Path) -> None:
    """SIGKILL of the parent ends an idle child too."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time, anyio; from pathlib import Path\n"
        "from uploader.convert import Converter, Job\n"
        "async def main():\n"
        "    converter = Converter(1)\n"
        "    await converter.convert(Job(Path(sys.argv[1]), Path(sys.argv[2])))\n"
        "    print(converter._idle[0].pid, flush=True); time.sleep(60)\n"
        "anyio.run(main)\n"
    )
    source = made / "classes" / "in" / "source.tif"
    root = str(Path(pool.__file__).parents[3])
    process = await anyio.open_process(
        [sys.executable, str(script), str(source), str(tmp_path / "out.tif")],
        env={**os.environ, "PYTHONPATH": root},
    )
    pid = int(await process.stdout.receive())
    process.kill()
    await process.wait()
    await process.aclose()

    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=30)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
