"""Asks the platform for one item of each project while nothing else asks it for anything.

That proves key, platform and the right to read the project, and changes nothing. What it does not prove is the right to
upload, and the quota: the platform has no harmless call that would.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from math import inf

import anyio

from uploader.config import Folder
from uploader.core import idle_probes as rules
from uploader.core.errors import UploaderError
from uploader.core.failure_policy import classify
from uploader.core.model import Hold, HoldCause, Scope, target_of
from uploader.core.outages import WAY_OUT, WORDS
from uploader.core.verdicts import Park, Step
from uploader.effects.context import Tools
from uploader.journal.rows import clock

log = logging.getLogger(__name__)

TICK = 5.0
"""Seconds between two looks whether it is time."""


class IdleProbe:
    """The probes of one daemon. `monotonic` is a clock in seconds."""

    def __init__(self, tools: Tools, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._tools = tools
        self._monotonic = monotonic
        self._calls = 0
        self._quiet_since = monotonic() - rules.IDLE + rules.FIRST
        self._failures = 0
        self._failing_since = 0.0

    async def run(self) -> None:
        """Probe when it is time, until cancelled."""
        while True:
            await anyio.sleep(TICK)
            await self.look()

    async def look(self) -> None:
        """Probe if it is time."""
        now, calls = self._monotonic(), self._tools.platform.calls.total()
        if self._failures and self._tools.answered_at > self._failing_since:
            self._failures = 0
        if calls != self._calls:
            self._calls, self._quiet_since = calls, now
        elif now - self._quiet_since >= rules.probe_after(self._tools.journal.live.holds, self._failures):
            await self._probe()
            self._calls, self._quiet_since = self._tools.platform.calls.total(), self._monotonic()

    def soon(self) -> None:
        """A person wants it known: probe at the next look, unless something else asks the platform before."""
        self._quiet_since = -inf

    def outage(self) -> list[Hold]:
        """The hold that the platform does not answer, if so: no file waits for it that would tell."""
        if self._failures < rules.TWICE:
            return []
        cause, until = HoldCause.PLATFORM_UNREACHABLE, clock() + rules.FAILING
        return [Hold(Scope.PLATFORM, "", WORDS[cause], WAY_OUT, self._failing_since, until, cause=cause)]

    async def _probe(self) -> None:
        """Ask for each project, until the platform or the key is the matter."""
        places = {(one.project_id, one.collection_id): one for one in self._tools.destinations.values()}
        for destination in places.values():
            if not await self._ask(destination):
                return

    async def _ask(self, destination: Folder) -> bool:
        """One call; returns whether the platform is there and takes the key."""
        tools, target = self._tools, target_of(destination)
        try:
            await tools.platform.list_items(
                destination.project_id, collection_id=destination.collection_id, limit=1
            )
        except UploaderError as error:
            await tools.answered(error)
            return await self._failed(error, target)
        await tools.reached()
        self._failures = 0
        for hold in tools.journal.live.holds:
            if hold.subject == target and rules.by_probe(hold):
                await tools.journal.holds.clear(Scope.TARGET, target)
        return True

    async def _failed(self, error: UploaderError, target: str) -> bool:
        log.warning("probe failed: %s", error)
        verdict = classify(Step.PROBE, error, self._tools.known(self._failures))
        if isinstance(verdict, Park):
            self._failures = 0
            await self._enter(self._tools.hold(verdict, target))
            return verdict.scope is Scope.TARGET
        self._failing_since = self._failing_since if self._failures else clock()
        self._failures += 1
        return False

    async def _enter(self, hold: Hold) -> None:
        """A target that a real call found closed keeps its own words: only a real call ends them."""
        same = [one for one in self._tools.journal.live.holds if one.scope is hold.scope is Scope.TARGET]
        if all(rules.by_probe(one) for one in same if one.subject == hold.subject):
            await self._tools.journal.holds.set(hold)
