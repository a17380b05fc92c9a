"""What a running daemon answers on its control socket, by command. docs/control.md tells the fields."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from uploader.core.durations import LONGEST
from uploader.core.errors import UploaderError
from uploader.core.path_text import raw, shown
from uploader.core.pauses import EVERYTHING
from uploader.daemon.control import Handler
from uploader.daemon.live_status import LiveStatus
from uploader.journal import Journal
from uploader.journal.rows import iso

log = logging.getLogger(__name__)


def handlers(
    journal: Journal,
    live: LiveStatus,
    rescan: Callable[[], None],
    nudge: Callable[[], None],
    try_now: Callable[[], int],
) -> Mapping[str, Handler]:
    """The commands.

    `rescan` has all folders looked at again, `nudge` has the daemon plan at once, and `try_now` has it try what a
    mistake in the program keeps back; it returns how many these are.
    """

    async def retry(request: dict[str, Any]) -> dict[str, Any]:
        if request.get("held") is True:
            return {"tried": await held()}
        count = await journal.retrying.retried(paths(request.get("paths")))
        rescan()
        return {"retried": count}

    async def held() -> int:
        count = await journal.retrying.tried_now() + try_now()
        rescan()
        nudge()
        log.info("tried now count=%d", count)
        return count

    async def status(_: dict[str, Any]) -> dict[str, Any]:
        return await live.ask()

    async def pause(request: dict[str, Any]) -> dict[str, Any]:
        named, seconds = folder(request.get("folder")), span(request.get("seconds"))
        until = await journal.pausing.paused(named or EVERYTHING, seconds)
        log.info("paused folder=%r seconds=%s", shown(named or "(all)"), seconds)
        nudge()
        return {"until": iso(until)}

    async def resume(request: dict[str, Any]) -> dict[str, Any]:
        ended = await journal.pausing.resumed(folder(request.get("folder")))
        log.info("resumed folders=%r", [shown(each or "(all)") for each in ended])
        nudge()
        return {"resumed": ended}

    return {"retry": retry, "status": status, "pause": pause, "resume": resume}


def folder(given: object) -> str | None:
    """The folder of a request: an absolute path, empty for everything, or None. Raises UploaderError for any other."""
    if given is None or (isinstance(given, str) and (given == EVERYTHING or given.startswith("/"))):
        return given
    raise UploaderError("`folder` is the absolute path of a drop folder, empty for everything, or null.")


def span(given: object) -> float | None:
    """The seconds of a request, or None. Raises UploaderError where they are no number that can be waited for."""
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if given is None or (number and 0 < given <= LONGEST):  # type: ignore[operator]
        return given  # type: ignore[return-value]
    raise UploaderError(f"`seconds` is a number above 0 and up to {LONGEST:.0f}, or null.")


def paths(given: object) -> list[bytes] | None:
    """The paths of a request, or None for all. Raises UploaderError where they are none."""
    if given is None:
        return None
    if isinstance(given, list) and all(isinstance(path, str) for path in given):
        with suppress(ValueError):
            return [raw(path) for path in given]
    raise UploaderError("`paths` is a list of absolute paths, or null for all.")
