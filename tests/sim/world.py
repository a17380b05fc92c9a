"""The planner and the effects as they are, on a virtual clock, against models of disk, platform and journal."""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from types import SimpleNamespace
from typing import Any

import uploader.effects.claims as claim_effects
import uploader.effects.context as tools_module
import uploader.effects.conversion as conversion_effects
import uploader.effects.ended_files as ended_effects
import uploader.effects.scenes as scene_effects
import uploader.effects.session as session_effects
import uploader.effects.session_end as ending_effects
import uploader.effects.session_start as starting_effects
import uploader.effects.signing as signing_effects
import uploader.effects.transfer as transfer_effects
import uploader.effects.unpacking as unpacking_effects
import uploader.journal.stored_rows as stored_rows_module
from tests.sim.disk import FOLDER, Disk
from tests.sim.intake import Intake
from tests.sim.memory import MemoryJournal
from tests.sim.platform import ModelPlatform
from tests.sim.properties import broken
from tests.sim.sqlite import SqliteJournal
from tests.sim.standins import NEVER, ModelStore, ModelTools, Unwatched, drive
from tests.support.configured import a_folder, settings_with
from uploader.core.actions import Action, Claim
from uploader.core.lifecycle import IllegalTransition
from uploader.core.model import FileState, Sighting
from uploader.core.planner import Plan, plan
from uploader.core.planner_view import PlannerView
from uploader.daemon.performer import perform
from uploader.effects.idle_probe import IdleProbe

START = 1_000_000.0
EFFECTS = (
    *(starting_effects, session_effects, ending_effects, ended_effects),
    *(claim_effects, conversion_effects, unpacking_effects, scene_effects, transfer_effects),
)
CLOCKS = (stored_rows_module, tools_module, transfer_effects, signing_effects, scene_effects)
"""Where the clock is looked up by name."""


class Crash(BaseException):
    """The process dies here; what was committed stays."""


