"""The core, the journal and the effects as they are, on a virtual clock, against a model of platform and disk.

    python -m tests.sim.simulator --histories 10000 --seed 1
    python -m tests.sim.simulator --replay 4711

Each history drops a few files that change, vanish or turn out to be poison, while calls fail, copies are damaged and
the process crashes at random failpoints and commits. The same seed gives the same history, down to its hash.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlite_utils import Database

import uploader.effects.local as local_effects
import uploader.effects.session as session_effects
import uploader.effects.tools as tools_module
import uploader.effects.transfer as transfer_effects
import uploader.journal.files as files_module
import uploader.journal.rows as rows_module
import uploader.journal.sessions as sessions_module
from tests.sim.platform import ModelPlatform
from uploader.activity import Activity
from uploader.convert import Report
from uploader.core import errors as err
from uploader.core.lifecycle import IllegalTransition
from uploader.core.model import Destination, Fingerprint, Limits, Sighting
from uploader.core.planner import plan
from uploader.core.view import Settled
from uploader.disposal import Disposed
from uploader.effects.tools import Tools
from uploader.journal.files import Files
from uploader.journal.holds import Holds
from uploader.journal.rows import encode_sighting
from uploader.journal.schema import migrations
from uploader.journal.sessions import Sessions
from uploader.journal.views import latest, read_view, tracked
from uploader.performer import perform

FOLDER = "/drop"
SETTLE = 10.0
MOST_TURNS = 4000
LONGEST = 3 * 86400.0
MODULES = (rows_module, files_module, sessions_module, tools_module, transfer_effects)
"""Where the clock is looked up by name."""


class Crash(BaseException):
    """The process dies here; what was committed stays."""


@dataclass
class Source:
    """A file in the drop folder: what it holds, and since when it has been quiet."""

    content: str
    inode: int
    since: float

    def sighting(self, path: bytes) -> Sighting:
        """What a look at it shows."""
        return Sighting(FOLDER, path, Fingerprint(1, self.inode, len(self.content), self.inode, self.inode))


@dataclass
class Copies:
    """A model of staging: private copies by file id, which a draw may damage."""

    world: History
    claimed: dict[int, str] = field(default_factory=dict)
    results: dict[int, str] = field(default_factory=dict)

    def claim(self, file_id: int, folder: str, sighting: Sighting, stop: object) -> Any:
        """Copy the source if it still is the one that was seen."""
        source = self.world.sources.get(sighting.path)
        if source is None or source.sighting(sighting.path) != sighting:
            raise err.SourceChanged("it changed")
        self.claimed[file_id] = source.content
        return type("Claim", (), {"content": source.content * 12, "size": len(source.content)})

    def source(self, file_id: int) -> Any:
        """The copy's place."""
        return Place(file_id, file_id in self.claimed)

    def result(self, file_id: int) -> Any:
        """The object's place."""
        return Place(file_id, file_id in self.results)

    def measure(self, place: Place, stop: object) -> Any:
        """Size and hashes of the object."""
        return type("Measured", (), {"size": 100, "md5": b"m" * 16, "crc32c": 1})

    def verify(self, place: Place, size: int, crc32c: int, stop: object) -> None:
        """A draw damages the copy now and then."""
        if place.id not in self.results or self.world.rng.random() < self.world.faults / 10:
            self.results.pop(place.id, None)
            raise err.StagedDamaged("damaged")

    def discard(self, file_id: int) -> None:
        """Both copies go."""
        self.claimed.pop(file_id, None)
        self.results.pop(file_id, None)


@dataclass(frozen=True)
class Place:
    """Stands for a path in staging."""

    id: int
    there: bool

    def exists(self) -> bool:
        """Whether there is a copy."""
        return self.there


