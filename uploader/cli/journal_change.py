"""How a command changes the journal: by the daemon that runs, else by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from uploader.journal import Journal


PATIENCE = 60.0
"""Seconds that a daemon may take to answer."""


def change(
    state_dir: Path,
    command: str,
    alone: Callable[[Journal], Awaitable[dict[str, Any]]],
    **arguments: object,
) -> dict[str, Any]:
    """Ask the running daemon for a command; where none runs, do the same on the journal itself.

    A lock keeps a daemon from starting meanwhile. Raises JournalError where there is no journal.
    """
    from uploader.daemon.control_client import SOCKET, ask

    answer = ask(state_dir / SOCKET, command, patience=PATIENCE, **arguments)
    return answer if answer is not None else _alone(state_dir, alone)


def _alone(state_dir: Path, work: Callable[[Journal], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    import anyio

    from uploader.journal import Journal, Reader
    from uploader.system.locks import hold_locks

    Reader(state_dir).close()  # complains where there is no journal, which `Journal` would make
    with hold_locks(state_dir, ()):
        journal = Journal(state_dir)
        try:
            return anyio.run(work, journal)
        finally:
            journal.close()
