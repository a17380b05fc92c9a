"""`uploader.push` and `uploader.push_async`: these rasters, now."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from uploader.config import Settings
from uploader.convert.job import RasterWarning
from uploader.core.errors import ConfigurationError, UploaderError
from uploader.core.path_text import shown
from uploader.platform.geopera.key_file import VARIABLE, check_key, read_key
from uploader.python.background_push import BackgroundPush
from uploader.python.error_words import SPELLING
from uploader.python.push_job import naming, settings_of
from uploader.python.results import Item, Progress, PushHeld, PushResult, RejectedFile

StrPath = str | os.PathLike[str]
OnProgress = Callable[[Progress], object]

DRAIN = 5.0
"""Seconds that calls and transfers may take to finish when a push is broken off; what is cut is done again."""

NOWHERE = logging.NullHandler()
"""Takes the log where the program has no handler: Python itself would print warnings."""

AGAIN = "The same push goes on where this one ended."
MEND = "Mend the file and push it again: each push tries once more what was rejected."


def push(
    paths: StrPath | Iterable[StrPath],
    *,
    project_id: str,
    collection_id: str = "",
    base_url: str = "https://api.geopera.com",
    api_key: str | None = None,
    on_progress: OnProgress | None = None,
    state_dir: StrPath | None = None,
) -> PushResult:
    """Upload these rasters, each as one item, and return what became of them.

    Folders are taken with everything below them, archives that are named are opened. A push that was broken off goes on
    when it is asked for again, after Ctrl-C and `kill -9` too, and what is an item already stays one. It may be called
    in any thread, also where an event loop runs, which stands still meanwhile (`push_async` lets it go on).

    `api_key`: else that of $GEOPERA_API_KEY. `on_progress` is called in this thread with a `Progress`; what it raises
    ends the push, as Ctrl-C does, and is raised here. `state_dir` remembers what was done: by default
    `~/.local/state/uploader/push`, as the command `uploader push` has it.

    Raises UploaderError, with `reason` and `way_out`, where nothing can be done or something holds files back
    (`PushHeld`). A file's own failure is a row of `rejected` instead.
    """
    job = _job(
        paths,
        project_id=project_id,
        collection_id=collection_id,
        base_url=base_url,
        api_key=api_key,
        on_progress=on_progress,
        state_dir=state_dir,
    )
    return _result(job.to_its_end())


async def push_async(
    paths: StrPath | Iterable[StrPath],
    *,
    project_id: str,
    collection_id: str = "",
    base_url: str = "https://api.geopera.com",
    api_key: str | None = None,
    on_progress: OnProgress | None = None,
    state_dir: StrPath | None = None,
) -> PushResult:
    """Upload as `push` does, while the event loop of the caller goes on.

    `on_progress` is called in the loop's thread. When it is cancelled, calls that are under way have five seconds to
    finish; the same push goes on later where this one ended.
    """
    job = _job(
        paths,
        project_id=project_id,
        collection_id=collection_id,
        base_url=base_url,
        api_key=api_key,
        on_progress=on_progress,
        state_dir=state_dir,
    )
    return _result(await job.beside())


def _job(
    paths: StrPath | Iterable[StrPath],
    *,
    project_id: str,
    collection_id: str,
    base_url: str,
    api_key: str | None,
    on_progress: OnProgress | None,
    state_dir: StrPath | None,
) -> BackgroundPush:
    """Check what was asked for before anything is done. Raises UploaderError."""
    logging.getLogger("uploader").addHandler(NOWHERE)
    named = _paths(paths)
    if not project_id.strip():
        raise ConfigurationError("project_id is empty.", "Name the project that the items go to.")
    environ = os.environ if api_key is None else {VARIABLE: check_key(api_key, "api_key")}
    read_key("", environ)
    home = Path(state_dir).absolute() if state_dir is not None else None
    settings = settings_of(named, project_id, collection_id, _base(base_url), state_dir=home)
    return BackgroundPush(settings, naming(named), environ, on_progress)


def _base(base_url: str) -> Settings:
    """The configuration of a push. Raises ConfigurationError where base_url is none."""
    try:
        return Settings.model_validate(
            {"platform": {"base_url": base_url}, "transfer": {"drain_seconds": DRAIN}}
        )
    except ConfigurationError as error:
        reason = error.reason.replace("[platform] base_url:", "base_url")
        raise ConfigurationError(reason, error.way_out or "Name the address of the platform.") from error


def _paths(paths: StrPath | Iterable[StrPath]) -> list[Path]:
    """The paths that were named, which must exist."""
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    named = [Path(path) for path in given]
    if not named:
        raise UploaderError("No path was named.", "Name files or folders.")
    for path in named:
        if not path.exists():
            raise UploaderError(f"{shown(str(path))} does not exist.", SPELLING)
    return named


def _result(told: dict[str, Any]) -> PushResult:
    """The outcome as it is promised. Raises PushHeld where it is not that of every file."""
    items, failed = (sorted(told[name], key=lambda one: one["path"]) for name in ("items", "failed"))
    result = PushResult(
        items=tuple(map(_item, items)),
        rejected=tuple(RejectedFile(one["path"], one["reason"], MEND) for one in failed),
    )
    if told["files"] > len(result.items) + len(result.rejected):
        raise _held(told["holds"], result)
    return result


def _item(told: dict[str, Any]) -> Item:
    warnings = tuple(RasterWarning(one["code"], one["text"]) for one in told["warnings"])
    return Item(told["path"], told["id"] or None, told["name"], warnings)


def _held(holds: list[dict[str, Any]], result: PushResult) -> PushHeld:
    """Say what holds files back; the first hold is the one that is to be mended first."""
    if not holds:
        return PushHeld("Some files did not come to an end.", AGAIN, result)
    return PushHeld(holds[0]["reason"], f"{holds[0]['way_out']} {AGAIN}", result)
