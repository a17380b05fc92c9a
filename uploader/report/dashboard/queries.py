"""What page and API ask the journal, with what they were asked for as text that may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from uploader.core.errors import UploaderError
from uploader.core.model import FileState, SessionState
from uploader.core.path_text import shown
from uploader.core.receipt_document import document
from uploader.journal import listings, stories
from uploader.journal.receipt_rows import Selection, newest, receipt_row
from uploader.journal.searching import search
from uploader.journal.sqlite_library import Database
from uploader.report.dashboard import cursors
from uploader.report.dashboard.guard import int_or

MOST_TEXT = 1000
"""Letters of what is searched for."""

MOST_EVENTS = 2000
"""Lines of one file's story, the latest."""

PAGE = 100
"""Rows of a page, where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows, as the parameters of a request say."""

    state: str = ""
    folder: str = ""
    project: str = ""
    search: str = ""
    cursor: str = ""
    most: int = PAGE

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        """Read the parameters. Raises UploaderError where one makes no sense."""
        most = int_or(given.get("limit", str(PAGE)), 0)
        if not 0 < most <= listings.MOST:
            raise UploaderError(f"`limit` is a number from 1 to {listings.MOST}.")
        texts = {name: given.get(name, "").strip() for name in ("state", "folder", "project", "search")}
        if any(len(text) > MOST_TEXT or shown(text) != text for text in texts.values()):
            raise UploaderError(f"Parameters are text of at most {MOST_TEXT} letters.")
        return cls(**texts, cursor=given.get("cursor", ""), most=most)


def files(db: Database, wanted: Wanted) -> dict[str, Any]:
    """A page of files, the newest first; those that are searched for by what they are called."""
    _require(wanted.state, FileState)
    if wanted.search:
        return _searched(db, wanted)
    before = cursors.row_id(wanted.cursor)
    page = listings.files(db, state=wanted.state, folder=wanted.folder, before=before, most=wanted.most)
    return {"files": [*page.rows], "next": cursors.of_id(page.following)}


def sessions(db: Database, wanted: Wanted) -> dict[str, Any]:
    """A page of upload sessions, the newest first."""
    _require(wanted.state, SessionState)
    page = listings.sessions(db, state=wanted.state, before=cursors.row_id(wanted.cursor), most=wanted.most)
    return {"sessions": [*page.rows], "next": cursors.of_id(page.following)}


def items(db: Database, wanted: Wanted) -> dict[str, Any]:
    """A page of receipts, the latest first, each with the `id` of its file."""
    chosen = Selection(folder=wanted.folder, project_id=wanted.project, state=wanted.state)
    found, following = newest(db, chosen, cursors.moment(wanted.cursor), wanted.most)
    return {"items": [receipt(row) for row in found], "next": cursors.of_moment(following)}


def file(db: Database, file_id: int) -> dict[str, Any] | None:
    """One file's whole story: its row, all versions of its path with their events, its session and its receipt."""
    found = listings.files_by_id(db, [file_id])
    row = receipt_row(db, file_id)
    if not found:
        return None if row is None else _of_receipt(receipt(row))
    ids = listings.versions(db, file_id)
    events = stories.story(db, stories.Asked("path", ids))[-MOST_EVENTS:]
    number = found[0]["session"]
    return {
        "file": found[0],
        "versions": ids,
        "events": [_printable(event) for event in events],
        "session": None if number is None else listings.session_by_id(db, number),
        "receipt": None if row is None else receipt(row),
    }


def session(db: Database, session_id: int) -> dict[str, Any] | None:
    """One session with its files and its own events."""
    found = listings.session_by_id(db, session_id)
    if found is None:
        return None
    members = stories.members(db, [session_id])[: listings.MOST]
    events = stories.story(db, stories.Asked("session", (), [session_id]))
    return {
        "session": found,
        "files": listings.files_by_id(db, members),
        "events": [_printable(event) for event in events[-MOST_EVENTS:]],
    }


def rejected(db: Database) -> dict[str, Any]:
    """Why files are rejected, and how many for each reason."""
    found = listings.rejected_by_reason(db)
    return {"reasons": [{"reason": reason, "files": number} for reason, number in found]}


def receipt(row: Mapping[str, Any]) -> dict[str, Any]:
    """A receipt as `uploader items` tells it, with the `id` of its file and names that can be printed."""
    told = document(row)
    for name in ("path", "archived_as"):
        told[name] = None if told[name] is None else shown(told[name])
    return {"id": row["id"], **told}


def _searched(db: Database, wanted: Wanted) -> dict[str, Any]:
    found = search(db, wanted.search, cursors.place(wanted.cursor), wanted.most)
    rows = [
        row
        for row in listings.files_by_id(db, found.files)
        if wanted.state in {"", row["state"]} and wanted.folder in {"", row["folder"]}
    ]
    return {"files": rows, "next": cursors.of_place(found.following)}


def _of_receipt(told: dict[str, Any]) -> dict[str, Any]:
    """The story of a file whose row and events were forgotten: its receipt is kept for ever."""
    return {"file": None, "versions": [], "events": [], "session": None, "receipt": told}


def _printable(event: Mapping[str, Any]) -> dict[str, Any]:
    path = event["path"]
    return {**event, "path": None if path is None else shown(path)}


def _require(state: str, states: type[FileState | SessionState]) -> None:
    if state and state not in set(states):
        raise UploaderError(f"`state` is one of {', '.join(states)}.")
