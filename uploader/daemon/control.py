"""The only way into a running daemon: a unix socket below its state directory, one JSON line in, one out.

A request is `{"command": NAME, ...arguments}`, an answer `{"ok": true, ...}` or `{"ok": false, "error":
TEXT}`; docs/control.md lists the commands. The kernel says who asks: only the daemon's own user and root are
heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from uploader.core.errors import ConfigurationError, UploaderError
from uploader.daemon.control_client import address
from uploader.system import threads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Takes the whole request, returns what is answered beside `"ok": true`."""

log = logging.getLogger(__name__)

MAX_LINE = 1 << 20
"""Bytes of one request: some ten thousand paths."""
PATIENCE = 10.0
"""Seconds a client may take to send its line or to read its answer."""
LOOK = 10.0
"""Seconds between two looks whether the socket is still there."""
MAX_ANSWERS = 16
"""Requests answered at once; the others wait for their turn."""
MAX_SILENT = 64
"""Clients that may be connected without having said anything; of more, the one that was silent longest is cut off."""

_PEER = struct.Struct("3i")


async def serve(path: Path, handlers: Mapping[str, Handler]) -> None:
    """Answer requests at `path` until cancelled; the socket is gone afterwards.

    A socket that lies there already is replaced: the caller holds the lock of the state directory, so nobody
    listens to it. One that is taken away is made anew: without it no command finds the daemon. A handler returns
    what is put beside `"ok": true`; an `UploaderError` of it is answered in its own words, any other exception is
    logged and answered without details.
    """
    turns = asyncio.Semaphore(MAX_ANSWERS)
    silent: dict[asyncio.StreamWriter, None] = {}

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(silent) >= MAX_SILENT:
            next(iter(silent)).transport.abort()
        silent[writer] = None
        try:
            line = await _line(reader)
            del silent[writer]
            async with turns:
                await _reply(line, writer, handlers)
        except (OSError, asyncio.LimitOverrunError) as error:
            log.debug("control client given up: %s", error)
        finally:
            silent.pop(writer, None)
            writer.close()

    sock = _listen(path)
    try:
        while True:
            async with await asyncio.start_unix_server(client, sock=sock, limit=MAX_LINE):
                sock = await _another(path)
    finally:
        sock.close()
        with contextlib.suppress(OSError):
            path.unlink()  # noqa: ASYNC240 - one quick call in a folder of our own


async def _another(path: Path) -> socket.socket:
    """A new listening socket, once the one at `path` was taken away, as by a cleaner of old files."""
    while True:
        await asyncio.sleep(LOOK)
        if not await threads.run_sync(path.is_socket):
            with contextlib.suppress(OSError, ConfigurationError):  # the state directory may be away, too
                return _listen(path)


async def _line(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            return error.partial


async def _reply(line: bytes, writer: asyncio.StreamWriter, handlers: Mapping[str, Handler]) -> None:
    if _heard(writer.get_extra_info("socket")):
        answer = await _answer(line, handlers)
    else:
        answer = {"ok": False, "error": "Only the daemon's own user and root are answered here."}
    writer.write(json.dumps(answer).encode() + b"\n")
    async with asyncio.timeout(PATIENCE):
        await writer.drain()


async def _answer(line: bytes, handlers: Mapping[str, Handler]) -> dict[str, Any]:
    try:
        request = json.loads(line)
        request["command"]
    except (ValueError, TypeError, KeyError):
        return {"ok": False, "error": 'A request is one line of JSON such as {"command": "status"}.'}
    return await answered(handlers, request)


async def answered(handlers: Mapping[str, Handler], request: Mapping[str, Any]) -> dict[str, Any]:
    """What is answered to a request that has a `command`, whoever brings it. Raises nothing."""
    command = request["command"]
    handler = handlers.get(command) if isinstance(command, str) else None
    if handler is None:
        return {"ok": False, "error": f"There is no such command. Known are: {', '.join(sorted(handlers))}."}
    try:
        return {"ok": True, **await handler(dict(request))}
    except UploaderError as error:
        return {"ok": False, "error": str(error)}
    except Exception:
        # Whatever goes wrong in an answer must not end the daemon: the question came from outside.
        log.exception("control command=%s failed", command)
        return {"ok": False, "error": "The daemon failed on this command. Its log says why."}


def _heard(sock: socket.socket) -> bool:
    peer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _, uid, _ = _PEER.unpack(peer)
    return uid in (0, os.geteuid())


def _listen(path: Path) -> socket.socket:
    """A listening socket that appears at `path` with mode 0600 from its first moment on."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        with address(fresh) as short:
            sock.bind(short)
        fresh.chmod(0o600)
        sock.listen(MAX_SILENT)
        fresh.replace(path)
    except OSError as error:
        sock.close()
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        if isinstance(error, IsADirectoryError):
            raise ConfigurationError(
                f"A folder lies where the control socket belongs: {error.filename2 or error.filename}.",
                "Remove it, or move it away.",
            ) from error
        raise
    return sock
