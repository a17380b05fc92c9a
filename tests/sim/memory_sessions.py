"""The other half of the journal's model: upload sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.sim.memory_files import Transaction, couple, reject
from tests.sim.memory_holds import clear_hold, learn, set_hold
from tests.sim.rows import Upload
from tests.sim.tables import Tables
from uploader.core.batching import Batch
from uploader.core.lifecycle import FileEvent, SessionEvent
from uploader.core.model import Hold, Layout, Scope, SessionState
from uploader.core.transitions.records import CALM, FRESH


class MemorySessions:
    """The session machine."""

    def __init__(self, tables: Tables, before: Transaction, after: Transaction) -> None:
        self.tables, self.before, self.after = tables, before, after

    async def planned(
        self, batch: Batch, body: Mapping[str, object], key: str, after_upload: Mapping[int, str]
    ) -> int:
        """Freeze a session."""
        self.before("planned")
        tables = self.tables
        upload = tables.insert_upload(batch.key, key, dict(body), batch.total_bytes)
        for member in batch.files:
            columns = {"session_id": upload.id, "after_upload": after_upload[member.file_id], **FRESH}
            tables.move_file(tables.files[member.file_id], FileEvent.BATCHED, columns)
        self.after("planned")
        return upload.id

    async def initiating(self, session_id: int) -> None:
        """`initiate` is about to be sent."""
        self.before("initiating")
        self._count(self.tables.uploads[session_id], "initiates_sent")
        self.after("initiating")

    async def opened(self, session_id: int, upload_id: str, quota_cap: int | None) -> None:
        """`initiate` answered."""
        self.before("opened")
        tables = self.tables
        upload = tables.uploads[session_id]
        self._count(upload, "initiates_clear")
        tables.move_upload(upload, SessionEvent.OPENED, {"upload_id": upload_id, **CALM})
        clear_hold(tables, Scope.ORGANIZATION, "")
        clear_hold(tables, Scope.TARGET, upload.key.target)
        learn(tables, "quota_cap", quota_cap)
        self.after("opened")

    async def refused(
        self, session_id: int, reason: str, hold: Hold | None, learned: Mapping[str, Any] | None = None
    ) -> None:
        """`initiate` said no."""
        self.before("refused")
        tables = self.tables
        upload = tables.uploads[session_id]
        self._count(upload, "initiates_clear")
        members = upload.ordered()
        tables.move_upload(upload, SessionEvent.REFUSED, {"last_error": reason})
        couple(tables, upload, SessionEvent.REFUSED)
        if hold is not None:
            set_hold(tables, hold)
            if hold.scope is Scope.ORGANIZATION and len(members) == 1:
                tables.set_file(members[0], {"hold": "more than there is"})
        for key, value in (learned or {}).items():
            learn(tables, key, value)
        self.after("refused")

    async def retry(
        self, session_id: int, reason: str, after: float, *, clear: str = "", hold: Hold | None = None
    ) -> None:
        """The same step again."""
        self.before("session_retry")
        tables = self.tables
        upload = tables.uploads[session_id]
        if clear:
            self._count(upload, clear)
        columns = {"tries": upload.tries + 1, "not_before": tables.now + after, "last_error": reason}
        since = tables.now if upload.retrying_since is None else upload.retrying_since
        tables.set_upload(upload, {**columns, "retrying_since": since})
        if hold is not None:
            set_hold(tables, hold)
        self.after("session_retry")

    async def held(self, session_id: int, reason: str) -> None:
        """Only a person can go on."""
        self.before("held")
        columns = {"hold": reason, "last_error": reason}
        self.tables.set_upload(self.tables.uploads[session_id], columns)
        self.after("held")

    async def completing(self, session_id: int) -> None:
        """`complete` is about to be sent."""
        self.before("completing")
        upload = self.tables.uploads[session_id]
        if upload.state is SessionState.OPEN:
            self.tables.move_upload(upload, SessionEvent.COMPLETING, CALM)
        self._count(upload, "completes_sent")
        self.after("completing")

    async def doubted(self, session_id: int, reason: str) -> None:
        """The items are looked for."""
        self.before("doubted")
        columns = {**CALM, "locating": 1, "last_error": reason}
        self.tables.set_upload(self.tables.uploads[session_id], columns)
        self.after("doubted")

    async def not_found(self, session_id: int, reason: str, after: float) -> None:
        """The items are not to be seen yet."""
        self.before("not_found")
        tables = self.tables
        upload = tables.uploads[session_id]
        since = tables.now if upload.retrying_since is None else upload.retrying_since
        tables.set_upload(
            upload,
            {
                "locate_tries": upload.locate_tries + 1,
                "not_before": tables.now + after,
                "last_error": reason,
                "retrying_since": since,
            },
        )
        self.after("not_found")

    async def completed(
        self, session_id: int, item_ids: Sequence[str], item_of: Mapping[str, str], *, readback: bool
    ) -> None:
        """The items exist."""
        self.before("completed")
        tables = self.tables
        upload = tables.uploads[session_id]
        columns = {
            "item_ids": tuple(item_ids),
            "completes_clear": upload.completes_sent,
            "readback": "due" if readback else None,
            "locating": 0,
            **CALM,
        }
        tables.move_upload(upload, SessionEvent.COMPLETED, columns)
        couple(tables, upload, SessionEvent.COMPLETED)
        clear_hold(tables, Scope.TARGET, upload.key.target)
        for file in upload.ordered():
            kept = {"disposal": "kept"} if file.after_upload == "keep" else {}
            tables.set_file(file, {"item_id": item_of.get(file.file_name), **kept})
        self.after("completed")

    async def read_back(
        self, session_id: int, item_of: Mapping[str, str], layout: Layout, target: str, *, verified: bool
    ) -> None:
        """The items were read back."""
        self.before("read_back")
        tables = self.tables
        upload = tables.uploads[session_id]
        tables.set_upload(upload, {"readback": "verified" if verified else "mismatch", **CALM})
        for file in upload.ordered():
            if file.file_name in item_of:
                tables.set_file(file, {"item_id": item_of[file.file_name]})
        if layout is not Layout.UNKNOWN:
            learn(tables, f"layout:{target}", str(layout))
        self.after("read_back")

    async def incomplete(self, session_id: int, file_ids: Sequence[int], reason: str) -> None:
        """These bytes are missing."""
        self.before("incomplete")
        tables = self.tables
        upload = tables.uploads[session_id]
        tables.move_upload(
            upload, SessionEvent.INCOMPLETE, {"completes_clear": upload.completes_sent, **CALM}
        )
        for file_id in file_ids:
            file = tables.files[file_id]
            tables.move_file(file, FileEvent.MISSING, {"attempts": file.attempts + 1})
        self.after("incomplete")

    async def abandoned(
        self,
        session_id: int,
        reason: str,
        *,
        rejected: Mapping[int, str] | None = None,
        damaged: Sequence[int] = (),
        groups: Mapping[int, str] | None = None,
        counted: Sequence[int] = (),
        hold: Hold | None = None,
    ) -> None:
        """Give a session up."""
        self.before("abandoned")
        tables = self.tables
        upload = tables.uploads[session_id]
        if _alive(upload):
            columns = {**CALM, "completes_clear": upload.completes_sent, "last_error": reason}
            tables.move_upload(upload, SessionEvent.ABANDONED, columns)
        members = set(upload.members)
        for file_id, why in (rejected or {}).items():
            if file_id in members:
                reject(tables, tables.files[file_id], why)
        for file_id in members.intersection(damaged):
            tables.move_file(tables.files[file_id], FileEvent.DAMAGED, {"session_id": None, **FRESH})
        for file_id, group in (groups or {}).items():
            tables.set_file(tables.files[file_id], {"batch_group": group})
        for file_id in counted:
            tables.set_file(tables.files[file_id], {"attempts": tables.files[file_id].attempts + 1})
        if hold is not None:
            set_hold(tables, hold)
        self.after("abandoned")

    async def failed(self, session_id: int, note: str = "") -> None:
        """The platform knows that it failed."""
        self.before("failed")
        upload = self.tables.uploads[session_id]
        for file in upload.ordered():
            self.tables.set_file(file, {"losses": 0})
        self.tables.move_upload(upload, SessionEvent.FAILED, CALM)
        couple(self.tables, upload, SessionEvent.FAILED)
        self.after("failed")

    async def lost(self, session_id: int, reason: str, hold: Hold | None) -> None:
        """The platform no longer knows it."""
        self.before("lost")
        tables = self.tables
        upload = tables.uploads[session_id]
        if _alive(upload):
            for file in upload.ordered():
                tables.set_file(file, {"losses": file.losses + 1})
            tables.move_upload(upload, SessionEvent.LOST, {"last_error": reason})
            couple(tables, upload, SessionEvent.LOST)
            if hold is not None:
                set_hold(tables, hold)
        self.after("lost")

    def _count(self, upload: Upload, column: str) -> None:
        self.tables.set_upload(upload, {column: getattr(upload, column) + 1})


def _alive(upload: Upload) -> bool:
    return upload.state in {SessionState.OPEN, SessionState.COMPLETING}
