"""A soak: every kind of hold comes and goes, and all who tell of holds are asked again and again.

    python -m tests.faults.soak --samples 1000 --seed 1

A daemon works beside a sandbox while `tests.faults.troubles` brings about every cause of a hold, three lanes at once,
each by its real fault and each ended by the way out that the hold names. Every sample asks `uploader status --json`,
the page, its JSON, `/metrics`, `/healthz` and systemd's STATUS. What has one revision must be one list: the same
scopes, subjects and causes, the same number where only a number is told. A trouble that is not told in time, told
twice, or told after its end is an error; so is a hold without exactly one beginning and one end in the log.
"""

from __future__ import annotations

import argparse
import random
import shutil
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.troubles import TROUBLES, Stage, Trouble
from tests.support import mounts, tasks
from tests.support.live import live
from tests.support.preload import Board
from tests.support.views import Key, Told, Unanswered, Views, free_port, logged

PATIENCE = 300.0
"""Seconds until a trouble must be told, and until its end must be."""

PAUSE = 0.5
"""Seconds between samples, in which the daemon has the machine."""

UNANSWERED = 5
"""Samples in a row that nobody answers which are an error."""

MISTAKES = "action.Dispose:2"
"""Planted into the daemon at its start; the first sources that it puts away meet them."""


@dataclass
class Outcome:
    """What a soak found."""

    samples: int = 0
    unanswered: int = 0
    """Samples that do not count, because the daemon did not answer a page in time."""
    revisions: int = 0
    agreed: int = 0
    """Pairs of views that told of one revision."""
    told: Counter[str] = field(default_factory=Counter)
    """By cause, how often it came and went."""
    skipped: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def line(self) -> str:
        """One line for people and logs."""
        return (
            f"samples={self.samples} unanswered={self.unanswered} revisions={self.revisions} "
            f"agreed={self.agreed} causes={len(self.told)} holds={self.told.total()} "
            f"wrong={len(self.wrong)} seconds={self.seconds:.0f}"
        )


class Witness:
    """Asks all views, and keeps what each has told of each revision."""

    def __init__(self, views: Views, outcome: Outcome) -> None:
        self._views = views
        self._outcome = outcome
        self._by_revision: dict[int, dict[Told, str]] = {}
        self._in_vain = 0
        """Samples in a row to which somebody did not answer."""
        self.current: frozenset[Key] = frozenset()
        self.seen: set[Key] = set()

    def sample(self) -> None:
        """Ask everybody once. It counts where all answer; that nobody does for long, or in other words, is an error."""
        try:
            views = self._views.all()
        except Unanswered as error:
            self._outcome.unanswered += 1
            self._in_vain += 1
            if self._in_vain == UNANSWERED:
                self._outcome.wrong.append(f"{UNANSWERED} times in a row: {error}")
            return
        except Exception:  # noqa: BLE001 - whoever fails, the others are asked on
            self._outcome.wrong.append(f"sample {self._outcome.samples}: {traceback.format_exc(limit=-2)}")
            print(self._outcome.wrong[-1], flush=True)
            return
        self._in_vain = 0
        self._outcome.samples += 1
        for view, told in views.items():
            others = self._by_revision.setdefault(told.revision, {})
            for other, of in others.items():
                self._outcome.agreed += 1
                if told.contradicts(other):
                    self._outcome.wrong.append(
                        f"revision {told.revision}: {view} tells {told}, {of} told {other}"
                    )
            others.setdefault(told, view)
            if view == "status":
                assert told.keys is not None
                self.current = told.keys
                self.seen |= told.keys
        self._outcome.revisions = len(self._by_revision)


