"""Filters in CQL2-JSON as far as stac.search reads them: logic, comparisons, and the bounds of a shape.

Properties are those of the item and of its `properties`. A property that an item does not have is null, and a
comparison with null is never true, also not under `not`: the three values of SQL.
"""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from uploader.sandbox.geometry import overlaps, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DEEPEST = 50
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<>": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}
OPERATORS: dict[str, int | None] = {
    "and": None,
    "or": None,
    "not": 1,
    **dict.fromkeys(_COMPARISONS, 2),
    "between": 3,
    "in": 2,
    "like": 2,
    "isNull": 1,
    "s_intersects": 2,
}
"""Those that are read, with how many arguments they have (None: any number); others are refused by name."""


def holds(expression: Any, item: Mapping[str, Any], depth: int = 0) -> bool | None:
    """Whether a filter holds for an item; None where it cannot be said because a property is missing.

    `item` has its bounds as `bbox`, its members and its properties side by side.

    Raises:
        ValueError: the filter is malformed, or has an operator that is not read.

    Example:
        >>> holds({"op": "<", "args": [{"property": "gsd"}, 20]}, {"gsd": 10})
        True

    """
    if isinstance(expression, bool):
        return expression
    operator, arguments = _parts(expression, depth)
    if operator in ("and", "or", "not"):
        return _logic(operator, [holds(one, item, depth + 1) for one in arguments])
    if operator == "s_intersects":
        return _touches(arguments, item)
    values = [_value(one, item) for one in arguments]
    if operator == "isNull":
        return values[0] is None
    if any(value is None for value in values):
        return None
    return _compared(operator, values)


def _parts(expression: Any, depth: int) -> tuple[str, list[Any]]:
    operator = expression.get("op") if isinstance(expression, dict) else None
    arguments = expression.get("args") if isinstance(expression, dict) else None
    if not isinstance(operator, str) or not isinstance(arguments, list) or depth > _DEEPEST:
        raise ValueError("an object with op and args is wanted")
    if operator not in OPERATORS:
        raise ValueError(f"the operator {operator} is not read; these are: {', '.join(OPERATORS)}")
    if OPERATORS[operator] not in {None, len(arguments)}:
        raise ValueError(f"{operator} has {OPERATORS[operator]} arguments, not {len(arguments)}")
    return operator, arguments


def _logic(operator: str, known: list[bool | None]) -> bool | None:
    if operator == "not":
        return None if known[0] is None else not known[0]
    decides = operator == "or"
    if decides in known:
        return decides
    return None if None in known else not decides


def _compared(operator: str, values: list[Any]) -> bool:
    if any(isinstance(value, datetime) for value in values):
        values = [_moment(value) for value in values]
    try:
        if operator == "between":
            value, low, high = values
            return bool(low <= value <= high)
        first, second = values
        if operator == "in":
            return first in list(second)
        if operator == "like":
            return _like(str(first), str(second))
        return _COMPARISONS[operator](first, second)
    except TypeError as error:
        raise ValueError(f"{operator} compares what cannot be compared: {error}") from error


def _like(value: str, pattern: str) -> bool:
    """`%` stands for any text, `_` for one letter."""
    shell = {"%": "*", "_": "?", **{one: f"[{one}]" for one in "*?["}}
    return fnmatchcase(value, "".join(shell.get(one, one) for one in pattern))


def _touches(arguments: list[Any], item: Mapping[str, Any]) -> bool | None:
    shape = next((one for one in arguments if isinstance(one, dict) and "type" in one), None)
    if shape is None:
        raise ValueError("s_intersects wants the property geometry and a shape")
    known = shape_of(shape)
    return None if item.get("bbox") is None else overlaps(known, tuple(item["bbox"]))


def _value(given: Any, item: Mapping[str, Any]) -> Any:
    if not isinstance(given, dict):
        return given
    if isinstance(given.get("property"), str):
        return item.get(given["property"])
    for name in ("timestamp", "date"):
        if isinstance(given.get(name), str):
            return _moment(given[name])
    raise ValueError("an argument is a value, a property, a timestamp or a date")


def _moment(given: Any) -> datetime:
    """A time that can be compared with others whatever their zones are; a day is its beginning in UTC."""
    try:
        found = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{given!r} is compared with a time, and is none") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
