"""uploads.*: a session from its reservation to its items, or to its end."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from uploader.sandbox.database import insert, update
from uploader.sandbox.errors import FieldError, Invalid, Refusal
from uploader.sandbox.operations import ingest
from uploader.sandbox.operations.base import Answer, Call, Count, Input, Operation, require_writer
from uploader.sandbox.operations.sessions import SessionInput, open_session, release, reserve, session_of
from uploader.sandbox.world import BUCKET

if TYPE_CHECKING:
    import sqlite3

    from uploader.sandbox.world import World

_PUBLISHED = ("browser", "cli", "cloud_transfer")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_NAME = 255
"""Bytes of a file name in UTF-8; the store's own limit, 1024 for the whole path, lies above it."""


class InitiateInput(Input):
    """Fields of the published UploadInitiate."""

    project_id: str
    transfer_method: str = "browser"
    file_count: Annotated[Count, Field(ge=1)] = 1
    total_bytes: Count = 0
    target_collection_id: str | None = None
    target_item_id: str | None = None
    asset_key: str | None = None
    is_categorical: bool = False


class SignedUrlInput(SessionInput):
    """Fields of the published SignedUrlInput."""

    file_name: str = Field(min_length=1)
    content_type: str = Field(default="application/octet-stream", pattern=r"^[!-~][ -~]*$", max_length=255)
    resumable: bool = False
    """Not published; read only with the option `resumable`."""

    @field_validator("file_name")
    @classmethod
    def _plain(cls, name: str) -> str:
        try:
            size = len(name.encode())
        except UnicodeEncodeError as error:
            raise ValueError("the name is not Unicode") from error
        if "/" in name or name in (".", "..") or _CONTROL.search(name) or size > _LONGEST_NAME:
            raise ValueError(f"a plain file name of at most {_LONGEST_NAME} bytes is wanted")
        return name


class Progress(SessionInput):
    """Fields of the published UploadProgressInput."""

    status: (
        Literal["initiating", "uploading", "detecting", "converting", "reviewing", "registering"] | None
    ) = None
    bytes_uploaded: Count | None = None


class CompleteInput(SessionInput):
    """What the guide sends; the published schema leaves the body untyped."""


class Fail(SessionInput):
    """Fields of the published UploadFailInput."""

    error_message: str
    error_step: str | None = None


def initiate(call: Call, given: InitiateInput) -> Answer:
    """Reserve quota and open a session."""
    _check_method(call.world, given.transfer_method)
    require_writer(call, given.project_id)
    _check_targets(call, given)
    _check_asset_key(call, given)
    reserve(call, given.total_bytes)
    upload_id = f"u_{uuid.uuid4().hex[:16]}"
    insert(
        call.tx,
        "session",
        id=upload_id,
        organization=call.who.organization,
        project_id=given.project_id,
        state="open",
        transfer_method=given.transfer_method,
        file_count=given.file_count,
        total_bytes=given.total_bytes,
        reserved_bytes=given.total_bytes,
        collection_id=given.target_collection_id,
        item_id=given.target_item_id,
        asset_key=given.asset_key,
        is_categorical=given.is_categorical,
        status="initiating",
        created_by=call.who.name,
        created_at=call.now,
        updated_at=call.now,
    )
    call.effect("session.opened", upload_id=upload_id, size=given.total_bytes)
    if call.fault and call.fault.kind == "lose_session":
        forget(call, CompleteInput(upload_id=upload_id), call.fault.status)
    return Answer.json({"id": upload_id})


def signed_url(call: Call, given: SignedUrlInput) -> Answer:
    """Mint a URL for one file; the same name gets the same path again."""
    row = open_session(call, given.upload_id)
    path = f"uploads/{given.upload_id}/{given.file_name}"
    known = {
        one[0]
        for one in call.tx.execute("SELECT file_name FROM file WHERE upload_id = ?", (given.upload_id,))
    }
    if given.file_name not in known and len(known) >= row["file_count"]:
        raise Invalid(
            [
                FieldError(
                    ("body", "file_name"),
                    f"the session was opened for {row['file_count']} file(s), all are named",
                )
            ]
        )
    call.tx.execute(
        "INSERT OR REPLACE INTO file (upload_id, file_name, content_type, object_path) VALUES (?, ?, ?, ?)",
        (given.upload_id, given.file_name, given.content_type, path),
    )
    update(call.tx, "session", given.upload_id, status="uploading", updated_at=call.now)
    call.effect("url.minted", upload_id=given.upload_id)
    life = call.world.options.url_life
    expired = call.fault is not None and call.fault.kind == "expired_url"
    starts = given.resumable and call.world.options.resumable
    extra = {"x-goog-resumable": "start"} if starts else {}
    url = call.world.signer.url(
        "POST" if starts else "PUT",
        BUCKET + path,
        at=call.now - life - 1 if expired else call.now,
        life=life,
        headers={"content-type": given.content_type, **extra},
    )
    return Answer.json({"upload_url": url, "object_path": path})


def progress(call: Call, given: Progress) -> Answer:
    """Note how far the client is; changes nothing else."""
    row = open_session(call, given.upload_id)
    update(
        call.tx,
        "session",
        given.upload_id,
        status=given.status or row["status"],
        bytes_uploaded=row["bytes_uploaded"] if given.bytes_uploaded is None else given.bytes_uploaded,
        updated_at=call.now,
    )
    call.effect("progress.noted", upload_id=given.upload_id, size=given.bytes_uploaded or 0)
    return Answer.json({"id": given.upload_id})


