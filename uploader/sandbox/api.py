"""The API's door: every operation call goes through `perform`, in one order of checks, into one history row."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from pydantic import ValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from uploader.sandbox import misbehave
from uploader.sandbox.access import authenticate
from uploader.sandbox.database import insert
from uploader.sandbox.delivery import deliver_due
from uploader.sandbox.errors import FieldError, Invalid, Refusal
from uploader.sandbox.operations import find
from uploader.sandbox.operations.base import Answer, Call, Input, Operation
from uploader.sandbox.world import Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from uploader.sandbox.access import Principal
    from uploader.sandbox.faults import Fault
    from uploader.sandbox.world import World

log = logging.getLogger(__name__)
_LONGEST = 1 << 20
_REPLAY_LIFE = 86400.0
_PLACE, _INITIATE = "orders.archive.place", "uploads.initiate"


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came; `query` only of a GET, `known` None for an operation that does not exist."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: dict[str, str]
    body: bytes
    known: Operation | None
    fault: Fault | None


async def operation(request: Request) -> Response:
    """Answer one call below `/v1/`."""
    world: World = request.app.state.world
    path = request.path_params["path"]
    known = find(path)
    name = known.id if known else path
    turn = misbehave.turn(world, name, misbehave.problem)
    trace = Trace(name, sent=turn.answered, detail=turn.label)
    trace.had_authorization = "authorization" in request.headers
    try:
        body = await _body(request)
    except ClientDisconnect:
        trace.sent = False
        await to_thread.run_sync(_note, world, trace, None)
        return misbehave.Cut()
    trace.bytes_in, trace.upload_id = len(body), _upload_id(body)
    early = await turn.before(world)
    if early is not None:
        await to_thread.run_sync(_note, world, trace, misbehave.status_of(early))
        return early
    query = dict(request.query_params)
    received = Received(request.method, path, request.headers, query, body, known, turn.fault)
    limiter = world.painters.limiter if known and known.paints else None
    answer = await to_thread.run_sync(perform, world, trace, received, limiter=limiter)
    response = Response(answer.body, answer.status, answer.headers, answer.media_type)
    left = await turn.after(world, response)
    if await request.is_disconnected():
        await to_thread.run_sync(_unsent, world, trace)
    return left


def perform(world: World, trace: Trace, received: Received) -> Answer:
    """Check, run and record one call; refusals become answers here, and so does a bug (500, logged)."""
    try:
        known, who = _admitted(world, trace, received)
        return _run(world, trace, received, known, who)
    except Refusal as refusal:
        answer = _refused(world, refusal)
        trace.detail = trace.detail or refusal.detail[:200]
    except Exception:
        log.exception("operation=%s failed", trace.operation)
        answer = _refused(world, Refusal(500, "the sandbox has a bug here; its log tells more"))
    trace.committed = False
    _note(world, trace, answer.status, len(answer.body))
    return answer


def _admitted(world: World, trace: Trace, received: Received) -> tuple[Operation, Principal]:
    """Who may call what; in the platform's order: credential, rate, existence, scope."""
    now = world.now()
    who = authenticate(world.keyring, world.tokens, received.headers, now)
    trace.organization, trace.principal = who.organization, who.name
    _count(world, who, received.known, now)
    known = received.known
    if known is None:
        raise Refusal(404, f"unknown operation '{trace.operation}'")
    if received.method == "GET" and not known.reads:
        raise Refusal(405, f"'{known.id}' changes something: use POST", headers={"Allow": "POST"})
    who.require(known.scope, known.id)
    return known, who


def _count(world: World, who: Principal, known: Operation | None, now: float) -> None:
    """Count the call for everything that limits it: the organization, placing orders, the key."""
    world.window.count(who.organization, now, world.options.rate_limit)
    own = {_PLACE: world.options.order_rate_limit, _INITIATE: world.options.session_rate_limit}
    if known:
        world.window.count(f"{who.organization} {known.id}", now, own.get(known.id, 0))
    world.window.count(f"key {who.name}", now, who.rate_limit or 0)


def _run(world: World, trace: Trace, received: Received, known: Operation, who: Principal) -> Answer:
    given = _validated(known, received)
    deliver_due(world)
    fault = received.fault
    if fault and fault.kind == "lose_session" and known.forget:
        with world.database.write() as tx:
            known.forget(Call(world, who, tx, world.now(), trace, fault), given, fault.status)
    if known.prepare:
        known.prepare(world, given)
    if known.reads:
        with world.database.read() as tx:
            answer = known.run(Call(world, who, tx, world.now(), trace, fault), given)
        _note(world, trace, answer.status, len(answer.body))
        return answer
    staged = None
    if known.stage:
        with world.database.read() as tx:
            staged = known.stage(Call(world, who, tx, world.now(), trace, fault), given)
    with world.database.write() as tx:
        call = Call(world, who, tx, world.now(), trace, fault, staged, _idempotency(received))
        answer = _replayed(call, known, received) or known.run(call, given)
        _keep(call, known, received, answer)
        trace.call(tx, call.now, answer.status, len(answer.body))
    for path in trace.doomed:
        path.unlink(missing_ok=True)
    return answer


