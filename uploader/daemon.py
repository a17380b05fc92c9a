"""The daemon: one task group that watches, plans, performs and beats. Nothing is decided here.

There is no recovery code. A restart plans from the journal's rows, as every other turn does.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import anyio
from anyio.abc import TaskGroup

from uploader import control
from uploader.activity import Activity
from uploader.assembly import Parts, assembled
from uploader.config import Settings
from uploader.core import room
from uploader.core.actions import Action
from uploader.core.bandwidth import limit_at
from uploader.core.planner import Plan, plan
from uploader.core.view import View
from uploader.hardend import PATIENCE, HardEnd
from uploader.journal.views import read_view, rejected_since
from uploader.performer import perform
from uploader.report import dashboard, notify

log = logging.getLogger(__name__)

TURN = 5.0
"""Seconds after which the planner looks even if nothing happened: disks fill and clocks jump unannounced."""

CLOCK_SLACK = 2.0
"""Seconds that the wall clock may be set back without anybody waiting noticeably longer."""

SOCKET = "control.sock"


async def run(
    settings: Settings,
    *,
    until_idle: bool = False,
    activity: Activity | None = None,
    read_back_all: bool = False,
    bound: bool = True,
    new_journal: bool = False,
) -> int:
    """Run until told to stop (SIGTERM, SIGINT), or until only ends and holds are left.

    Returns 0, or with `until_idle` 1 where something was rejected in this run or is held. Raises ConfigurationError,
    JournalError or AlreadyRunning where it cannot start. `bound` and `new_journal`: see `assembled`.
    """
    async with assembled(
        settings,
        activity or Activity(),
        read_back_all=read_back_all,
        bound=bound,
        new_journal=new_journal,
    ) as parts:
        return await Daemon(settings, parts).run(until_idle=until_idle)


@dataclass(frozen=True, slots=True)
class _Doing:
    """An action that runs, since when, the bytes that it may still write, and the folder that a claim copies from."""

    action: Action
    since: float
    reserved: int
    copied_from: str


class Daemon:
    """The task group and what it shares."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self._settings = settings
        self._tools = parts.tools
        self._intake = parts.intake
        self._bandwidth = parts.bandwidth
        self._upkeep = parts.upkeep
        self._doing: dict[tuple[str, int], _Doing] = {}
        self._shown: list[tuple[str, str]] = []
        self._ahead = time.time() - time.monotonic()
        self._wake = anyio.Event()
        self._stopping = anyio.Event()
        self._hard_end = HardEnd()
        self._beat = min(TURN, notify.watchdog_interval() or TURN)

    async def run(self, *, until_idle: bool) -> int:
        """Serve until stopped or idle; returns the exit code."""
        started = time.time()
        with self._hard_end:
            held = await self._serve(until_idle=until_idle)
        if not until_idle or self._stopping.is_set():
            return 0
        rejected = await self._tools.journal.read(lambda db: rejected_since(db, started))
        return 1 if rejected or held else 0

    async def _serve(self, *, until_idle: bool) -> list[dict[str, Any]]:
        """Returns the holds at the end."""
        held: list[dict[str, Any]] = []
        async with anyio.create_task_group() as background, anyio.create_task_group() as work:
            background.start_soon(self._signals)
            background.start_soon(self._intake.run, self._nudge)
            background.start_soon(self._upkeep.run)
            background.start_soon(control.serve, self._settings.state_dir / SOCKET, self._handlers())
            if self._settings.dashboard.listen:
                background.start_soon(dashboard.serve, self._settings.dashboard.listen, self._status)
            try:
                held = await self._plan_and_perform(work, until_idle=until_idle)
            finally:
                await self._drain(work)
                background.cancel_scope.cancel()
        return held

    async def _plan_and_perform(self, work: TaskGroup, *, until_idle: bool) -> list[dict[str, Any]]:
        """Turn after turn: look, plan, start what the plan says, wait. Returns the holds at the end."""
        notify.ready("watching")
        while not self._stopping.is_set():
            self._wake = anyio.Event()
            self._bandwidth.rate = _rate(self._settings)
            await self._mind_the_clock()
            view = await self._look()
            now = time.time()
            turn = plan(view, now, self._tools.limits)
            await self._show(turn)
            for action in turn.actions:
                self._start(work, action, view)
            notify.beat()
            notify.status(_summary(view, self._running()))
            if until_idle and turn.idle:
                return list((await self._tools.journal.status())["holds"])
            await self._wait(turn.wake_at, now)
        return []

    async def _mind_the_clock(self) -> None:
        """Where the wall clock was set back, nothing waits for it to catch up."""
        ahead = time.time() - time.monotonic()
        back, self._ahead = self._ahead - ahead, ahead
        if back > CLOCK_SLACK:
            log.warning("the clock was set back by %.0f s: what was scheduled moves with it", back)
            await self._tools.journal.holds.set_back(back)

    async def _look(self) -> View:
        """The journal's rows and the machine's room.

        Who is busy is noted before the rows are read: what ends in between counts as busy, and its end wakes the
        next turn. The other way round it would be done twice.
        """
        busy, running = frozenset(self._doing), self._running()
        copying = Counter(doing.copied_from for doing in self._doing.values() if doing.copied_from)
        reserved = sum(doing.reserved for doing in self._doing.values())
        since = {subject: doing.since for subject, doing in self._doing.items()}
        settled, settling = self._intake.settled(), self._intake.settling()
        coming = self._intake.coming(self._tools.limits.linger)
        view = await self._tools.journal.read(lambda db: read_view(db, self._tools.destinations))
        self._tools.platform_held = any(hold.scope == "platform" for hold in view.holds)
        return replace(
            view,
            settled=settled,
            settling=settling,
            coming=coming,
            free_bytes=self._tools.staging.free(),
            busy=busy,
            running=running,
            since=since,
            copying=copying,
            reserved_bytes=reserved,
        )

    def _start(self, work: TaskGroup, action: Action, view: View) -> None:
        self._doing[action.subject] = _Doing(
            action, time.time(), room.reserved(view, action), room.copied_from(view, action)
        )
        work.start_soon(self._perform, action)

    async def _perform(self, action: Action) -> None:
        try:
            await perform(self._tools, action)
        finally:
            self._doing.pop(action.subject, None)
            self._nudge()

    def _running(self) -> Counter[str]:
        return Counter(type(doing.action).__name__ for doing in self._doing.values())

    def _nudge(self) -> None:
        """Something happened: plan again."""
        self._wake.set()

    async def _wait(self, wake_at: float | None, now: float) -> None:
        seconds = self._beat if wake_at is None else min(self._beat, max(0.01, wake_at - now))
        with anyio.move_on_after(seconds):
            await self._wake.wait()

    async def _show(self, turn: Plan) -> None:
        """Let those who read beside us see what the plan holds back."""
        shown = [(str(hold.scope), hold.subject) for hold in turn.holds]
        if shown != self._shown:
            for hold in turn.holds:
                if (str(hold.scope), hold.subject) not in self._shown:
                    log.warning("hold scope=%s %s", hold.scope, hold.text)
            self._shown = shown
            await self._tools.journal.holds.shown(turn.holds)

    async def _signals(self) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for number in signals:
                if self._stopping.is_set():
                    log.warning("second %s: ending at once", signal.Signals(number).name)
                    self._tools.cut.set()
                    continue
                log.info("%s: finishing what is being sent", signal.Signals(number).name)
                self._stopping.set()
                self._nudge()

    async def _drain(self, work: TaskGroup) -> None:
        """Let running transfers and calls finish within the limit; conversions are redone by the next start."""
        notify.stopping("finishing what is being sent")
        self._tools.stop.set()
        deadline = time.monotonic() + self._settings.transfer.drain_seconds
        while self._calls() and time.monotonic() < deadline and not self._tools.cut.is_set():
            await anyio.sleep(0.05)
            notify.beat()
        self._tools.cut.set()
        work.cancel_scope.cancel()
        self._hard_end.after(PATIENCE)

    def _calls(self) -> int:
        local = ("Claim", "Convert", "Dispose", "Discard")
        return sum(count for kind, count in self._running().items() if kind not in local)

    def _handlers(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        async def retry(request: dict[str, Any]) -> dict[str, Any]:
            paths = request.get("paths")
            wanted = None if paths is None else [os.fsencode(path) for path in paths]
            count = await self._tools.journal.retrying.retried(wanted)
            self._intake.rescan()
            return {"retried": count}

        async def status(_: dict[str, Any]) -> dict[str, Any]:
            return await self._status()

        return {"retry": retry, "status": status}

    async def _status(self) -> dict[str, Any]:
        """The journal's status and what runs right now."""
        now: dict[str, Any] = await self._tools.journal.status()
        running = self._tools.activity.snapshot()
        return {
            **now,
            "warnings": [*self._intake.warnings(), *now["warnings"]],
            "running": [
                {"kind": r.kind, "subject": r.subject, "total": r.total, "done": r.done, "since": r.since}
                for r in running
            ],
        }


def _rate(settings: Settings) -> int | None:
    """Bytes per second that may leave now, by the timetable and the machine's local time."""
    local = time.localtime()
    return limit_at(settings.transfer.bandwidth_limit, local.tm_wday, local.tm_hour * 60 + local.tm_min)


def _summary(view: View, running: Counter[str]) -> str:
    sessions = sum(1 for session in view.sessions if session.state != "completed")
    return (
        f"{sum(view.settling.values())} settling, {view.queued_total} queued, {len(view.waiting)} converted, "
        f"{sessions} sessions, {running['Put']} transfers, {len(view.holds)} holds"
    )
