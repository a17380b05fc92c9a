"""What a zygote and its children say, read as from a process that may be out of its mind, and what their ends mean."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from uploader.convert.archive_job import entries_from_json
from uploader.convert.isolation import confine
from uploader.convert.isolation.verdict import Confinement
from uploader.convert.job import Forecast, Report
from uploader.convert.quicklook import Quicklook
from uploader.core import errors
from uploader.core.archives import ArchiveEntry
from uploader.core.capacity import MORE_TASKS

_LOG = logging.getLogger(__name__)

_Held = TypeVar("_Held")

_REASON_LENGTH = 1000

_ERRORS: Mapping[str, type[errors.LocalError]] = {
    kind.__name__: kind
    for kind in (
        errors.RasterUnreadable,
        errors.RasterRefused,
        errors.ConversionFailed,
        errors.NoSpace,
        errors.StagedDamaged,
        errors.Shortage,
        errors.MemoryTooNarrow,
    )
}

_DEATHS: Mapping[int, str] = {
    signal.SIGSEGV: "crashed (segmentation fault)",
    signal.SIGBUS: "crashed (bus error)",
    signal.SIGFPE: "crashed (arithmetic)",
    signal.SIGILL: "crashed (illegal instruction)",
    signal.SIGABRT: "gave up (abort)",
    signal.SIGKILL: "was killed, perhaps for its memory",
    signal.SIGXCPU: "used up its processor time",
    signal.SIGXFSZ: "wrote too large a file",
}

_TRACEBACK = "Traceback (most recent call last)"
_REPORT = "The log has the details: please report them."
_MORE_MEMORY = "Raise convert.memory_limit, or split the raster."


@dataclass(frozen=True, slots=True)
class ZygoteFacts:
    """What a zygote tells when it is ready: versions of its libraries, and how its children are confined."""

    gdal: str
    rasterio: str
    confinement: Confinement


def shortage(why: str | None) -> errors.Shortage:
    """The error of a machine that has no process to give; `why` is what it says."""
    return errors.Shortage(f"The machine has no process to give to the converter ({why}).", MORE_TASKS)


def death(code: int, said: str, where: str) -> errors.ConversionFailed:
    """What to say of a process that ended so, and had printed this."""
    if "bad_alloc" in said or "MemoryError" in said:
        return errors.ConversionFailed(f"The converter ran out of memory{where}.", _MORE_MEMORY)
    how = _DEATHS.get(-code, ended(code))
    if _TRACEBACK in said:
        _LOG.error("converter failed of itself%s: %s", where, said)
        return errors.ConversionFailed(
            f"The converter {how}{where}, by a mistake of its own.", _REPORT, as_it_is=True
        )
    return errors.ConversionFailed(f"The converter {how}{where}{': ' + last_words(said) if said else ''}.")


def ended(code: int) -> str:
    """How a process ended that returned this."""
    return f"ended with signal {-code}" if code < 0 else f"ended with code {code}"


def death_of_child(ending: dict[str, Any], memory_limit: int) -> errors.ConversionFailed:
    """What the end of a job's child means. Raises MemoryTooNarrow where the machine gave it too little."""
    confine.require_memory(memory_limit, ending["peak_bytes"])
    return death(ending["exit"], ending["errors"], " on this raster")


def last_words(said: str) -> str:
    """The end of what a process has printed, on one line."""
    return " ".join(said.split())[-200:]


def nonsense() -> errors.ConversionFailed:
    """The error of an answer that is none."""
    return errors.ConversionFailed("The converter's answer makes no sense.")


def facts_of(ending: dict[str, Any], line: bytes) -> ZygoteFacts:
    """What the zygote tells of itself, and its first child of the confinement; without the latter there is none."""
    try:
        versions = ending["versions"]
        confinement = Confinement.from_json(parsed(line)) if ending["exit"] == 0 else Confinement()
        return ZygoteFacts(str(versions["gdal"]), str(versions["rasterio"]), confinement)
    except (KeyError, TypeError, ValueError) as error:
        raise nonsense() from error


def parsed(line: bytes) -> dict[str, Any]:
    """One line of JSON from a process that may be out of its mind. Raises ConversionFailed."""
    try:
        # What was no UTF-8 in a raster comes as half a surrogate pair, which the journal could not hold.
        text = json.dumps(_loaded(line), ensure_ascii=False).encode("utf-8", "replace")
    except RecursionError as error:
        raise nonsense() from error
    return _loaded(text)


def _loaded(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise nonsense() from error
    if not isinstance(answer, dict):
        raise nonsense()
    return answer


def quicklook_of(line: bytes) -> Quicklook | None:
    """What a child says of how its raster looks; None where it says nothing, or nothing that makes sense.

    There is no text of the raster's in it, and a picture is long: it is read once.
    """
    if not line:
        return None
    try:
        return Quicklook.from_json(_loaded(line))
    except errors.ConversionFailed:
        return None


def report_of(answer: dict[str, Any]) -> Report:
    """The report that an answer holds; raises the error that it holds."""
    return _held(answer, "report", Report.from_json)


def forecast_of(answer: dict[str, Any]) -> Forecast:
    """The forecast that an answer holds; raises the error that it holds."""
    return _held(answer, "forecast", Forecast.from_json)


def entries_of(answer: dict[str, Any]) -> list[ArchiveEntry]:
    """The files of an archive that an answer tells; raises the error that it holds."""
    return _held(answer, "entries", entries_from_json)


def _held(answer: dict[str, Any], name: str, read: Callable[[Any], _Held]) -> _Held:
    if "error" in answer:
        kind = _ERRORS.get(str(answer["error"]), errors.ConversionFailed)
        reason, way_out = (str(answer.get(key, ""))[:_REASON_LENGTH] for key in ("reason", "way_out"))
        raise kind(reason, way_out, as_it_is=answer.get("as_it_is") is True)
    try:
        return read(answer[name])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise nonsense() from error