def complete(call: Call, given: CompleteInput) -> Answer:
    """Make the items, once; a repeat is a no-op."""
    row = session_of(call, given.upload_id)
    if row["state"] == "completed":
        again = call.world.options.repeat_item_ids
        return Answer.json({"id": row["id"], "item_ids": ingest.items_of(call, row["id"]) if again else []})
    _refuse_failed(row)
    stored = ingest.stored_files(call, row)
    size = sum(one["size"] for one in stored)
    release(call, row)
    reserve(call, size, what="used_bytes")
    item_ids = ingest.make_items(call, row, stored)
    update(
        call.tx,
        "session",
        row["id"],
        state="completed",
        status="completed",
        reserved_bytes=0,
        bytes_uploaded=size,
        updated_at=call.now,
    )
    call.effect("session.completed", upload_id=row["id"], size=size)
    return Answer.json({"id": row["id"], "item_ids": item_ids})


def fail(call: Call, given: Fail) -> Answer:
    """End a session without items and give its reservation back."""
    row = session_of(call, given.upload_id)
    if row["state"] == "failed" and call.world.options.repeat_fail == "ok":
        return Answer.json({"id": row["id"]})
    if row["state"] != "open":
        raise Refusal(409, f"upload {row['id']} is already {row['state']}")
    release(call, row)
    update(
        call.tx,
        "session",
        row["id"],
        state="failed",
        status="failed",
        reserved_bytes=0,
        error_message=given.error_message,
        error_step=given.error_step,
        updated_at=call.now,
    )
    blobs = call.tx.execute("DELETE FROM object WHERE upload_id = ? RETURNING blob", (row["id"],))
    call.trace.doomed += [call.world.objects / blob for (blob,) in blobs]
    call.effect("session.failed", upload_id=row["id"], size=row["reserved_bytes"])
    return Answer.json({"id": row["id"]})


def forget(call: Call, given: SessionInput, status: int) -> None:
    """Lose an open session, as a platform that cleans up does: later calls get 404, or 410 if `status` says so."""
    row = call.tx.execute(
        "SELECT * FROM session WHERE id = ? AND state = 'open'", (given.upload_id,)
    ).fetchone()
    if row is None:
        return
    release(call, row)
    lost_status = status if status in (404, 410) else 404
    update(
        call.tx,
        "session",
        row["id"],
        state="lost",
        reserved_bytes=0,
        lost_status=lost_status,
        updated_at=call.now,
    )
    call.effect("session.lost", upload_id=row["id"], size=row["reserved_bytes"])


def _refuse_failed(row: sqlite3.Row) -> None:
    if row["state"] == "failed":
        raise Refusal(409, f"upload {row['id']} is already failed")


def _check_method(world: World, method: str) -> None:
    taken = _PUBLISHED if world.options.transfer_methods == "published" else (*_PUBLISHED, "signed_url")
    if method not in taken:
        raise Invalid(
            [
                FieldError(
                    ("body", "transfer_method"),
                    f"String should match pattern '^({'|'.join(taken)})$'",
                    "string_pattern_mismatch",
                )
            ]
        )


def _check_targets(call: Call, given: InitiateInput) -> None:
    for table, target in (("collection", given.target_collection_id), ("item", given.target_item_id)):
        if target is None:
            continue
        found = call.tx.execute(f"SELECT * FROM {table} WHERE id = ?", (target,)).fetchone()
        gone = found is not None and table == "item" and found["deleted_at"] is not None
        if found is None or gone or call.who.organization != _organization(call, found["project_id"]):
            raise Refusal(404, f"{table} {target} not found")
        if found["project_id"] != given.project_id:
            field = f"target_{table}_id"
            raise Invalid(
                [FieldError(("body", field), f"{table} {target} is not in project {given.project_id}")]
            )


def _check_asset_key(call: Call, given: InitiateInput) -> None:
    if call.world.options.repeated_asset_key != "refuse" or not (given.target_item_id and given.asset_key):
        return
    query = "SELECT 1 FROM asset WHERE item_id = ? AND key = ?"
    if call.tx.execute(query, (given.target_item_id, given.asset_key)).fetchone():
        raise Invalid([FieldError(("body", "asset_key"), f"item {given.target_item_id} has it already")])


def _organization(call: Call, project_id: str) -> str:
    return str(call.tx.execute("SELECT organization FROM project WHERE id = ?", (project_id,)).fetchone()[0])


OPERATIONS = (
    Operation("uploads.initiate", "uploads:write", "compute", InitiateInput, initiate),
    Operation("uploads.signed_url", "uploads:write", "compute", SignedUrlInput, signed_url, forget=forget),
    Operation("uploads.progress", "uploads:write", "compute", Progress, progress, forget=forget),
    Operation(
        "uploads.complete",
        "uploads:write",
        "compute",
        CompleteInput,
        complete,
        prepare=ingest.look_ahead,
        forget=forget,
    ),
    Operation("uploads.fail", "uploads:write", "compute", Fail, fail, forget=forget),
)
