"""The only place that says how long a pattern of the configuration may keep the machine busy with a hostile name.

Python's matcher goes back to every choice it made: `(a+)+` tries more ways than there are atoms on a name of forty
letters. A pattern comes from the operator, the name from anybody. So a pattern is judged by its shape when it is read:
whatever repeats within a repeat without a fixed border is refused, and of the rest each open-ended repeat that what
follows does not end counts. From that count follows the longest path that the pattern is held against.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

# The parser of `re` is public in no version; the tests would show a change of it.
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MOST_STEPS = 200_000_000
"""What one pattern may cost on one path: about a second."""

LONGEST_PATH = 4096
"""Letters: what Linux takes as a path."""

SHORTEST_LIMIT = 128
"""A pattern that could not even be held against paths of so many letters is refused."""

FLAGS = re.IGNORECASE | re.DOTALL
"""How patterns are read: whatever the case, and a newline in a name is a letter as others."""

_SAMPLE = [chr(code) for code in range(0x250)]
_Item = tuple[Any, Any]
_LETTER = {codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN}
_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT}


class PatternRefused(ValueError):
    """A pattern that is none, or that a name could make too expensive; its text says what to write instead."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """`loops`: open-ended repeats between which letters can be shared out; `ways`: the choices besides."""

    loops: int = 0
    ways: int = 1

    def __add__(self, other: _Shape) -> _Shape:
        return _Shape(self.loops + other.loops, self.ways * other.ways)

    def steps(self, letters: int) -> int:
        """At most so many for a text of so many letters."""
        return self.ways * math.comb(letters + self.loops, self.loops) * letters


@cache
def longest_path(pattern: str) -> int:
    """Letters of the longest path that the pattern is held against. Raises PatternRefused."""
    try:
        shape = _shape(_flat(parser.parse(pattern, FLAGS).data), ends=True)
    except re.error as error:
        raise PatternRefused(f"is not a pattern: {error}") from None
    except (RecursionError, OverflowError):
        raise PatternRefused("is nested too deeply; write several rules") from None
    if shape.steps(SHORTEST_LIMIT) > MOST_STEPS:
        raise PatternRefused(
            "holds too many open-ended repeats, so that a name could keep it busy for minutes; "
            "write what ends each of them, such as [^_/]+ before _ in place of .+"
        )
    low, high = SHORTEST_LIMIT, LONGEST_PATH
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if shape.steps(middle) <= MOST_STEPS else (low, middle - 1)
    return low


def _flat(items: Iterable[_Item]) -> list[_Item]:
    """The items with those of plain groups in their place."""
    found: list[_Item] = []
    for op, value in items:
        if op is codes.SUBPATTERN:
            found += _flat(value[3].data)
        else:
            found.append((op, value))
    return found


def _shape(items: Sequence[_Item], *, ends: bool) -> _Shape:
    """`ends`: behind the last of them is the end of the text, and not what is unknown here."""
    whole = _Shape()
    for place, (op, value) in enumerate(items):
        after = items[place + 1] if place + 1 < len(items) else None
        if op in _REPEATS:
            whole += _repeat(value, after, ends=ends and after is None)
        elif op is codes.BRANCH:
            shapes = [_shape(_flat(one.data), ends=False) for one in value[1]]
            whole += _Shape(max(one.loops for one in shapes), sum(one.ways for one in shapes))
        elif op not in _LETTER and op is not codes.AT:
            raise PatternRefused(
                "looks around, refers back or sets a flag; only letters, classes, groups, | and repeats are known here"
            )
    return whole


def _repeat(value: tuple[int, int, Any], after: _Item | None, *, ends: bool) -> _Shape:
    low, high, body = value[0], value[1], _flat(value[2].data)
    letter = len(body) == 1 and body[0][0] in _LETTER
    if letter and (low == high or ends or (after is not None and _apart(body[0], after))):
        return _Shape()
    inner = _Shape() if letter else _shape(body, ends=False)
    if high == 1:
        return _Shape(inner.loops, inner.ways + 1)
    if low == high:
        return _Shape(inner.loops * low, inner.ways ** min(low, LONGEST_PATH))
    if inner != _Shape() or value[2].getwidth()[0] == 0:
        raise PatternRefused(
            "repeats what itself repeats or chooses, so that a name could keep it busy for ever; "
            "let each round end with a letter that it cannot hold, as in (?:[^/]+/)*"
        )
    return _Shape(1) if high - low > SHORTEST_LIMIT else _Shape(ways=high - low + 1)


def _apart(one: _Item, other: _Item) -> bool:
    """Whether no letter fits both. Letters beyond the sample decide nothing, so what names some is never apart."""
    if other[0] not in _LETTER or _beyond(one) or _beyond(other):
        return False
    return not any(_fits(one, letter) and _fits(other, letter) for letter in _SAMPLE)


def _beyond(item: _Item) -> bool:
    op, value = item
    if op is codes.IN:
        return any(_beyond(each) for each in value)
    highest = {codes.LITERAL: lambda: value, codes.NOT_LITERAL: lambda: value, codes.RANGE: lambda: value[1]}
    return op in highest and highest[op]() >= len(_SAMPLE)


def _fits(item: _Item, letter: str) -> bool:
    """Whether a letter fits in either case: more than the matcher takes, which is the safe side here."""
    return any(_takes(item, ord(each)) for each in {letter, letter.lower()[0], letter.upper()[0]})


def _takes(item: _Item, code: int) -> bool:
    op, value = item
    if op is codes.ANY:
        return True
    if op is codes.LITERAL:
        return bool(code == value)
    if op is codes.NOT_LITERAL:
        return bool(code != value)
    if op is codes.RANGE:
        return bool(value[0] <= code <= value[1])
    if op is codes.CATEGORY:
        return bool(re.fullmatch(_CATEGORIES[value], chr(code)))
    negated = bool(value) and value[0][0] is codes.NEGATE
    return any(_takes(each, code) for each in value[negated:]) != negated


_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}
