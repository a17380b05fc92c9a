"""The only place that knows on which line of a TOML text a key stands.

`tomllib` reads values and forgets lines; a person who has a mistake to mend wants the line. The text is known
to be valid when it comes here, so a small scanner is enough: it splits the text into statements and lets
`tomllib` read each statement's own key.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Location = tuple[str | int, ...]
"""Keys and positions in arrays of tables, from the outside in: ("folders", 1, "path")."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)
_DEPTH = {"[": 1, "{": 1, "]": -1, "}": -1}


def line_numbers(text: str) -> dict[Location, int]:
    """The line, from 1, of every table header and of every key that stands at the start of a statement.

    Keys inside inline tables have no entry of their own; see `line_of`.
    """
    lines: dict[Location, int] = {}
    arrays: Counter[Location] = Counter()
    table: Location = ()
    for number, statement in _statements(text):
        if statement.startswith("["):
            table = _header(statement, arrays)
            lines.setdefault(table, number)
        else:
            lines[*table, *_keys(f"{_before_equals(statement)} = 0")] = number
    return lines


def line_of(lines: dict[Location, int], location: Location) -> int | None:
    """The line of `location`, or of the nearest thing around it that has one."""
    for end in range(len(location), 0, -1):
        if location[:end] in lines:
            return lines[location[:end]]
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Every statement with the line it begins on, without its comments."""
    number, depth, begin, kept = 1, 0, 0, ""
    started = 1
    for token in _TOKEN.finditer(text + "\n"):
        kept += text[begin : token.start()]
        begin = token.end()
        word = token.group()
        if word == "\n" and depth == 0:
            if kept.strip():
                yield started, kept.strip()
            kept, started = "", number + 1
        elif not word.startswith("#"):
            kept += word
        depth += _DEPTH.get(word, 0)
        number += word.count("\n")


def _header(statement: str, arrays: Counter[Location]) -> Location:
    """The place of a table; one within an array of tables is in the last table of that."""
    *outer, last = _keys(statement)
    place: Location = ()
    for key in outer:
        place = (*place, key)
        place = (*place, arrays[place] - 1) if arrays[place] else place
    place = (*place, last)
    if not statement.startswith("[["):
        return place
    arrays[place] += 1
    return (*place, arrays[place] - 1)


def _keys(statement: str) -> tuple[str, ...]:
    """The dotted keys of one statement, as TOML itself reads them."""
    found: list[str] = []
    inner: Any = tomllib.loads(statement)
    while isinstance(inner, dict) and inner:
        key, inner = next(iter(inner.items()))
        found.append(key)
    return tuple(found)


def _before_equals(statement: str) -> str:
    """The key of a `key = value` statement; quoted keys may hold an equals sign."""
    match = re.match(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|[^="'])*""", statement)
    return match.group() if match else statement
