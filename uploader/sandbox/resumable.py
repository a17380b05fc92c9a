"""Resumable uploads, as Google's XML API has them: opened by a signed POST, continued by PUTs on a session's URI.

What counts as received is the row's number, written after the bytes are synced; a file that is longer was cut off
and is shortened when the session goes on. So a restart, of the client or the sandbox, loses less than 256 KiB.
See cloud.google.com/storage/docs/performing-resumable-uploads.
"""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from uploader.sandbox import misbehave
from uploader.sandbox.blobs import adopt
from uploader.sandbox.database import insert, update
from uploader.sandbox.errors import StoreRefusal
from uploader.sandbox.objects import PRECONDITION, answer, check_precondition, object_at, record, stored_of

if TYPE_CHECKING:
    from pathlib import Path

    from uploader.sandbox.faults import Fault
    from uploader.sandbox.world import Trace, World

UNIT = 256 << 10
"""Bytes that a part which is not the last must be a multiple of."""
_LIFE = 7 * 86400.0
_BATCH = 4 << 20
_RANGE = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15}|\*)")


@dataclass(frozen=True, slots=True)
class Part:
    """What one PUT brings: bytes `begin` up to, not including, `end`; `total` None while it is not known."""

    begin: int
    end: int
    total: int | None
    asks: bool = False
    """Whether it brings nothing and wants to know how far the session is."""


class ResumableSessions:
    """The resumable sessions of a store. For one event loop."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._turns: dict[str, asyncio.Lock] = {}

    async def open(self, trace: Trace, request: Request, path: str) -> Response:
        """Answer the signed POST: 201 and the session's URI, which needs no signature of its own."""
        wanted = request.headers.get(PRECONDITION)
        await to_thread.run_sync(check_precondition, self.world, wanted, path)
        name = uuid.uuid4().hex
        kind = request.headers.get("content-type", "")
        await to_thread.run_sync(self._insert, trace, name, path, kind, wanted)
        location = f"{self.world.store_url}{quote(path, safe='/~')}?upload_id={name}"
        return Response(b"", 201, {"Location": location, "X-GUploader-UploadID": name})

    async def put(self, trace: Trace, request: Request, path: str, fault: Fault | None) -> Response:
        """Answer a PUT on a session's URI: 308 with what is received so far, or 200 when the object is whole."""
        name = session_name(request) or ""
        async with self._turns.setdefault(name, asyncio.Lock()):
            row = await to_thread.run_sync(self._row, name, path)
            if row["state"] == "stored":
                found = await to_thread.run_sync(object_at, self.world, path)
                await to_thread.run_sync(self._note, trace, 200)
                return answer(stored_of(found), None) if found else Response(b"", 404)
            part = part_of(request.headers.get("content-range"), request.headers.get("content-length"))
            if not part.asks:
                _check_part(part, row["received"])
                if not await self._receive(trace, request, row, part, fault):
                    await to_thread.run_sync(self._note, trace, None)
                    return misbehave.Cut()
                row = await to_thread.run_sync(self._row, name, path)
            if part.total != row["received"]:
                await to_thread.run_sync(self._note, trace, 308)
                return _incomplete(row["received"])
            stored = await to_thread.run_sync(self._finish, trace, row, path)
        self._turns.pop(name, None)
        return answer(stored, fault)

    async def cancel(self, trace: Trace, request: Request, path: str) -> Response:
        """Answer a DELETE on a session's URI with 499; the session is gone then."""
        name = session_name(request) or ""
        async with self._turns.setdefault(name, asyncio.Lock()):
            row = await to_thread.run_sync(self._row, name, path)
            await to_thread.run_sync(self._drop, trace, row)
        return Response(b"", 499)

    async def _receive(
        self, trace: Trace, request: Request, row: dict[str, Any], part: Part, fault: Fault | None
    ) -> bool:
        """Write what is new of the part; False where the connection ended before it, or a fault ended it."""
        skip = row["received"] - part.begin
        stop = fault.after_bytes if fault and fault.kind in ("cut_before", "stall") else 0
        batch, waiting, offset = bytearray(), 0, row["received"]
        whole = True
        try:
            async for piece in request.stream():
                trace.bytes_in += len(piece)
                fresh, skip = piece[skip:], max(0, skip - len(piece))
                batch += fresh
                waiting += len(fresh)
                if waiting >= _BATCH:
                    await to_thread.run_sync(self._write, row, offset, bytes(batch))
                    offset, waiting = offset + len(batch), 0
                    batch.clear()
                if stop and trace.bytes_in >= stop:
                    await asyncio.sleep(fault.seconds if fault and fault.kind == "stall" else 0)
                    whole = False
                    break
        except ClientDisconnect:
            trace.sent = whole = False
        end = offset + len(batch)
        if not whole:
            end = max(row["received"], end - end % UNIT)
        await to_thread.run_sync(self._write, row, offset, bytes(batch[: max(0, end - offset)]))
        await to_thread.run_sync(self._advance, row, end)
        return whole

    def _insert(self, trace: Trace, name: str, path: str, kind: str, wanted: str | None) -> None:
        folder = self.world.objects / "resumable"
        folder.mkdir(exist_ok=True)
        (folder / name).touch()
        values = {"path": path, "upload_id": trace.upload_id, "content_type": kind, "precondition": wanted}
        with self.world.database.write() as tx:
            now = self.world.now()
            part = f"resumable/{name}"
            insert(tx, "resumable", id=name, part=part, state="open", created_at=now, **values)
            trace.effect(tx, now, "resumable.opened")
            trace.call(tx, now, 201, 0)

    def _row(self, name: str, path: str) -> dict[str, Any]:
        query = (
            "SELECT * FROM resumable WHERE id = ? AND path = ? AND state != 'cancelled' AND created_at > ?"
        )
        with self.world.database.read() as tx:
            row = tx.execute(query, (name, path, self.world.now() - _LIFE)).fetchone()
        if row is None or (row["state"] == "open" and not self._part(row).exists()):
            raise StoreRefusal(
                404, "NoSuchUpload", "The upload session does not exist, was cancelled or is too old."
            )
        return dict(row)

    def _part(self, row: Any) -> Path:
        return self.world.objects / str(row["part"])

    def _write(self, row: dict[str, Any], offset: int, data: bytes) -> None:
        with self._part(row).open("r+b") as file:
            file.truncate(offset)
            file.seek(offset)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _advance(self, row: dict[str, Any], received: int) -> None:
        os.truncate(self._part(row), received)
        with self.world.database.write() as tx:
            update(tx, "resumable", row["id"], received=received)

    def _finish(self, trace: Trace, row: dict[str, Any], path: str) -> Any:
        stored = adopt(self.world.objects, row["upload_id"] or "incoming", self._part(row))
        record(
            self.world,
            trace,
            path,
            stored,
            content_type=row["content_type"],
            wanted=row["precondition"],
            also=lambda tx: update(tx, "resumable", row["id"], state="stored", generation=stored.generation),
        )
        self._part(row).unlink(missing_ok=True)
        return stored

    def _drop(self, trace: Trace, row: dict[str, Any]) -> None:
        with self.world.database.write() as tx:
            update(tx, "resumable", row["id"], state="cancelled")
            trace.effect(tx, self.world.now(), "resumable.cancelled")
            trace.call(tx, self.world.now(), 499, 0)
        self._part(row).unlink(missing_ok=True)

    def _note(self, trace: Trace, status: int | None) -> None:
        with self.world.database.write() as tx:
            trace.call(tx, self.world.now(), status, 0)


