"""Upload sessions as the operations need them: who may touch one, and the quota it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from uploader.sandbox.database import update
from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import Call, Input, require_writer

if TYPE_CHECKING:
    import sqlite3


class SessionInput(Input):
    """An operation on one session."""

    upload_id: str


def session_of(call: Call, upload_id: str) -> sqlite3.Row:
    """The session, in any state, if the caller may write to its project.

    Raises:
        Refusal: 404 unknown, lost (or 410) or of another organization; 403 not editor or admin.

    """
    call.trace.upload_id = upload_id
    row: sqlite3.Row | None = call.tx.execute(
        "SELECT * FROM session WHERE id = ? AND organization = ?", (upload_id, call.who.organization)
    ).fetchone()
    if row is None or row["state"] == "lost":
        raise Refusal(404 if row is None else row["lost_status"], f"upload {upload_id} not found")
    require_writer(call, row["project_id"])
    return row


def open_session(call: Call, upload_id: str) -> sqlite3.Row:
    """The session if it is open; 409 if it is completed or failed."""
    row = session_of(call, upload_id)
    if row["state"] != "open":
        raise Refusal(409, f"upload {upload_id} is already {row['state']}")
    return row


def reserve(
    call: Call, size: int, *, what: Literal["reserved_bytes", "used_bytes"] = "reserved_bytes"
) -> None:
    """Take bytes of the organization's quota.

    Raises:
        Refusal: 402, there are not so many left.

    """
    row = call.tx.execute("SELECT * FROM organization WHERE id = ?", (call.who.organization,)).fetchone()
    left = row["quota_bytes"] - row["used_bytes"] - row["reserved_bytes"]
    if size > left:
        raise Refusal(402, f"storage quota exceeded: {size} bytes needed, {max(left, 0)} bytes available")
    update(call.tx, "organization", row["id"], **{what: row[what] + size})


def release(call: Call, session: sqlite3.Row) -> None:
    """Give a session's reservation back to its organization."""
    call.tx.execute(
        "UPDATE organization SET reserved_bytes = reserved_bytes - ? WHERE id = ?",
        (session["reserved_bytes"], session["organization"]),
    )
