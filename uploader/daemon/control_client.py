"""Asking a running daemon through its control socket. Without asyncio, which would take half as long to load."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from typing import TYPE_CHECKING, Any

from uploader.core.errors import UploaderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOCKET = "control.sock"
"""Its name in the state directory."""
MAX_ANSWER = 64 << 20
"""Bytes of one answer that `ask` will read: a status with very many failed files."""

_SHORT = 100
"""Bytes of a path that surely fit into sockaddr_un (108 with its end)."""


def ask(path: Path, command: str, *, patience: float = 60.0, **arguments: object) -> dict[str, Any] | None:
    """Ask the daemon behind `path`; None when none listens there.

    Blocks for at most `patience` seconds between two pieces of the answer. Raises `UploaderError` with the
    daemon's own words when it says no, when it does not answer, or when this user is not heard.
    """
    try:
        with contextlib.ExitStack() as stack:
            sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            sock.settimeout(patience)
            sock.connect(stack.enter_context(address(path)))
            sock.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            line = _read_line(sock)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except PermissionError:
        raise UploaderError(
            f"The daemon's control socket {path} may not be used by this user.",
            "Run the command as the daemon's user or as root.",
        ) from None
    except OSError as error:
        raise UploaderError(
            f"The daemon behind {path} did not answer: {error}.", "See its log; it may be stopping."
        ) from error
    return _judged(line, path)


def _judged(line: bytes, path: Path) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise UploaderError(
            f"The daemon behind {path} broke off in the middle of its answer.", "See its log."
        )
    if not answer.pop("ok", False):
        raise UploaderError(str(answer.get("error") or "The daemon said no without a reason."))
    return answer


def _read_line(sock: socket.socket) -> bytes:
    pieces, size = [], 0
    while piece := sock.recv(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if piece.endswith(b"\n") or size > MAX_ANSWER:
            break
    return b"".join(pieces)


@contextlib.contextmanager
def address(path: Path) -> Iterator[str]:
    """`path` as it fits into a socket address, which is short: through its folder's descriptor if need be."""
    if len(os.fsencode(path)) <= _SHORT:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
