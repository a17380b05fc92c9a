"""What the planner sees."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from tests.support.configured import settings_with
from uploader.core import planner_view
from uploader.core.planner import plan
from uploader.core.planner_view import PlannerView

pytestmark = pytest.mark.unit


def test_an_empty_view_asks_for_nothing() -> None:
    """Each default means that there is nothing of its kind, so a view names only what there is."""
    found = plan(PlannerView(destinations={}), 1000.0, settings_with())

    assert (found.actions, found.holds, found.idle) == ([], [], True)


@pytest.mark.parametrize(
    "kind",
    [
        one
        for one in vars(planner_view).values()
        if is_dataclass(one) and one.__module__ == planner_view.__name__
    ],
    ids=lambda kind: kind.__name__,
)
def test_a_view_is_made_of_values_that_do_not_change(kind: type) -> None:
    """It is taken at one moment, and planning happens on it while the journal goes on."""
    assert kind.__dataclass_params__.frozen
    for field in fields(kind):
        assert not str(field.type).startswith(("list", "dict", "set")), field.name
