"""What the checkers know by themselves, so that a mistake in the program is not made twice.

They share the program's nouns (`model`, `actions`, `planner_view`), and none of its rules, tables or limits.
"""

from __future__ import annotations

from uploader.core import actions as act
from uploader.core.model import FileState

ENDS = frozenset(
    {
        *(FileState.COMPLETED, FileState.DISPOSED, FileState.UNPACKED),
        *(FileState.REJECTED, FileState.DUPLICATE, FileState.GONE),
    }
)
"""States of a file from which nothing more is uploaded."""

DONE = frozenset({FileState.COMPLETED, FileState.DISPOSED})
"""States of a file that is an item."""

CALLS = frozenset(
    kind.__name__
    for kind in (act.Initiate, act.Put, act.Complete, act.Locate, act.Abandon, act.ReadBack, act.AdvanceScene)
)
"""Actions that speak to the platform."""

CLAIMS = DISPOSALS = 2
"""Files that are copied, and sources that are put away, at once at most."""

LOOKS = 2
"""Looks that a file with good content gets at least before it may be rejected for want of a good one."""


def name_of(path: bytes, content: str) -> str:
    """The name under which a version is uploaded: the stem, twelve digits of the content's hash, the extension."""
    stem, dot, extension = path.decode().rpartition(".")
    return f"{stem}-{(content * 12)[:12]}{dot}{extension}"
