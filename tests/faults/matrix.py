"""The fault matrix: each row injects one kind of fault for real and judges from the platform's side.

    python -m tests.faults.matrix                 # all rows, and the table in docs/reliability.md
    python -m tests.faults.matrix 33 41 --seeds 3 # some rows, three seeds each
    python -m tests.faults.matrix --no-table 9    # without touching the table

A failing seed is printed; `--seed N` tries it again. What each row expects besides its own words is the same for all:
exactly one item for each source, with its bytes, or a reason; no open session and no reserved byte beyond what the
status tells; no call that its session's state forbade; a living daemon, and nothing left in staging.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.rows import disks, drops, kills, machine, network, platform
from tests.faults.rows.base import Result, Row, Skipped

ROWS: tuple[Row, ...] = tuple(
    sorted(
        (*kills.ROWS, *disks.ROWS, *drops.ROWS, *network.ROWS, *platform.ROWS, *machine.ROWS),
        key=lambda row: row.number,
    )
)

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- fault matrix -->", "<!-- end of fault matrix -->"


@dataclass
class Tally:
    """What the runs of one row found."""

    runs: int = 0
    trials: int = 0
    wrong: int = 0
    seconds: float = 0.0
    told: str = ""
    skipped: str = ""

    @property
    def outcome(self) -> str:
        """One cell of the table."""
        if self.skipped:
            return f"skipped: {self.skipped}"
        if not self.runs:
            return ""
        return f"{self.wrong} wrong" + (f"; {self.told}" if self.told else "")


def attempt(row: Row, seed: int) -> tuple[Result, float, str]:
    """Run a row once in a folder of its own; returns its result, seconds, and why it was skipped."""
    assert row.run is not None
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"row{row.number}-") as root:
        try:
            result, skipped = row.run(Path(root), seed), ""
        except Skipped as reason:
            result, skipped = Result(), str(reason)
        except Exception:  # noqa: BLE001 - whatever breaks a row is told with its seed
            result, skipped = Result(1, [traceback.format_exc(limit=-3)]), ""
    return result, time.monotonic() - started, skipped


def tally(row: Row, seeds: list[int], *, table_too: bool = False) -> Tally:
    """All runs of one row, told as they end, and entered into the table."""
    found = Tally()
    for seed in seeds if row.run else []:
        result, seconds, skipped = attempt(row, seed)
        found.runs += not skipped
        found.trials += result.trials
        found.wrong += len(result.wrong)
        found.seconds += seconds
        found.told, found.skipped = result.told or found.told, skipped
        state = f"skipped: {skipped}" if skipped else f"{len(result.wrong)} wrong"
        print(
            f"row {row.number:2} seed={seed} trials={result.trials} {seconds:.1f} s {state} {result.told}",
            flush=True,
        )
        for line in result.wrong:
            print(f"    row {row.number} seed {seed}: {line}", flush=True)
    if table_too and row.run:
        write({row.number: found})
    return found


def table(tallies: dict[int, Tally]) -> str:
    """The rows as Markdown."""
    lines = ["| # | fault | injected by | test | runs | trials | outcome |", "|---|---|---|---|---|---|---|"]
    for row in ROWS:
        one = tallies.get(row.number, Tally())
        own = [f"`matrix {row.number}`" + (" (in the suite)" if row.short else "")] if row.run else []
        test = ", ".join([*own, *([row.refers] if row.refers else [])])
        runs = f"{one.runs} | {one.trials}" if row.run else "there | "
        lines.append(f"| {row.number} | {row.fault} | {row.how} | {test} | {runs} | {one.outcome} |")
    return "\n".join(lines)


_PAGE_LOCK = threading.Lock()


def write(tallies: dict[int, Tally]) -> None:
    """Put the table into the page; rows that were not run keep what was found before."""
    with _PAGE_LOCK:
        text = PAGE.read_text()
        before, _, rest = text.partition(BEGIN)
        inside, _, after = rest.partition(END)
        known = _known(inside) | tallies
        facts = "\n".join(
            f"<!-- {number} {json.dumps(asdict(one))} -->" for number, one in sorted(known.items())
        )
        PAGE.write_text(f"{before}{BEGIN}\n{table(known)}\n\n{facts}\n{END}{after}")


def _known(inside: str) -> dict[int, Tally]:
    found = {}
    for line in inside.splitlines():
        if line.startswith("<!-- ") and line.endswith(" -->"):
            number, _, facts = line[5:-4].partition(" ")
            found[int(number)] = Tally(**json.loads(facts))
    return found


def main() -> int:
    """Run rows from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", type=int, default=[row.number for row in ROWS])
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--no-table", action="store_true")
    given = parser.parse_args()
    rows = [row for row in ROWS if row.number in given.rows]
    seeds = list(range(given.seed, given.seed + given.seeds))
    with ThreadPoolExecutor(given.at_once) as pool:
        found = list(pool.map(lambda row: tally(row, seeds, table_too=not given.no_table), rows))
    wrong, runs, trials = (sum(getattr(one, name) for one in found) for name in ("wrong", "runs", "trials"))
    print(f"{len(rows)} rows, {runs} runs, {trials} trials, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
