"""The model of the journal: what becomes true of files, as `uploader.journal.files` writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.sim.rows import File, Upload
from tests.sim.tables import Tables
from uploader.core.lifecycle import COUPLED, FileEvent, SessionEvent
from uploader.core.model import FileState, Sighting
from uploader.journal import Converted
from uploader.journal.files import FRESH

Transaction = Callable[[str], None]


class MemoryFiles:
    """The file machine."""

    def __init__(self, tables: Tables, before: Transaction, after: Transaction) -> None:
        self.tables, self.before, self.after = tables, before, after

    async def discovered(self, sightings: Sequence[Sighting]) -> list[int]:
        """New versions of paths."""
        self.before("discovered")
        tables = self.tables
        found = []
        for sighting in sightings:
            versions = tables.by_path.get(sighting.path)
            newest = versions[max(versions)] if versions else None
            if newest is None or newest.state is not FileState.SETTLING:
                newest = self._insert(sighting)
            elif newest.sighting != sighting:
                self._rewrite(newest, sighting)
            found.append(newest.id)
        self.after("discovered")
        return found

    def _insert(self, sighting: Sighting) -> File:
        for file in list(self.tables.by_path.get(sighting.path, {}).values()):
            if file.state is FileState.REJECTED:
                self.tables.set_file(file, {"current": None})
        file = self.tables.insert(sighting)
        self.tables.log("discovered", FileState.SETTLING, file.id, None)
        return file

    def _rewrite(self, file: File, sighting: Sighting) -> None:
        columns = {"looks": 0, "size": sighting.size, "sighting": sighting, **FRESH}
        self.tables.set_file(file, columns)

    async def looked(self, file_id: int, reason: str, after: float) -> None:
        """It does not look whole."""
        self.before("looked")
        bump(self.tables, self.tables.files[file_id], ("looks",), reason, after)
        self.tables.log("looked", FileState.SETTLING, file_id, None)
        self.after("looked")

    async def changed(self, file_id: int, sighting: Sighting) -> None:
        """It was written to while it settled."""
        self.before("changed")
        file = self.tables.files[file_id]
        if file.state is FileState.SETTLING:
            self._rewrite(file, sighting)
        self.after("changed")

    async def vanished(self, file_ids: Sequence[int]) -> None:
        """They left before they were claimed."""
        self.before("vanished")
        for file in [self.tables.files[file_id] for file_id in file_ids]:
            if file.state is FileState.SETTLING:
                self.tables.move_file(file, FileEvent.VANISHED, {"current": None, **FRESH})
        self.after("vanished")

    async def forgotten(self, folder: str, paths: Sequence[bytes]) -> None:
        """The history of these paths is over."""
        self.before("forgotten")
        for path in paths:
            for file in list(self.tables.by_path.get(path, {}).values()):
                self.tables.set_file(file, {"current": None})
        self.after("forgotten")

    async def claimed(
        self, file_id: int, sighting: Sighting, content: str, size: int, destination: object = None
    ) -> FileState:
        """The private copy is whole."""
        self.before("claimed")
        tables = self.tables
        file = tables.files[file_id]
        twins = [
            other
            for other in tables.by_path.get(sighting.path, {}).values()
            if other.content == content and other is not file
        ]
        if twins:
            twin = max(twins, key=lambda twin: twin.id)
            again = {"disposal": None} if twin.disposal == "replaced" else {}
            tables.set_file(twin, {"sighting": sighting, **again})
            columns = {**FRESH, "current": None, "content": content, "staged": 1, "sighting": sighting}
            state = tables.move_file(file, FileEvent.UNCHANGED, columns)
        else:
            columns = {"content": content, "size": size, "staged": 1, "sighting": sighting, **FRESH}
            state = tables.move_file(file, FileEvent.CLAIMED, columns)
        self.after("claimed")
        return state

    async def converted(self, file_id: int, made: Converted) -> None:
        """The object is ready."""
        self.before("converted")
        columns = {
            "object_size": made.size,
            "object_md5": made.md5,
            "object_crc32c": made.crc32c,
            "categorical": int(made.categorical),
            "file_name": made.file_name,
            "alone": 0,
            **FRESH,
        }
        self.tables.move_file(self.tables.files[file_id], FileEvent.CONVERTED, columns)
        self.after("converted")

    async def look_again(self, file_id: int, reason: str, after: float) -> None:
        """It settles once more."""
        self.before("look_again")
        file = self.tables.files[file_id]
        self.tables.move_file(file, FileEvent.LOOK_AGAIN, {"content": None})
        if superseded(self.tables, file):
            self.tables.move_file(file, FileEvent.VANISHED, {"current": None, **FRESH})
        else:
            bump(self.tables, file, ("looks",), reason, after)
        self.after("look_again")

    async def twin(self, file_id: int) -> None:
        """Another path has the content."""
        self.before("twin")
        self.tables.move_file(self.tables.files[file_id], FileEvent.TWIN, FRESH)
        self.after("twin")

    async def rejected(self, file_id: int, reason: str) -> None:
        """It will not pass."""
        self.before("rejected")
        reject(self.tables, self.tables.files[file_id], reason)
        self.after("rejected")

    async def stored(self, file_id: int, session_id: int) -> None:
        """The store has it."""
        self.before("stored")
        file = self.tables.files[file_id]
        if file.session_id == session_id and file.state is FileState.BATCHED:
            self.tables.move_file(file, FileEvent.STORED, FRESH)
        self.after("stored")

    async def retry(
        self, file_id: int, reason: str, after: float, *, counted: bool = False, alone: bool = False
    ) -> None:
        """The same step again."""
        self.before("retry")
        file = self.tables.files[file_id]
        bump(self.tables, file, ("tries", "refusals") if counted else ("tries",), reason, after)
        if alone:
            self.tables.set_file(file, {"alone": 1, "attempts": file.attempts + 1})
        self.tables.log("retry", "", file_id, None)
        self.after("retry")

    async def disposed(
        self, file_id: int, outcome: str, where: str, sighting: Sighting, identity: str = ""
    ) -> None:
        """The source is gone, or stays."""
        self.before("disposed")
        file = self.tables.files[file_id]
        columns = {"disposal": outcome, **FRESH}
        if outcome == "replaced" and file.sighting != sighting:
            pass
        elif outcome in {"archived", "deleted", "missing"}:
            self.tables.move_file(file, FileEvent.DISPOSED, {"current": None, **columns})
        else:
            self.tables.set_file(file, columns)
            self.tables.log("kept", FileState.COMPLETED, file_id, None)
        self.after("disposed")

    async def stuck(self, file_id: int, reason: str, after: float) -> None:
        """The source cannot be taken away."""
        self.before("stuck")
        bump(self.tables, self.tables.files[file_id], ("tries",), reason, after)
        self.tables.set_file(self.tables.files[file_id], {"hold": reason})
        self.after("stuck")

    async def discarded(self, file_id: int) -> None:
        """The private copies are gone."""
        self.before("discarded")
        self.tables.set_file(self.tables.files[file_id], {"staged": 0})
        self.after("discarded")


def bump(tables: Tables, file: File, counters: tuple[str, ...], reason: str, after: float) -> None:
    """Count a failed try."""
    columns: dict[str, Any] = {name: getattr(file, name) + 1 for name in counters}
    since = tables.now if file.retrying_since is None else file.retrying_since
    columns |= {"retrying_since": since, "not_before": tables.now + after, "last_error": reason}
    tables.set_file(file, columns)


def reject(tables: Tables, file: File, reason: str) -> None:
    """End a file."""
    columns = {**FRESH, "last_error": reason, "session_id": None}
    if superseded(tables, file):
        columns["current"] = None
    tables.move_file(file, FileEvent.REJECTED, columns)


def superseded(tables: Tables, file: File) -> bool:
    """Whether the path is gone, or a newer version was seen."""
    return file.current is None or max(tables.by_path[file.path]) > file.id


def couple(tables: Tables, upload: Upload, event: SessionEvent) -> None:
    """Move all members as the session's event demands."""
    released = COUPLED[event] is FileEvent.RELEASED
    columns = {**FRESH, "session_id": None} if released else FRESH
    for file in upload.ordered():
        tables.move_file(file, COUPLED[event], columns)
