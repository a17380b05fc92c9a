"""Tests of texts with groups in them."""

from __future__ import annotations

import pytest

from uploader.core.scene_templates import filled, mistake, names, value

pytestmark = pytest.mark.unit

GROUPS = {"tile": "33UUP", "orbit": "022", "gsd": "0.5", "none": None, "odd": "nan"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{tile}", "33UUP"),
        ("MGRS-{tile}/{none}", "MGRS-33UUP/"),
        ("{}{tile", "{}{tile"),
        ("{tile.__class__}", "{tile.__class__}"),
        ("{0}{tile!r}", "{tile!r}"),
    ],
)
def test_groups_are_filled_in_and_nothing_else_is(template: str, text: str) -> None:
    """No attribute, no position, no conversion: a text can ask for what a name says only."""
    assert filled(template, GROUPS) == text


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("{orbit:int}", 22),
        ("{gsd:float}", 0.5),
        ("{orbit}", "022"),
        (True, True),
        (-1000, -1000),
        ("{gsd:int}", None),
        ("{odd:float}", None),
        ("a {none}", None),
        ("{unknown}", None),
    ],
)
def test_a_property_keeps_its_type(given: object, made: object) -> None:
    """And is left out where the path does not say it."""
    assert value(given, GROUPS) == made  # type: ignore[arg-type]
    assert type(value(given, GROUPS)) is type(made)  # type: ignore[arg-type]


def test_a_number_stands_alone() -> None:
    """Among other text it would be text."""
    assert mistake("orbit {orbit:int}")
    assert not mistake("{orbit:int}")
    assert names("{a}{b:int}") == {"a", "b"}
