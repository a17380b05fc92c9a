"""Holds and what was learned of the platform. One public method of `Holds` is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from uploader.core.model import FileState, Hold, Scope
from uploader.core.transitions import clock_events
from uploader.core.transitions import hold_events as events
from uploader.core.transitions.records import FileRecord, SessionRecord
from uploader.journal.hold_rows import ESTRANGED, REVISION, SHOWN_HOLDS, as_dict
from uploader.journal.transactions import Rows, Transactions


class Holds:
    """What is held back in the journal, for `status` and for the planner after a restart."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def set(self, hold: Hold) -> None:
        """Enter a hold, or renew it: its beginning stays."""

        def work(rows: Rows) -> None:
            rows.apply(events.held(rows.now, renewed(rows, hold)))

        await self._transact("hold", work)

    async def clear(self, scope: Scope, subject: str = "", *, due_since: float | None = None) -> None:
        """The cause is gone. What has failed for it since `due_since` is tried at once; None: all keeps its time."""

        def work(rows: Rows) -> None:
            retrying: list[FileRecord | SessionRecord] = []
            if scope in events.WAITING and due_since is not None:
                retrying += rows.retrying_files(events.WAITING[scope])
            if scope is Scope.PLATFORM and due_since is not None:
                retrying += rows.retrying_sessions()
            rows.apply(events.ended(rows.now, scope, subject, retrying, since=due_since or 0.0))

        await self._transact("unhold", work)

    async def transfers_due(self, since: float) -> None:
        """The object store takes files again: transfers that have failed since then do not wait for their next try."""

        def work(rows: Rows) -> None:
            rows.apply(events.due(rows.now, rows.retrying_files(FileState.BATCHED), since=since))

        await self._transact("transfers_due", work)

    async def restarted(self, targets: Collection[str]) -> None:
        """A start is a person's way to say that the cause is mended: holds are tried at once.

        Holds of targets that are no longer configured end. The quota's is left as it is: it is probed by the clock.
        """

        def work(rows: Rows) -> None:
            rows.apply(events.restarted(rows.now, rows.holds(), rows.held_files(), targets))

        await self._transact("restarted", work)

    async def set_back(self, seconds: float | None = None) -> None:
        """The wall clock was set back by so many seconds (None: as far as the last event lies ahead of it).

        What is scheduled, waits since a time, or is held until one would otherwise wait for the clock to catch up.
        """

        def work(rows: Rows) -> None:
            rows.apply(clock_events.set_back(rows.now, seconds, rows.last_event()))

        await self._transact("set_back", work)

    async def estranged(self, folder: str) -> None:
        """Files of this folder were uploaded by another journal; a repair finds out which."""

        def work(rows: Rows) -> None:
            folders = sorted({*(rows.learned(ESTRANGED) or ()), folder})
            rows.apply(events.learned(rows.now, ESTRANGED, folders))

        await self._transact("estranged", work)

    async def reconciled(self) -> None:
        """A person takes all folders for this journal's own."""
        await self._transact("reconciled", lambda rows: rows.apply(events.learned(rows.now, ESTRANGED, None)))

    async def shown(self, holds: Sequence[Hold], revision: int) -> None:
        """Replace the holds that follow from the plan, for those who read beside the daemon."""

        def work(rows: Rows) -> None:
            rows.apply(events.learned(rows.now, SHOWN_HOLDS, [as_dict(hold) for hold in holds]))
            rows.apply(events.learned(rows.now, REVISION, revision))

        await self._transact("shown_holds", work)


def renewed(rows: Rows, hold: Hold) -> Hold:
    """The hold as it is entered, given the one that there is."""
    return events.renewed(hold, rows.hold(hold.scope, hold.subject))
