"""A storm: files keep arriving while the daemon and its children are killed at random moments.

    python -m tests.faults.storm --files 40 --kills 25 --seed 1
    python -m tests.faults.storm --files 40 --kills 40 --faults 5 --url-seconds 2 --token-seconds 5

Files arrive in three folders, whose sources are kept, archived and deleted. Afterwards the sandbox's folder is read
by itself: one item per source, equal to it, no session open, nothing reserved, and each source where it belongs.
Without --replay the sandbox does not honour the Idempotency-Key of `initiate`: then bytes may stay reserved, but never
more than `status` says in `possibly_leaked_bytes`. With --faults so many per cent of all calls fail, in every way of
`tests.faults.ways`. The same seed drops the same files, kills at the same moments and lets the same draws of calls
fail, as far as the machine keeps time.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.faults.ways import misbehave
from tests.support.compare import differences
from tests.support.live import amiss, control
from tests.support.rasters import make
from tests.support.world import World, world

KINDS = ("dem_nodata", "rgb_striped", "uint16_bands", "palette", "rgba", "masked", "ready_cog")
LATENCY = 0.2

POLICIES = ("keep", "archive", "delete")
"""What becomes of the sources of each folder."""

STARTS_TO_MEND = 12
"""Starts within which everything must come to its end when nobody is killed any more; the last half without faults."""


@dataclass(frozen=True)
class Weather:
    """What the platform is like: `percent` of all calls that fail, lives of URLs and tokens in seconds."""

    replay: bool = False
    percent: float = 0.0
    url_seconds: float = 300.0
    token_seconds: float = 300.0

    def options(self, seed: int) -> dict[str, Any]:
        """The sandbox's options."""
        return {
            "latency": LATENCY,
            "seed": seed,
            "replay_initiate": self.replay,
            "url_life": self.url_seconds,
            "token_life": self.token_seconds,
            "refresh_life": self.token_seconds * 6,
        }


@dataclass
class Outcome:
    """What a storm left behind."""

    files: int
    kills: Counter[str] = field(default_factory=Counter)
    items: int = 0
    wrong: list[str] = field(default_factory=list)
    struck: int = 0
    calls: int = 0
    reserved: int = 0
    possibly_leaked: int = 0
    starts_to_mend: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        """One line for people and logs."""
        return (
            f"files={self.files} kills={dict(self.kills)} items={self.items} wrong={len(self.wrong)} "
            f"calls={self.calls} failed={self.struck} "
            f"reserved={self.reserved} possibly_leaked={self.possibly_leaked} "
            f"starts_to_mend={self.starts_to_mend} seconds={self.seconds:.0f}"
        )


@dataclass(frozen=True)
class Places:
    """Where the masters, the drop folders and the archive lie."""

    masters: Path
    ground: Path
    vault: Path


def folders(ground: Path, vault: Path) -> list[dict[str, Any]]:
    """One drop folder for each policy."""
    tables: list[dict[str, Any]] = [
        {"path": str(ground / policy), "project_id": "p-1", "after_upload": policy} for policy in POLICIES
    ]
    tables[POLICIES.index("archive")]["archive_dir"] = str(vault)
    return tables


def storm(
    root: Path, *, files: int, kills: int, seed: int, weather: Weather | None = None, longest: float = 2.5
) -> Outcome:
    """Raise one storm below `root`; `longest` is the longest life of a daemon in seconds, from its first word on."""
    rng, outcome, started = random.Random(seed), Outcome(files), time.monotonic()
    weather = weather or Weather()
    settings, places = {"transfer": {"drain_seconds": 2}}, Places(root / "masters", root, root / "vault")
    tables = folders(places.ground, places.vault)
    with world(root, options=weather.options(seed), settings=settings, folders=tables) as w:
        if weather.percent:
            misbehave(w, weather.percent)
        dropper = Dropper(places, files, random.Random(seed + 1), kills * longest / 2)
        dropper.start()
        for _ in range(kills):
            live_and_die(w, rng, longest, outcome)
        dropper.join()
        settle(w, outcome)
        judge(w, outcome, replay=weather.replay, places=places)
    outcome.seconds = time.monotonic() - started
    return outcome


class Dropper(threading.Thread):
    """Lets files arrive over time, by rename as careful writers do, and in place as others do.

    A master of each is kept, to compare with.
    """

    def __init__(self, places: Places, files: int, rng: random.Random, seconds: float) -> None:
        super().__init__()
        self._places, self._files, self._rng, self._seconds = places, files, rng, seconds

    def run(self) -> None:
        """Drop them all."""
        for number in range(self._files):
            below = Path(self._rng.choice(POLICIES)) / self._rng.choice(["", "a", "b"])
            master = self._places.masters / below / f"f{number:04d}.tif"
            master.parent.mkdir(parents=True, exist_ok=True)
            make(self._rng.choice(KINDS), master, size=self._rng.choice([64, 200, 600]), seed=number)
            (self._places.ground / below).mkdir(exist_ok=True)
            self._bring(master, self._places.ground / below / master.name)
            time.sleep(self._rng.random() * self._seconds / self._files)

    def _bring(self, master: Path, target: Path) -> None:
        if self._rng.random() < 0.5:
            hidden = target.with_name(f".{target.name}.part")
            shutil.copyfile(master, hidden)
            hidden.rename(target)
            return
        data = master.read_bytes()
        piece = len(data) // 4 + 1
        with target.open("wb", buffering=0) as file:
            for start in range(0, len(data), piece):
                file.write(data[start : start + piece])
                time.sleep(0.02)


