"""The daemon: one task group that watches, plans, performs and beats. Nothing is decided here.

There is no recovery code. A restart plans from the journal's rows, as every other turn does.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import anyio
from anyio.abc import TaskGroup

from uploader.activity import Activity
from uploader.config import Settings
from uploader.core.actions import Action, Put
from uploader.core.model import Hold
from uploader.core.planner import Plan, plan
from uploader.core.planner_view import PlannerView
from uploader.daemon import control
from uploader.daemon.alarm_watch import AlarmWatch
from uploader.daemon.assembly import Parts, assembled
from uploader.daemon.containment import Containment
from uploader.daemon.control_client import SOCKET
from uploader.daemon.hard_exit import PATIENCE, HardExit
from uploader.daemon.hold_ledger import HoldLedger
from uploader.daemon.late_folders import START_AGAIN, LateFolders
from uploader.daemon.live_status import LastTurn, LiveStatus, journal_hold
from uploader.daemon.live_view import LiveView
from uploader.daemon.notifier import Notifier
from uploader.daemon.page_sources import page_sources
from uploader.daemon.reload import Reload
from uploader.daemon.requests import Follow, handlers
from uploader.daemon.running_actions import RunningActions
from uploader.daemon.status_line import service_line
from uploader.daemon.stop_signals import Listener, obey
from uploader.daemon.trying import Trying
from uploader.daemon.until_idle import left_over
from uploader.daemon.wall_clock import WallClock
from uploader.daemon.warm_converters import WarmConverters
from uploader.effects.idle_probe import IdleProbe
from uploader.journal.queries import rejected_since
from uploader.report import dashboard, systemd_notify
from uploader.staging import FreeSpace
from uploader.system import threads
from uploader.system.bounded_read import BoundedRead

log = logging.getLogger(__name__)

TURN = 5.0
"""Seconds after which the planner looks even if nothing happened: disks fill and clocks jump unannounced."""

GATHERED = 0.004
"""Seconds after something happened in which more may happen: one turn plans for all of it."""

LOOK_PATIENCE = 2.0
"""Seconds that a look may take; without an answer of staging or journal the loop turns, beats, and asks on."""


async def run(
    settings: Settings,
    *,
    until_idle: bool = False,
    activity: Activity | None = None,
    bound: bool = True,
    new_journal: bool = False,
    hard_exit: HardExit | None = None,
    read_again: Callable[[], Settings] | None = None,
    environ: Mapping[str, str] = os.environ,
    listener: Listener = obey,
) -> int:
    """Run until told to stop (by signals, unless `listener` hears others), or until only ends and holds are left.

    Returns 0, or with `until_idle` 1 where something was rejected in this run or is left over, or START_AGAIN where a
    service manager has to start it again. `bound`, `new_journal` and `environ` are those of `assembled`. `hard_exit`
    ends the process where something does not end when it should. `read_again` reads the settings' file once more.
    Raises ConfigurationError, JournalError or AlreadyRunning where it cannot start.
    """
    activity = activity or Activity()
    async with assembled(settings, activity, bound=bound, new_journal=new_journal, environ=environ) as parts:
        reload = Reload(parts, read_again)
        return await Daemon(reload, parts, hard_exit or HardExit(), listener, until_idle=until_idle).run()


class Daemon:
    """The task group and what it shares."""

    def __init__(
        self, reload: Reload, parts: Parts, hard_exit: HardExit, listener: Listener, *, until_idle: bool
    ) -> None:
        self._reload = reload
        self._until_idle = until_idle
        self._tools = parts.tools
        self._intake = parts.intake
        self._line = parts.line
        self._upkeep = parts.upkeep
        self._late_folders = parts.late_folders
        self._again = False
        """Asks to be started again."""
        self._free_space = FreeSpace(parts.tools.staging.free)
        self._running = RunningActions(parts.tools.activity)
        self._contained = Containment(parts.tools)
        self._view = LiveView(
            parts, self._running, self._free_space, self._contained, ends_when_idle=until_idle
        )
        self._holds = HoldLedger(parts.tools.journal, self._pressing, parts.hold_revision)
        self._seen = LastTurn()
        self._notifier: Notifier | None = None
        self._probe = IdleProbe(parts.tools)
        self._last = Plan()
        """The plan of the last turn."""
        self._unseen_since: float | None = None
        """Since when the loop waits for the journal's rows and the machine's room (unix seconds)."""
        self._clock = WallClock(parts.tools)
        self._wake = anyio.Event()
        self._stopping = anyio.Event()
        self._hard_exit = hard_exit
        self._listener = listener
        self._beat = min(TURN, systemd_notify.watchdog_interval() or TURN)

    async def run(self) -> int:
        """Serve until stopped or idle; returns the exit code."""
        started = time.time()
        left = await self._serve()
        if not self._until_idle or self._stopping.is_set():
            return START_AGAIN if self._again else 0
        rejected = await self._tools.journal.read(lambda db: rejected_since(db, started))
        return 1 if rejected or left else 0

    async def _serve(self) -> bool:
        """Returns whether something is left over at the end."""
        left = False
        async with anyio.create_task_group() as background, anyio.create_task_group() as work:
            status = LiveStatus(
                self._tools, self._warnings, self._holds, self._seen, background, alarms=self._alarms
            )
            watch = AlarmWatch(lambda: self._tools.settings, self._holds, self._seen, status)
            self._notifier = Notifier(lambda: self._tools.settings, self._tools.journal, watch)
            background.start_soon(self._notifier.run)
            background.start_soon(self._probe.run)
            background.start_soon(self._listener, self._stop, self._tools.cut.set, self._reload.request)
            background.start_soon(self._intake.run, self._nudge)
            background.start_soon(self._upkeep.run)
            if self._late_folders is not None:
                background.start_soon(self._start_again, self._late_folders)
            background.start_soon(self._holds.run)
            background.start_soon(self._reload.run)
            access, journal, intake = dashboard.Access(), self._tools.journal, self._intake
            tries = (self._contained.try_now, intake.rescan, self._probe.soon)
            trying = Trying(journal, lambda: self._holds.look().holds, *tries)
            answers = handlers(journal, status, self._reload, Follow(trying, intake.claimed, access.token))
            background.start_soon(control.serve, self._tools.settings.state_dir / SOCKET, answers)
            shown = page_sources(self._tools, status, answers, access)
            background.start_soon(dashboard.serve, self._tools.settings.dashboard.listen, shown)
            journal.subscriptions.add("planning", lambda _: self._nudge())
            try:
                left = await self._plan_and_perform(work, background)
            finally:
                await self._drain(work)
                background.cancel_scope.cancel()
        return left

    async def _plan_and_perform(self, work: TaskGroup, background: TaskGroup) -> bool:
        """Turn after turn: look, plan, start what the plan says, wait. Returns whether something is left at the end.

        No turn waits for the journal: where it does not answer, the loop says so and asks on.
        """
        threads.reserve()
        systemd_notify.ready("watching")
        look = BoundedRead(self._view.look, background, self._view.look_at_once)
        converters = WarmConverters(self._tools, self._intake, background)
        while not self._stopping.is_set():
            self._wake = anyio.Event()
            self._line.keep_to(self._tools.settings.transfer.bandwidth_limit)
            self._clock.look(background)
            converters.look()
            view, now = await look.ask(min(LOOK_PATIENCE, self._beat)), time.time()
            self._unseen_since = (self._unseen_since or now) if view is None else None
            turn = None if view is None else self._turn(work, view, now)
            systemd_notify.beat()
            held = self._holds.look()
            systemd_notify.status(service_line(view, self._running.counted(), held))
            if self._until_idle and turn is not None and turn.idle:
                await self._holds.written(LOOK_PATIENCE)
                return left_over(held.holds, turn.waits)
            await self._wait(turn.wake_at if turn else None, now)
        return False

    def _turn(self, work: TaskGroup, view: PlannerView, now: float) -> Plan:
        """Plan for what was seen, and start what the plan says."""
        last, mistakes = self._last, self._contained.current(now)
        view = replace(view, mistakes=mistakes, no_room_for=last.no_room_for, stalled=last.stalled)
        turn = self._last = plan(view, now, self._tools.settings)
        self._holds.planned(turn.holds)
        self._seen.note(view, turn.waits)
        self._tools.note_holds((*view.holds, *turn.holds))
        for action in turn.actions:
            self._start(work, action, view)
        if not self._tools.settings.transfer.concurrency:
            self._line.sending(self._running.counted()[Put.__name__])
        return turn

    def _warnings(self) -> list[dict[str, str]]:
        undelivered = self._notifier.warnings() if self._notifier else ()
        return [*self._reload.warnings(), *undelivered, *self._intake.warnings()]

    def _alarms(self) -> list[dict[str, Any]]:
        return self._notifier.alarms() if self._notifier else []

    def _pressing(self) -> list[Hold]:
        """Holds that stand in no journal: it is held up itself, or no file waits for a platform that is away."""
        return [*journal_hold(self._tools.journal, self._unseen_since), *self._probe.outage()]

    def _start(self, work: TaskGroup, action: Action, view: PlannerView) -> None:
        self._running.begin(action, view)
        work.start_soon(self._perform, action)

    async def _perform(self, action: Action) -> None:
        try:
            await self._contained.perform(action)
        finally:
            self._free_space.written(self._running.end(action))
            self._nudge()

    def _nudge(self) -> None:
        """Something happened: plan again."""
        self._wake.set()

    async def _wait(self, wake_at: float | None, now: float) -> None:
        seconds = self._beat if wake_at is None else min(self._beat, max(0.01, wake_at - now))
        with anyio.move_on_after(seconds):
            await self._wake.wait()
            await anyio.sleep(GATHERED)

    async def _start_again(self, folders: LateFolders) -> None:
        late = await folders.wait()
        log.warning("folder=%s was made after the start, and is granted by the next: starting again", late)
        self._again = not self._stopping.is_set()
        self._stop()

    def _stop(self) -> None:
        self._stopping.set()
        self._hard_exit.after(self._tools.settings.transfer.drain_seconds + PATIENCE)
        self._nudge()

    async def _drain(self, work: TaskGroup) -> None:
        """Let running transfers and calls finish within the limit; conversions are redone by the next start.

        An exception has cancelled everything already, also this task: the shield lets it see to the end all the same.
        """
        systemd_notify.stopping("finishing what is being sent")
        self._tools.stop.set()
        deadline = time.monotonic() + self._tools.settings.transfer.drain_seconds
        with anyio.CancelScope(shield=True):
            while self._running.calls() and time.monotonic() < deadline and not self._tools.cut.is_set():
                await anyio.sleep(0.05)
                systemd_notify.beat()
        self._tools.cut.set()
        work.cancel_scope.cancel()
        self._hard_exit.after(PATIENCE)
