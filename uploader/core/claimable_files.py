"""The files of one folder that may be claimed, with the looks at which they were found ready."""

from __future__ import annotations

from collections.abc import Iterator

from uploader.core.claim_order import Order, rank
from uploader.core.model import Sighting
from uploader.core.ordered_index import OrderedIndex

FIRST = 16
"""Files that are shown to the planner, in the folder's order: more than a turn can claim of a folder."""

SMALLEST = 8
"""Files that are shown beside them, because they may find room where the first do not."""


class ClaimableFiles:
    """Ready files by their ids, those that are being copied among them. A turn sees a few of them."""

    def __init__(self, order: Order) -> None:
        self._looks: dict[int, Sighting] = {}
        self._order = order
        self._in_order = OrderedIndex()
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
        self._in_order.put(file_id, rank(self._order, file_id, sighting.size))
        self._by_size.put(file_id, (sighting.size, file_id))
        self._shown = None

    def drop(self, file_id: int) -> None:
        """A file may not be claimed, whether it was here or not."""
        if self._looks.pop(file_id, None) is not None:
            self._in_order.drop(file_id)
            self._by_size.drop(file_id)
            self._shown = None

    def reorder(self, order: Order) -> None:
        """Show them in another order from now on."""
        self._order = order
        for file_id, sighting in self._looks.items():
            self.put(file_id, sighting)

    def shown(self) -> tuple[tuple[int, Sighting], ...]:
        """What a turn sees: the first files, then the smallest of the others; made anew when it changes."""
        if self._shown is None:
            ranks = (*self._in_order.first(FIRST), *self._by_size.first(SMALLEST))
            ids = dict.fromkeys(found[-1] for found in ranks)
            self._shown = tuple((file_id, self._looks[file_id]) for file_id in ids)
        return self._shown
