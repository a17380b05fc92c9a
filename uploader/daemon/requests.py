"""What a running daemon answers on its control socket, by command. docs/control.md tells the fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from uploader.core.errors import UploaderError
from uploader.core.path_text import raw
from uploader.daemon.control import Handler
from uploader.daemon.live_status import LiveStatus
from uploader.daemon.reload import Reload
from uploader.journal import Journal


def handlers(
    journal: Journal, live: LiveStatus, reload: Reload, rescan: Callable[[], None]
) -> Mapping[str, Handler]:
    """The commands; `rescan` has all folders looked at again."""

    async def read_again(_: dict[str, Any]) -> dict[str, Any]:
        return await reload.now()

    async def retry(request: dict[str, Any]) -> dict[str, Any]:
        count = await journal.retrying.retried(paths(request.get("paths")))
        rescan()
        return {"retried": count}

    async def status(_: dict[str, Any]) -> dict[str, Any]:
        return await live.ask()

    return {"reload": read_again, "retry": retry, "status": status}


def paths(given: object) -> list[bytes] | None:
    """The paths of a request, or None for all. Raises UploaderError where they are none."""
    if given is None:
        return None
    if isinstance(given, list) and all(isinstance(path, str) for path in given):
        with suppress(ValueError):
            return [raw(path) for path in given]
    raise UploaderError("`paths` is a list of absolute paths, or null for all.")