def _validated(known: Operation, received: Received) -> Input:
    reads = received.method == "GET"
    place, value = ("query", _listed(known.input, received.query)) if reads else ("body", _parsed(received))
    try:
        return known.input.model_validate(value)
    except ValidationError as error:
        mistakes = [FieldError((place, *one["loc"]), one["msg"], one["type"]) for one in error.errors()]
        raise Invalid(mistakes) from error


def _listed(model: type[Input], query: dict[str, str]) -> dict[str, Any]:
    """The query with the fields that are no single values read: as JSON, or as a list with commas."""
    kinds = {name: str(field.annotation) for name, field in model.model_fields.items()}
    return {name: _read(text, kinds.get(name, "")) for name, text in query.items()}


def _read(text: str, kind: str) -> Any:
    if "dict[" in kind or ("list[" in kind and text.startswith("[")):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text.split(",") if "list[" in kind else text


def _parsed(received: Received) -> Any:
    if len(received.body) > _LONGEST:
        raise Refusal(413, f"the body is longer than {_LONGEST} bytes")
    if not received.body:
        return {}
    kind = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Invalid(
            [FieldError(("body",), "Input should be sent as application/json", "model_attributes_type")]
        )
    try:
        value = json.loads(received.body)
        if b"\\u" in received.body:  # an escape may be half a character, which no text can hold
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the body is not JSON: {error}") from error
    return value


def _replayed(call: Call, known: Operation, received: Received) -> Answer | None:
    """The stored answer of the same key and body, or a 409 for another body."""
    key = _replay_key(call, known)
    if key is None:
        return None
    call.tx.execute("DELETE FROM replay WHERE at < ?", (call.now - _REPLAY_LIFE,))
    query = "SELECT * FROM replay WHERE organization = ? AND path = ? AND key = ?"
    row = call.tx.execute(query, key).fetchone()
    if row is None:
        return None
    if row["body"] != _fingerprint(received):
        raise Refusal(409, "this Idempotency-Key was used with another body")
    if known.id != _PLACE:
        call.trace.upload_id = json.loads(row["answer"]).get("id", "")
    return Answer(row["answer"].encode(), row["status"])


def _keep(call: Call, known: Operation, received: Received, answer: Answer) -> None:
    key = _replay_key(call, known)
    if key is None:
        return
    organization, path, text = key
    exists = "SELECT 1 FROM replay WHERE organization = ? AND path = ? AND key = ?"
    if not call.tx.execute(exists, key).fetchone():
        insert(
            call.tx,
            "replay",
            organization=organization,
            path=path,
            key=text,
            body=_fingerprint(received),
            answer=answer.body.decode(),
            status=answer.status,
            at=call.now,
        )


def _replay_key(call: Call, known: Operation) -> tuple[str, str, str] | None:
    honoured = known.id == _PLACE or (known.id == _INITIATE and call.world.options.replay_initiate)
    if not call.idempotency or not honoured:
        return None
    path, key, _ = call.idempotency
    return call.who.organization, path, key


def _idempotency(received: Received) -> tuple[str, ...]:
    key = received.headers.get("idempotency-key", "")
    return (received.path, key, _fingerprint(received)) if key else ()


def _fingerprint(received: Received) -> str:
    return hashlib.sha256(received.body).hexdigest()


def _refused(world: World, refusal: Refusal) -> Answer:
    media_type, body = "application/problem+json", refusal.body()
    if isinstance(refusal, Invalid):
        media_type, body = refusal.shaped(world.options.validation)
    return Answer(json.dumps(body).encode(), refusal.status, media_type, refusal.headers)


def _unsent(world: World, trace: Trace) -> None:
    with world.database.write() as tx:
        trace.unsent(tx, world.now())


def _note(world: World, trace: Trace, status: int | None, bytes_out: int = 0) -> None:
    with world.database.write() as tx:
        trace.call(tx, world.now(), status, bytes_out)


async def _body(request: Request) -> bytes:
    """The body, or a little more than what is allowed of it."""
    body = b""
    async for piece in request.stream():
        body += piece[: _LONGEST + 1 - len(body)]
    return body


def _upload_id(body: bytes) -> str:
    try:
        return str(json.loads(body).get("upload_id", ""))
    except (ValueError, AttributeError, RecursionError):
        return ""
