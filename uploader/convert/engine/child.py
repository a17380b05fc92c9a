"""The child that converts one raster: forked by the zygote, confined, and gone when it has answered.

GDAL may crash, hang or eat memory on what it is given, or be taken over by it. So this process is expendable: it
has no secret, no descriptor but the two pipes to the zygote, and no second raster.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from uploader.convert.archive_job import ArchiveJob, entries_to_json
from uploader.convert.archives.opening import listed, unpacked
from uploader.convert.engine.child_progress import Telling
from uploader.convert.isolation import confine
from uploader.convert.isolation.verdict import Confinement
from uploader.convert.job import Job
from uploader.convert.perform import Performed, look_ahead, perform
from uploader.convert.pictures.look import quicklook
from uploader.convert.quicklook import Quicklook
from uploader.convert.read.pass_progress import ConversionProgress, progress
from uploader.convert.write import publish
from uploader.core.capacity import MORE_TASKS, pool_threads
from uploader.core.errors import ConversionFailed, LocalError, Shortage

ANSWER, ERRORS = 3, 2
"""The child's descriptors: its answers, lines of JSON, and whatever it and its libraries print."""

QUICKLOOK_SECONDS = 20
"""After which the kernel ends a child that draws; it needs milliseconds."""

_FIRST_OTHER = 4
_TRIAL_BYTES = 1 << 30
_SMALL_STACK = 64 << 10
"""Bytes that keep a thread which only waits; what is not taken away from the raster's memory."""

_FEWEST_THREADS = 2
"""One that decodes and one that encodes."""


@dataclass(frozen=True, slots=True)
class ParentZygote:
    """What a child must know of its zygote: its process id, its libraries' places, whether it left the network."""

    pid: int
    places: tuple[Path, ...]
    namespace: bool
    kept: frozenset[int] = frozenset()
    """Descriptors of libraries' tables."""

    def confined(
        self, folders: tuple[Path, ...], workshops: tuple[Path, ...], memory_limit: int
    ) -> Confinement:
        """Be confined to the libraries' places, these folders to read, and these to write."""
        return confine.enter(
            (*self.places, *folders),
            workshops,
            parent=self.pid,
            memory_limit=memory_limit,
            namespace=self.namespace,
        )


def live(request: dict[str, Any], origin: ParentZygote) -> NoReturn:
    """Do what is asked, answer, and end: 0 with a whole answer, 1 with a traceback in the errors.

    An empty request is a trial of the confinement. The forked process comes here with its descriptors in place,
    and must never return into the zygote's loop.
    """
    code = 1
    try:
        _close_all_but(origin.kept)
        if not request:
            _tell(_trial(origin))
        elif "beside" in request:
            _foresee(request, origin)
        elif "archive" in request:
            _open_archive(ArchiveJob.from_json(request["archive"]), origin)
        else:
            _convert(request, origin)
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it ends here and is told
        traceback.print_exc(limit=-3)
        sys.stderr.flush()
    finally:
        os._exit(code)


def _close_all_but(kept: Collection[int]) -> None:
    start = _FIRST_OTHER
    for handle in sorted(kept):
        os.closerange(start, handle)
        start = handle + 1
    os.closerange(start, os.sysconf("SC_OPEN_MAX"))


def _convert(request: dict[str, Any], origin: ParentZygote) -> None:
    """Tell one job's report or error; then, where it is asked for, how the raster looks."""
    job, workshop = Job.from_json(request["job"]), Path(request["workshop"])
    try:
        done, seconds = _in_workshop(job, workshop, origin)
    except LocalError as error:
        _tell_error(error, job.source.parent, workshop)
        return
    _tell({"report": done.report.to_json() | {"seconds": seconds}})
    if job.quicklook:
        signal.alarm(QUICKLOOK_SECONDS)
        _tell(_quicklook(done).to_json())


def _quicklook(done: Performed) -> Quicklook:
    told = done.report
    return quicklook(done.shown, done.smallest, done.facts, told.bands, categorical=told.categorical)


def _foresee(request: dict[str, Any], origin: ParentZygote) -> None:
    """Tell the forecast of a raster that lies among others, or its error.

    Only its own files can be read, and nothing can be written.
    """
    job, beside = Job.from_json(request["job"]), tuple(request["beside"])
    own = (job.source, *(job.source.with_name(name) for name in beside))
    try:
        origin.confined(own, (), job.memory_limit)
        _tell({"forecast": look_ahead(job, beside).to_json()})
    except LocalError as error:
        _tell_error(error, job.source.parent)


