"""Our reading of filters against the library that others read them with, on thousands of filters."""

from __future__ import annotations

from typing import Any

import cql2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uploader.sandbox.operations.cql2 import holds

pytestmark = pytest.mark.unit

PROPERTIES = {"title": "a.tif", "gsd": 10, "cloud": 12.5, "datetime": "2024-06-01T00:00:00Z", "checked": True}
RING = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]
FEATURE = {
    "type": "Feature",
    "geometry": {"type": "Polygon", "coordinates": [RING]},
    "properties": PROPERTIES,
}
ITEM = {**PROPERTIES, "bbox": [0, 0, 2, 2]}


def named(*names: str) -> st.SearchStrategy[dict[str, str]]:
    """Properties of these names, or one that the item lacks."""
    return st.sampled_from([{"property": name} for name in (*names, "nothing")])


def call(operator: str | st.SearchStrategy[str], *arguments: Any) -> st.SearchStrategy[dict[str, Any]]:
    """An operator, or one of several, with arguments of these kinds."""
    operators = st.just(operator) if isinstance(operator, str) else operator
    return st.fixed_dictionaries({"op": operators, "args": st.tuples(*arguments).map(list)})


COMPARING = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
NUMBERS = st.integers(-3, 20) | st.sampled_from([9.5, 10.0, 12.5])
TEXTS = st.sampled_from(["", "a", "a.tif", "b.tif", "A.TIF"])
PATTERNS = st.text("a.tif%_*?[(", max_size=6)
TIMES = st.builds(
    "2024-06-01T0{}:00:00{}".format, st.integers(0, 9), st.sampled_from(["Z", "+02:00", "-05:00"])
)
DAYS = st.sampled_from(["2024-05-31", "2024-06-01", "2024-06-02"])
MOMENTS = st.builds(lambda text: {"timestamp": text}, TIMES) | st.builds(lambda text: {"date": text}, DAYS)
POINTS = st.tuples(st.integers(-2, 4), st.integers(-2, 4)).map(list)
SHAPES = st.builds(lambda at: {"type": "Point", "coordinates": at}, POINTS) | st.builds(
    lambda line: {"type": "LineString", "coordinates": line}, st.lists(POINTS, min_size=2, max_size=4)
)
LEAVES = (
    call(COMPARING, named("gsd", "cloud"), NUMBERS)
    | call(COMPARING, named("title"), TEXTS)
    | call(COMPARING, named("datetime"), MOMENTS)
    | call("between", named("gsd", "cloud"), NUMBERS, NUMBERS)
    | call("in", named("title"), st.lists(TEXTS, min_size=1, max_size=3))
    | call("like", named("title"), PATTERNS)
    | call("isNull", named("title", "gsd"))
    | call("s_intersects", st.just({"property": "geometry"}), SHAPES)
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: (
        call("not", inner)
        | st.builds(
            lambda operator, args: {"op": operator, "args": args},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        )
    ),
    max_leaves=6,
)


@given(FILTERS)
@settings(max_examples=500)
def test_both_read_a_filter_alike(expression: dict[str, Any]) -> None:
    """What the library reduces to an answer is ours; where something is left, a property is missing: unknown."""
    left = cql2.Expr(expression).reduce(FEATURE).to_json()

    assert holds(expression, ITEM) is (left if isinstance(left, bool) else None)
