"""Exceptions that nobody foresaw: who waits, for how long, and when it is too much."""

from __future__ import annotations

import pytest

from uploader.core.unexpected_errors import LONGEST_PAUSE, MOST_IN_A_ROW, Mistakes, leaves

pytestmark = pytest.mark.unit

ONE, OTHER = ("file", 1), ("session", 1)


def test_whom_a_mistake_concerns_waits_longer_each_time() -> None:
    """Doubling, up to a quarter of an hour; its beginning stays."""
    mistakes = Mistakes()
    pauses = [mistakes.made([ONE], "Convert", "a.tif", "bad", now=100.0 + n) for n in range(10)]
    (mistake,) = mistakes.current(200.0)

    assert pauses[:3] == [5.0, 10.0, 20.0]
    assert pauses[-1] == LONGEST_PAUSE
    assert (mistake.since, mistake.until, mistake.times) == (100.0, 109.0 + LONGEST_PAUSE, 10)


def test_what_is_made_good_is_over() -> None:
    """For the one that was done; the others wait on."""
    mistakes = Mistakes()
    mistakes.made([ONE], "Convert", "a.tif", "bad", now=0.0)
    mistakes.made([OTHER], "Complete", "u_1", "bad", now=0.0)
    mistakes.done([ONE])

    assert [mistake.subject for mistake in mistakes.current(0.0)] == [OTHER]
    mistakes.ended([OTHER])
    assert mistakes.current(0.0) == ()
    assert mistakes.made([ONE], "Convert", "a.tif", "bad", now=0.0) == 5.0


def test_mistakes_in_a_row_are_too_many_and_progress_elsewhere_makes_them_few() -> None:
    """Whether they are of one file or of many."""
    mistakes = Mistakes()
    for number in range(MOST_IN_A_ROW - 1):
        mistakes.made([("file", number)], "Convert", "f", "bad", now=0.0)
    assert not mistakes.too_many
    mistakes.done([OTHER])
    for _ in range(MOST_IN_A_ROW - 1):
        mistakes.made([ONE], "Convert", "f", "bad", now=0.0)
    assert not mistakes.too_many
    mistakes.made([ONE], "Convert", "f", "bad", now=0.0)

    assert mistakes.too_many


def test_a_person_may_have_it_tried_at_once() -> None:
    """It is still a mistake that has not been made good; one that is being tried is none of those that waited."""
    mistakes = Mistakes()
    mistakes.made([ONE], "Claim", "a.tif", "bad", now=0.0)
    mistakes.made([OTHER], "Convert", "b.tif", "bad", now=3.0)

    assert [mistake.subject for mistake in mistakes.try_now(6.0)] == [OTHER]
    assert [(mistake.subject, mistake.until) for mistake in mistakes.current(6.0)] == [
        (ONE, 5.0),
        (OTHER, 6.0),
    ]


def test_what_nobody_asks_for_any_more_is_forgotten() -> None:
    """Its file may be gone."""
    mistakes = Mistakes()
    mistakes.made([ONE], "Claim", "a.tif", "bad", now=0.0)

    assert mistakes.current(5.0 + LONGEST_PAUSE)
    assert mistakes.current(6.0 + LONGEST_PAUSE) == ()


def test_a_group_is_what_is_in_it() -> None:
    """Task groups wrap what they raise, also in each other."""
    inner = ExceptionGroup("inner", [ValueError("a"), KeyError("b")])

    assert [type(leaf) for leaf in leaves(ExceptionGroup("outer", [inner, OSError()]))] == [
        ValueError,
        KeyError,
        OSError,
    ]
    assert [type(leaf) for leaf in leaves(ValueError())] == [ValueError]