def _open_archive(job: ArchiveJob, origin: ParentZygote) -> None:
    """Tell the files in an archive, or nothing once the wanted ones are written; or the error.

    The archive alone can be read, and nothing can be written but below the target.
    """
    folder = job.source.parent if job.target is None else job.target
    try:
        origin.confined((job.source,), () if job.target is None else (job.target,), job.memory_limit)
        confine.limit(folder, cpu_seconds=job.timeout_seconds, file_bytes=job.room)
        found = listed(job) if job.target is None else []
        if job.target is not None:
            unpacked(job)
    except MemoryError:
        confine.require_memory(job.memory_limit)
        reason = f"The archive needs more memory than the limit of {job.memory_limit} bytes."
        _tell_error(ConversionFailed(reason, "Raise convert.memory_limit."), job.source.parent)
    except LocalError as error:
        _tell_error(error, job.source.parent)
    else:
        _tell({"entries": entries_to_json(found)})


def _tell_error(error: LocalError, *folders: Path) -> None:
    """Tell what went wrong, without the folders in which it did."""
    reason = error.reason
    for folder in folders:
        reason = reason.replace(f"{folder}/", "")
    _tell(error.reworded(reason).to_json())


def _in_workshop(job: Job, workshop: Path, origin: ParentZygote) -> tuple[Performed, float]:
    """As `_performed`. Raises LocalError; StagedDamaged where somebody removed what was written meanwhile."""
    try:
        return _performed(job, workshop, origin)
    except (LocalError, FileNotFoundError) as error:
        if any(_names(step, workshop) for step in _steps(error)):
            raise publish.removed(job) from error
        raise


def _steps(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _names(error: BaseException, workshop: Path) -> bool:
    """Whether it says that something in the workshop is not there."""
    named = error.filename if isinstance(error, FileNotFoundError) else None
    return isinstance(named, str | bytes) and Path(os.fsdecode(named)).is_relative_to(workshop)


def _performed(job: Job, workshop: Path, origin: ParentZygote) -> tuple[Performed, float]:
    """One job, done within its limits, and the seconds that it took. Raises LocalError."""
    require_threads(pool_threads(os.cpu_count() or 1))
    behind_link = (job.source,) if job.linked else ()
    origin.confined((job.source.parent, *behind_link), (workshop,), job.memory_limit)
    started = time.monotonic()
    progress.set(ConversionProgress(Telling(partial(os.write, ANSWER))))
    try:
        _require_stacks()
        done = perform(job, workshop)
    except MemoryError as error:
        confine.require_memory(job.memory_limit)
        reason = f"The raster needs more memory than the limit of {job.memory_limit} bytes."
        raise ConversionFailed(reason, "Raise convert.memory_limit.") from error
    return done, round(time.monotonic() - started, 3)


def require_threads(count: int, stack_bytes: int = _SMALL_STACK) -> None:
    """Raises Shortage where so many threads cannot be had at once: GDAL would wait for them for ever."""
    gate = threading.Event()
    others = [threading.Thread(target=gate.wait) for _ in range(count)]
    threading.stack_size(stack_bytes)
    try:
        for started, thread in enumerate(others):
            try:
                thread.start()
            except RuntimeError as error:
                text = f"The machine has only {started} threads to give to a converter, which needs {count}."
                raise Shortage(text, MORE_TASKS) from error
    finally:
        threading.stack_size(0)
        gate.set()
        for thread in others:
            if thread.ident is not None:
                thread.join()


def _require_stacks() -> None:
    """Raises MemoryError where the memory limit has no room for the stacks of threads; GDAL needs two at the least."""
    try:
        require_threads(_FEWEST_THREADS, stack_bytes=0)
    except Shortage as error:
        raise MemoryError from error


def _trial(origin: ParentZygote) -> dict[str, Any]:
    """Be confined as for a job without folders, and try to get out."""
    found = origin.confined((), (), _TRIAL_BYTES)
    return found.to_json() | {"reached": confine.reached(origin.pid)}


def _tell(answer: dict[str, Any]) -> None:
    rest = memoryview(json.dumps(answer).encode() + b"\n")
    while rest:
        rest = rest[os.write(ANSWER, rest) :]
