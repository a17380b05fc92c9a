"""Days of the machine's calendar."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from uploader.system.days import midnight, next_midnight

pytestmark = pytest.mark.unit


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock changes twice a year."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 11, 28), 24), ((2026, 12, 31), 24)]
)
@pytest.mark.usefixtures("berlin")
def test_a_day_lasts_from_midnight_to_midnight(day: tuple[int, int, int], hours: int) -> None:
    """Also when the clocks change, and at the end of a year."""
    noon = time.mktime((*day, 12, 0, 0, 0, 0, -1))

    assert time.localtime(midnight(noon))[:5] == (*day, 0, 0)
    assert next_midnight(noon) - midnight(noon) == hours * 3600
    assert midnight(next_midnight(noon)) == next_midnight(noon)
