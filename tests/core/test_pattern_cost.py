"""Tests of what a pattern may cost: those that a name could make expensive are refused, the rest are quick."""

from __future__ import annotations

import re
import time

import pytest

from uploader.core.pattern_cost import FLAGS, LONGEST_PATH, PatternRefused, longest_path

pytestmark = pytest.mark.unit

PLAIN = (
    r"(?P<scene>[^_/]+)_(?P<date>\d{8})_(?P<asset>B\w+)\.tif",
    r"(?:[^/]+/)*(?P<scene>[A-Z0-9]+)_(?P<asset>[a-z]+)\.tiff?",
)
AMBIGUOUS = (
    r"(?P<scene>.+)_(?P<date>\d{8})_(?P<asset>B\w+)\.tif",
    r"(?:.+/)?(?P<scene>[^/]+)_(?P<asset>[^_]+)\.tif",
    r"(?P<scene>.+?)[-_]?(?P<asset>b?\d{1,3})?\.tif",
)


@pytest.mark.parametrize("pattern", PLAIN)
def test_what_ends_each_repeat_is_held_against_any_path(pattern: str) -> None:
    """Where a letter can be of one part only there is nothing to try again."""
    assert longest_path(pattern) == LONGEST_PATH


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<scene>(a+)+)b",
        r"(\w*)*\.tif",
        r"(a|aa)+\.tif",
        r"(a?)*b",
        r"(?:_[a-z]+)*x",
        r".*.*.*.*.*.*=",
        r"(a{1,60}){9}b",
        r"(?:a?){40}" + "a" * 40,
        r"(?=.*a).*",
        r"(?P<a>.+)_(?P=a)",
        "(",
        "[z-a]",
    ],
)
def test_what_a_name_could_make_expensive_is_refused(pattern: str) -> None:
    """By its shape, before any name is seen."""
    with pytest.raises(PatternRefused):
        longest_path(pattern)


@pytest.mark.parametrize("pattern", PLAIN + AMBIGUOUS)
@pytest.mark.parametrize("text", ["_", "a", "a_", "a/", "b1", "_12345678"])
def test_a_hostile_name_is_soon_done_with(pattern: str, text: str) -> None:
    """Held against the longest path that its pattern allows, none takes long."""
    matcher, letters = re.compile(pattern, FLAGS), longest_path(pattern)
    began = time.process_time()

    assert matcher.fullmatch((text * letters)[: letters - 1] + "!") is None
    assert time.process_time() - began < 2


def test_letters_beyond_latin_are_never_taken_as_apart() -> None:
    """What the sample does not hold decides nothing."""
    assert longest_path("[а-я]+и[а-я]+!") < LONGEST_PATH  # noqa: RUF001 - Cyrillic is meant
    assert longest_path("[a-z]+_[A-Z]+!") == LONGEST_PATH
