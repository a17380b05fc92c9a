"""The files of one folder that may be claimed, with the looks at which they were found ready."""

from __future__ import annotations

from collections.abc import Iterator

from uploader.core.model import Sighting
from uploader.core.ordered_index import OrderedIndex

FIRST = 16
"""Files that are shown to the planner, the earliest discovered first: more than a turn can claim of a folder."""

SMALLEST = 8
"""Files that are shown beside them, because they may find room where the first do not."""


class ClaimableFiles:
    """Ready files by their ids, those that are being copied among them. A turn sees a few of them."""

    def __init__(self) -> None:
        self._looks: dict[int, Sighting] = {}
        self._by_id = OrderedIndex()
        self._by_size = OrderedIndex()
        self._shown: tuple[tuple[int, Sighting], ...] | None = None

    def __len__(self) -> int:
        return len(self._looks)

    def __contains__(self, file_id: int) -> bool:
        return file_id in self._looks

    def __iter__(self) -> Iterator[int]:
        return iter(self._looks)

    def get(self, file_id: int) -> Sighting | None:
        """The look at which a file was found ready, if it may be claimed."""
        return self._looks.get(file_id)

    def put(self, file_id: int, sighting: Sighting) -> None:
        """A file may be claimed as it was seen there."""
        self._looks[file_id] = sighting
        self._by_id.put(file_id, (file_id,))
        self._by_size.put(file_id, (sighting.size, file_id))
        self._shown = None

    def drop(self, file_id: int) -> None:
        """A file may not be claimed, whether it was here or not."""
        if self._looks.pop(file_id, None) is not None:
            self._by_id.drop(file_id)
            self._by_size.drop(file_id)
            self._shown = None

    def shown(self) -> tuple[tuple[int, Sighting], ...]:
        """What a turn sees: the first files and the smallest, in order of their ids; made anew when it changes."""
        if self._shown is None:
            ids = {rank[-1] for rank in (*self._by_id.first(FIRST), *self._by_size.first(SMALLEST))}
            self._shown = tuple((file_id, self._looks[file_id]) for file_id in sorted(ids))
        return self._shown
