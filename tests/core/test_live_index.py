"""Files of one kind, as plans see them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.test_working_set import file
from uploader.core.live_index import Index, Window
from uploader.core.live_rows import LiveFile
from uploader.core.model import FileState

pytestmark = pytest.mark.unit


def in_folder(number: int, folder: str, state: FileState = FileState.QUEUED) -> LiveFile:
    """A file of a folder."""
    made = file(number, state)
    return replace(made, row=replace(made.row, folder=folder))


def filled() -> Index:
    """Six queued files, of two folders by turns."""
    index = Index(lambda file: file.row.state is FileState.QUEUED)
    for number in range(6):
        index.put(number, in_folder(number, "ab"[number % 2]))
    return index


def test_the_first_are_those_of_all_folders_that_are_not_left_out() -> None:
    """In one order; and the first of each line are as many of each."""
    index = filled()
    assert index.first(Window(3)) == [0, 1, 2]
    assert index.first(Window(3, frozenset("a"))) == [1, 3, 5]
    assert sorted(index.first_of_each(Window(2))) == [0, 1, 2, 3]
    assert (index.count(frozenset()), index.count(frozenset("a"))) == (6, 3)
    assert list(index.in_order()) == [0, 1, 2, 3, 4, 5]


def test_who_is_of_another_kind_leaves() -> None:
    """And whatever was made of a window is made anew then, not before."""
    index, made = filled(), []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [index.window(Window(3), make) for _ in range(2)] == [1, 1]
    index.put(9, in_folder(9, "a", FileState.CONVERTED))
    assert index.window(Window(3), make) == 1
    index.put(0, in_folder(0, "a", FileState.CONVERTED))
    assert (index.window(Window(3), make), index.first(Window(2))) == (2, [1, 2])
