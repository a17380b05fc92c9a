"""The object store, another origin than the API: PUT and GET by signed URL, answers in Google's manner."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from uploader.sandbox import misbehave
from uploader.sandbox.blobs import Incoming, Stored, hash_header
from uploader.sandbox.errors import StoreRefusal
from uploader.sandbox.world import BUCKET, Trace

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from uploader.sandbox.faults import Fault
    from uploader.sandbox.world import World

log = logging.getLogger(__name__)
_BATCH = 4 << 20
"""Bytes that go to the writing thread at once: large enough that the hand-over costs nothing."""
_WRONG_CRC = 0xBADC0DE


class Store:
    """The ASGI application of the store's socket."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await _answer(self._world, request)
        await response(scope, receive, send)


async def _answer(world: World, request: Request) -> Response:
    path = unquote(request.scope["raw_path"].decode("ascii", "replace"))
    operation = "store.put" if request.method == "PUT" else "store.get"
    turn = misbehave.turn(world, operation, misbehave.xml)
    trace = Trace(operation, upload_id=_upload_id(path), sent=turn.answered, detail=turn.label)
    trace.had_authorization = "authorization" in request.headers
    early = await turn.before(world)
    if early is not None:
        await to_thread.run_sync(_note, world, trace, misbehave.status_of(early))
        return early
    try:
        _verify(world, request, turn.fault)
        if request.method != "PUT":
            return await _get(world, trace, path)
        response = await _put(world, trace, request, path, turn.fault)
    except (StoreRefusal, OSError) as error:
        refusal = error if isinstance(error, StoreRefusal) else _broken(error)
        trace.committed, trace.detail = False, trace.detail or refusal.code
        await to_thread.run_sync(_note, world, trace, refusal.status)
        return Response(refusal.xml(), refusal.status, media_type="application/xml; charset=UTF-8")
    return await turn.after(world, response)


def _broken(error: OSError) -> StoreRefusal:
    log.error("the store cannot write: %s", error)
    return StoreRefusal(500, "InternalError", "We encountered an internal error. Please try again.")


def _verify(world: World, request: Request, fault: Fault | None) -> None:
    if request.method not in ("PUT", "GET", "HEAD"):
        raise StoreRefusal(
            405, "MethodNotAllowed", "The specified method is not allowed against this resource."
        )
    if fault and fault.kind == "expired_url":
        raise StoreRefusal(400, "ExpiredToken", "The provided token has expired.")
    scope = request.scope
    path, query = (
        scope["raw_path"].decode("ascii", "replace"),
        scope["query_string"].decode("ascii", "replace"),
    )
    names = [name for name, _ in scope["headers"]]
    if len(set(names)) != len(names):
        raise StoreRefusal(400, "InvalidArgument", "A header is repeated.")
    world.signer.verify(request.method, path, query, request.headers, world.now())


async def _put(world: World, trace: Trace, request: Request, path: str, fault: Fault | None) -> Response:
    if not request.headers.get("content-length", "").isdigit():
        raise StoreRefusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    await to_thread.run_sync(_check_precondition, world, request, path)
    incoming = await to_thread.run_sync(Incoming, world.objects, trace.upload_id)
    try:
        cut = await _receive(request, incoming, trace, fault)
        if cut:
            await to_thread.run_sync(_note, world, trace, None)
            return misbehave.Cut()
        stored = await to_thread.run_sync(_keep, world, trace, request, path, incoming)
    except ClientDisconnect:
        trace.sent = False
        await to_thread.run_sync(_note, world, trace, None)
        return misbehave.Cut()
    finally:
        incoming.discard()
    return _stored(stored, fault)


async def _receive(request: Request, incoming: Incoming, trace: Trace, fault: Fault | None) -> bool:
    """Stream the body to disk; one batch is written while the next arrives. True: a fault ends it here."""
    stop = fault.after_bytes if fault and fault.kind in ("cut_before", "stall") else 0
    corrupt = fault is not None and fault.kind == "corrupt"
    batch: list[bytes] = []
    waiting = 0
    writing: asyncio.Future[None] | None = None
    loop = asyncio.get_running_loop()
    try:
        async for piece in request.stream():
            batch.append(_corrupted(piece) if corrupt and not trace.bytes_in else piece)
            waiting += len(piece)
            trace.bytes_in += len(piece)
            if stop and trace.bytes_in >= stop:
                await asyncio.sleep(fault.seconds if fault and fault.kind == "stall" else 0)
                return True
            if waiting >= _BATCH:
                if writing:
                    await writing
                writing = loop.run_in_executor(None, incoming.write, batch)
                batch, waiting = [], 0
    finally:
        if writing:
            await writing
    await loop.run_in_executor(None, incoming.write, batch)
    return False


