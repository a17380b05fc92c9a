"""An index of live files: its windows are kept until one of its files changes."""

from __future__ import annotations

import pytest

from tests.core.test_working_set import file
from uploader.core.live_index import Index, Window
from uploader.core.model import FileState

pytestmark = pytest.mark.unit


def test_a_window_is_made_anew_where_something_has_changed() -> None:
    """Not for files of another kind, and of two windows only the last is kept."""
    index = Index(lambda one: one.row.state is FileState.QUEUED)
    made: list[Window] = []

    def look(window: Window) -> None:
        index.window(window, lambda: made.append(window) or len(made))  # type: ignore[func-returns-value]

    first, other = Window(5), Window(5, frozenset({"/drop"}))
    index.put(1, file(1, FileState.QUEUED))
    look(first)
    index.put(2, file(2, FileState.CONVERTED))
    look(first)
    assert made == [first]

    look(other)
    look(first)
    index.put(1, None)
    look(first)
    assert made == [first, other, first, first]
    assert index.ids == set()
