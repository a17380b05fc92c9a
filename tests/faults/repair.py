"""Damage and repair at random: files come, the daemon is killed, its journal is damaged and repaired, also by halves.

    python -m tests.faults.repair --rounds 20 --seed 1

In each round files are dropped, a daemon is killed after a while, the journal is copied or not, a daemon is killed
again, and the journal is damaged in one of several ways. The repair is killed at one of its steps and run again. In the
end everything is read from the sandbox's side: one item for each source, nothing reserved that was not told.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.live import judged
from tests.support.rasters import make
from tests.support.world import World, world
from uploader.journal.opening import FILE_NAME, SNAPSHOTS
from uploader.journal.recovery.salvage import finding
from uploader.journal.recovery.snapshots import Snapshots, listed
from uploader.system.failpoints import REPAIR

DAMAGES = ("header", "half", "log", "gone", "bits", "empty", "all copies")


@dataclass
class Outcome:
    """What went wrong, by round, and what was tried."""

    wrong: list[str] = field(default_factory=list)
    damaged: int = 0
    harmless: int = 0
    items: int = 0


def damage(w: World, kind: str, rng: random.Random) -> None:
    """Damage the journal's files in one way."""
    path, log = w.state / FILE_NAME, w.state / f"{FILE_NAME}-wal"
    data = bytearray(path.read_bytes())
    if kind in {"header", "all copies"}:
        data[:100] = bytes(100)
    elif kind == "half":
        data = data[: len(data) // 2]
    elif kind == "empty":
        data = bytearray()
    elif kind == "bits":
        for _ in range(200):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    if kind not in {"bits", "half"}:
        log.unlink(missing_ok=True)
    if kind != "log":
        path.write_bytes(bytes(data))
    if kind == "gone":
        path.unlink()
    if kind == "all copies":
        for copy in (w.state / SNAPSHOTS).iterdir():
            copy.write_bytes(bytes(100) + copy.read_bytes()[100:])


def killed_run(w: World, seconds: float) -> None:
    """A daemon for so long."""
    process = w.start()
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def round_(w: World, number: int, rng: random.Random, sources: list[Path], outcome: Outcome) -> None:
    """Files, kills, damage, repair, and to the end."""
    missing = w.folders[0]["after_upload"] != "keep"
    for one in range(rng.randint(2, 5)):
        path = make("dem_nodata", w.root / "new.tif", size=64, seed=number * 10 + one + 1)
        path.rename(w.drop / f"r{number}-{one}.tif")
        sources.append(w.drop / f"r{number}-{one}.tif")
    killed_run(w, rng.uniform(0.6, 3.0))
    if (w.state / FILE_NAME).exists() and rng.random() < 0.7:
        Snapshots(w.state).make()
    killed_run(w, rng.uniform(0.6, 4.0))
    if not (w.state / FILE_NAME).exists():
        return
    kind = rng.choice(DAMAGES)
    damage(w, kind, rng)
    arguments = ("check", "-c", str(w.config), "--repair-journal")
    if finding(w.state):
        outcome.damaged += 1
        refused = w.until_idle(check=None)
        if refused.returncode != 78:
            outcome.wrong.append(f"round {number}: {kind}: started with {refused.returncode}")
        w.command(*arguments, environment={"UPLOADER_FAILPOINT": rng.choice(REPAIR)})
        done = w.command(*arguments)
        if done.returncode:
            outcome.wrong.append(
                f"round {number}: {kind}: the repair ended with {done.returncode}: {done.stderr}"
            )
    else:
        outcome.harmless += 1
    w.until_idle(check=None)
    shutil.rmtree(w.state / "staging" / "aside", ignore_errors=True)  # all sources are still there
    copies = len(listed(w.state))
    outcome.wrong += [
        f"round {number}: {kind}, {copies} copies: {text}"
        for text in judged(w, sources, missing_sources=missing)
    ]


def storm(root: Path, *, rounds: int, seed: int, policy: str = "keep") -> Outcome:
    """So many rounds in one world; stops at the first that goes wrong."""
    rng, outcome, sources = random.Random(seed), Outcome(), list[Path]()
    with world(root, options={"replay_initiate": False}) as w:
        w.folders[0]["after_upload"] = policy
        w.write_config()
        for number in range(rounds):
            round_(w, number, rng, sources, outcome)
            if outcome.wrong:
                break
        outcome.items = len(w.audit().items)
    return outcome


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--policy", choices=("keep", "delete"), default="keep", help="after_upload")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="repair") as root:
        outcome = storm(Path(root), rounds=options.rounds, seed=options.seed, policy=options.policy)
    for line in outcome.wrong:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(
        f"{outcome.damaged} repairs, {outcome.harmless} harmless damages, {outcome.items} items, "
        f"{len(outcome.wrong)} wrong (seed {options.seed})\n"
    )
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