class History:
    """One world from the first drop until nothing is left to do."""

    def __init__(self, seed: int, *, crashes: float = 0.02) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.faults = self.rng.choice([0.0, 0.02, 0.1, 0.3])
        self.crashes = self.rng.choice([0.0, crashes, crashes * 3])
        self.now = 1_000_000.0
        self.wrong: list[str] = []
        self.sources: dict[bytes, Source] = {}
        self.dropped: set[tuple[bytes, str]] = set()
        self.db = _database()
        self.copies = Copies(self)
        self.platform = ModelPlatform(
            random.Random(seed + 1),
            self.faults,
            quota=self.rng.choice([10**9, 10**9, 450, 150]),
            items_per_file=self.rng.random() < 0.9,
        )
        self.after_upload = self.rng.choice(["keep", "delete"])
        self.limits = Limits(
            batch_files=self.rng.choice([1, 3, 100]), linger=5.0, max_wait=60.0, max_attempts=50
        )
        self.todo = self._script()
        self.turns = 0
        self._inodes = 0
        self.bad = frozenset({"bad"})
        self._restart()

    # -- the script: what people do ------------------------------------------------------------------------

    def _script(self) -> list[tuple[float, Callable[[], None]]]:
        steps: list[tuple[float, Callable[[], None]]] = []
        for number in range(self.rng.randint(1, 4)):
            path = b"%d.tif" % number
            at = self.now + self.rng.random() * 40
            content = "bad" if self.rng.random() < 0.1 else f"c{self.rng.randint(0, 5)}"
            steps.append((at, partial(self._write, path, content)))
            if self.rng.random() < 0.3:
                steps.append((at + self.rng.random() * 60, partial(self._write, path, f"d{number}")))
            elif self.rng.random() < 0.1:
                steps.append((at + self.rng.random() * 20, partial(self._remove, path)))
        return sorted(steps, key=lambda step: step[0])

    def _write(self, path: bytes, content: str) -> None:
        self._inodes += 1
        self.sources[path] = Source(content, self._inodes, self.now)

    def _remove(self, path: bytes) -> None:
        self.sources.pop(path, None)

    # -- the process ---------------------------------------------------------------------------------------

    def _restart(self) -> None:
        """A new process: nothing but the journal, the folder and staging is left."""
        self.waits: dict[int, float] = {}
        writer = _Writer(self)
        self.tools = _Tools(
            journal=_Journal(self, writer),  # type: ignore[arg-type]
            platform=self.platform,  # type: ignore[arg-type]
            store=_Store(self),  # type: ignore[arg-type]
            converter=_Converter(self),  # type: ignore[arg-type]
            staging=self.copies,  # type: ignore[arg-type]
            intake=self,
            activity=Activity(),
            limits=self.limits,
            destinations={FOLDER: Destination("p", after_upload=self.after_upload)},
            archive_dirs={},
            transfer_method="signed_url",
            job=lambda _source, target, _destination: target,
            random=self.rng,
        )
        known = {row[0] for row in self.db.conn.execute("SELECT id FROM files WHERE staged = 1")}
        for file_id in set(self.copies.claimed) | set(self.copies.results):
            if file_id not in known:
                self.copies.discard(file_id)

    def crash(self, name: str) -> None:
        """A failpoint: die by the draw."""
        if self.rng.random() < self.crashes:
            raise Crash(name)

    # -- intake --------------------------------------------------------------------------------------------

    def settled_sighting(self, file_id: int) -> Sighting | None:
        """The look at which it was settled."""
        return self.ready.get(file_id)

    def claimed(self, file_id: int) -> None:
        """It has a copy."""
        self.ready.pop(file_id, None)

    def unsettled(self, file_id: int, after: float = 0.0) -> None:
        """Look again later."""
        self.ready.pop(file_id, None)
        self.waits[file_id] = self.now + after

    async def _scan(self) -> int:
        """Enter what is new, end what is gone; returns how many files settle."""
        self.ready: dict[int, Sighting] = {}
        journal = self.tools.journal
        seen = {path: source.sighting(path) for path, source in self.sources.items()}
        known = latest(self.db, FOLDER, list(seen))
        fresh = [
            s
            for p, s in seen.items()
            if p not in known or (known[p][1] != "settling" and known[p][2] != encode_sighting(s))
        ]
        if fresh:
            await journal.files.discovered(fresh)
        believed = tracked(self.db, FOLDER)
        missing = [path for path in believed if path not in seen]
        gone = [believed[path][0] for path in missing if believed[path][1] == "settling"]
        if gone:
            await journal.files.vanished(gone)
        others = [path for path in missing if believed[path][1] != "settling"]
        if others:
            await journal.files.forgotten(FOLDER, others)
        settling = 0
        for path, (file_id, state, _) in latest(self.db, FOLDER, list(seen)).items():
            if state != "settling":
                continue
            settling += 1
            due = max(self.sources[path].since + SETTLE, self.waits.get(file_id, 0.0))
            if due <= self.now:
                self.ready[file_id] = seen[path]
        return settling

    def next_settled(self) -> list[float]:
        """When files settle."""
        return [
            max(self.sources[bytes(path)].since + SETTLE, self.waits.get(file_id, 0.0))
            for file_id, path in self.db.conn.execute("SELECT id, path FROM files WHERE state = 'settling'")
            if bytes(path) in self.sources
        ]

    # -- the loop ------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Turn after turn until idle; a crash is a restart."""
        with _patched(self):
            while not self.wrong:
                try:
                    if _drive(self._turn()):
                        break
                except Crash:
                    if self.db.conn.in_transaction:
                        self.db.conn.execute("ROLLBACK")
                    self._restart()
                except IllegalTransition as error:
                    self.wrong.append(f"illegal: {error}")
                except Exception:  # noqa: BLE001 - whatever it is, this history shows it
                    self.wrong.append(traceback.format_exc())
                self.turns += 1
                if self.turns > MOST_TURNS or self.now > 1_000_000.0 + LONGEST:
                    self.wrong.append(f"does not converge: {self._states()}")
            self._judge()

    async def _turn(self) -> bool:
        while self.todo and self.todo[0][0] <= self.now:
            self.todo.pop(0)[1]()
        settling = await self._scan()
        view = replace(
            read_view(self.db, self.tools.destinations),
            settled=tuple(Settled(i, FOLDER, s.size) for i, s in sorted(self.ready.items())),
            settling={FOLDER: settling},
        )
        self.tools.platform_held = any(hold.scope == "platform" for hold in view.holds)
        turn = plan(view, self.now, self.limits)
        for action in self.rng.sample(turn.actions, len(turn.actions)):
            await perform(self.tools, action)
            self.now += self.rng.random() * 0.5
        if turn.actions:
            return False
        times = [
            t for t in [turn.wake_at, *self.next_settled(), *(at for at, _ in self.todo)] if t is not None
        ]
        later = [t for t in times if t > self.now]
        if turn.idle and not self.todo and not self._waiting(view):
            return True
        if not later and not times:
            self.wrong.append(f"nothing will ever happen: {self._states()}")
            return True
        self.now = max(self.now + 0.01, min(later, default=self.now + 0.01))
        return False

    def _waiting(self, view: Any) -> bool:
        """Whether only a hold that ends by itself is in the way: a person would wait for it, and so do we."""
        live = any(
            s.state != "completed" or s.readback_due
            for s in view.sessions
            if not s.hold and (s.state != "planned" or self._passable())
        )
        return bool(live or (view.waiting and self._passable()) or view.queued or view.disposals)

    def _passable(self) -> bool:
        """Whether one more object fits: a lost answer of `initiate` keeps its reservation for good."""
        return self.platform.items_per_file and self.platform.quota - self._leaked() >= 100

    def _leaked(self) -> int:
        """Bytes reserved for sessions that we never learned of."""
        ours = {row[0] for row in self.db.conn.execute("SELECT upload_id FROM sessions")}
        return sum(
            u.reserved for u in self.platform.uploads.values() if u.state == "open" and u.id not in ours
        )

    def _states(self) -> dict[str, int]:
        return dict(self.db.conn.execute("SELECT state, COUNT(*) FROM files GROUP BY state").fetchall())

    # -- the judgement -------------------------------------------------------------------------------------

    def _judge(self) -> None:
        self.wrong += self.platform.violations
        contents = [
            (item["upload_id"], name, asset["content"])
            for item in self.platform.items.values()
            for name, asset in item["assets"].items()
        ]
        rows = self.db.conn.execute(
            "SELECT id, path, state, content, session_id, disposal FROM files ORDER BY id"
        ).fetchall()
        done = [row for row in rows if row[2] in ("completed", "disposed")]
        if len(done) != len(contents):
            self.wrong.append(f"{len(done)} files completed, {len(contents)} in items")
        for _, path, state, content, _, _ in rows:
            if state == "rejected" and content not in (None, "bad" * 12):
                self.wrong.append(f"{path!r} with good content was rejected")
        held = {row[0] for row in self.db.conn.execute("SELECT upload_id FROM sessions WHERE hold != ''")}
        leaked = self.db.conn.execute(
            "SELECT COALESCE(SUM((initiates_sent - initiates_clear) * total_bytes), 0) FROM sessions"
        ).fetchone()[0]
        ours = {
            row[0]
            for row in self.db.conn.execute("SELECT upload_id FROM sessions WHERE upload_id IS NOT NULL")
        }
        for upload in self.platform.uploads.values():
            if upload.state == "open" and upload.id in ours and upload.id not in held:
                self.wrong.append(f"session {upload.id} stays open")
        lost = self._leaked()
        if lost > leaked:
            self.wrong.append(f"{lost} bytes leaked, {leaked} told")
        if not held and self._passable():
            self._all_there(contents)

    def _all_there(self, contents: list[tuple[str, str, str]]) -> None:
        """Every good file that lies in the folder, or was taken out of it by us, is an item."""
        present = {content for _, _, content in contents}
        for path, source in self.sources.items():
            if source.content != "bad" and source.content not in present:
                self.wrong.append(f"{path!r} ({source.content}) never became an item: {self._states()}")

    def digest(self) -> str:
        """A hash of the event log: the same for the same seed."""
        log = self.db.conn.execute(
            "SELECT file_id, session_id, event, state, round(time, 3) FROM events ORDER BY id"
        )
        return hashlib.sha256(repr(log.fetchall()).encode()).hexdigest()[:16]


