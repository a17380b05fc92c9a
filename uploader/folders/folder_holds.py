"""What holds one drop folder back, or a part of it: told in words as long as it lasts, and taken back by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum

from uploader.core.model import Hold, HoldCause, Scope
from uploader.core.path_text import shown
from uploader.folders import LookProblem
from uploader.folders.ownership import WAYS_OUT as WAYS_OUT_OF_MARKS
from uploader.journal import Journal


class Cause(StrEnum):
    """What can be the matter with a folder."""

    FOLDER = "folder"
    """It is missing, cannot be read, or its files left together: nothing can be expected from it."""
    MUTE = "mute"
    """It does not answer: calls neither succeed nor fail."""
    TAKEN = "taken"
    """Another daemon watches it."""
    OVERLAP = "overlap"
    """It shows what is not dropped into it: an archive, a staging or a state directory, or another drop folder."""
    FOREIGN = "foreign"
    """It bears the mark of another journal."""
    STRANGE = "strange"
    """Files in it were uploaded by another journal."""
    FILES = "files"
    """In a part of it no file can be read: they wait, the rest goes on."""
    ENTRIES = "entries"
    """Some of its entries cannot be looked at."""
    AWAY = "away"
    """Files that wait lay on a file system that is no longer there."""


WAYS_OUT = {
    Cause.FOLDER: "Mount or create it, and it goes on by itself; what is copied already is uploaded meanwhile. "
    "If you emptied it on purpose, nothing needs to be done: the next file ends this hold.",
    Cause.MUTE: "Look after the server or the disk that it lies on; it goes on by itself, and no other folder "
    "waits for it.",
    Cause.TAKEN: "Stop it, or give this one a folder of its own; it goes on by itself.",
    Cause.OVERLAP: "Until then nothing is taken from the folder; what is copied already is uploaded. It goes on by "
    "itself.",
    Cause.FOREIGN: WAYS_OUT_OF_MARKS,
    Cause.STRANGE: WAYS_OUT_OF_MARKS,
    Cause.FILES: "Check the owner and the rights of the files, or the disk; it goes on by itself when one can be "
    "read. Until then no file is rejected for it.",
    Cause.ENTRIES: "Check their owner and rights, or the disk; they are looked at with every scan.",
    Cause.AWAY: "Mount it again, and they go on by themselves.",
}


HOLD_CAUSES = {
    Cause.FOLDER: HoldCause.FOLDER_MISSING,
    Cause.MUTE: HoldCause.FOLDER_MUTE,
    Cause.TAKEN: HoldCause.FOLDER_TAKEN,
    Cause.OVERLAP: HoldCause.FOLDER_OVERLAP,
    Cause.FOREIGN: HoldCause.FOLDER_FOREIGN,
    Cause.STRANGE: HoldCause.FOLDER_FOREIGN,
    Cause.FILES: HoldCause.FOLDER_UNREADABLE,
    Cause.ENTRIES: HoldCause.FOLDER_UNREADABLE,
    Cause.AWAY: HoldCause.FOLDER_PARTLY_MISSING,
}
"""What a folder's hold counts as; where there are several causes, the first."""

HOLDING = frozenset({Cause.FOLDER, Cause.MUTE, Cause.TAKEN, Cause.OVERLAP, Cause.FOREIGN, Cause.STRANGE})
"""With any of these nothing can be expected from the folder."""


class FolderHolds:
    """The causes of one folder, in the journal as one hold."""

    def __init__(self, journal: Journal, name: str) -> None:
        self._journal = journal
        self._name = name
        self._causes: dict[Cause, str] = {}
        self._told: str | None = None
        """None: a hold of an earlier life may be in the journal still."""
        self._writing = 0

    @property
    def held(self) -> bool:
        """Whether nothing can be expected from the folder."""
        return not HOLDING.isdisjoint(self._causes)

    @property
    def telling(self) -> bool:
        """Whether the journal has still to learn of a change: until then nobody can be told why the folder waits."""
        return self._writing > 0

    @property
    def mute(self) -> bool:
        """Whether it does not answer."""
        return Cause.MUTE in self._causes

    @property
    def faulty(self) -> bool:
        """Whether a part of it waits as a whole."""
        return Cause.FILES in self._causes

    async def set(self, cause: Cause, reason: str) -> None:
        """Note a cause with its words, or with none that it is over; what changed is told."""
        if reason:
            self._causes[cause] = reason
        else:
            self._causes.pop(cause, None)
        await self._tell(first=bool(reason))

    async def good(self, *causes: Cause) -> None:
        """These causes are over. After a scan of the whole folder, a hold of an earlier life is over as well."""
        for cause in causes:
            self._causes.pop(cause, None)
        await self._tell(first=True)

    async def _tell(self, *, first: bool) -> None:
        text = " ".join(
            f"{self._causes[cause]} {WAYS_OUT[cause]}" for cause in Cause if cause in self._causes
        )
        told = self._told
        if text == told or (told is None and not first):
            return
        self._told = text  # before the first `await`: whoever comes meanwhile goes by what will be told
        self._writing += 1
        try:
            await self._write(text)
        finally:
            self._writing -= 1

    async def _write(self, text: str) -> None:
        if not text:
            await self._journal.holds.clear(Scope.FOLDER, self._name)
            return
        causes = [cause for cause in Cause if cause in self._causes]
        hold = Hold(
            Scope.FOLDER,
            self._name,
            " ".join(self._causes[cause] for cause in causes),
            " ".join(WAYS_OUT[cause] for cause in causes),
            since=time.time(),
            cause=HOLD_CAUSES[causes[0]],
        )
        await self._journal.holds.set(hold)


def entries(folder: str, troubled: Sequence[LookProblem]) -> str:
    """The words for entries of a folder that cannot be looked at; empty where there are none."""
    if not troubled:
        return ""
    what = "1 entry" if len(troubled) == 1 else f"{len(troubled)} entries"
    return f"{what} of {folder} cannot be looked at; {shown(troubled[0].path)}: {troubled[0].reason}."
