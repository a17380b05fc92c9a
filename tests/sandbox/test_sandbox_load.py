"""The load test in its short form; the long one is a command, see `tests.sandbox.load`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.load import Book, run, violations

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Book, list[str]]:
    """Twenty clients for three seconds with a kill in the middle: the folder, what they know, what is wrong."""
    folder = tmp_path_factory.mktemp("load")
    book, wrong = run(folder, clients=20, seconds=3)
    return folder / "box", book, wrong


def test_many_clients_and_a_kill_lose_nothing(loaded: tuple[Path, Book, list[str]]) -> None:
    """No update lost, the quota right, no 5xx; and the kill was felt."""
    _, book, wrong = loaded

    assert wrong == []
    assert len(book.completed) + len(book.failed) >= 20
    assert book.completed
    assert book.failed
    assert book.cut


def test_the_load_test_can_fail(loaded: tuple[Path, Book, list[str]]) -> None:
    """A completion that the folder knows nothing of, and a file that nobody sent, are both reported."""
    invented = Book(completed={"u_none": ["0"]}, failed={"u_other"})
    wrong = violations(invented, loaded[0])

    assert any("u_none: was completed, is None" in one for one in wrong)
    assert any("u_other: was failed, is None" in one for one in wrong)
    assert any("nobody completed" in one for one in wrong)
