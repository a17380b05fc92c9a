"""The only place that puts the groups of a pattern into a text: `{tile}`, or as a number `{orbit:int}`, `{gsd:float}`.

Not `str.format`, which would give a text of the configuration attributes and items to ask for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

Value = str | int | float | bool
"""What a property may be."""

Groups = Mapping[str, str | None]
"""What the groups of a pattern matched; None for one that had no part in it."""

_FIELD = re.compile(r"\{(\w+)(?::(int|float))?\}")


def names(template: str) -> set[str]:
    """The groups that a text asks for."""
    return {name for name, _ in _FIELD.findall(template)}


def mistake(template: str) -> str:
    """What is wrong with a text: a number among other text is none; empty where nothing is."""
    kinds = [kind for _, kind in _FIELD.findall(template) if kind]
    if kinds and not _FIELD.fullmatch(template):
        return f'holds a number among other text; write "{{name:{kinds[0]}}}" alone, or leave out the :{kinds[0]}'
    return ""


def filled(template: str, groups: Groups) -> str:
    """The text with its groups filled in; a group that matched nothing is left out."""
    return _FIELD.sub(lambda field: groups.get(field[1]) or "", template)


def value(given: Value, groups: Groups) -> Value | None:
    """A property: as it was given, or its text filled in. None where a group of it matched nothing, or no number."""
    if not isinstance(given, str):
        return given
    if any(not groups.get(name) for name in names(given)):
        return None
    text, field = filled(given, groups), _FIELD.fullmatch(given)
    if field is None or not field[2]:
        return text
    try:
        number = int(text) if field[2] == "int" else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
