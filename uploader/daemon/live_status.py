"""The status of a running daemon: what the journal says, what the plan holds back, and what is under way.

It is told also while the journal does not answer: then with the numbers of its last answer, and a hold that says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from anyio.abc import TaskGroup

from uploader.core.errors import UploaderError
from uploader.core.model import Hold, Scope
from uploader.daemon.planned_holds import ShownHolds
from uploader.effects.context import Tools
from uploader.journal import SLOW, Journal, JournalProblem, told
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
    return [] if trouble is None else [Hold(Scope.JOURNAL, "", trouble.text, WAY_OUT, since=trouble.since)]


class LiveStatus:
    """Answers whoever asks the daemon, at once; `pressing` and `warnings` are what the journal cannot know of."""

    def __init__(
        self,
        tools: Tools,
        warnings: Callable[[], Iterable[dict[str, str]]],
        shown: ShownHolds,
        pressing: Callable[[], list[Hold]],
        group: TaskGroup,
    ) -> None:
        self._journal = tools.journal
        self._activity = tools.activity
        self._pressing = pressing
        self._warnings = warnings
        self._shown = shown
        self._read = BoundedRead(self._look, group)
        self._last: dict[str, Any] = {}

    async def ask(self) -> dict[str, Any]:
        """The journal's status and what runs right now. Raises UploaderError where there never was an answer."""
        found = await self._read.ask(PATIENCE)
        if found is not None:
            self._last = found
        if not self._last:
            raise UploaderError("The journal does not answer.", "Look at the disk that state_dir lies on.")
        return {
            **self._last,
            "holds": [*map(told, self._pressing()), *self._last["holds"]],
            "warnings": [*self._warnings(), *self._last["warnings"]],
            "running": [
                {"kind": r.kind, "subject": r.subject, "total": r.total, "done": r.done, "since": r.since}
                for r in self._activity.snapshot()
            ],
        }

    async def _look(self) -> dict[str, Any]:
        return await self._journal.status(self._shown.holds)