class _Writer:
    """Transactions without a thread: committed when they return, or crashed before or after."""

    def __init__(self, history: History) -> None:
        self.history = history

    async def transact(self, name: str, work: Callable[[Database], Any]) -> Any:
        db = self.history.db
        db.conn.execute("BEGIN")
        try:
            result = work(db)
        except Exception:
            db.conn.execute("ROLLBACK")
            raise
        self.history.crash(f"commit.{name}.before")
        db.conn.execute("COMMIT")
        self.history.crash(f"commit.{name}.after")
        return result


class _Journal:
    """The journal's own classes over an in-memory database."""

    def __init__(self, history: History, writer: _Writer) -> None:
        self.history = history
        self.files = Files(writer)  # type: ignore[arg-type]
        self.sessions = Sessions(writer)  # type: ignore[arg-type]
        self.holds = Holds(writer)  # type: ignore[arg-type]

    async def read(self, query: Callable[[Database], Any]) -> Any:
        return query(self.history.db)


class _Store:
    def __init__(self, history: History) -> None:
        self.history = history

    async def put(self, url: Any, path: Place, **_: Any) -> None:
        await self.history.platform.put(url, self.history.copies.results[path.id])


class _Converter:
    def __init__(self, history: History) -> None:
        self.history = history

    async def convert(self, target: Place) -> Report:
        content = self.history.copies.claimed[target.id]
        if content == "bad":
            raise err.RasterRefused("not a raster")
        if self.history.rng.random() < self.history.faults / 20:
            raise err.NoSpace("full for a moment")
        self.history.copies.results[target.id] = content
        return Report("cog_driver", categorical=False)


