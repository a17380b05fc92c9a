"""The errors and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from uploader.core import errors
from uploader.core.errors import NoAnswer, Problem, Refused, StoreRefused, UploaderError

pytestmark = pytest.mark.unit


def below(parent: type[Exception]) -> Iterator[tuple[str, str]]:
    """Each class of the module with its parent."""
    for child in parent.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child.__name__, parent.__name__
            yield from below(child)


def drawn() -> Iterator[tuple[str, str]]:
    """The same as the tree in the docstring has it."""
    parents = {0: "UploaderError"}
    for before, name in re.findall(r"^    ([│ ]*[├└])── (\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = (len(before) - 1) // 4 + 1
        parents[depth] = name
        yield name, parents[depth - 1]


def test_the_tree_is_drawn_as_it_is() -> None:
    """Whoever looks for a class finds it there, under its parent."""
    assert sorted(drawn()) == sorted(below(UploaderError))


def test_an_error_says_reason_and_way_out() -> None:
    """In one line, without a blank where there is no way out."""
    assert str(UploaderError("It broke.", "Mend it.")) == "It broke. Mend it."
    assert str(UploaderError("It broke.")) == "It broke."


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem(422, "Invalid", "size is wrong"), "HTTP 422: size is wrong"),
        (Problem(422, "Invalid"), "HTTP 422: Invalid"),
        (Problem(500), "HTTP 500: no reason given"),
    ],
)
def test_a_problem_is_one_line(problem: Problem, text: str) -> None:
    """The most exact words that it carries."""
    assert problem.text == text


def test_whoever_was_asked_to_wait_knows_how_long() -> None:
    """All answers may carry it, also those of the store."""
    assert NoAnswer("x", retry_after=3.0).retry_after == 3.0
    assert Refused("x", Problem(429), retry_after=4.0).retry_after == 4.0
    assert StoreRefused("x", 503, "SlowDown", retry_after=5.0).retry_after == 5.0
    assert Refused("x", Problem(429)).status == 429
