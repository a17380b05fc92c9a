"""The status of a running daemon: what the journal says, what the plan holds back, and what is under way.

It is told also while the journal does not answer: then with the numbers of its last answer, and a hold that says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from anyio.abc import TaskGroup

from uploader.core.errors import UploaderError
from uploader.core.holds import counted
from uploader.core.model import Hold, HoldCause, Scope
from uploader.core.moments import iso
from uploader.core.planner_view import PlannerView
from uploader.core.planning_pass import Wait
from uploader.core.stages import running
from uploader.daemon.hold_ledger import HoldLedger
from uploader.effects.context import Tools
from uploader.journal import SLOW, Journal, JournalProblem, StatusFacts, status_of
from uploader.system.bounded_read import BoundedRead

PATIENCE = 2.0
"""Seconds that the journal may take for its part."""

WAY_OUT = (
    "Make room on its disk, mend the disk, or end whoever keeps the file locked; what is under way waits for it and "
    "goes on by itself."
)


def journal_hold(journal: Journal, unseen_since: float | None) -> list[Hold]:
    """The hold that the journal itself is, as long as it does not do its work.

    `unseen_since`: since when the planning loop waits for the rows and the free space (unix seconds), if it does.
    """
    trouble = journal.trouble
    if trouble is None and unseen_since is not None and time.time() - unseen_since > SLOW:
        trouble = JournalProblem("The disk of the journal or of staging does not answer.", unseen_since)
    if trouble is None:
        return []
    cause = HoldCause.JOURNAL_SLOW
    return [Hold(Scope.JOURNAL, "", trouble.text, WAY_OUT, since=trouble.since, cause=cause)]


@dataclass(slots=True)
class LastTurn:
    """What the last turn of the loop has seen that no row tells."""

    waits: Sequence[Wait] = ()
    running: Mapping[str, int] = field(default_factory=dict)
    free_bytes: int | None = None
    """What is free for staging; None where its disk does not tell."""
    at: float = field(default_factory=time.monotonic)
    """When that turn, or the start, was, by the monotonic clock."""

    def note(self, view: PlannerView, waits: Sequence[Wait]) -> None:
        """Take it over from a turn."""
        self.waits, self.running, self.at = waits, view.running, time.monotonic()
        self.free_bytes = None if view.staging_trouble else view.free_bytes


class LiveStatus:
    """Answers whoever asks the daemon, at once; `warnings` are what the journal cannot know of."""

    def __init__(
        self,
        tools: Tools,
        warnings: Callable[[], Iterable[dict[str, str]]],
        holds: HoldLedger,
        seen: LastTurn,
        group: TaskGroup,
        *,
        alarms: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
    ) -> None:
        self._tools = tools
        self._alarms = alarms
        self._warnings = warnings
        self._holds = holds
        self._seen = seen
        self._read = BoundedRead(self._look, group)
        self._last: StatusFacts | None = None

    async def ask(self) -> dict[str, Any]:
        """The journal's status and what runs right now. Raises UploaderError where there never was an answer."""
        self._last = await self._read.ask(PATIENCE) or self._last
        if self._last is None:
            raise UploaderError("The journal does not answer.", "Look at the disk that state_dir lies on.")
        now, silence = time.time(), self._tools.activity.silence()
        told = status_of(self._last, self._holds.look(), now, self._seen.waits)
        cluster = self._tools.converter.cluster
        return {
            **told,
            **({} if cluster is None else {"cluster": asdict(cluster)}),
            "alarms": [*self._alarms()],
            "stalled_after": self._tools.settings.notify.stalled_after,
            "warnings": [*self._warnings(), *told["warnings"]],
            "running": [asdict(running) for running in self._tools.activity.snapshot()],
            "stages": [
                {
                    "stage": stage,
                    "running": number,
                    "sign": iso(now - silence[stage] if stage in silence else None),
                }
                for stage, number in running(self._seen.running).items()
            ],
            "platform_profile": self._tools.profile.to_json(),
            "disk": {"staging_free": self._seen.free_bytes},
            "sent": self._tools.activity.bytes_sent,
            "calls": [
                {"operation": operation, "status": status, "number": number}
                for (operation, status), number in sorted(self._tools.platform.calls.items())
            ],
        }

    async def counted_holds(self) -> Sequence[Hold]:
        """The list of holds with what each holds back, as of the journal's last answer."""
        self._last = await self._read.ask(PATIENCE) or self._last
        holds = self._holds.look().holds
        return holds if self._last is None else counted(holds, self._last.amounts)

    async def _look(self) -> StatusFacts:
        return await self._tools.journal.facts(self._tools.destinations)
