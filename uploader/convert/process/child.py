"""The child that converts one raster: forked by the zygote, confined, and gone when it has answered.

GDAL may crash, hang or eat memory on what it is given, or be taken over by it. So this process is expendable: it
has no secret, no descriptor but the two pipes to the zygote, and no second raster.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy.ma  # noqa: F401 - rasterio.open and numpy load it late, which need not happen for each raster

from uploader.convert.confinement import confine
from uploader.convert.confinement.verdict import Confinement
from uploader.convert.job import Job
from uploader.convert.perform import perform
from uploader.core.errors import ConversionFailed, LocalError

ANSWER, ERRORS = 3, 2
"""The child's descriptors: its answer, one line of JSON, and whatever it and its libraries print."""

_FIRST_OTHER = 4
_TRIAL_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Origin:
    """What a child must know of its zygote: its process id, its libraries' places, whether it left the network."""

    pid: int
    places: tuple[Path, ...]
    namespace: bool

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


def live(request: dict[str, Any], origin: Origin) -> NoReturn:
    """Do what is asked, answer, and end: 0 with a whole answer, 1 with a traceback in the errors.

    An empty request is a trial of the confinement. The forked process comes here with its descriptors in place,
    and must never return into the zygote's loop.
    """
    code = 1
    try:
        os.closerange(_FIRST_OTHER, os.sysconf("SC_OPEN_MAX"))
        answer = _convert(request, origin) if request else _trial(origin)
        _write(json.dumps(answer).encode() + b"\n")
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it ends here and is told
        traceback.print_exc(limit=-3)
        sys.stderr.flush()
    finally:
        os._exit(code)


def _convert(request: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """One job's report or error."""
    job, workshop = Job.from_json(request["job"]), Path(request["workshop"])
    origin.confined((job.source.parent,), (workshop,), job.memory_limit)
    started = time.monotonic()
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
    return {"report": report | {"seconds": round(time.monotonic() - started, 3)}}


def _trial(origin: Origin) -> dict[str, Any]:
    """Be confined as for a job without folders, and try to get out."""
    found = origin.confined((), (), _TRIAL_BYTES)
    return found.to_json() | {"reached": confine.reached(origin.pid)}


def _write(line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(ANSWER, rest) :]
