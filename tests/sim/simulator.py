"""A simulator of the core: planner, verdicts and effects as they are, on a virtual clock.

    python -m tests.sim.simulator --histories 1000000
    python -m tests.sim.simulator --replay 4711
    python -m tests.sim.simulator --days 30 --files 1000000 --faults 1

A history drops a few files that change, vanish or turn out to be poison, while calls fail, the platform is down, its
quota is used up, the key is revoked, copies are damaged, the disk is full or unmounted, and the process crashes at
random failpoints and commits. In every third history the files are rasters of scenes, which become the assets of one
item, and in some an archive holds others. Every plan is judged (`properties`), and so is the end (`history`, `scenes`,
`archives`). The same seed gives the same history, down to its hash.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tests.sim import archives, scenes
from tests.sim.history import simulate
from tests.sim.month import Month

CHUNK = 200
"""Histories that a worker takes at a time."""

ARCHIVES = 5
"""The last digit of the seeds whose histories have archives; they run on the real journal, which takes its time."""

PROGRESS_EVERY = 10.0
"""Seconds between two lines of progress."""

Outcome = tuple[int, str, list[str]]


@dataclass
class Tally:
    """What came of the histories up to now; their hash depends on their order, not on who ran them."""

    histories: int = 0
    turns: int = 0
    wrong: list[int] = field(default_factory=list)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, seed: int, outcome: Outcome) -> None:
        """Count one history, and tell what is wrong with it."""
        turns, hashed, violations = outcome
        self.histories += 1
        self.turns += turns
        self.digest.update(hashed.encode())
        if violations:
            self.wrong.append(seed)
            print(f"seed {seed}: {violations[0]}\n  again with --replay {seed}", flush=True)

    def __str__(self) -> str:
        return (
            f"{self.histories:,} histories, {self.turns:,} turns, {len(self.wrong)} wrong, "
            f"hash {self.digest.hexdigest()[:16]}"
        )


def outcomes(seeds: range, workers: int, *, memory: bool = True) -> Iterator[Outcome]:
    """Run histories, spread over processes, and give what came of them in order."""
    jobs = ((seed, memory) for seed in seeds)
    if workers <= 1:
        spare_the_collector()
        yield from map(_one, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers, spare_the_collector) as pool:
        yield from pool.imap(_one, jobs, chunksize=CHUNK)


def spare_the_collector() -> None:
    """Modules stay; a history is small and soon gone: the cycle collector need not look so often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def _one(job: tuple[int, bool]) -> Outcome:
    return history_of(job[0])(job[0], memory=job[1])


def history_of(seed: int) -> Callable[..., Outcome]:
    """What makes the history of a seed: every third one has scenes, every tenth archives, or nearly so."""
    if seed % 3 == 0:
        return scenes.simulate
    return archives.simulate if seed % 10 == ARCHIVES else simulate


def run(seeds: range, found: Iterable[Outcome]) -> Tally:
    """Tally outcomes, with a line of progress now and then."""
    tally = Tally()
    started = told = time.monotonic()
    for seed, outcome in zip(seeds, found, strict=True):
        tally.add(seed, outcome)
        if time.monotonic() - told >= PROGRESS_EVERY:
            told = time.monotonic()
            rate = tally.histories / (told - started)
            print(f"{tally}, {rate:.0f}/s, {(len(seeds) - tally.histories) / rate:.0f} s left", flush=True)
    print(f"{tally}, {time.monotonic() - started:.0f} s", flush=True)
    return tally


def replay(seed: int) -> int:
    """One history, four times: twice on each journal. 0 where it is right, and the same each time."""
    found = [history_of(seed)(seed, memory=memory) for memory in (True, True, False, False)]
    same = all(outcome == found[0] for outcome in found)
    turns, hashed, violations = found[0]
    print(
        f"seed {seed}: {turns} turns, hash {hashed}, {'the same again' if same else f'but then {found[1:]}'}"
    )
    for violation in violations:
        print(violation)
    return 0 if same and not violations else 1


def main() -> int:
    """Run histories from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--histories", type=int, default=1000, help="how many short histories")
    parser.add_argument("--seed", type=int, default=1, help="of the first of them")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument(
        "--journal", choices=("memory", "sqlite"), default="memory", help="a model, or the real one"
    )
    parser.add_argument(
        "--replay", type=int, metavar="SEED", help="one history: is it right, and the same again?"
    )
    parser.add_argument("--days", type=float, help="one long history of so many days instead")
    parser.add_argument("--files", type=int, default=100_000, help="files that arrive in these days")
    parser.add_argument("--faults", type=float, default=1.0, help="per cent of calls that fail in these days")
    given = parser.parse_args()
    if given.replay is not None:
        return replay(given.replay)
    if given.days is not None:
        month = Month(given.seed, days=given.days, files=given.files, faults=given.faults / 100)
        return 0 if month.run(lambda line: print(line, flush=True)) else 1
    seeds = range(given.seed, given.seed + given.histories)
    tally = run(seeds, outcomes(seeds, given.workers, memory=given.journal == "memory"))
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
