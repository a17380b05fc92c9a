"""What a running daemon answers on its control socket, by command. docs/control.md tells the fields."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from uploader.core.durations import LONGEST
from uploader.core.errors import UploaderError
from uploader.core.model import Scope
from uploader.core.moments import iso
from uploader.core.path_text import raw, shown
from uploader.core.pauses import EVERYTHING
from uploader.core.transitions.held_rows import HoldName
from uploader.daemon.control import Handler
from uploader.daemon.live_status import LiveStatus
from uploader.daemon.reload import Reload
from uploader.daemon.trying import Trying
from uploader.folders.still_there import still_there
from uploader.journal import Journal
from uploader.journal.listings import paths_by_id
from uploader.system import threads

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Follow:
    """What the daemon does for a request beside its entry in the journal."""

    trying: Trying
    """What is held is tried, and folders are looked at again."""
    let_go: Callable[[int], None]
    """A file, by id, is not looked at again."""
    token: Callable[[], str]
    """Makes a token that lets one browser change something."""


def handlers(journal: Journal, live: LiveStatus, reload: Reload, follow: Follow) -> Mapping[str, Handler]:
    """The commands."""

    async def read_again(_: dict[str, Any]) -> dict[str, Any]:
        return await reload.now()

    async def retry(request: dict[str, Any]) -> dict[str, Any]:
        if request.get("held") is True:
            return {"tried": await follow.trying.everything()}
        if (named := request.get("hold")) is not None:
            return {"tried": await follow.trying.hold(hold_name(named))}
        count = await journal.retrying.retried(paths(request.get("paths")))
        follow.trying.folders(None)
        return {"retried": count}

    async def status(_: dict[str, Any]) -> dict[str, Any]:
        return await live.ask()

    async def pause(request: dict[str, Any]) -> dict[str, Any]:
        named, seconds = folder(request.get("folder")), span(request.get("seconds"))
        until = await journal.pausing.paused(named or EVERYTHING, seconds)
        log.info("paused folder=%r seconds=%s", shown(named or "(all)"), seconds)
        return {"until": iso(until)}

    async def resume(request: dict[str, Any]) -> dict[str, Any]:
        ended = await journal.pausing.resumed(folder(request.get("folder")))
        log.info("resumed folders=%r", [shown(each or "(all)") for each in ended])
        return {"resumed": ended}

    return {
        "dashboard": partial(_entrance, follow),
        "reload": read_again,
        "retry": retry,
        "status": status,
        "pause": pause,
        "resume": resume,
        "forget": partial(_forget, journal, follow),
    }


async def _forget(journal: Journal, follow: Follow, request: dict[str, Any]) -> dict[str, Any]:
    """Files that still lie in their folder are refused: they would be found there again."""
    ids = numbers(request.get("files"))
    lying = await threads.run_sync(_lying, await journal.read(lambda db: paths_by_id(db, ids)))
    found = await journal.forgetting.forget([file_id for file_id in ids if file_id not in lying])
    found.refused.update(lying)
    for file_id in found.files:
        follow.let_go(file_id)
    log.info("forgotten files=%d refused=%d", len(found.files), len(found.refused))
    follow.trying.folders(None)
    return {"forgotten": len(found.files), "refused": list(found.refused.items())}


async def _entrance(follow: Follow, _: dict[str, Any]) -> dict[str, Any]:
    return {"token": follow.token()}


def _lying(paths: Mapping[int, bytes]) -> dict[int, str]:
    """Which of these files cannot be given up, and why. Blocking."""
    found = {file_id: still_there(path) for file_id, path in paths.items()}
    return {file_id: reason for file_id, reason in found.items() if reason}


def numbers(given: object) -> list[int]:
    """The files of a request, by id. Raises UploaderError where they are none."""
    if isinstance(given, list) and all(type(each) is int and 0 < each < 1 << 63 for each in given):
        return given
    raise UploaderError("`files` is a list of the numbers by which the journal knows them.")


def hold_name(given: object) -> HoldName:
    """The hold of a request. Raises UploaderError where it is none."""
    if isinstance(given, Mapping) and isinstance(given.get("subject"), str):
        with suppress(ValueError):
            return HoldName(Scope(str(given.get("scope"))), given["subject"])
    raise UploaderError("`hold` is the `scope` and the `subject` of a hold, as the status tells them.")


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
