"""What a person gives up, entered into the journal."""

from __future__ import annotations

from collections.abc import Sequence

from uploader.core.transitions import archive_events
from uploader.core.transitions import forget_events as events
from uploader.core.transitions.forget_events import Forgotten
from uploader.journal.transactions import Rows, Transactions


class Forgetting:
    """Files that will never come back; `core.transitions.forget_events` says what becomes of them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def forget(self, file_ids: Sequence[int]) -> Forgotten:
        """Take these files off the list; returns which ones, and why others stay."""

        def work(rows: Rows) -> Forgotten:
            files = rows.files(file_ids)
            ids = {file.session_id for file in files if file.session_id is not None}
            sessions = {session_id: rows.session(session_id) for session_id in ids}
            change, found = events.forgotten(
                rows.now, ((file, sessions.get(file.session_id or 0)) for file in files)
            )
            rows.apply(change)
            stranded = [
                member
                for file in files
                if file.id in found.files
                for member in rows.unpacked_from(file.id)
                if archive_events.needs_archive(member)
            ]
            rows.apply(archive_events.gone(rows.now, stranded))
            return found

        return await self._transact("forget", work)
