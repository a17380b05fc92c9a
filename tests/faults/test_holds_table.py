"""The table of holds and alarms in the operator's page: it is that of the causes, and each row has its test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.faults.holds_table import PAGE, SOAK, TESTS, TESTS_OF_ALARMS, rendered, row_of, table
from tests.faults.troubles import TROUBLES
from uploader.core.alarms import OWN
from uploader.core.hold_causes import CAUSES
from uploader.core.model import HoldCause

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_causes() -> None:
    """Run `python -m tests.faults.holds_table` after a change of them."""
    text = PAGE.read_text()

    assert set(TESTS) == set(CAUSES) == set(HoldCause)
    assert set(TESTS_OF_ALARMS) == set(OWN)
    assert rendered(text) == text


@pytest.mark.parametrize(("facts", "name"), [(TESTS, "TESTS"), (TESTS_OF_ALARMS, "TESTS_OF_ALARMS")])
def test_a_cause_without_a_row_is_told_with_its_table(
    facts: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever adds a cause reads where its row goes."""
    cause = next(iter(facts))
    monkeypatch.delitem(facts, cause)

    with pytest.raises(
        LookupError, match=f"{cause} has no row yet: add one to {name} in tests/faults/holds_table"
    ):
        table()


@pytest.mark.parametrize("cause", HoldCause)
def test_a_test_brings_each_hold_about(cause: HoldCause) -> None:
    """The one that the table names is there, and it, or a helper of its module, asks for this very cause."""
    path, _, name = row_of(cause, TESTS, "TESTS").partition("::")
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


@pytest.mark.parametrize("cause", OWN)
def test_a_test_brings_each_other_alarm_about(cause: str) -> None:
    """The same of alarms that are no holds."""
    path, _, name = row_of(cause, TESTS_OF_ALARMS, "TESTS_OF_ALARMS").partition("::")
    functions = [
        node
        for node in ast.parse((ROOT / path).read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]

    assert cause in ast.unparse(functions[0])