class _Tools(Tools):
    def within(self, seconds: float) -> nullcontext[None]:
        return nullcontext()

    async def in_thread(self, work: Callable[..., Any], *args: object) -> Any:
        return work(*args)


def _dispose(history: History, policy: str, sighting: Sighting, archive: object, stop: object) -> Disposed:
    """Delete the source if it still is the one that was uploaded, and judge that it may go."""
    source = history.sources.get(sighting.path)
    if source is None:
        return Disposed("missing")
    if source.sighting(sighting.path) != sighting:
        return Disposed("replaced")
    stored = {a["content"] for i in history.platform.items.values() for a in i["assets"].values()}
    if source.content not in stored:
        history.wrong.append(f"{sighting.path!r} is deleted, and no item has its content")
    del history.sources[sighting.path]
    history.crash("dispose.done")
    return Disposed("deleted")


class _patched:  # noqa: N801 - reads as a verb
    """The virtual clock, the failpoints and the folder stand in for the real ones while a history runs."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.saved: list[tuple[Any, str, Any]] = []

    def _set(self, module: Any, name: str, value: Any) -> None:
        self.saved.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    def __enter__(self) -> None:
        for module in MODULES:
            self._set(module, "clock", lambda: self.history.now)
        for module in (local_effects, session_effects, transfer_effects):
            self._set(module, "failpoint", self.history.crash)
        self._set(local_effects, "dispose_of", partial(_dispose, self.history))
        for module in (local_effects, session_effects, transfer_effects):
            module.log.disabled = True

    def __exit__(self, *_: object) -> None:
        for module, name, value in self.saved:
            setattr(module, name, value)
        for module in (local_effects, session_effects, transfer_effects):
            module.log.disabled = False


def _drive(coroutine: Coroutine[Any, Any, bool]) -> bool:
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return bool(stop.value)
    coroutine.close()
    raise AssertionError("something waited on the real clock")


_EMPTY: bytes = b""


def _database() -> Database:
    """An empty journal in memory; the schema is made once for a process."""
    global _EMPTY  # noqa: PLW0603 - a cache
    conn = sqlite3.connect(":memory:", isolation_level=None)
    if not _EMPTY:
        migrations.apply(Database(conn, execute_plugins=False))
        _EMPTY = conn.serialize()
    else:
        conn.deserialize(_EMPTY)
    return Database(conn, execute_plugins=False)


def simulate(seed: int) -> tuple[int, str, list[str]]:
    """Run one history: (turns, hash, all that is wrong)."""
    history = History(seed)
    history.run()
    return history.turns, history.digest(), history.wrong


def main() -> int:
    """Run histories from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", type=int, help="one history, twice: is it the same?")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    if given.replay is not None:
        first, second = simulate(given.replay), simulate(given.replay)
        print(first, "the same again" if first == second else f"but then {second}")
        return 1 if first[2] or first != second else 0
    started, turns, wrong = time.monotonic(), 0, 0
    digest = hashlib.sha256()
    seeds = range(given.seed, given.seed + given.histories)
    with multiprocessing.get_context("spawn").Pool(given.workers) as pool:
        for seed, (count, hashed, violations) in zip(
            seeds, pool.imap(simulate, seeds, chunksize=50), strict=True
        ):
            turns += count
            digest.update(hashed.encode())
            wrong += bool(violations)
            for violation in violations[:3]:
                print(f"seed {seed}: {violation}", flush=True)
    seconds = time.monotonic() - started
    print(
        f"{given.histories} histories, {turns} turns, {wrong} wrong, hash {digest.hexdigest()[:16]}, {seconds:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
