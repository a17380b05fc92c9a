"""Which live files are of one kind, and what a plan sees of them; made anew only where one of them has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from uploader.core.live_rows import LiveFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """So many files, none of them of these folders."""

    size: int
    left_out: frozenset[str] = frozenset()


class Index:
    """Ids of one kind in order, and what a plan sees of them; made anew only where one of them has changed."""

    def __init__(self, belongs: Callable[[LiveFile], bool]) -> None:
        self.belongs = belongs
        self.ids: set[int] = set()
        self.seen: dict[Window, object] = {}
        """By window: what was made of it last."""

    def put(self, file_id: int, file: LiveFile | None) -> None:
        """Note what a file is now."""
        if file is not None and self.belongs(file):
            self.ids.add(file_id)
        elif file_id in self.ids:
            self.ids.discard(file_id)
        else:
            return
        self.seen.clear()

    def window(self, window: Window, make: Callable[[], T]) -> T:
        """What `make` makes, kept until something changes."""
        if window not in self.seen:
            self.seen.clear()
            self.seen[window] = make()
        found: T = self.seen[window]  # type: ignore[assignment]
        return found
