"""When a URL is signed before it is needed, and for which file: the line does not wait for a call between two files.

A URL is signed while the file before it is nearly sent, so that it is used within seconds. One that was not is not used
any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from uploader.core.live_rows import FileRow
from uploader.core.model import FileState

SOON = 5.0
"""Seconds before the end of a transfer at which the next file's URL is signed: more than a call takes."""

LIFE = 60.0
"""Seconds for which a URL that was signed ahead is used at most; platforms give them a quarter of an hour and more."""


def nearly_sent(size: int, sent: int, seconds: float) -> bool:
    """Whether the rest of `size` bytes will have left soon, if `sent` of them took so many seconds."""
    return sent > 0 and (size - sent) * seconds <= SOON * sent


def fresh(age: float, life: float | None = None) -> bool:
    """Whether a URL that was signed so many seconds ago is used; of one that lives shortly the first half is enough."""
    return 0 <= age < (LIFE if life is None else min(LIFE, life / 2))


def worthwhile(life: float | None) -> bool:
    """Whether URLs that live so many seconds are signed ahead at all; None: nobody knows."""
    return fresh(SOON, life)


def following(members: Sequence[FileRow], taken: Collection[int]) -> FileRow | None:
    """The next file of a session: none that is `taken`, being sent or signed for already, or waits for another try."""
    return next(
        (m for m in members if m.state is FileState.BATCHED and m.id not in taken and not m.tries), None
    )
