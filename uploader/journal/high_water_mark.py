"""How far the journal has come, noted beside it: one that has lost commits is not taken for a whole one.

The note is written after each commit and not synced. It survives the process; after a power cut it may be older than
the journal, which is no matter, and never newer, because the commit was synced before.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, Self

from uploader.system.files import give_to_owner

MARK_NAME = "journal.mark"


class Mark(NamedTuple):
    """Which journal it is, and the number of its last event."""

    journal: str
    event: int

    @classmethod
    def read(cls, state_dir: Path) -> Self | None:
        """The mark of a state directory; None where there is none that can be read."""
        try:
            journal, event = (state_dir / MARK_NAME).read_text(encoding="ascii").split()
            return cls(journal, int(event))
        except (OSError, ValueError):
            return None


class MarkFile:
    """The open mark of a journal that is written to."""

    def __init__(self, state_dir: Path, journal: str) -> None:
        self._journal = journal
        self._fd = os.open(state_dir / MARK_NAME, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_to_owner(state_dir, self._fd)

    def note(self, event: int) -> None:
        """The journal's last event is this one. A disk that does not take it is no matter."""
        try:
            os.pwrite(self._fd, f"{self._journal} {event:020d}\n".encode(), 0)
        except OSError:
            return

    def close(self) -> None:
        """Close the file; it stays."""
        os.close(self._fd)
