"""Golden histories: hashes of what was planned, sent and written into the journal, kept in `golden.json`.

    python -m tests.sim.golden            # all of them: does anything differ?
    python -m tests.sim.golden --write    # what is now becomes what shall be

A change that moves code must leave every hash as it is. A change of behaviour writes them anew, and its commit says
why. Where a chunk differs, `--seed N` prints the hashes of each history in it, to compare two versions of the code.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.sim.history import History
from tests.sim.simulator import spare_the_collector
from uploader.core.planner import Plan
from uploader.core.planner_view import PlannerView

HISTORIES = 2000
CHUNK = 50
"""Seeds that share a line of the file."""

KEPT = Path(__file__).with_suffix(".json")
KINDS = ("plans", "wire", "events", "rows", "journal")
"""What is hashed. `journal` is every column of every row that SQLite has at the end, the log's notes with them."""
CALLS = (
    "initiate",
    "signed_url",
    "put",
    "progress",
    "complete",
    "fail",
    "list_items",
    "get_item",
    "list_assets",
)


class Unasked(History):
    """A history in which no person says anything before the end."""

    wishing = False


class Recorded(Unasked):
    """A history that hashes its plans, and the calls to the platform with their answers."""

    def __init__(self, seed: int, *, memory: bool = True) -> None:
        self._plans, self._wire = hashlib.sha256(), hashlib.sha256()
        super().__init__(seed, memory=memory)
        for name in CALLS:
            setattr(self.platform, name, self._heard(name, getattr(self.platform, name)))

    def judge(self, view: PlannerView, turn: Plan) -> None:
        """Write down what was decided, before it is judged."""
        self._plans.update(
            f"{self.now:.3f} {turn.actions} {turn.holds} {turn.wake_at} {turn.idle}\n".encode()
        )
        super().judge(view, turn)

    def _heard(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        async def heard(*args: Any, **given: Any) -> Any:
            answer: Any = None
            try:
                answer = await call(*args, **given)
            except Exception as error:
                answer = f"{type(error).__name__}: {error}"
                raise
            finally:
                self._wire.update(f"{self.now:.3f} {name} {args} {given} -> {answer}\n".encode())
            return answer

        return heard

    def hashes(self) -> tuple[str, ...]:
        """All but the last of `KINDS`, once it has run. An enumeration's member is its word."""
        rows = [*self.journal.table(), *self.journal.holdings(), *self.wrong]
        text = "\n".join("|".join(str(column) for column in row) for row in rows)
        final = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self._plans.hexdigest()[:16], self._wire.hexdigest()[:16], self.journal.digest(), final


def history(seed: int) -> tuple[str, ...]:
    """Run one history on both journals, and give its hashes by `KINDS`."""
    recorded = Recorded(seed)
    recorded.run()
    real = Unasked(seed, memory=False)
    real.run()
    return (*recorded.hashes(), real.journal.everything())


def chunk(first: int) -> list[str]:
    """The hashes of `CHUNK` histories from this seed on, by `KINDS`."""
    found = zip(*(history(seed) for seed in range(first, first + CHUNK)), strict=True)
    return [hashlib.sha256("".join(hashes).encode()).hexdigest()[:16] for hashes in found]


def chunks() -> range:
    """The first seed of each chunk."""
    return range(0, HISTORIES, CHUNK)


def kept() -> dict[int, list[str]]:
    """The golden hashes, by the first seed of their chunk."""
    return {int(first): hashes for first, hashes in json.loads(KEPT.read_text()).items()}


def differing(found: dict[int, list[str]]) -> list[str]:
    """What is not as it was, in words."""
    golden = kept()
    return [
        f"seeds {first} to {first + CHUNK - 1}: other {kind}"
        for first, hashes in found.items()
        for kind, now, before in zip(KINDS, hashes, golden.get(first, [""] * len(KINDS)), strict=True)
        if now != before
    ]


def main() -> int:
    """Compare all histories, or write their hashes; 0 where nothing differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="take today's hashes for right")
    parser.add_argument("--seed", type=int, help="print the hashes of each history in this seed's chunk")
    given = parser.parse_args()
    if given.seed is not None:
        first = given.seed - given.seed % CHUNK
        for seed in range(first, first + CHUNK):
            print(seed, *history(seed))
        return 0
    with multiprocessing.get_context("spawn").Pool(2, spare_the_collector) as pool:
        found = dict(zip(chunks(), pool.map(chunk, chunks(), chunksize=1), strict=True))
    if given.write:
        lines = (f"  {json.dumps(str(first))}: {json.dumps(hashes)}" for first, hashes in found.items())
        KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    wrong = differing(found)
    print("\n".join(wrong) or f"{HISTORIES:,} histories are as they were")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
