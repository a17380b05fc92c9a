"""One short history: a few files, everything that can go wrong, a person at the end, and the judgement."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from typing import Any

from tests.sim.disk import FOLDER
from tests.sim.expectations import DONE, ENDS, LOOKS, name_of
from tests.sim.intake import SETTLE
from tests.sim.journal import COLUMNS
from tests.sim.standins import drive
from tests.sim.world import START, World
from tests.support.configured import a_folder, settings_with
from uploader.core.model import FileState, Scope
from uploader.core.planner_view import PlannerView
from uploader.core.planning_pass import Plan

MOST_TURNS = 2000
LONGEST = 86400.0
STEPS = 50
STEPS_A_FILE = 12
"""Turns with something to do within which everything ends, once nothing fails any more: so many for each file, but
not less than STEPS. Where the quota has room for one file at a time, each may take a session and a refusal."""

MENDS = 3
"""Times that a person acts at most: a session may be held only later on."""

PATIENCE = 400.0
"""Seconds that a hold is given to end by itself; then a person acts."""

NEVER = float("inf")
_NAMES = COLUMNS.split(", ")
PATH, CURRENT, STATE, CONTENT, LOOKED = map(_NAMES.index, ("path", "current", "state", "content", "looks"))


class History(World):
    """From the first drop until nothing is left to do; the seed decides everything."""

    wishing = True
    """Whether a person pauses, resumes, has things tried now, and gives files up."""

    def __init__(self, seed: int, *, memory: bool = True) -> None:
        super().__init__(seed, memory=memory)
        draw = self.rng
        self.fail(draw.choice([0.0, 0.02, 0.1, 0.3]))
        self.crashes = draw.choice([0.0, 0.01, 0.03])
        self.overlap = draw.choice([0.0, 0.3, 0.7])
        self.platform.quota = draw.choice([1 << 40, 1 << 40, 450, 150])
        self.platform.items_per_file = draw.random() < 0.9
        self.destination = a_folder(
            "p",
            after_upload=draw.choice(["keep", "delete"]),
            duplicates=draw.choice(["upload", "upload", "skip"]),
            passthrough=draw.choice([[], [], [], ["*.tif"]]),
        )
        self.settings = settings_with(
            batch={"max_files": draw.choice([1, 3, 100]), "linger_seconds": 5.0, "max_wait_seconds": 60.0},
            limits={"max_attempts": 50},
        )
        self.calm_at = START + draw.random() * 200 if draw.random() < 0.5 else NEVER
        self.calm_since: int | None = None
        """The count of active turns when the last fault was over."""
        self.patience: float | None = None
        self.mended = 0
        self.written: Counter[str] = Counter()
        self.contents: dict[int, str] = {}
        """What was written, by inode."""
        self.distinct = self.destination.duplicates == "upload"
        self._script()
        self.start()

    # -- what happens ----------------------------------------------------------------------------------------

    def _script(self) -> None:
        draw = self.rng
        for number in range(draw.randint(1, 4)):
            self._drop(b"%d.tif" % number, START + draw.random() * 40)
        if draw.random() < 0.3:
            trouble = draw.choice([self._outage, self._revoke, self._full, self._unmount])
            at = START + draw.random() * 60
            self.later(at, partial(trouble, True))
            self.later(at + 1 + draw.random() * 100, partial(trouble, False))
        if self.wishing:
            self._wishes()
        if self.platform.quota < 1000 and draw.random() < 0.5:
            self.later(START + draw.random() * 300, self._more_quota)

    def _drop(self, path: bytes, at: float) -> None:
        """A file, its fate and what becomes of its source: `b…` is no raster, `x…` is refused by the platform."""
        draw = self.rng
        kind = draw.random()
        content = "b" if kind < 0.1 else f"x{path[0]}" if kind < 0.16 else f"c{draw.randint(0, 5)}"
        self.later(at, lambda: self._write(path, content))
        more = draw.random()
        if more < 0.3:
            soon = SETTLE + draw.random() * 0.5  # just when it is being claimed
            self.later(
                at + (soon if more < 0.15 else draw.random() * 60),
                lambda: self._write(path, f"c{6 + path[0] % 4}"),
            )
        elif more < 0.4:
            self.later(at + draw.random() * 20, lambda: self.disk.remove(path))

    def _write(self, path: bytes, content: str) -> None:
        self.contents[self.disk.write(path, content, self.now).fingerprint.inode] = content
        self.written[name_of(path, content)] += 1

    def wrote(self, inode: int, content: str) -> bool:
        """Whether a person has written this into this file."""
        return self.contents[inode] == content

    def _outage(self, begins: bool) -> None:
        self.platform.down = begins

    def _revoke(self, begins: bool) -> None:
        self.platform.revoked = begins

    def _full(self, begins: bool) -> None:
        self.disk.full = begins

    def _unmount(self, begins: bool) -> None:
        self.disk.mounted = not begins
        self.intake.rescan()

    def _wishes(self) -> None:
        """What a person says to the daemon while it works; drawn apart from all else."""
        draw = random.Random(~self.seed)
        for _ in range(draw.choice([0, 0, 1, 2])):
            at, folder = START + draw.random() * 120, draw.choice([FOLDER, ""])
            seconds = draw.choice([None, draw.random() * 200])
            self.later(at, partial(self._pause, folder, seconds))
            if seconds is None or draw.random() < 0.3:
                self.later(at + draw.random() * 200, partial(self._resume, draw.choice([folder, None])))

        for _ in range(draw.choice([0, 0, 1, 2])):
            self.later(START + draw.random() * 200, self._try_now)
        for _ in range(draw.choice([0, 0, 1, 40])):
            self.later(START + draw.random() * 120, self._forget)

    def _forget(self) -> None:
        """A person gives up some of what does not lie in the folder."""
        draw = random.Random(self.seed + int(self.now))
        lost = [row[0] for row in self.journal.table() if bytes(row[PATH]) not in self.disk.sources]
        found = drive(self.journal.forgetting.forget([file_id for file_id in lost if draw.random() < 0.7]))
        for file_id in found.files:
            self.intake.claimed(file_id)

    def _try_now(self) -> None:
        """A person wants what is held tried at once, whatever Retry-After said."""
        try:
            drive(self.journal.retrying.tried_now())
        finally:  # the daemon may die of it when it is written down
            self.platform.embargo.clear()

    def _pause(self, folder: str, seconds: float | None) -> None:
        drive(self.journal.pausing.paused(folder, seconds))

    def _resume(self, folder: str | None) -> None:
        """Until it is said for sure: a person sees that the daemon died of it."""
        try:
            drive(self.journal.pausing.resumed(folder))
        except BaseException:
            self.later(self.now + 1.0, partial(self._resume, folder))
            raise

    def _more_quota(self) -> None:
        self.platform.quota = 1 << 40

    # -- the loop --------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Turn after turn until idle; a person mends what is held; then it is judged."""
        with self.doors():
            while not self.wrong:
                if not self.step() and not self._mend():
                    break
                if self.calm_since is None and self.now >= self.calm_at and not self.todo:
                    self._calm()
                if self.calm_since is not None and self.active - self.calm_since > STEPS:
                    self._judge_pace(self.active - self.calm_since)
                if self.turns > MOST_TURNS or self.now > START + LONGEST:
                    self.wrong.append(f"does not end: {self.states()}")
            if not self.wrong:
                self._judge()

    def _judge_pace(self, steps: int) -> None:
        """Take it for a standstill where so many steps were not enough."""
        states = self.states()
        if steps > STEPS_A_FILE * sum(states.values()):
            self.wrong.append(f"does not converge within {steps} steps: {states}")

    def _calm(self) -> None:
        """From now on nothing fails."""
        self.fail(0.0)
        self.crashes = 0.0
        self.calm_since = self.active

    def waits_for(self, view: PlannerView, turn: Plan) -> bool:
        """A hold that ends by itself is waited for; a person is not patient for ever."""
        paused = any(pause.until is not None and pause.until > self.now for pause in view.pauses)
        rest = view.waiting or view.queued or view.disposals or view.settled or paused
        if not rest and not any(not s.hold for s in view.sessions):
            return False
        if turn.wake_at is None:
            return False
        if self.patience is None:
            self.patience = self.now + PATIENCE
        return bool(self.mended) or self.now < self.patience

    def _mend(self) -> bool:
        """What a person does about holds and rejections, as they say it; False where nothing is to be mended."""
        rows = self.journal.table()
        self._judge_rejections(rows)
        open_ = any(row[STATE] not in ENDS for row in rows)
        refused = any(row[STATE] == FileState.REJECTED and row[CURRENT] == 1 for row in rows)
        if not (self.journal.held() or (not self.mended and (open_ or refused))) or self.mended == MENDS:
            return False
        self.mended += 1
        self._calm()
        self.platform.quota = 1 << 60
        self.settings = settings_with(self.settings, batch={"max_files": 1})
        self._revive()
        vain = [u for u in map(self.journal.upload, self.journal.held()) if not self._exists(u.upload_id)]
        missing = [FOLDER.encode() + b"/" + member.path for upload in vain for member in upload.members]
        for upload in vain:
            self.platform.assured(upload.upload_id)
        for paths in (missing, None):
            drive(self.journal.retrying.retried(paths))
        self.intake.rescan()
        return True

    def _judge_rejections(self, rows: list[tuple[Any, ...]]) -> None:
        """Without three looks at it, only what is no raster, or is refused alone, may be rejected."""
        for row in rows:
            good = row[STATE] == FileState.REJECTED and self._seen(row[0]).startswith("c")
            if good and row[LOOKED] < LOOKS:
                self.wrong.append(f"{bytes(row[PATH])!r} was rejected too soon: {row}")

    def _exists(self, upload_id: str) -> bool:
        """Whether a person who looks on the platform sees the items of a session."""
        return upload_id in self.platform.uploads and self.platform.uploads[upload_id].state == "completed"

    # -- the judgement ---------------------------------------------------------------------------------------

    def _judge(self) -> None:
        """Each version once, nothing open, nothing untold."""
        objects = Counter(
            [
                (name, asset["content"])
                for item in self.platform.items.values()
                for name, asset in item["assets"].items()
            ]
        )
        self._judge_rows(objects)
        self._judge_reservations()
        for (name, content), number in objects.items():
            if number > self.written[name]:
                self.wrong.append(f"{name} ({content}) is there {number} times")
        contents = {content for _, content in objects}
        for path, source in self.disk.sources.items():
            content = source.content
            there = objects[name_of(path, content), content] if self.distinct else content in contents
            if content[0] == "c" and not there:
                self.wrong.append(f"{path!r} ({content}) never became an item: {self.states()}")
        self._judge_holds()

    def _judge_holds(self) -> None:
        """Where nothing is left to be sent that would end a hold of the platform, a probe does."""
        if any(scope == Scope.PLATFORM for scope, *_ in self.journal.holdings()):
            self._calm()
            self.probe()
        holds = self.journal.holdings()
        if holds:
            self.wrong.append(f"held for ever: {holds}")

    def _judge_rows(self, objects: Counter[tuple[str, str]]) -> None:
        done = 0
        for row in self.journal.table():
            path, state = bytes(row[PATH]), row[STATE]
            done += state in DONE
            if state not in ENDS:
                self.wrong.append(f"{path!r} is {state} for ever: {row}")
            if state == FileState.REJECTED and row[CURRENT] == 1 and row[CONTENT] and row[CONTENT][0] == "c":
                self.wrong.append(f"{path!r} with good content was rejected: {row}")
            if state in DONE and not objects[self.journal.file(row[0]).file_name, self._seen(row[0])]:
                self.wrong.append(f"{path!r} is {state}, and no item has what was seen of it")
        if done != objects.total():
            self.wrong.append(f"{done} files completed, {objects.total()} in items")

    def _seen(self, file_id: int) -> str:
        return self.contents[self.journal.inode(file_id)]

    def _judge_reservations(self) -> None:
        ours = {upload_id for upload_id, _ in self.journal.known()}
        lost = 0
        for upload in self.platform.uploads.values():
            if upload.state == "open" and upload.id in ours:
                self.wrong.append(f"session {upload.id} stays open")
            elif upload.state == "open":
                lost += upload.reserved
        if lost > self.journal.leaked():
            self.wrong.append(f"{lost} bytes leaked, {self.journal.leaked()} told")


def simulate(seed: int, *, memory: bool = True) -> tuple[int, str, list[str]]:
    """Run one history: (turns, hash, all that is wrong)."""
    history = History(seed, memory=memory)
    history.run()
    return history.turns, history.journal.digest(), history.wrong