def live_and_die(w: World, rng: random.Random, longest: float, outcome: Outcome) -> None:
    """Start a daemon and kill it, or one of its children before it, some time later."""
    process = w.start()
    if rng.random() < 0.9:  # the others may die before they are there
        w.awake(process)
    deadline = time.monotonic() + rng.random() * longest
    victim_is_child, grace = rng.random() < 0.3, rng.random() * longest / 2
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    if process.poll() is not None:
        outcome.wrong.append(f"the daemon ended by itself with {process.returncode}")
        return
    if victim_is_child:
        for child in psutil.Process(process.pid).children(recursive=True)[:1]:
            child.kill()
            outcome.kills["child"] += 1
        time.sleep(grace)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    outcome.kills["daemon"] += 1


def settle(w: World, outcome: Outcome) -> None:
    """Let the daemon finish, and do what a person would: start it once more, and `retry` what was rejected.

    A raster whose child was killed twice is rejected, and so is one that the platform was made to refuse.
    """
    for number in range(STARTS_TO_MEND):
        if number == STARTS_TO_MEND // 2:
            _behave(w, outcome)
        done = w.until_idle(check=None, timeout=900)
        if done.returncode not in (0, 1) or "Traceback" in done.stderr:
            outcome.wrong.append(f"the daemon ended with {done.returncode}: {done.stderr[-2000:]}")
        status = w.status()
        if status["pending"] == 0 and status["rejected"] == 0 and not status["holds"]:
            break
        outcome.starts_to_mend = number + 1
        if status["rejected"]:
            w.command("retry", "-c", str(w.config), "--all", check=0)
    _behave(w, outcome)


def _behave(w: World, outcome: Outcome) -> None:
    outcome.struck += sum(rule["struck"] for rule in control(w, "faults", None, "GET")["faults"])
    control(w, "faults", None, "DELETE")


def judge(w: World, outcome: Outcome, *, replay: bool, places: Places) -> None:
    """Enter all that is wrong."""
    status, found = w.status(), w.audit()
    outcome.items, outcome.calls = len(found.items), len(found.calls())
    outcome.reserved, outcome.possibly_leaked = found.reserved_bytes, status["possibly_leaked_bytes"]
    masters = {path.stem: path for path in places.masters.rglob("f*.tif")}
    names = Counter(name.rpartition("-")[0] for name in found.file_names)
    for stem, master in sorted(masters.items()):
        outcome.wrong += [f"{stem}: {names[stem]} items"] if names[stem] != 1 else _unlike(w, stem, master)
    outcome.wrong += [f"{name}: an item of nothing that was dropped" for name in set(names) - set(masters)]
    outcome.wrong += [line for path in masters.values() for line in _misplaced(places, path)]
    if outcome.reserved > (0 if replay else outcome.possibly_leaked):
        outcome.wrong.append(f"{outcome.reserved} bytes stay reserved, {outcome.possibly_leaked} were told")
    # A report that a killed daemon had sent may arrive after the next one completed the session: it is refused.
    late = "uploads.progress on the completed"
    told = 0 if replay else outcome.possibly_leaked
    outcome.wrong += [line for line in amiss(w, told) if late not in line]
    outcome.wrong += [f"pending: {status['files']}"] if status["pending"] else []
    outcome.wrong += [f"held: {hold['reason']}" for hold in status["holds"]]
    log = w.root / "daemon.log"
    if log.exists() and b"Traceback" in log.read_bytes():
        outcome.wrong.append("the log has a traceback")


def _unlike(w: World, stem: str, master: Path) -> list[str]:
    name = next(name for name in w.audit().file_names if name.rpartition("-")[0] == stem)
    return [f"{stem}: {text}" for text in differences(master, w.object(name))]


def _misplaced(places: Places, master: Path) -> list[str]:
    """What is wrong with where the source of a master, or the zip that it came in, lies now, by its folder's policy."""
    archive = master.with_suffix(".zip")
    master = archive if archive.exists() else master
    below = master.relative_to(places.masters)
    policy, rest = below.parts[0], Path(*below.parts[1:])
    dropped = places.ground / below
    there = {"keep": dropped, "archive": places.vault / rest}.get(policy)
    wrong = [] if policy == "keep" or not dropped.exists() else [f"{below}: still in the drop folder"]
    if there is not None and (not there.exists() or there.read_bytes() != master.read_bytes()):
        wrong.append(f"{below}: the source is not at {there}")
    return wrong


def main() -> int:
    """Run storms from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    parser.add_argument("--replay", action="store_true", help="the sandbox honours the key of initiate")
    parser.add_argument("--faults", type=float, default=0.0, metavar="PERCENT", help="of all calls that fail")
    parser.add_argument("--url-seconds", type=float, default=300.0, help="how long signed URLs live")
    parser.add_argument("--token-seconds", type=float, default=300.0, help="how long access tokens live")
    parser.add_argument("--longest", type=float, default=2.5, help="seconds that a daemon lives at most")
    parser.add_argument("--keep", type=Path, help="a folder to leave everything in")
    given = parser.parse_args()
    weather = Weather(given.replay, given.faults, given.url_seconds, given.token_seconds)
    wrong = 0
    for seed in range(given.seed, given.seed + given.seeds):
        with tempfile.TemporaryDirectory(prefix="storm-") as temporary:
            root = given.keep / str(seed) if given.keep else Path(temporary)
            root.mkdir(parents=True, exist_ok=True)
            size = {"files": given.files, "kills": given.kills, "longest": given.longest}
            outcome = storm(root, seed=seed, weather=weather, **size)
        print(f"seed={seed} replay={given.replay} {outcome.line()}", flush=True)
        for line in outcome.wrong:
            print("  " + line, flush=True)
        wrong += len(outcome.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
