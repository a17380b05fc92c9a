"""A storm: files keep arriving while the daemon and its children are killed at random moments.

    python -m tests.faults.storm --files 40 --kills 25 --seed 1

Afterwards the sandbox's folder is read by itself: one item per source, equal to it, no session open, nothing reserved.
Without --replay the sandbox does not honour the Idempotency-Key of `initiate`: then bytes may stay reserved, but never
more than `status` says in `possibly_leaked_bytes`. The same seed drops the same files and kills at the same moments, as
far as the machine keeps time.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.rasters import make
from tests.support.world import World, world

KINDS = ("dem_nodata", "rgb_striped", "uint16_bands", "palette", "rgba", "masked", "ready_cog")
LATENCY = 0.2


@dataclass
class Outcome:
    """What a storm left behind."""

    files: int
    kills: Counter[str] = field(default_factory=Counter)
    items: int = 0
    wrong: list[str] = field(default_factory=list)
    reserved: int = 0
    possibly_leaked: int = 0
    restarts_to_mend: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        """One line for people and logs."""
        return (
            f"files={self.files} kills={dict(self.kills)} items={self.items} wrong={len(self.wrong)} "
            f"reserved={self.reserved} possibly_leaked={self.possibly_leaked} "
            f"restarts_to_mend={self.restarts_to_mend} seconds={self.seconds:.0f}"
        )


def storm(root: Path, *, files: int, kills: int, seed: int, replay: bool, longest: float = 2.5) -> Outcome:
    """Raise one storm below `root`; `longest` is the longest life of a daemon in seconds."""
    rng = random.Random(seed)
    outcome = Outcome(files)
    started = time.monotonic()
    options = {"latency": LATENCY, "seed": seed, "replay_initiate": replay}
    with world(root, options=options, settings={"transfer": {"drain_seconds": 2}}) as w:
        expected_life = kills * longest / 2
        dropper = threading.Thread(target=_drop, args=(w, files, random.Random(seed + 1), expected_life))
        dropper.start()
        for _ in range(kills):
            _live_and_die(w, rng, longest, outcome)
        dropper.join()
        _settle(w, outcome)
        _judge(w, outcome, replay=replay)
    outcome.seconds = time.monotonic() - started
    return outcome


def _drop(w: World, files: int, rng: random.Random, seconds: float) -> None:
    """Let files arrive over time, by rename as careful writers do, and in place as others do."""
    for number in range(files):
        below = w.drop / rng.choice(["", "a", "b"])
        below.mkdir(exist_ok=True)
        kind = rng.choice(KINDS)
        target = below / f"f{number:04d}.tif"
        if rng.random() < 0.5:
            hidden = below / f".f{number:04d}.tif.part"
            make(kind, hidden, size=rng.choice([64, 200, 600]), seed=number)
            hidden.rename(target)
        else:
            make(kind, target, size=rng.choice([64, 200, 600]), seed=number)
        time.sleep(rng.random() * seconds / files)


def _live_and_die(w: World, rng: random.Random, longest: float, outcome: Outcome) -> None:
    process = w.start()
    deadline = time.monotonic() + 0.3 + rng.random() * longest
    victim_is_child = rng.random() < 0.3
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    if process.poll() is not None:
        outcome.wrong.append(f"the daemon ended by itself with {process.returncode}")
        return
    if victim_is_child:
        children = psutil.Process(process.pid).children(recursive=True)
        for child in children[:1]:
            child.kill()
            outcome.kills["child"] += 1
        time.sleep(rng.random() * longest / 2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    outcome.kills["daemon"] += 1


def _settle(w: World, outcome: Outcome) -> None:
    """Let the daemon finish. A raster whose child was killed twice is rejected; one `retry` brings it back."""
    for attempt in range(3):
        w.until_idle(check=None)
        status = w.status()
        if status["pending"] == 0 and status["rejected"] == 0:
            return
        outcome.restarts_to_mend = attempt + 1
        if status["rejected"]:
            w.command("retry", "-c", str(w.config), "--all", check=0)


def _judge(w: World, outcome: Outcome, *, replay: bool) -> None:
    status = w.status()
    found = w.audit()
    outcome.items = len(found.items)
    outcome.reserved = found.reserved_bytes
    outcome.possibly_leaked = status["possibly_leaked_bytes"]
    stems = Counter(name.rpartition("-")[0] for name in found.file_names)
    sources = sorted(w.drop.rglob("f*.tif"))
    outcome.wrong += [f"{s.name}: {stems[s.stem]} items" for s in sources if stems[s.stem] != 1]
    outcome.wrong += [f"{name}: twice" for name, n in Counter(found.file_names).items() if n > 1]
    outcome.wrong += [f"{s.name}: {d}" for s in sources if stems[s.stem] == 1 for d in w.unlike(s)]
    leaked = [s for s in found.open_sessions if s.reserved_bytes]
    allowed = 0 if replay else len(leaked)
    if outcome.reserved > (0 if replay else outcome.possibly_leaked):
        outcome.wrong.append(f"{outcome.reserved} bytes stay reserved, {outcome.possibly_leaked} were told")
    # A report that a killed daemon had sent may arrive after the next one completed the session: it is refused.
    problems = [p for p in w.problems(open_sessions=allowed) if "uploads.progress on the completed" not in p]
    outcome.wrong += [p for p in problems if replay or "reserved" not in p]
    outcome.wrong += [f"pending: {status['files']}"] if status["pending"] else []


def main() -> int:
    """Run storms from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", action="store_true", help="the sandbox honours the key of initiate")
    parser.add_argument("--keep", type=Path, help="a folder to leave everything in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storm-") as temporary:
        root = given.keep or Path(temporary)
        root.mkdir(parents=True, exist_ok=True)
        outcome = storm(root, files=given.files, kills=given.kills, seed=given.seed, replay=given.replay)
    print(f"seed={given.seed} replay={given.replay} {outcome.line()}")
    for wrong in outcome.wrong:
        print("  " + wrong)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
