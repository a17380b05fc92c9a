"""The model of the journal: holds, what was learned, and what a person asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tests.sim.memory_files import Transaction
from tests.sim.rows import File, Upload
from tests.sim.tables import Tables
from uploader.core.lifecycle import FileEvent, SessionEvent
from uploader.core.model import FileState, Hold, Scope, SessionState
from uploader.core.transitions.records import FRESH


class MemoryHolds:
    """Holds, as far as they matter to the planner."""

    def __init__(self, tables: Tables, before: Transaction, after: Transaction) -> None:
        self.tables, self.before, self.after = tables, before, after

    async def set(self, hold: Hold) -> None:
        """Enter or renew."""
        self.before("hold")
        set_hold(self.tables, hold)
        self.after("hold")

    async def clear(self, scope: Scope, subject: str = "") -> None:
        """The cause is gone."""
        self.before("unhold")
        clear_hold(self.tables, scope, subject)
        self.after("unhold")

    async def restarted(self, targets: Collection[str]) -> None:
        """A start tries what is held."""
        self.before("restarted")
        tables = self.tables
        for file in [f for f in tables.held.values() if f.state is FileState.COMPLETED]:
            tables.set_file(file, {"not_before": 0.0})
        for (scope, subject), hold in list(tables.holds.items()):
            if scope is Scope.TARGET and subject not in targets:
                clear_hold(tables, scope, subject)
            elif scope in {Scope.TARGET, Scope.PLATFORM, Scope.MACHINE}:
                tables.holds[scope, subject] = _until(hold, 0.0)
        self.after("restarted")


class MemoryRetrying:
    """What a person asks for."""

    def __init__(self, tables: Tables, before: Transaction, after: Transaction) -> None:
        self.tables, self.before, self.after = tables, before, after

    async def retried(self, paths: Sequence[bytes] | None) -> int:
        """Rejected files settle again; held sessions are looked for again, or given up by a person's word."""
        self.before("retried")
        tables = self.tables
        count = 0
        for file in sorted(tables.by_state[FileState.REJECTED].values(), key=lambda f: f.id):
            if file.current == 1 and (paths is None or _full(file) in paths):
                columns = {**FRESH, "attempts": 0, "looks": 0, "losses": 0, "content": None, "alone": 0}
                tables.move_file(file, FileEvent.RETRIED, {**columns, "session_id": None, "batch_group": ""})
                count += 1
        for upload in sorted(tables.uploads.values(), key=lambda u: u.id):
            if upload.hold and (paths is None or any(_full(m) in paths for m in upload.members.values())):
                count += len(upload.members)
                self._again(upload, given_up=paths is not None)
        self.after("retried")
        return count

    def _again(self, upload: Upload, *, given_up: bool) -> None:
        columns = {"hold": "", "locate_tries": 0, "not_before": 0.0, "retrying_since": None}
        self.tables.set_upload(upload, columns)
        if given_up and upload.state is SessionState.COMPLETING:
            self.tables.move_upload(upload, SessionEvent.ABANDONED, {})


def set_hold(tables: Tables, hold: Hold) -> None:
    """Enter or renew; its beginning stays."""
    key = (hold.scope, hold.subject)
    old = tables.holds.get(key)
    since, attempts = (hold.since, 1) if old is None else (old.since, old.attempts + 1)
    tables.holds[key] = Hold(*key, hold.reason, hold.way_out, since, hold.until, attempts)


def clear_hold(tables: Tables, scope: Scope, subject: str) -> None:
    """End a hold."""
    tables.holds.pop((scope, subject), None)
    if scope is Scope.ORGANIZATION:
        for file in list(tables.held.values()):
            if file.state not in {FileState.CONVERTED, FileState.REJECTED}:
                tables.set_file(file, {"hold": ""})


def learn(tables: Tables, key: str, value: object) -> None:
    """Keep a fact; None forgets it."""
    tables.profile = None
    if value is None:
        tables.learned.pop(key, None)
    else:
        tables.learned[key] = value


def _until(hold: Hold, until: float) -> Hold:
    return Hold(hold.scope, hold.subject, hold.reason, hold.way_out, hold.since, until, hold.attempts)


def _full(file: File) -> bytes:
    return file.folder.encode() + b"/" + file.path
