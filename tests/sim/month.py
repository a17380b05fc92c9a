"""One long history: files arrive in bursts for days, with everything that happens to a daemon in that time.

Memory stays in proportion to what is under way: a row leaves the model once it has ended and its path is gone, after
it was judged; so do its session and its items.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from tests.sim.expectations import DONE, ENDS
from tests.sim.memory import MemoryJournal
from tests.sim.rows import File, Upload
from tests.sim.standins import drive
from tests.sim.world import START, World
from tests.support.configured import a_folder, settings_with
from uploader.core.model import FileState

DAY = 86400.0
HOUR = 3600.0
BURST = 200
"""Files that arrive together, on average."""

SWEEP_EVERY = 500
"""Turns between two looks for rows that have ended."""

STUCK = 2 * DAY
"""Seconds after which a file that has not moved, and has not ended, is stuck."""

CRASHES = 5e-5
"""Of all failpoints and commits, that many are deadly."""


class Month(World):
    """Days on end; `faults` is the share of calls, copies and conversions that fail."""

    def __init__(self, seed: int, *, days: float, files: int, faults: float) -> None:
        super().__init__(seed)
        assert isinstance(self.journal, MemoryJournal)
        self.tables = self.journal.tables
        self.days, self.files, self.share = days, files, faults
        self.end = START + days * DAY
        self.fail(faults)
        self.crashes = CRASHES if faults else 0.0
        self.slowness = 0.15
        self.nap = 2.0
        self.overlap = 0.2
        self.converters = 16
        self.settings = settings_with(
            batch={"max_files": 50}, transfer={"concurrency": 16}, limits={"max_attempts": 50}
        )
        self.destination = a_folder("p", after_upload="delete")
        self.dropped = 0
        self.ended: Counter[str] = Counter()
        self.restarts = 0
        self.leaked = 0
        """Bytes of doubtful `initiate`s of sessions that have left the model."""
        self._schedule()
        self.start()

    # -- what happens ----------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        bursts = max(1, self.files // BURST)
        for number in range(bursts):
            count = self.files // bursts + (number < self.files % bursts)
            self.later(START + self.rng.random() * self.days * DAY, partial(self._burst, count))
        for kind, (often, longest) in _TROUBLES.items():
            for _ in range(round(self.days * often * (self.share > 0))):
                at = START + self.rng.random() * self.days * DAY
                self.later(at, partial(kind, self, True))
                self.later(at + self.rng.random() * longest, partial(kind, self, False))
        for day in range(int(self.days)):
            self.later(START + day * DAY + DAY / 2, self._person)

    def _burst(self, count: int) -> None:
        """Files arrive within a minute."""
        for _ in range(count):
            self.dropped += 1
            draw = self.rng.random()
            kind = "b" if draw < 0.005 else "x" if draw < 0.0052 else "c"
            path = b"%d.tif" % self.dropped
            at = self.now + self.rng.random() * 60
            self.later(at, partial(self._write, path, kind))
            if draw > 0.99:
                self.later(at + self.rng.random() * 20, partial(self.disk.remove, path))
            elif draw > 0.98:
                self.later(at + self.rng.random() * 600, partial(self._write, path, "c"))

    def _write(self, path: bytes, kind: str) -> None:
        """A version, whose content nobody else has; some hours later a person tidies up."""
        seen = self.disk.write(path, content_of(kind, self.disk.inodes + 1), self.now)
        self.later(
            self.now + (6 + self.rng.random() * 6) * HOUR, partial(self._tidy, path, seen.fingerprint.inode)
        )

    def _tidy(self, path: bytes, inode: int) -> None:
        source = self.disk.sources.get(path)
        if source is not None and source.sighting.fingerprint.inode == inode:
            self.disk.remove(path)

    def wrote(self, inode: int, content: str) -> bool:
        """Whether a person has written this into this file."""
        return content[1:] == content_of("c", inode)[1:]

    def _outage(self, begins: bool) -> None:
        self.platform.down = begins

    def _revoke(self, begins: bool) -> None:
        self.platform.revoked = begins

    def _short(self, begins: bool) -> None:
        self.platform.quota = self.platform.reserved + 5000 if begins else 1 << 60

    def _full(self, begins: bool) -> None:
        self.disk.full = begins

    def _unmount(self, begins: bool) -> None:
        self.disk.mounted = not begins
        self.intake.rescan()

    def _restart(self, begins: bool) -> None:
        """A new version of the program, or of its configuration."""
        self.destination = a_folder("p", after_upload=self.rng.choice(["keep", "delete"]))
        self.again = True

    def _person(self) -> None:
        """Once a day somebody says `uploader retry --all`."""
        drive(self.journal.retrying.retried(None))
        self.intake.rescan()

    # -- the loop --------------------------------------------------------------------------------------------

    again = False

    def start(self) -> None:
        """A new process."""
        super().start()
        self.restarts += 1
        self.again = False

    def run(self, tell: Callable[[str], None]) -> bool:
        """Until the last file has ended; tells of each day. Returns whether nothing is wrong."""
        started = time.monotonic()
        told = START
        with self.doors():
            while not self.wrong and (self.step() or self._last()):
                if self.again:
                    self._revive()
                if self.turns % SWEEP_EVERY == 0:
                    self._sweep()
                if self.now >= told + DAY:
                    told += DAY
                    self._stuck()
                    tell(f"day {(told - START) / DAY:.0f}: {self} after {time.monotonic() - started:.0f} s")
            self._sweep()
            if not self.wrong:
                self._judge()
        for line in self.wrong[:5]:
            tell(f"WRONG: {line[:2000]}")
        tell(
            f"{self.days:g} days, seed {self.seed}: {self}, hash {self.journal.digest()}, {len(self.wrong)} wrong, "
            f"{time.monotonic() - started:.0f} s, {_resident()} MiB at most"
        )
        return not self.wrong

    def _last(self) -> bool:
        """All has happened; nothing fails any more, and what a person can retry is retried. False the second time."""
        if not self.share:
            return False
        self.fail(0.0)
        self.share = self.crashes = 0.0
        self._person()
        return True

    def waits_for(self, view: object, turn: object) -> bool:
        """Every hold of these days ends by itself."""
        open_ = (state for state in FileState if state not in ENDS and self.tables.by_state[state])
        return (
            any(open_)
            or any(not upload.hold for upload in self.tables.live.values())
            or bool(self.tables.leaving)
        )

    def __str__(self) -> str:
        ended = ", ".join(f"{count:,} {state}" for state, count in sorted(self._counts().items()))
        return (
            f"{self.dropped:,} files dropped, {ended}; {self.turns:,} turns, {self.restarts:,} starts, "
            f"{self.tables.uploads_made:,} sessions, {len(self.tables.files):,} rows in the model"
        )

    def _counts(self) -> Counter[str]:
        return self.ended + Counter(
            {str(s): len(files) for s, files in self.tables.by_state.items() if files}
        )

    # -- the judgement ---------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        """Judge and drop what has ended, and what nothing that is still running will ask for."""
        asked = {getattr(action, "session_id", 0) for action in self.running}
        for state in ENDS:
            for file in [f for f in self.tables.by_state[state].values() if self._over(f)]:
                self._judge_file(file)
                self.ended[str(file.state)] += 1
                self.tables.drop(file)
        for upload in [u for u in self.tables.uploads.values() if _closed(u) and u.id not in asked]:
            self.leaked += (upload.initiates_sent - upload.initiates_clear) * upload.total_bytes
            if upload.upload_id:
                self._judge_upload(upload)
            del self.tables.uploads[upload.id]

    def _over(self, file: File) -> bool:
        """Whether nobody will ask for this row again."""
        if file.current == 1 or file.staged or file.id in self.tables.leaving:
            return False
        return file.session_id is None or not self.tables.uploads[file.session_id].live

    def _judge_file(self, file: File) -> None:
        content = file.content or ""
        inode = file.sighting.fingerprint.inode
        source = self.disk.sources.get(file.path)
        if file.state in DONE:
            upload = self.tables.uploads[file.session_id or 0]
            theirs = self.platform.uploads[upload.upload_id or ""]
            if theirs.state != "completed" or theirs.objects.get(file.file_name) != content_of("c", inode):
                self.wrong.append(
                    f"{file.path!r} is {file.state}, but not what was seen is an item: {file}, {theirs}"
                )
        elif source is not None and source.sighting == file.sighting:
            self.wrong.append(f"{file.path!r} is {file.state}, but it is there: {file}")
        if file.state is FileState.REJECTED and content.startswith("c") and source is not None:
            self.wrong.append(f"{file.path!r} with good content was rejected: {file}")

    def _judge_upload(self, upload: Upload) -> None:
        """A session that is over is over on the other side, too."""
        assert upload.upload_id is not None
        theirs = self.platform.uploads.get(upload.upload_id)
        if theirs is not None and theirs.state == "open":
            self.wrong.append(f"session {upload.id} is {upload.state}, but stays open: {theirs}")
        self.platform.forget(upload.upload_id)

    def _stuck(self) -> None:
        for state in FileState:
            if state not in ENDS:
                old = [f for f in self.tables.by_state[state].values() if f.changed_at < self.now - STUCK]
                if old:
                    self.wrong.append(f"{len(old)} files are stuck, such as {old[0]}")

    def _judge(self) -> None:
        """The end: every version that lies in the folder is an item, or was refused for what it is."""
        for path, source in self.disk.sources.items():
            known = self.journal.newest(path, source.sighting)
            kind = source.content[0]
            want = ("completed",) if kind == "c" else ("rejected",)
            if known is None or not known[2] or known[1] not in want:
                self.wrong.append(f"{path!r} ({source.content}) ended as {known}")
        for file in self.tables.files.values():
            if file.state not in ENDS:
                self.wrong.append(f"{file.path!r} is {file.state} for ever: {file}")
        done = sum(self._counts()[str(state)] for state in DONE)
        if done != self.platform.items_made:
            self.wrong.append(f"{done} files completed, {self.platform.items_made} items made")
        if self.tables.holds or self.tables.live:
            self.wrong.append(f"left over: {self.tables.holds}, {self.tables.live}")
        ours = {upload.upload_id for upload in self.tables.uploads.values()}
        lost = sum(
            u.reserved for u in self.platform.uploads.values() if u.state == "open" and u.id not in ours
        )
        if lost > self.leaked + self.journal.leaked():
            self.wrong.append(f"{lost} bytes leaked, {self.leaked + self.journal.leaked()} told")


def _closed(upload: Upload) -> bool:
    return not (upload.live or upload.members or upload.hold)


def _resident() -> int:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def content_of(kind: str, inode: int) -> str:
    """What a version holds: no two are alike."""
    return f"{kind}{inode:07d}"


_TROUBLES: dict[Callable[[Month, bool], None], tuple[float, float]] = {
    Month._outage: (1.0, 4 * HOUR),
    Month._revoke: (0.3, 2 * HOUR),
    Month._short: (0.5, 6 * HOUR),
    Month._full: (0.5, 2 * HOUR),
    Month._unmount: (0.5, 2 * HOUR),
    Month._restart: (2.0, 1.0),
}
"""How often a day, and how long at most (seconds)."""
