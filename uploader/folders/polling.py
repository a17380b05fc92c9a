"""Polling: one scan after the other, and what differs between them. For file systems whose events do not tell all."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TypeVar

import anyio

from uploader.core.model import Sighting
from uploader.folders.folder_probes import blind
from uploader.folders.scanner import scan
from uploader.folders.spec import FolderSpec
from uploader.system import threads

T = TypeVar("T")

REST = 9
"""A poll is followed by a rest of so many times its length, where that is longer than the interval."""

CHUNK = 5000
"""Paths in one answer."""


def reason_to_poll(folder: FolderSpec) -> str:
    """Why events are no use for this folder; empty where they are."""
    if folder.section.polling == "always":
        return "as configured"
    if folder.section.polling == "never":
        return ""
    try:
        kind = blind(folder.path)
    except OSError:
        return ""
    return f"{kind} gives no events of other machines" if kind else ""


async def polled(
    folder: FolderSpec,
    poll_seconds: float,
    length: float = float("inf"),
    limiter: anyio.CapacityLimiter | None = None,
) -> AsyncGenerator[set[bytes]]:
    """What differs from one scan to the next; all that is there at first. Ends after `length` seconds."""
    end = time.monotonic() + length
    known: frozenset[int] = frozenset()
    while time.monotonic() < end:
        started = time.monotonic()
        known, different = await in_thread(_compare, folder, known, limiter=limiter)
        for paths in chunks(different):
            yield paths
        await anyio.sleep(max(poll_seconds, REST * (time.monotonic() - started)))


def _compare(
    folder: FolderSpec, known: frozenset[int], stop: threading.Event
) -> tuple[frozenset[int], set[bytes]]:
    """One poll. Only a number is kept of each group, so that a million of them fit."""
    seen, different = set(), set()
    for found in scan(folder, stop):
        if not isinstance(found, Sighting):
            continue
        state = hash((found.path, found.fingerprint, found.sidecars, found.marked, found.control))
        seen.add(state)
        if state not in known:
            different.add(found.path)
    return frozenset(seen), different


def chunks(paths: Iterable[bytes]) -> Iterator[set[bytes]]:
    """The paths in sets of `CHUNK` at most."""
    rest = iter(paths)
    while chunk := set(islice(rest, CHUNK)):
        yield chunk


async def in_thread(work: Callable[..., T], *args: object, limiter: anyio.CapacityLimiter | None = None) -> T:
    """Run blocking work that takes a stop flag last; cancelling sets the flag and does not wait for it."""
    stop = threading.Event()
    try:
        return await threads.run_sync(partial(work, *args, stop), limiter=limiter, abandon_on_cancel=True)
    finally:
        stop.set()
