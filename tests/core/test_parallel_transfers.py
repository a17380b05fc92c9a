"""How many files are sent at once, found on modelled lines."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from uploader.core.parallel_transfers import LEAST, MOST, START, WINDOW, Search, seen

pytestmark = pytest.mark.unit

MB = 1e6

LINES: dict[str, tuple[Callable[[int], float], range]] = {
    "each connection carries its window": (lambda n: 27 * MB * n, range(MOST, MOST + 1)),
    "nine connections fill it": (lambda n: min(27 * MB * n, 240 * MB), range(7, 13)),
    "one connection fills it": (lambda _: 100 * MB, range(LEAST, LEAST + 1)),
    "the processor is the limit": (lambda n: 400 * MB - 30 * MB * n, range(LEAST, LEAST + 1)),
    "two are best": (lambda n: {1: 60 * MB, 2: 110 * MB}.get(n, 110 * MB - 8 * MB * n), range(2, 3)),
}
"""By name: bytes a second that so many files carry together, and the numbers that may be found."""


def run(
    line: Callable[[int], float], seconds: int, *, noise: float = 0.0, search: Search | None = None
) -> list[int]:
    """The numbers for each second."""
    search, sent, chance, numbers = search or Search(), 0.0, random.Random(7), []
    for now in range(seconds):
        search = seen(search, float(now), int(sent), search.files)
        numbers.append(search.files)
        sent += line(search.files) * chance.uniform(1 - noise, 1 + noise)
    return numbers


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_number_that_carries_most_is_found(name: str, noise: float) -> None:
    """After ten minutes it is the number for most of the time, and what is carried is close to the most."""
    line, expected = LINES[name]

    numbers = run(line, 1800, noise=noise)[600:]

    assert sum(number in expected for number in numbers) >= 0.7 * len(numbers)
    most = max(line(number) for number in range(LEAST, MOST + 1))
    assert sum(map(line, numbers)) / len(numbers) >= 0.92 * most


def test_a_long_line_is_full_within_a_minute() -> None:
    """At 150 ms one connection carries 27 MB/s: waiting long for the number would cost more than it gains."""
    assert run(lambda n: 27 * MB * n, 60)[-1] == MOST


def test_it_stays_within_its_bounds_whatever_is_measured() -> None:
    """Rates that mean nothing lead to numbers that can be used."""
    chance = random.Random(1)

    assert set(run(lambda _: chance.uniform(0, 1e9), 5000)) <= set(range(LEAST, MOST + 1))
    assert set(run(lambda _: 0.0, 500)) <= set(range(LEAST, MOST + 1))


@pytest.mark.parametrize("other", [-1, 1])
def test_another_number_of_files_says_nothing_of_this_one(other: int) -> None:
    """While fewer, or still more, are under way than are to be, if only now and then, the number stays."""
    search = Search()
    for now in range(100):
        sending = START + other if now % int(WINDOW) == 0 else START
        search = seen(search, float(now), now * 1000, sending)

    assert search.files == START


def test_a_line_that_changes_is_found_out() -> None:
    """Where a line becomes a long one, more files are tried within two minutes of each other and kept."""
    fast = run(lambda _: 100 * MB, 600)
    assert fast[-1] <= 2

    now, sent, search = 0.0, 0.0, Search(files=1, kept=1)
    while now < 600:
        search = seen(search, now, int(sent), search.files)
        sent += 27 * MB * search.files
        now += 1
    assert search.kept == MOST
