"""The table of holds in the operator's page: it is that of the causes, and each row has its test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.faults.holds_table import PAGE, SOAK, TESTS, rendered
from tests.faults.troubles import TROUBLES
from uploader.core.hold_causes import CAUSES
from uploader.core.model import HoldCause

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_causes() -> None:
    """Run `python -m tests.faults.holds_table` after a change of them."""
    text = PAGE.read_text()

    assert set(TESTS) == set(CAUSES) == set(HoldCause)
    assert rendered(text) == text


@pytest.mark.parametrize("cause", HoldCause)
def test_a_test_brings_each_hold_about(cause: HoldCause) -> None:
    """The one that the table names is there, and it, or a helper of its module, asks for this very cause."""
    path, _, name = TESTS[cause].partition("::")
    functions = {
        node.name: ast.unparse(node)
        for node in ast.parse((ROOT / path).read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    text = functions[name]
    if TESTS[cause] == SOAK:
        text = " ".join(f"'{one.cause}'" for one in TROUBLES if one.short)
    text += " ".join(body for helper, body in functions.items() if f"{helper}(" in text)

    assert f"HoldCause.{cause.name}" in text or f"'{cause}'" in text
