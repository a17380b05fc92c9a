"""What becomes true of pauses; `core.pauses` says what they mean."""

from __future__ import annotations

from collections.abc import Iterable

from uploader.core.model import Pause
from uploader.core.path_text import shown
from uploader.core.pauses import EVERYTHING, in_force
from uploader.core.transitions.change import Change, LogLine


def paused(now: float, pauses: Iterable[Pause], folder: str, until: float | None) -> Change:
    """A person pauses a folder, or everything. Where it is paused already, only the end of the pause changes."""
    change = _without_ended(now, pauses := tuple(pauses))
    before = next((pause for pause in in_force(pauses, now) if pause.folder == folder), None)
    change.pauses[folder] = Pause(folder, before.since if before else now, until)
    change.log.append(LogLine("paused", "", _named(folder)))
    return change


def resumed(now: float, pauses: Iterable[Pause], folder: str | None) -> tuple[Change, list[str]]:
    """A person ends the pause of a folder, or all pauses (None); returns the folders of those that were in force."""
    change = _without_ended(now, pauses := tuple(pauses))
    ended = [pause.folder for pause in in_force(pauses, now) if folder in (None, pause.folder)]
    for each in ended:
        change.pauses[each] = None
        change.log.append(LogLine("resumed", "", _named(each)))
    return change, ended


def _without_ended(now: float, pauses: Iterable[Pause]) -> Change:
    """A change that forgets what has ended by itself."""
    change = Change(now)
    current = in_force(pauses := tuple(pauses), now)
    change.pauses.update({pause.folder: None for pause in pauses if pause not in current})
    return change


def _named(folder: str) -> str:
    return "everything" if folder == EVERYTHING else shown(folder)
