"""The object store, another origin than the API: PUT and GET by signed URL, answers in Google's manner."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from uploader.sandbox import misbehave
from uploader.sandbox.blobs import Incoming, Stored, hash_header
from uploader.sandbox.errors import StoreRefusal
from uploader.sandbox.objects import PRECONDITION, answer, check_hashes, check_precondition, object_at, record
from uploader.sandbox.resumable import ResumableSessions, session_name
from uploader.sandbox.signing import PAYLOAD, UNSIGNED
from uploader.sandbox.world import BUCKET, Trace

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from uploader.sandbox.faults import Fault
    from uploader.sandbox.world import World

log = logging.getLogger(__name__)
_OPERATIONS = {"PUT": "store.put", "POST": "store.start", "DELETE": "store.cancel"}
_BATCH = 4 << 20
"""Bytes that go to the writing thread at once: large enough that the hand-over costs nothing."""


class StoreApp:
    """The ASGI application of the store's socket."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions = ResumableSessions(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await _answer(self._world, self._sessions, request)
        await response(scope, receive, send)


async def _answer(world: World, sessions: ResumableSessions, request: Request) -> Response:
    path = unquote(request.scope["raw_path"].decode("ascii", "replace"))
    operation = _OPERATIONS.get(request.method, "store.get")
    turn = misbehave.turn(world, operation, misbehave.xml)
    trace = Trace(operation, upload_id=_upload_id(path), sent=turn.answered, detail=turn.label)
    trace.had_authorization = "authorization" in request.headers
    early = await turn.before(world)
    if early is not None:
        await to_thread.run_sync(_note, world, trace, misbehave.status_of(early))
        return early
    try:
        _verify(world, request, turn.fault)
        response = await _carried_out(sessions, trace, request, path, turn.fault)
    except (StoreRefusal, OSError) as error:
        refusal = error if isinstance(error, StoreRefusal) else _broken(error)
        trace.committed, trace.detail = False, trace.detail or refusal.code
        await to_thread.run_sync(_note, world, trace, refusal.status)
        return Response(refusal.xml(), refusal.status, media_type="application/xml; charset=UTF-8")
    return await turn.after(world, response)


async def _carried_out(
    sessions: ResumableSessions, trace: Trace, request: Request, path: str, fault: Fault | None
) -> Response:
    if request.method == "POST":
        return await sessions.open(trace, request, path)
    if request.method == "DELETE":
        return await sessions.cancel(trace, request, path)
    if request.method != "PUT":
        return await _get(sessions.world, trace, path)
    if session_name(request):
        return await sessions.put(trace, request, path, fault)
    return await _put(sessions.world, trace, request, path, fault)


def _broken(error: OSError) -> StoreRefusal:
    log.error("the store cannot write: %s", error)
    return StoreRefusal(500, "InternalError", "We encountered an internal error. Please try again.")


def _verify(world: World, request: Request, fault: Fault | None) -> None:
    starts = request.method == "POST" and request.headers.get("x-goog-resumable") == "start"
    continues = request.method in ("PUT", "DELETE") and session_name(request) is not None
    if not starts and not continues and request.method not in ("PUT", "GET", "HEAD"):
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
    if continues:
        return
    world.signer.verify(request.method, path, query, request.headers, world.now())


async def _put(world: World, trace: Trace, request: Request, path: str, fault: Fault | None) -> Response:
    if not request.headers.get("content-length", "").isdigit():
        raise StoreRefusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    await to_thread.run_sync(check_precondition, world, request.headers.get(PRECONDITION), path)
    promised = request.headers.get(PAYLOAD, UNSIGNED) != UNSIGNED
    make = partial(Incoming, world.objects, trace.upload_id, with_sha256=promised)
    incoming = await to_thread.run_sync(make)
    try:
        cut = await _receive(request, incoming, trace, fault)
        if cut:
            await to_thread.run_sync(_note, world, trace, None)
            return misbehave.Cut()
        stored = await to_thread.run_sync(_keep, world, trace, request, path, incoming)
    except ClientDisconnect:
        trace.sent = False
        incoming.discard()
        await to_thread.run_sync(_note, world, trace, None)
        return misbehave.Cut()
    finally:
        incoming.discard()
    return answer(stored, fault)


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
    try:
        check_hashes(request.headers, stored)
    except StoreRefusal:
        (world.objects / stored.blob).unlink(missing_ok=True)
        raise
    kind = request.headers.get("content-type", "")
    record(world, trace, path, stored, content_type=kind, wanted=request.headers.get(PRECONDITION))
    return stored


async def _get(world: World, trace: Trace, path: str) -> Response:
    row = await to_thread.run_sync(object_at, world, path)
    if row is None:
        raise StoreRefusal(404, "NoSuchKey", "The specified key does not exist.")
    await to_thread.run_sync(_note, world, trace, 200)
    headers = {
        "ETag": f'"{row["md5"]}"',
        "x-goog-hash": hash_header(row["crc32c"], bytes.fromhex(row["md5"])),
    }
    return FileResponse(world.objects / row["blob"], headers=headers, media_type=row["content_type"])


def _note(world: World, trace: Trace, status: int | None) -> None:
    with world.database.write() as tx:
        trace.call(tx, world.now(), status, 0)


def _upload_id(path: str) -> str:
    parts = path.removeprefix(BUCKET).split("/")
    return parts[1] if parts[0] == "uploads" and len(parts) > 1 else ""


def _corrupted(piece: bytes) -> bytes:
    return bytes((piece[0] ^ 0xFF,)) + piece[1:] if piece else piece
