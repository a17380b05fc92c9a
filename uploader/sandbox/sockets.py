"""The two sockets of the server: on the ports that are asked for, else on those of the last start."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from uploader.sandbox.errors import StartRefused

if TYPE_CHECKING:
    from contextlib import ExitStack

    from uploader.sandbox.database import Database
    from uploader.sandbox.options import Options

_WAYS_OUT = {
    errno.EADDRINUSE: "Stop what listens there, or name another one with {flag} (0: any free one).",
    errno.EACCES: "Ports below 1024 are the system's: name another one with {flag}.",
    errno.EADDRNOTAVAIL: "Give --host an address of this machine.",
}


def listen(options: Options, database: Database, stack: ExitStack) -> tuple[list[socket.socket], list[str]]:
    """Bind the API's socket and the store's; gives them, and what to tell of ports that had to change.

    A port that was not asked for is the one of the last start on this root, so that addresses which somebody
    wrote down stay true; where another program has it meanwhile, a free one. The stack closes the sockets.

    Raises:
        StartRefused: a port that was asked for cannot be had.

    """
    told, sockets = [], []
    for name, flag, wanted in (
        ("API", "--port", options.port),
        ("store", "--store-port", options.store_port),
    ):
        last = int(database.recalled(flag) or 0)
        made = _again(options.host, last) if last and not wanted else None
        made = stack.enter_context(made or _bound(options.host, wanted, flag))
        port = made.getsockname()[1]
        if last and not wanted and port != last:
            told.append(f"The {name} was on port {last}, which another program has now: it moved to {port}.")
        database.keep(flag, str(port))
        sockets.append(made)
    return sockets, told


def _again(host: str, port: int) -> socket.socket | None:
    """The port of the last start; None when it is not free."""
    try:
        return _bound(host, port, "")
    except StartRefused:
        return None


def _bound(host: str, port: int, flag: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(1024)
    except (OSError, OverflowError) as error:
        made.close()
        number = error.errno or 0 if isinstance(error, OSError) else 0
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).rstrip(".")
        place = f"port {port} of {host}" if port else host
        way_out = _WAYS_OUT.get(number, "Look at --host and {flag}.").format(flag=flag)
        raise StartRefused(f"Cannot listen on {place}: {reason}. {way_out}") from error
    return made
