"""Private copies that turn out damaged again and again: the disk of staging does not keep what is written to it.

Kept in memory only: after another start the copies are made anew, and what is damaged still is found again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from uploader.core.failure_policy import FREE_COPIES
from uploader.core.lifecycle import FILE_ENDS
from uploader.core.model import FileState
from uploader.core.transitions.change import LogLine


@dataclass(frozen=True, slots=True)
class DamagedCopy:
    """A file whose copy was damaged so many times in a row; `until` it is made again (unix seconds).

    `path` is absolute, as it is shown. `mended` is the state in which the copy is known to be whole.
    """

    file_id: int
    path: str
    reason: str
    mended: FileState
    since: float
    until: float
    times: int

    @property
    def settles(self) -> bool:
        """Whether it is copied from its source again, and not converted anew from a copy that is whole."""
        return self.mended is FileState.CONVERTED


class DamagedCopies:
    """The files whose copies were damaged and have not been found whole since."""

    def __init__(self) -> None:
        self._known: dict[int, DamagedCopy] = {}

    def times(self, file_id: int) -> int:
        """How often in a row the copy of a file was damaged."""
        known = self._known.get(file_id)
        return known.times if known else 0

    def found(
        self, file_id: int, path: str, reason: str, mended: FileState, *, now: float, after: float
    ) -> None:
        """A copy is damaged; it is made again after so many seconds."""
        known = self._known.get(file_id)
        since, times = (known.since, known.times) if known else (now, 0)
        if known and known.mended is FileState.STORED:
            mended = known.mended  # what was found as it was sent is not mended by a conversion
        self._known[file_id] = DamagedCopy(file_id, path, reason, mended, since, now + after, times + 1)

    def committed(self, lines: Iterable[LogLine]) -> None:
        """These lines were added to the event log: whose copy is whole, or needed no more, is not damaged."""
        for line in lines:
            known = self._known.get(line.file_id or 0)
            if known and (line.state == known.mended or line.state in FILE_ENDS):
                del self._known[known.file_id]

    def lasting(self) -> tuple[DamagedCopy, ...]:
        """Those that were damaged more often than is put down to chance."""
        return tuple(copy for copy in self._known.values() if copy.times > FREE_COPIES)
