"""Objects as the store's requests see them: looked up, put in their place at once or not at all, answered for."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from uploader.sandbox.blobs import Stored, hash_header
from uploader.sandbox.errors import StoreRefusal
from uploader.sandbox.signing import PAYLOAD
from uploader.sandbox.world import BUCKET

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from uploader.sandbox.faults import Fault
    from uploader.sandbox.world import Trace, World

PRECONDITION = "x-goog-if-generation-match"
_WRONG_CRC = 0xBADC0DE


def object_at(world: World, path: str) -> dict[str, Any] | None:
    """The object of a URL's path."""
    with world.database.read() as tx:
        return _found(tx, path.removeprefix(BUCKET))


def check_precondition(world: World, wanted: str | None, path: str) -> None:
    """Refuse with 412 unless the object has the wanted generation (0: there is none); None wants nothing."""
    if wanted is not None:
        _compare(object_at(world, path), wanted)


def check_hashes(headers: Mapping[str, str], stored: Stored) -> None:
    """Content-MD5, and what only comes through when it was signed (x-goog-hash, x-goog-content-sha256).

    Raises:
        StoreRefusal: 400 BadDigest.

    """
    given = dict(
        part.strip().partition("=")[::2] for part in headers.get("x-goog-hash", "").split(",") if part
    )
    given |= {"md5": md5} if (md5 := headers.get("content-md5")) else {}
    real = {"crc32c": stored.crc32c.to_bytes(4, "big"), "md5": stored.md5}
    for name, text in given.items():
        if real.get(name) != _decoded(text):
            raise StoreRefusal(400, "BadDigest", f"The {name} you specified did not match what was received.")
    if stored.sha256 and headers[PAYLOAD].lower() != stored.sha256:
        raise StoreRefusal(400, "BadDigest", f"The {PAYLOAD} you specified did not match what was received.")


def record(
    world: World,
    trace: Trace,
    path: str,
    stored: Stored,
    *,
    content_type: str,
    wanted: str | None,
    also: Callable[[sqlite3.Connection], object] = lambda _: None,
) -> None:
    """Put a file that is on disk in the place of the object, with the call's row, in one transaction.

    The precondition is asked once more in it, so that of two who both saw no object only one makes it.

    Raises:
        StoreRefusal: 412; the file is removed.

    """
    place = path.removeprefix(BUCKET)
    now = world.now()
    try:
        with world.database.write() as tx:
            old = _found(tx, place)
            if wanted is not None:
                _compare(old, wanted)
            values = (stored.blob, stored.size, stored.md5.hex(), stored.crc32c, stored.generation)
            tx.execute(
                "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (place, trace.upload_id, place.rpartition("/")[2], *values, content_type, now),
            )
            also(tx)
            trace.effect(tx, now, "object.stored", size=stored.size)
            trace.call(tx, now, 200, 0)
    except BaseException:
        (world.objects / stored.blob).unlink(missing_ok=True)
        raise
    if old:
        (world.objects / old["blob"]).unlink(missing_ok=True)
    world.inspector.expect(world.objects / stored.blob)


def answer(stored: Stored, fault: Fault | None) -> Response:
    """The 200 of a stored object: no body, and the headers that clients compare with."""
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


def stored_of(row: Mapping[str, Any]) -> Stored:
    """The object of a row as its PUT knew it."""
    return Stored(row["blob"], row["size"], bytes.fromhex(row["md5"]), row["crc32c"], row["generation"])


def _found(tx: sqlite3.Connection, place: str) -> dict[str, Any] | None:
    row = tx.execute("SELECT * FROM object WHERE path = ?", (place,)).fetchone()
    return dict(row) if row else None


def _compare(row: Mapping[str, Any] | None, wanted: str) -> None:
    if wanted != str(row["generation"] if row else 0):
        raise StoreRefusal(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
