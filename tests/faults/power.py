"""The power fails again and again: what was not synced by then is lost, or in part, and nothing may come of it.

    python -m tests.faults.power --files 20 --cuts 30 --seed 1

State, staging, drop folders and archive lie on a real file system that knows what was synced (`tests.support.disk`);
with odd seeds the archive lies on a second one, and the platform does not replay `initiate`. At random changes of a
disk the daemon and its children die, and the disks are put back to what a power cut would have left of them, by the
letter of POSIX. The platform keeps all that it had answered. Afterwards everything is judged as after a storm, and the
sources, of which some are zip files, must be where their folder's policy says.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from tests.faults.storm import KINDS, LATENCY, POLICIES, Outcome, Places, folders, judge, settle
from tests.support.archives import zipped
from tests.support.disk import Disk
from tests.support.rasters import make
from tests.support.volume import CUTS
from tests.support.world import World, world

MOST_CHANGES = 300
"""Of one life, up to which the power fails; early ones are as likely as late ones, by their logarithm."""

ZIPPED = 0.3
"""Share of the rasters that come in a zip file of their own."""


class Power:
    """A world on disks that forget, and what was lost of them."""

    def __init__(self, w: World, disks: list[Disk], places: Places, seed: int) -> None:
        self.w, self._disks, self._places = w, disks, places
        self._rng = random.Random(seed)
        self._dropped = 0
        self.lost: Counter[str] = Counter()

    def drop(self) -> None:
        """Bring one file, as a writer who makes sure that it lasts."""
        rng, number = self._rng, self._dropped
        self._dropped += 1
        below = Path(rng.choice(POLICIES)) / f"f{number:04d}.tif"
        master = self._places.masters / below
        make(rng.choice(KINDS), master, size=rng.choice([64, 200]), seed=number)
        if rng.random() < ZIPPED:
            content = zipped({f"in/{master.name}": master.read_bytes()})
            below, master = below.with_suffix(".zip"), master.with_suffix(".zip")
            master.write_bytes(content)
        target = self._places.ground / below
        hidden = target.with_name(f".{target.name}.part")
        with hidden.open("wb") as file:
            file.write(master.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        hidden.rename(target)
        folder = os.open(target.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def live_and_fail(self, drops: int, longest: float, outcome: Outcome) -> None:
        """Drop files, start the daemon, and let the power fail at a change of the disk, or else after a while."""
        for _ in range(drops):
            self.drop()
        process = self.w.start()
        disk = self._rng.choice(self._disks)
        disk.arm(process.pid, int(MOST_CHANGES ** self._rng.random()))
        self.w.awake(process)
        children, end = set[psutil.Process](), time.monotonic() + longest
        while process.poll() is None and time.monotonic() < end:
            with suppress(psutil.NoSuchProcess):
                children.update(psutil.Process(process.pid).children(recursive=True))
            time.sleep(0.02)
        outcome.kills["late" if process.returncode is None else "power"] += 1
        if process.returncode not in (None, -signal.SIGKILL):
            outcome.wrong.append(f"the daemon ended by itself with {process.returncode}")
        process.kill()
        process.wait()
        # They die with their parent; whoever lived on could write to a disk that has its power again.
        _, alive = psutil.wait_procs(children, timeout=30)
        outcome.wrong += [f"{len(alive)} children live on"] if alive else []
        self.cut()

    def cut(self) -> None:
        """Take from all disks what was not synced."""
        what, seed = self._rng.choice(CUTS), self._rng.randrange(1 << 30)
        for disk in self._disks:
            lost = disk.cut(what, seed)
            self.lost.update(writes=lost.writes, names=lost.names)


def power(root: Path, *, files: int, cuts: int, seed: int, longest: float = 3.0) -> tuple[Outcome, str]:
    """So many cuts while so many files arrive; returns what is left, and what was lost in words."""
    outcome, started, replay = Outcome(files), time.monotonic(), seed % 2 == 0
    with disks(root, seed) as (mounted, places):
        tables = folders(places.ground, places.vault)
        for table in tables:
            table |= {"rescan_seconds": 1.0, "include": ["*.tif", "*.zip"]}
        options = {"latency": LATENCY, "seed": seed, "replay_initiate": replay}
        settings = {"transfer": {"drain_seconds": 2}}
        with world(root, options=options, settings=settings, folders=tables, home=places.ground) as w:
            for policy in POLICIES:
                (places.masters / policy).mkdir(parents=True)
            w.state.mkdir(mode=0o700)
            for disk in mounted:
                disk.sync()
            storm = Power(w, mounted, places, seed)
            for number in range(cuts):
                drops = files * (number + 1) // cuts - files * number // cuts
                storm.live_and_fail(drops, longest, outcome)
            settle(w, outcome)
            judge(w, outcome, replay=replay, places=places)
    outcome.seconds = time.monotonic() - started
    return outcome, f"{storm.lost['writes']} writes and {storm.lost['names']} changes of names lost"


@contextmanager
def disks(root: Path, seed: int) -> Iterator[tuple[list[Disk], Places]]:
    """One disk for everything, and a second one for the archive where the seed is odd."""
    with ExitStack() as stack:
        mounted = [stack.enter_context(Disk.mounted(root / "disk"))]
        vault = root / "disk" / "vault"
        if seed % 2:
            mounted.append(stack.enter_context(Disk.mounted(root / "other")))
            vault = root / "other" / "vault"
        yield mounted, Places(root / "masters", root / "disk", vault)


def main() -> int:
    """Let the power fail from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--cuts", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    given = parser.parse_args()
    wrong = 0
    for seed in range(given.seed, given.seed + given.seeds):
        with tempfile.TemporaryDirectory(prefix="power-") as root:
            outcome, told = power(Path(root), files=given.files, cuts=given.cuts, seed=seed)
        print(f"seed={seed} {outcome.line()}; {told}", flush=True)
        for line in outcome.wrong:
            print("  " + line, flush=True)
        wrong += len(outcome.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