class World:
    """One daemon and all that it depends on. Every random draw comes from the seed, and nothing else is unsure."""

    disk_model = Disk

    def __init__(self, seed: int, *, memory: bool = True) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.now = START
        self.faults = 0.0
        self.crashes = 0.0
        self.slowness = 0.5
        """Seconds that an action takes at most."""
        self.nap = 0.01
        """Seconds of rest at least, where nothing is to be done."""
        self.overlap = 0.0
        """Share of the actions that last longer than the turn in which they were started."""
        self.wrong: list[str] = []
        self.turns = 0
        self.active = 0
        """Turns in which something was done."""
        self.disk = self.disk_model(self.rng, 0.0, wrong=self.wrong)
        self.platform = ModelPlatform(random.Random(seed + 1), 0.0, 1 << 60, violations=self.wrong)
        self.settings = settings_with(
            batch={"linger_seconds": 5.0, "max_wait_seconds": 60.0}, limits={"max_attempts": 50}
        )
        self.converters = 2
        self.destination = a_folder("p")
        self.todo: list[tuple[float, int, Callable[[], None]]] = []
        self.seen: dict[int, Sighting] = {}
        """The sightings at which files were settled."""
        self.journal: MemoryJournal | SqliteJournal = MemoryJournal(self) if memory else SqliteJournal(self)
        self._order = count()
        self._keys = count()

    def fail(self, faults: float) -> None:
        """From now on this share of calls fails."""
        self.faults = self.disk.faults = self.platform.faults = faults

    def later(self, at: float, what: Callable[[], None]) -> None:
        """Something happens at this time."""
        heappush(self.todo, (at, next(self._order), what))

    # -- the process -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """A new process: nothing but the journal, the folder and staging is left."""
        self.journal.revive()
        self.platform.forget_fresh()
        self.running: list[Action] = []
        self.no_room_for: frozenset[int] = frozenset()
        self.seen.clear()
        self.disk.sweep(self.journal.staged())
        self.intake = Intake(self)
        self.destinations = {FOLDER: self.destination}
        self.tools = ModelTools(
            journal=self.journal,  # type: ignore[arg-type]
            platform=self.platform,  # type: ignore[arg-type]
            store=ModelStore(self),  # type: ignore[arg-type]
            converter=self.disk,  # type: ignore[arg-type]
            opener=self.disk,  # type: ignore[arg-type]
            staging=self.disk,  # type: ignore[arg-type]
            thumbnails=self.disk,  # type: ignore[arg-type]
            intake=self.intake,
            activity=Unwatched(),
            settings=self.settings,
            destinations=self.destinations,
            archive_dirs={},
            stop=NEVER,
            cut=NEVER,
            random=self.rng,
            began=self.now,
        )

    def probe(self) -> None:
        """Let the platform be asked because nothing else asks it, as the daemon's loop does beside its turns."""
        probe = IdleProbe(self.tools, lambda: self.now)
        drive(probe.look())  # sees that no call goes out
        probe.soon()
        drive(probe.look())

    def crash(self, name: str) -> None:
        """A failpoint or a commit: die by the draw."""
        if self.crashes and self.rng.random() < self.crashes:
            raise Crash(name)

    # -- the loop --------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """One turn, whatever comes of it; False once nothing is left to do."""
        self.turns += 1
        try:
            return drive(self._turn())
        except Crash:
            self._revive()
        except IllegalTransition as error:
            self.wrong.append(f"illegal: {error}")
        except Exception:  # noqa: BLE001 - whatever it is, this history shows it
            self.wrong.append(traceback.format_exc())
        return True

    def _revive(self) -> None:
        """Start again; the start may crash, too."""
        while True:
            self.start()
            try:
                drive(self.tools.journal.holds.restarted([self.destination.project_id]))
            except Crash:
                continue
            return

    async def _turn(self) -> bool:
        self._happen()
        await self.intake.scan()
        view = self.look()
        turn = plan(view, self.now, self.settings)
        self.no_room_for = turn.no_room_for
        self.tools.note_holds((*view.holds, *turn.holds))
        self.judge(view, turn)
        self.running += turn.actions
        if not self.running:
            return self._wait(view, turn)
        self.active += 1
        self.now += self.rng.random() * self.slowness
        for action in self._now_ready():
            await self._perform(action)
        return True

    def judge(self, view: PlannerView, turn: Plan) -> None:
        """Hold a plan against the properties that every plan has."""
        self.wrong += broken(self, view, turn)

    def _now_ready(self) -> list[Action]:
        """What ends in this turn, in any order."""
        if len(self.running) == 1:
            return self.running[:]
        chosen = self.rng.sample(self.running, len(self.running))
        if self.overlap:
            chosen = chosen[:1] + [a for a in chosen[1:] if self.rng.random() >= self.overlap]
        return chosen

    def _told_ahead(self) -> set[tuple[str, str]]:
        """Calls that failed ahead of their file's transfer, whose failure only the process knows until then."""
        return {
            ("sign", self.journal.upload(session_id).upload_id + self.journal.file(file_id).file_name)
            for (session_id, file_id), ahead in self.tools.signing._found.items()
            if ahead.error is not None
        }

    async def _perform(self, action: Action) -> None:
        if self.todo and self.todo[0][0] <= self.now:
            self._happen()
        self.platform.now = self.now
        if self.platform.fresh:
            self.platform.fresh = [key for key in self.platform.fresh if key in self._told_ahead()]
        await perform(self.tools, action)  # the world went on since the plan was made
        if isinstance(action, Claim):
            self._judge_claim(action.file_id)
        self.running.remove(action)
        self.now += self.rng.random() * self.slowness

    def _judge_claim(self, file_id: int) -> None:
        """What was copied is what was seen; while it settles still, a copy that lies there is an earlier one."""
        if self.journal.file(file_id).state is FileState.SETTLING:
            return
        copied = self.disk.claimed.get(file_id)
        if copied is not None and not self.wrote(self.journal.inode(file_id), copied):
            self.wrong.append(f"file {file_id} was claimed, although it changed since its stat")

    def wrote(self, inode: int, content: str) -> bool:
        """Whether a person has written this into this file."""
        raise NotImplementedError

    def keeps(self, archive_id: int) -> str:
        """Why the source of an archive stays; empty where it may go."""
        return ""

    def marked(self, folder: str, directory: bytes, name: str) -> bool:
        """Whether the name lies there that says that a scene is complete."""
        return False

    def _happen(self) -> None:
        while self.todo and self.todo[0][0] <= self.now:
            heappop(self.todo)[2]()

    def look(self) -> PlannerView:
        """What the planner sees."""
        return self.journal.view(
            self.destinations,
            self.intake.settling,
            settled=self.intake.settled,
            free_bytes=self.disk.free,
            converters=self.converters,
            answered_at=self.tools.answered_at,
            stored_at=self.tools.stored_at,
            no_room_for=self.no_room_for,
            **self._under_way(),
        )

    def _under_way(self) -> dict[str, Any]:
        if not self.running:
            return {}
        busy = frozenset([subject for a in self.running for subject in a.subjects])
        running = Counter([type(a).__name__ for a in self.running])
        return {"busy": busy, "running": running, "copying": {FOLDER: running["Claim"]}}

    def _wait(self, view: PlannerView, turn: Plan) -> bool:
        """Let time pass until something is due; False where nothing more will come of it."""
        if turn.idle and not self.todo and not self.waits_for(view, turn):
            return False
        times = self.intake.next_due()
        if turn.wake_at is not None:
            times.append(turn.wake_at)
        if self.todo:
            times.append(self.todo[0][0])
        if not times:
            self.wrong.append(f"nothing will ever happen: {self.states()}")
            return False
        self.now = max(self.now + self.nap, min(times))
        return True

    def waits_for(self, view: PlannerView, turn: Plan) -> bool:
        """Whether something is expected although only ends and holds are left."""
        return False

    def states(self) -> dict[str, int]:
        """How many files are in which state."""
        return dict(Counter([str(row[3]) for row in self.journal.table()]))

    @contextmanager
    def doors(self) -> Any:
        """The virtual clock, the failpoints and the folder stand in for the real ones while the block runs."""
        journal = self.journal
        patches: list[tuple[Any, str, Any]] = [(module, "clock", lambda: self.now) for module in CLOCKS]
        patches += [(module, "failpoint", self.crash) for module in (*EFFECTS, signing_effects)]
        patches.append((ended_effects, "dispose_of", self._dispose))
        patches.append((conversion_effects, "publish", self.disk))
        patches.append((scene_effects, "_marked", self.marked))
        patches.append((starting_effects, "uuid", SimpleNamespace(uuid4=lambda: f"key-{next(self._keys)}")))
        for module in (*EFFECTS, tools_module):
            for name in ("file_row", "session_row", "scene_row", "profile", "decode_sighting"):
                if hasattr(module, name) and hasattr(journal, name):
                    patches.append((module, name, getattr(journal, name)))
        saved = [(module, name, getattr(module, name)) for module, name, _ in patches]
        for module, name, value in patches:
            setattr(module, name, value)
        for module in EFFECTS:
            module.log.disabled = True
        try:
            yield self
        finally:
            for module, name, value in saved:
                setattr(module, name, value)
            for module in EFFECTS:
                module.log.disabled = False

    def _dispose(self, policy: str, sighting: Sighting, archive: object, stop: object, **_: object) -> Any:
        """Let the source go, and judge that it was the one that was uploaded."""
        there = self.disk.sources.get(sighting.path)
        done = self.disk.dispose(policy, sighting, archive, stop)
        if there is not None and sighting.path not in self.disk.sources and there.sighting != sighting:
            self.wrong.append(f"{sighting.path!r} was deleted, but it is another file by now")
        self.crash("dispose.done")
        return done
