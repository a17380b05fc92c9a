"""Who waits for a place."""

from __future__ import annotations

import pytest

from uploader.core.waiting_line import PAGE, Page, WaitingLine

pytestmark = pytest.mark.unit


def test_nobody_is_read_of_while_nobody_was_turned_away() -> None:
    """Most folders never have more files than places."""
    line = WaitingLine()

    assert (line.stands, line.next_page(9), line.unsettled, line.recount) == (False, None, 0, False)


def test_the_line_is_read_page_by_page_to_its_end() -> None:
    """As many rows as there are places; it stands as long as somebody was turned away."""
    line = WaitingLine()
    line.turned_away(7)
    line.turned_away(8)
    assert (line.waiting, line.recount) == (2, True)
    assert line.next_page(10_000) == Page(0, PAGE)
    page = Page(0, 1)
    line.paged(page, [7])
    assert line.next_page(1) == Page(7, 1)
    line.paged(Page(7, 1), [])

    assert not line.stands


def test_whoever_gave_way_is_let_in_when_the_line_was_gone_through() -> None:
    """Until then it counts among those that have not settled."""
    line = WaitingLine()
    line.turned_away(2)
    line.give_way([1])
    line.turned_away(1)
    assert (line.unsettled, line.waiting) == (1, 2)
    line.begin_anew()
    assert line.gave_way == {1}, "nothing was read yet"
    line.paged(Page(0, 9), [1, 2])
    line.turned_away(1)
    line.begin_anew()

    assert (line.gave_way, line.stands, line.unsettled) == (set(), True, 1)


def test_the_newest_are_read_first_where_the_folder_wants_that() -> None:
    """Whoever is turned away puts the line back to its beginning; whoever gave way does not."""
    line = WaitingLine(newest_first=True)
    line.turned_away(7)
    assert line.next_page(1) == Page(0, 1, newest_first=True)
    line.paged(Page(0, 1, newest_first=True), [7])
    line.give_way([3])
    line.turned_away(3)
    assert line.next_page(1) == Page(7, 1, newest_first=True)
    line.turned_away(8)
    assert line.next_page(1) == Page(0, 1, newest_first=True)
