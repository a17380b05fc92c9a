"""The plan of a configuration's folders: streamed, with as many heads in reading as there are converters."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

import anyio

from uploader.config import Folder, Settings
from uploader.convert import Converter
from uploader.convert.job import Forecast
from uploader.core.errors import ConverterBroken, LocalError, UploaderError
from uploader.core.model import Sighting
from uploader.core.path_text import is_text, lossless, shown
from uploader.core.scene_rules import Placement
from uploader.effects.conversion_job import job_of
from uploader.folders import FolderSpec, LookProblem, Oddity, extent, scan
from uploader.lookahead.left_files import WORDS, LeftFile, left_files
from uploader.lookahead.planned_archive import opened
from uploader.lookahead.planned_file import PlannedFile, addressed, not_made
from uploader.system import threads

AHEAD = 4
"""Files for each converter that are under way at once: enough that none waits for another."""

_Entry = tuple[FolderSpec, Sighting | LookProblem | LeftFile]


async def planned(
    settings: Settings, paths: tuple[Path, ...], converter: Converter
) -> AsyncGenerator[PlannedFile, None]:
    """What would become of each file in the folders, or of those at or below `paths`, in the order of a scan.

    Raises UploaderError for a path that lies in no folder, and ConverterBroken.
    """
    stop = threading.Event()
    entries = _entries(settings, _wanted(settings, paths), stop)
    ahead = max(1, converter.workers) * AHEAD
    try:
        while some := await threads.run_sync(_next, entries, ahead):
            made: list[list[PlannedFile] | LocalError] = [LocalError("Not looked at.")] * len(some)

            async def one(
                place: int, entry: _Entry, made: list[list[PlannedFile] | LocalError] = made
            ) -> None:
                try:
                    made[place] = await _planned(settings, *entry, converter)
                except ConverterBroken as error:
                    made[place] = error

            async with anyio.create_task_group() as tasks:
                for place, entry in enumerate(some):
                    tasks.start_soon(one, place, entry)
            for each in made:
                if isinstance(each, LocalError):
                    raise each
                for file in each:
                    yield file
    finally:
        stop.set()


def _next(entries: Iterator[_Entry], most: int) -> list[_Entry]:
    return list(islice(entries, most))


def _wanted(settings: Settings, paths: tuple[Path, ...]) -> dict[str, list[bytes]]:
    """By folder: the relative paths that are asked for; the empty one means all."""
    if not paths:
        return {str(folder.path): [b""] for folder in settings.folders}
    found: dict[str, list[bytes]] = {}
    for path in paths:
        absolute = Path(os.path.normpath(path.absolute()))
        home = next((f for f in settings.folders if absolute.is_relative_to(f.path)), None)
        if home is None:
            raise UploaderError(f"{shown(str(path))} lies in no drop folder of the configuration.")
        if not os.path.lexists(absolute):
            raise UploaderError(f"{shown(str(path))} does not exist.")
        inside = os.fsencode(absolute.relative_to(home.path))
        found.setdefault(str(home.path), []).append(b"" if inside == b"." else inside)
    return found


def _entries(settings: Settings, wanted: dict[str, list[bytes]], stop: threading.Event) -> Iterator[_Entry]:
    for folder in settings.folders:
        asked = wanted.get(str(folder.path))
        if asked is None:
            continue
        spec = FolderSpec(folder)
        # Oddities are told with what is left.
        sighted = (entry for entry in scan(spec, stop) if not isinstance(entry, Oddity))
        for entry in chain(sighted, left_files(spec, stop)):
            if any(not each or entry.path == each or entry.path.startswith(each + b"/") for each in asked):
                yield spec, entry


async def _planned(
    settings: Settings,
    spec: FolderSpec,
    entry: Sighting | LookProblem | LeftFile,
    converter: Converter,
) -> list[PlannedFile]:
    """One for each file, and of an archive that is opened one more for each raster in it."""
    path = shown(os.path.join(spec.root, entry.path))  # noqa: PTH118 - bytes
    bare = PlannedFile(spec.path, path, "left")
    match entry:
        case LeftFile():
            return [replace(bare, code=entry.code, reason=entry.reason)]
        case LookProblem():
            return [replace(bare, verdict="failed", code="unreadable", reason=f"{entry.reason}.")]
    if spec.opens(entry.path) and is_text(entry.path) and not _arriving(spec, entry):
        return await opened(settings, spec, entry, bare, converter)
    return [await _raster(settings, spec, entry, bare, converter)]


async def _raster(
    settings: Settings, spec: FolderSpec, entry: Sighting, bare: PlannedFile, converter: Converter
) -> PlannedFile:
    placed = spec.placed(entry.path)
    known = addressed(bare, spec.section, placed if isinstance(placed, Placement) else None)
    known = replace(known, bytes=entry.size)
    if spec.passes(entry.path):
        return _sent(settings, known, _as_it_is(entry, spec.section))
    if waits := await threads.run_sync(_unfinished, spec, entry):
        return replace(known, verdict="waits", code="unfinished", reason=waits)
    if not is_text(entry.path):
        return replace(known, verdict="failed", code="name", reason=WORDS["name"])
    return await _foreseen(settings, spec, entry, known, converter)


def _arriving(spec: FolderSpec, seen: Sighting) -> str:
    """What beside a file says that it is not there as a whole; empty where nothing does."""
    if seen.control:
        return f"The file {shown(seen.control)} beside it says that it is still arriving."
    return "Its ready marker is not there." if spec.section.ready_marker and not seen.marked else ""


def _unfinished(spec: FolderSpec, seen: Sighting) -> str:
    """Why a file would not be taken yet; empty where nothing says so."""
    if why := _arriving(spec, seen):
        return why
    try:
        told = extent(os.path.join(spec.root, seen.path))  # noqa: PTH118 - bytes
    except OSError:
        return ""
    return f"It ends too early: it has to have {told.needs:,} bytes at least." if told.whole is False else ""


def _as_it_is(seen: Sighting, folder: Folder) -> Forecast:
    sizes = dict.fromkeys(("fast", "balanced", "small"), seen.fingerprint.size)
    return Forecast("passthrough", folder.categorical == "yes", sizes)


async def _foreseen(
    settings: Settings, spec: FolderSpec, seen: Sighting, known: PlannedFile, converter: Converter
) -> PlannedFile:
    source = Path(spec.path, lossless(seen.path))
    job = job_of(settings, source, Path("/nonexistent/result.tif"), spec.section, source.name)
    if known.placement is not None and known.placement.categorical:
        job = replace(job, categorical=known.placement.categorical)
    try:
        forecast = await converter.look_ahead(job, [lossless(sidecar.name) for sidecar in seen.sidecars])
    except ConverterBroken:
        raise
    except LocalError as error:
        return not_made(known, error)
    return _sent(settings, known, forecast)


def _sent(settings: Settings, known: PlannedFile, forecast: Forecast) -> PlannedFile:
    return replace(
        known,
        verdict="upload",
        method=forecast.method,
        categorical=forecast.categorical,
        size=forecast.sizes[settings.effort],
        sizes=forecast.sizes,
        compression=forecast.compression,
        doubts=forecast.doubts,
    )
