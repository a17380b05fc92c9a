"""What a person has paused: nothing new is begun for it, and what was begun is finished.

A pause covers one drop folder, or everything. While it is in force no file of the folder is claimed, converted or put
into a session, and no session with a file of it is opened. Sessions that are open go on to their end, or what they
reserve and their signed URLs would be lost; so do read-backs, and sources are archived or deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from uploader.core.model import Hold, HoldCause, Pause, Scope

EVERYTHING = ""
"""The folder of a pause that covers all of them."""

ONE_PAUSED = "A person has paused this folder: none of its files is begun, and what was begun is finished."
ALL_PAUSED = "A person has paused everything: no file is begun, and what was begun is finished."


def in_force(pauses: Iterable[Pause], now: float) -> tuple[Pause, ...]:
    """Those that have not ended by themselves."""
    return tuple(pause for pause in pauses if pause.until is None or pause.until > now)


def covered(pauses: Iterable[Pause], folder: str) -> bool:
    """Whether one of these pauses, which are in force, is about this folder."""
    return any(pause.folder in (EVERYTHING, folder) for pause in pauses)


def passed_over(pauses: Iterable[Pause], now: float) -> frozenset[str]:
    """Folders whose files would only fill the planner's windows, while those of others may go on."""
    return frozenset(pause.folder for pause in in_force(pauses, now) if pause.folder != EVERYTHING)


def hold(pause: Pause) -> Hold:
    """What a person is told of a pause."""
    everything = pause.folder == EVERYTHING
    command = "uploader resume" if everything else f"uploader resume {quote(pause.folder)}"
    return Hold(
        Scope.MACHINE if everything else Scope.FOLDER,
        pause.folder,
        ALL_PAUSED if everything else ONE_PAUSED,
        f"`{command}` ends the pause."
        if pause.until is None
        else f"It ends by itself; `{command}` ends it now.",
        since=pause.since,
        until=pause.until,
        cause=HoldCause.PAUSED,
    )