def _keep(world: World, trace: Trace, request: Request, path: str, incoming: Incoming) -> Stored:
    stored = incoming.keep()
    _check_hashes(world, request, stored)
    object_path = path.removeprefix(BUCKET)
    now = world.now()
    with world.database.write() as tx:
        old = tx.execute("SELECT blob FROM object WHERE path = ?", (object_path,)).fetchone()
        tx.execute(
            "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                object_path,
                trace.upload_id,
                object_path.rpartition("/")[2],
                stored.blob,
                stored.size,
                stored.md5.hex(),
                stored.crc32c,
                stored.generation,
                request.headers.get("content-type", ""),
                now,
            ),
        )
        trace.effect(tx, now, "object.stored", size=stored.size)
        trace.call(tx, now, 200, 0)
    if old:
        (world.objects / old["blob"]).unlink(missing_ok=True)
    world.inspector.expect(world.objects / stored.blob)
    return stored


def _stored(stored: Stored, fault: Fault | None) -> Response:
    crc, md5 = stored.crc32c, stored.md5
    if fault and fault.kind == "wrong_hash":
        crc, md5 = crc ^ _WRONG_CRC, md5[::-1]
    headers = {
        "ETag": f'"{md5.hex()}"',
        "x-goog-generation": str(stored.generation),
        "x-goog-metageneration": "1",
        "x-goog-hash": hash_header(crc, md5),
        "x-goog-stored-content-encoding": "identity",
        "x-goog-stored-content-length": str(stored.size),
        "content-type": "text/html; charset=UTF-8",
    }
    return Response(b"", 200, headers)


async def _get(world: World, trace: Trace, path: str) -> Response:
    row = await to_thread.run_sync(_object, world, path)
    if row is None:
        raise StoreRefusal(404, "NoSuchKey", "The specified key does not exist.")
    await to_thread.run_sync(_note, world, trace, 200)
    headers = {
        "ETag": f'"{row["md5"]}"',
        "x-goog-hash": hash_header(row["crc32c"], bytes.fromhex(row["md5"])),
    }
    return FileResponse(world.objects / row["blob"], headers=headers, media_type=row["content_type"])


def _check_precondition(world: World, request: Request, path: str) -> None:
    """x-goog-if-generation-match, which only comes through when it was signed."""
    wanted = request.headers.get("x-goog-if-generation-match")
    if wanted is None:
        return
    row = _object(world, path)
    if wanted != str(row["generation"] if row else 0):
        raise StoreRefusal(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")


def _check_hashes(world: World, request: Request, stored: Stored) -> None:
    """Content-MD5, and x-goog-hash, which only comes through when it was signed."""
    given = dict(
        part.strip().partition("=")[::2] for part in request.headers.get("x-goog-hash", "").split(",") if part
    )
    given |= {"md5": md5} if (md5 := request.headers.get("content-md5")) else {}
    real = {"crc32c": stored.crc32c.to_bytes(4, "big"), "md5": stored.md5}
    for name, text in given.items():
        if real.get(name) != _decoded(text):
            (world.objects / stored.blob).unlink(missing_ok=True)
            raise StoreRefusal(400, "BadDigest", f"The {name} you specified did not match what was received.")


def _object(world: World, path: str) -> dict[str, Any] | None:
    with world.database.read() as tx:
        row = tx.execute("SELECT * FROM object WHERE path = ?", (path.removeprefix(BUCKET),)).fetchone()
    return dict(row) if row else None


def _note(world: World, trace: Trace, status: int | None) -> None:
    with world.database.write() as tx:
        trace.call(tx, world.now(), status, 0)


def _upload_id(path: str) -> str:
    parts = path.removeprefix(BUCKET).split("/")
    return parts[1] if parts[0] == "uploads" and len(parts) > 1 else ""


def _corrupted(piece: bytes) -> bytes:
    return bytes((piece[0] ^ 0xFF,)) + piece[1:] if piece else piece


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
