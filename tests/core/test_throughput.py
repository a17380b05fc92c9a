"""How fast the work goes, and when it is done."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from uploader.core.throughput import Passed, Rate, StageWork, expected_end, rate_of

pytestmark = pytest.mark.unit

NOW = 10_000.0


def test_a_rate_counts_from_the_first_file() -> None:
    """Ten minutes into the work nobody waits for the hour to pass; one file in a second is no rate."""
    assert rate_of(NOW, 60, 6000, NOW - 600) == Rate(0.1, 10.0)
    assert rate_of(NOW, 1, 60, NOW - 1) == Rate(1 / 60, 1.0)
    assert rate_of(NOW, 0, 0, None) == Rate()


def work(files: int, size: int = 0, *, done: int = 11, seconds: float = 100.0) -> StageWork:
    """A stage that did so many files of ten bytes until now, and has some left."""
    return StageWork(Passed(done, done * 10, NOW - seconds, NOW), files, size)


def test_the_end_is_that_of_the_slower_count() -> None:
    """Ten large files take longer than ten of the usual ones."""
    assert expected_end(NOW, [work(10, 100)], held=False) == pytest.approx(NOW + 100)
    assert expected_end(NOW, [work(10, 500)], held=False) == pytest.approx(NOW + 500)


def test_the_slowest_stage_decides() -> None:
    """They work at once: what is left takes as long as it takes the slowest."""
    quick, slow = work(10, 100, seconds=10), work(20, 200)

    assert expected_end(NOW, [quick, slow, quick], held=False) == pytest.approx(NOW + 200)


def test_a_stage_that_does_nothing_any_more_becomes_slow() -> None:
    """Its time grows with its silence."""
    stuck = StageWork(Passed(11, 110, NOW - 1000, NOW - 900), 10, 100)

    assert expected_end(NOW, [stuck], held=False) == pytest.approx(NOW + 900)


@pytest.mark.parametrize(
    ("left", "held"),
    [
        ([], False),
        ([work(0)], False),
        ([work(5, done=1)], False),
        ([StageWork(None, 5, 50)], False),
        ([work(5)], True),
    ],
)
def test_what_nobody_knows_is_not_guessed(left: list[StageWork], held: bool) -> None:
    """Nothing to do, nothing done lately, or something held."""
    assert expected_end(NOW, left, held=held) is None


@dataclass(frozen=True)
class Pipeline:
    """A run of the daemon, as a model: seconds for each file and each byte, one converter and one line."""

    files: int
    convert: tuple[float, float]
    send: tuple[float, float]
    spread: float = 0.5
    batch: int = 100
    linger: float = 10.0

    def times(self, seed: int) -> tuple[list[int], list[float], list[float]]:
        """The sizes, and when each file was converted and stored."""
        chance = random.Random(seed)
        sizes = [int(1e6 * chance.lognormvariate(0, self.spread)) for _ in range(self.files)]
        converted, at = [], 0.0
        for size in sizes:
            at += self.convert[0] + size * self.convert[1]
            converted.append(at)
        stored: list[float] = []
        free = 0.0
        while len(stored) < self.files:
            first = len(stored)
            close = max(free, converted[first] + self.linger)
            whole = [n for n in range(first, min(first + self.batch, self.files)) if converted[n] <= close]
            free = close
            for n in whole:
                free += self.send[0] + sizes[n] * self.send[1]
                stored.append(free)
        return sizes, converted, stored


PIPELINES = {
    "the converter is slowest": Pipeline(600, (0.05, 2e-6), (0.05, 1e-7)),
    "the line is slowest": Pipeline(600, (0.05, 1e-7), (0.05, 2e-6)),
    "both are alike": Pipeline(600, (0.05, 1e-6), (0.05, 1e-6)),
    "many small files": Pipeline(5000, (0.02, 1e-8), (0.03, 1e-8)),
    "sizes differ by a hundred": Pipeline(2000, (0.02, 1e-6), (0.02, 5e-7), spread=1.0),
    "a few large ones": Pipeline(100, (0.5, 2e-5), (0.5, 3e-5), spread=0.2),
}


def passed(sizes: list[int], times: list[float], now: float) -> StageWork:
    """A stage of a pipeline at some time."""
    done = [n for n, at in enumerate(times) if at <= now]
    size = sum(sizes[n] for n in done)
    lately = Passed(len(done), size, times[done[0]], times[done[-1]]) if done else None
    return StageWork(lately, len(sizes) - len(done), sum(sizes) - size)


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_a_tenth_of_a_run_tells_its_end_within_a_fifth(name: str, seed: int, share: float) -> None:
    """Whatever is slowest, and although files are stored in bursts."""
    sizes, converted, stored = PIPELINES[name].times(seed)
    now = share * stored[-1]

    end = expected_end(now, [passed(sizes, converted, now), passed(sizes, stored, now)], held=False)

    assert end is not None
    assert abs(end - stored[-1]) <= 0.2 * stored[-1]
