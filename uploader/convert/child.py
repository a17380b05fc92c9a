"""The converting process: reads jobs as lines of JSON, answers each with one line, and knows nothing else.

Started by `worker`. GDAL may crash, hang or eat memory on what it is given, so this process is expendable: it has
no secret, no lasting state, and dies with its parent. `sys.argv` carries the memory limit and the parent's id.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

from uploader.convert import confine
from uploader.convert.job import Job
from uploader.core.errors import ConversionFailed, LocalError

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def main(arguments: list[str]) -> None:
    """Give up rights, tell that we are ready, then convert until the input ends."""
    memory_limit, parent = int(arguments[0]), int(arguments[1])
    confine.settle(memory_limit, parent)
    _skip_drivers()
    answers = _keep_stdout()
    logging.disable()
    from uploader.convert import perform  # noqa: PLC0415 - GDAL must not load before the limits hold

    _say(answers, {"ready": True})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _say(answers, _answer(perform.perform, Job.from_json(request["job"]), Path(request["workshop"])))


def _answer(perform: Any, job: Job, workshop: Path) -> dict[str, Any]:
    """One job's report or error, with nothing of the raster left open."""
    started = time.monotonic()
    _forget_peak()
    try:
        report = perform(job, workshop).to_json()
    except LocalError as error:
        reason = error.reason.replace(f"{job.source.parent}/", "").replace(f"{workshop}/", "")
        return {"error": type(error).__name__, "reason": reason, "way_out": error.way_out}
    except MemoryError:
        reason = f"The raster needs more memory than the limit of {job.memory_limit} bytes."
        return {
            "error": ConversionFailed.__name__,
            "reason": reason,
            "way_out": "Raise convert.memory_limit.",
        }
    finally:
        os.chdir("/")
    seconds = round(time.monotonic() - started, 3)
    return {"report": report | {"seconds": seconds, "peak_bytes": _peak()}}


def _keep_stdout() -> BinaryIO:
    """Take the answers' pipe for ourselves, and send what libraries print to the bounded error stream."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def _say(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")


def _skip_drivers() -> None:
    """Start over with all drivers switched off that are not needed.

    GDAL reads GDAL_SKIP once, when it starts, and only then tells which drivers it has: so it is asked, and the
    process replaces itself. Limits and pipes survive that.
    """
    if "GDAL_SKIP" in os.environ:
        return
    import rasterio  # noqa: PLC0415 - see main

    from uploader.convert.opening import DRIVERS  # noqa: PLC0415 - see main

    with rasterio.Env() as env:  # type: ignore[no-untyped-call]
        others = sorted(set(env.drivers()) - set(DRIVERS))
    os.execve(sys.executable, sys.orig_argv, os.environ | {"GDAL_SKIP": ",".join(others)})  # noqa: S606 - ourselves


def _forget_peak() -> None:
    """Start measuring resident memory anew; where the kernel does not let us, the peak is that of all jobs."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text(_RESET_PEAK)


def _peak() -> int:
    """The most memory that was resident since, in bytes."""
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