def session_name(request: Request) -> str | None:
    """The session that a request's URL names; None for one that must be signed."""
    query = parse_qs(request.scope["query_string"].decode("ascii", "replace"))
    return query["upload_id"][0] if set(query) == {"upload_id"} else None


def part_of(content_range: str | None, length: str | None) -> Part:
    """What a PUT says that it brings.

    Example:
        >>> part_of("bytes 0-262143/*", "262144")
        Part(begin=0, end=262144, total=None, asks=False)

    Raises:
        StoreRefusal: 411 without a length, 400 where range and length do not agree.

    """
    if length is None or not (length.isascii() and length.isdigit()):
        raise StoreRefusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    size = int(length)
    if content_range is None:
        return Part(0, size, size)
    match = _RANGE.fullmatch(content_range.strip())
    if match is None:
        raise StoreRefusal(400, "InvalidArgument", "Content-Range is malformed.")
    first, last, whole = match.groups()
    total = None if whole == "*" else int(whole)
    if first is None:
        if size:
            raise StoreRefusal(400, "InvalidArgument", "A query for the state carries no body.")
        return Part(0, 0, total, asks=True)
    part = Part(int(first), int(last) + 1, total)
    if part.end - part.begin != size or (total is not None and part.end > total):
        raise StoreRefusal(400, "InvalidArgument", "Content-Range and Content-Length do not agree.")
    return part


def _check_part(part: Part, received: int) -> None:
    if part.begin > received:
        raise StoreRefusal(400, "InvalidArgument", f"{received} bytes are received, so there would be a gap.")
    if part.end < received:
        raise StoreRefusal(400, "InvalidArgument", f"{received} bytes are received already.")
    if part.end != part.total and part.end % UNIT:
        raise StoreRefusal(
            400, "InvalidArgument", f"A part that is not the last ends at a multiple of {UNIT}."
        )


def _incomplete(received: int) -> Response:
    headers = {"Range": f"bytes=0-{received - 1}"} if received else {}
    return Response(b"", 308, headers)