class Lane(threading.Thread):
    """Troubles that come and go one after another, until it is told to stop."""

    def __init__(self, troubles: Sequence[Trouble], stage: Stage, witness: Witness, seed: int) -> None:
        super().__init__(daemon=True)
        self._troubles, self._stage, self._witness = troubles, stage, witness
        self._rng = random.Random(seed)
        self.enough = threading.Event()
        self.rounds = 0
        self.told: Counter[str] = Counter()
        self.wrong: list[str] = []

    def run(self) -> None:
        """All of them in a random order, and again."""
        while not self.rounds or not self.enough.is_set():
            mixed = self._rng.sample(self._troubles, len(self._troubles))
            for one in sorted(mixed, key=lambda one: not one.once):
                if self.rounds and (self.enough.is_set() or one.once):
                    continue
                try:
                    self._one(one)
                except Exception:  # noqa: BLE001 - whatever breaks a trouble is told
                    self.wrong.append(f"{one.cause}: {traceback.format_exc(limit=-3)}")
                    print(self.wrong[-1], flush=True)
            self.rounds += 1

    def _one(self, one: Trouble) -> None:
        before = Counter(logged(self._stage.d.w))
        started = time.monotonic()
        with one.plant(self._stage):
            key = self._until(one, there=True)
            told = time.monotonic()
            time.sleep(self._rng.uniform(1.0, 4.0))
        mended = time.monotonic()
        self._until(one, there=False)
        print(
            f"{one.cause} of {one.scope}: told after {told - started:.0f} s, "
            f"over after {time.monotonic() - mended:.0f} s",
            flush=True,
        )
        self.told[one.cause] += 1
        for what in ("begin", "end") if key else ():
            times = Counter(logged(self._stage.d.w))[what, key] - before[what, key]
            if times != 1:
                self.wrong.append(f"{key}: {times} times {what} in the log")

    def _until(self, one: Trouble, *, there: bool) -> Key | None:
        """Wait until a sample has the hold, or has it no more; returns the hold that it has."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            keys = [key for key in self._witness.current if self._is(one, key)]
            if bool(keys) is there:
                return keys[0] if keys else None
            time.sleep(0.05)
        verb = "is not told" if there else "does not end"
        raise AssertionError(f"{one.cause} {verb} within {PATIENCE:.0f} s: {sorted(self._witness.current)}")

    def _is(self, one: Trouble, key: Key) -> bool:
        scope, subject, cause = key
        path = self._stage.folders.get(one.subject or "")
        expected = one.subject if path is None else str(path)
        return (scope, cause) == (one.scope, one.cause) and subject == (
            subject if expected is None else expected
        )


@contextmanager
def stage(root: Path) -> Iterator[tuple[Stage, Views]]:
    """A daemon in the middle of all that can go wrong."""
    folders = {name: root / name for name in ("main", "ill", "archived")}
    tables: list[dict[str, object]] = [
        {"path": str(path), "project_id": f"p-{n}", "rescan_seconds": 1.0}
        for n, path in enumerate(folders.values(), 1)
    ]
    tables[2].update(after_upload="archive", archive_dir=str(root / "vault"))
    port, address = free_port(), root / "notify"
    settings = {
        "dashboard": {"listen": f"127.0.0.1:{port}"},
        "staging": {"dir": str(root / "copies")},
        "transfer": {"drain_seconds": 2},
    }
    board = Board.build(root)
    with ExitStack() as stack:
        notify = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        notify.bind(str(address))
        notify.setblocking(False)
        for name in ("copies", "vault") if not mounts.missing() else ():
            stack.enter_context(mounts.tmpfs(root / name, size="48m"))
        (root / "vault").mkdir(exist_ok=True)
        group = stack.enter_context(tasks.group("soak")) if not tasks.missing() else None
        environment = {**board.environment, "NOTIFY_SOCKET": str(address), "UPLOADER_MISTAKES": MISTAKES}
        options = {"projects": ("p-1", "p-2", "p-3")}
        d = stack.enter_context(
            live(
                root,
                environment=environment,
                folders=tables,
                settings=settings,
                options=options,
                planted=True,
            )
        )
        if group is not None and d.process is not None:
            group.add(d.process.pid)
        yield Stage(d, board, folders, group), Views(d.w, port, notify)


def soak(root: Path, *, samples: int, seed: int, troubles: Sequence[Trouble] = TROUBLES) -> Outcome:
    """Ask so many times, and until each trouble has come and gone once."""
    outcome, started = Outcome(), time.monotonic()
    outcome.skipped = {one.cause: reason for one in troubles if (reason := one.missing())}
    possible = [one for one in troubles if one.cause not in outcome.skipped]
    with stage(root) as (made, views):
        witness = Witness(views, outcome)
        made.d.w.wait(lambda: views.all() and True, "everybody answers")
        lanes = [
            Lane([one for one in possible if one.lane == name], made, witness, seed)
            for name in sorted({one.lane for one in possible})
        ]
        for lane in lanes:
            lane.start()
        while any(lane.is_alive() for lane in lanes):
            witness.sample()
            time.sleep(PAUSE)
            if outcome.samples % 100 == 0:
                print(outcome.line(), flush=True)
            if outcome.samples >= samples:
                for lane in lanes:
                    lane.enough.set()
        outcome.wrong += _come_to_rest(made, witness)
        for lane in lanes:
            outcome.told += lane.told
            outcome.wrong += lane.wrong
        outcome.wrong += in_the_log(made, witness.seen)
        if not made.d.alive:
            outcome.wrong.append("the daemon ended by itself")
    outcome.seconds = time.monotonic() - started
    return outcome


def _come_to_rest(made: Stage, witness: Witness) -> list[str]:
    """Everything is mended: returns what stays held."""
    end = time.monotonic() + PATIENCE
    with suppress(AssertionError):
        made.try_now()
    while witness.current and time.monotonic() < end:
        witness.sample()
        time.sleep(PAUSE)
    return [f"{key}: still held" for key in sorted(witness.current)]


def in_the_log(made: Stage, seen: set[Key]) -> list[str]:
    """What is wrong with the beginnings and ends of holds in the log, all of which are over."""
    lasting: set[Key] = set()
    known: set[Key] = set()
    wrong = []
    for what, key in logged(made.d.w):
        if (what == "begin") is (key in lasting):
            wrong.append(f"{key}: a {what} after a {what} in the log")
        lasting ^= {key}
        known.add(key)
    wrong += [f"{key}: its end is not in the log" for key in sorted(lasting)]
    return [*wrong, *(f"{key}: told, and not in the log" for key in sorted(seen - known))]


def main() -> int:
    """Soak from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("causes", nargs="*", help="only these causes, else all")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chosen = [one for one in TROUBLES if not given.causes or one.cause in given.causes]
    with tempfile.TemporaryDirectory(prefix="soak-") as root:
        try:
            found = soak(Path(root), samples=given.samples, seed=given.seed, troubles=chosen)
        finally:
            log = Path(tempfile.gettempdir()) / "soak-daemon.log"
            shutil.copyfile(Path(root) / "daemon.log", log)
            print(f"the daemon's log is kept as {log}")
    for line in (*found.wrong, *(f"skipped: {cause}: {why}" for cause, why in found.skipped.items())):
        print(line)
    print(", ".join(f"{cause} {number}" for cause, number in sorted(found.told.items())))
    print(found.line())
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
