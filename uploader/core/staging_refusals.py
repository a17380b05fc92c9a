"""What staging refuses although it should have room for it: everything, or single files while it takes others.

A quota of its disk, a disk that fails each write and a limit of the size of files are not known before they refuse.
Kept in memory only: after another start everything is tried again, and what is refused still is found again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from uploader.core.lifecycle import FILE_ENDS
from uploader.core.transitions.change import LogLine

LASTING = 30.0
"""Seconds for which everything must have been refused before it is told: a smaller file may pass meanwhile."""


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file of so many bytes that staging refused; `until` it is tried again (unix seconds).

    `path` is absolute, as it is shown.
    """

    file_id: int
    path: str
    size: int
    reason: str
    way_out: str
    since: float
    until: float
    settles: bool
    """It was refused as it was copied from its source, and not as it was converted."""
    alone: bool
    """It has a hold of its own: the file is too large, and others are taken."""
    passed: bool = False
    """Another file was taken since this one was refused first."""


class StagingRefusals:
    """Since when staging takes nothing, and which files it does not take."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._reason = ""
        self._files: dict[int, RefusedFile] = {}

    def refused(self, file: RefusedFile) -> None:
        """A copy or a conversion could not be written."""
        known = self._files.get(file.file_id)
        self._files[file.file_id] = replace(file, since=known.since, passed=known.passed) if known else file
        if not file.alone:
            self._since = file.since if self._since is None else min(self._since, file.since)
            self._reason = file.reason

    def took(self, file_id: int) -> None:
        """One was written: that of this file."""
        self._since, self._reason = None, ""
        self._files.pop(file_id, None)
        for other in self._files.values():
            if not other.passed:
                self._files[other.file_id] = replace(other, passed=True)

    def committed(self, lines: Iterable[LogLine]) -> None:
        """These lines were added to the event log: a file that has ended is refused no more."""
        for line in lines:
            if line.state in FILE_ENDS:
                self._files.pop(line.file_id or 0, None)

    def passed(self, file_id: int) -> bool:
        """Whether another file was taken since this one was refused."""
        return file_id in self._files and self._files[file_id].passed

    def trouble(self, now: float) -> str:
        """What has lasted long enough to be told of all files, in words; empty where all is well."""
        return self._reason if self._since is not None and now - self._since >= LASTING else ""

    def alone(self) -> tuple[RefusedFile, ...]:
        """The files that have a hold of their own."""
        return tuple(file for file in self._files.values() if file.alone)
