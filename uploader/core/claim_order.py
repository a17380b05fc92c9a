"""In which order the files of one folder are claimed. One table says what each order ranks by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from uploader.core.ordered_index import Rank

Order = Literal["oldest", "newest", "smallest", "largest"]
"""Oldest and newest by the time of their discovery."""

_RANKS: Mapping[Order, Callable[[int, int], Rank]] = {
    "oldest": lambda file_id, _: (file_id,),
    "newest": lambda file_id, _: (-file_id, file_id),
    "smallest": lambda file_id, size: (size, file_id),
    "largest": lambda file_id, size: (-size, file_id),
}


def rank(order: Order, file_id: int, size: int) -> Rank:
    """What a file of so many bytes is ordered by; ids go with the time of discovery."""
    return _RANKS[order](file_id, size)
