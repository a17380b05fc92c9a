"""Twins: files of the same content at other paths, of which a folder with `duplicates = "skip"` wants one only."""

from __future__ import annotations

from collections.abc import Iterable

from uploader.core.lifecycle import FILE_ENDS, ITEMS
from uploader.core.model import FileState

_AHEAD = frozenset({FileState.CONVERTED, FileState.BATCHED, FileState.STORED})


def judge_twins(file_id: int, others: Iterable[tuple[int, FileState]]) -> FileState | None:
    """What the twins of a queued file mean for it, given their ids and states.

    DUPLICATE where one is completed, QUEUED where it has to wait for one, None where it is the one that goes. Who is
    past conversion goes before all others, for it may have been claimed first; among equals the lower id goes.
    """
    found = [(other_id, state) for other_id, state in others if other_id != file_id]
    if any(state in ITEMS for _, state in found):
        return FileState.DUPLICATE
    if any(state in _AHEAD or (state not in FILE_ENDS and other_id < file_id) for other_id, state in found):
        return FileState.QUEUED
    return None
