"""Performs actions, and contains what nobody foresaw in one of them: its file or session waits, and the others go on.

The daemon ends where going on would be a risk: without memory, without a journal that can be trusted, or where one
mistake follows another. It is loud in each case: the log has the traceback, and a hold tells it in words.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from uploader.core.actions import Action, Claim, PlanSession
from uploader.core.lifecycle import FILE_ENDS, SESSION_ENDS
from uploader.core.log_subject import About
from uploader.core.model import FileState, SessionState
from uploader.core.path_text import shown
from uploader.core.secrets import redact
from uploader.core.transitions.change import LogLine
from uploader.core.unexpected_errors import Mistakes, Subject, UnexpectedError, leaves
from uploader.daemon.performer import perform
from uploader.effects.context import Tools, about, action_began
from uploader.journal import untrustworthy
from uploader.system.failpoints import failpoint

log = logging.getLogger(__name__)

MOST_WORDS = 300
"""Characters of an exception's text in a hold; the log has all of it."""

CONTAINED = "a mistake in the program was contained"
"""How the line in the log begins. No test may leave one behind that it did not plant."""

OVER = (FILE_ENDS | SESSION_ENDS) - {FileState.COMPLETED, SessionState.COMPLETED}
"""States of those that need nothing any more. What is completed may have to be read back, and its source to go."""


class Containment:
    """The door between the plan and the effects."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._mistakes = Mistakes()
        tools.journal.subscriptions.add("mistakes", self._committed)

    def current(self, now: float) -> tuple[UnexpectedError, ...]:
        """The mistakes that have not been made good yet."""
        return self._mistakes.current(now)

    def try_now(self, name: str | None = None) -> int:
        """Try at once what a mistake keeps back, or who has this name; returns how many files and sessions that are."""
        waiting = self._mistakes.try_now(time.time(), name)
        for mistake in waiting:
            if mistake.step == Claim.__name__:
                self._tools.intake.unsettled(mistake.subject[1], 0.0)
        return len(waiting)

    async def perform(self, action: Action) -> None:
        """Do one action, in a task of its own. Raises what must end the daemon, and nothing else."""
        action_began.set(time.time())
        try:
            failpoint(f"action.{type(action).__name__}")
            await perform(self._tools, action)
        except Exception as error:
            if any(isinstance(leaf, MemoryError) or untrustworthy(leaf) for leaf in leaves(error)):
                raise
            await self._contain(action, error)
            if self._mistakes.too_many:
                log.critical("nothing but mistakes in the program: ending, for whoever starts it again")
                raise
        else:
            self._mistakes.done(_subjects(action))

    def _committed(self, lines: Sequence[LogLine]) -> None:
        """Whoever has come to its end waits for nothing: it was rejected, given up, or is gone."""
        self._mistakes.ended(filter(None, map(_ended, lines)))

    async def _contain(self, action: Action, error: Exception) -> None:
        step, name = type(action).__name__, await self._name(action)
        after = self._mistakes.made(_subjects(action), step, name, _words(error, step), time.time())
        subject = await self._about(action)
        log.error("%s action=%s %s again in %.0f s", CONTAINED, step, subject, after, exc_info=error)
        if isinstance(action, Claim):
            self._tools.intake.unsettled(action.file_id, after)

    async def _about(self, action: Action) -> About:
        """What the log calls it."""
        kind, row_id = _subjects(action)[0]
        if kind == "session":
            return About(session=row_id)
        try:
            return about(await self._tools.file(row_id)) if kind == "file" else About()
        except LookupError:
            return About()

    async def _name(self, action: Action) -> str:
        """What a person calls the file or the session; a scene has no name here but its number."""
        kind, row_id = _subjects(action)[0]
        try:
            if kind == "file":
                return shown((await self._tools.file(row_id)).path)
            if kind == "session":
                return (await self._tools.session(row_id)).name
        except LookupError:
            pass
        return f"{kind} {row_id}"


def _subjects(action: Action) -> list[Subject]:
    """Whom it concerns: of a session that cannot be planned, the files that were to be in it."""
    if isinstance(action, PlanSession):
        return [("file", file.file_id) for file in action.batch.files]
    return [*action.subjects]


def _ended(line: LogLine) -> Subject | None:
    """Who came to its end by what a line of the event log tells; None where nobody did."""
    if line.state not in OVER:
        return None
    return ("file", line.file_id) if line.file_id is not None else ("session", line.session_id or 0)


def _words(error: Exception, step: str) -> str:
    """One sentence: what was being done, and what the program says."""
    said = redact(shown(" ".join(f"{type(leaf).__name__}: {leaf}" for leaf in leaves(error))))
    said = " ".join(said.split())
    return f"A mistake in the program ended the step {step} ({said[:MOST_WORDS]})."
