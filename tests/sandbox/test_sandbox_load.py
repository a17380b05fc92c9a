"""The load test in its short form; the long one is a command, see `tests.sandbox.load`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.load import Book, run, violations

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit


def test_many_clients_and_a_kill_lose_nothing(tmp_path: Path) -> None:
    """Twenty clients for three seconds with a kill in the middle: no update lost, the quota right, no 5xx."""
    book, wrong = run(tmp_path, clients=20, seconds=3)

    assert wrong == []
    assert len(book.completed) + len(book.failed) >= 20
    assert book.completed
    assert book.failed
    assert book.cut


def test_the_load_test_can_fail(tmp_path: Path) -> None:
    """A completion that the folder knows nothing of, and a file that nobody sent, are both reported."""
    run(tmp_path, clients=2, seconds=1)
    invented = Book(completed={"u_none": ["0"]}, failed={"u_other"})
    wrong = violations(invented, tmp_path / "box")

    assert any("u_none: was completed, is None" in one for one in wrong)
    assert any("u_other: was failed, is None" in one for one in wrong)
    assert any("nobody completed" in one for one in wrong)
