"""The one door to threads: where the machine has none to give, whoever wants one waits until it has.

Limits of processes count threads too (`ulimit -u`, `pids.max`, TasksMax= of a unit). Python raises RuntimeError then,
which would otherwise end the daemon though nothing is wrong with any file.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import anyio
from anyio import to_thread

log = logging.getLogger(__name__)

T = TypeVar("T")

AGAIN = 1.0
"""Seconds between two tries to get a thread."""

RESOLVERS = 4
"""Threads of the event loop itself, which looks up host names in them."""

_waiting: dict[object, float] = {}


def short_since() -> float | None:
    """Since when somebody waits for a thread (unix seconds); None while nobody does."""
    return min(_waiting.values(), default=None)


async def run_sync(
    work: Callable[..., T],
    *args: object,
    limiter: anyio.CapacityLimiter | None = None,
    abandon_on_cancel: bool = False,
) -> T:
    """Run blocking work in a thread, as `anyio.to_thread.run_sync` does."""
    begun = False

    def tracked() -> T:
        nonlocal begun
        begun = True
        return work(*args)

    token = object()
    try:
        while True:
            try:
                return await to_thread.run_sync(tracked, limiter=limiter, abandon_on_cancel=abandon_on_cancel)
            except RuntimeError as error:
                if begun or not _is_shortage(error):
                    raise
                _note(token)
                await anyio.sleep(AGAIN)
    finally:
        _waiting.pop(token, None)


def allow(more: int) -> None:
    """Let so many more than before run at once in the running event loop."""
    to_thread.current_default_thread_limiter().total_tokens += more


def start(thread: threading.Thread) -> None:
    """Start a thread that is needed before anything else goes on; blocks while there is none to be had."""
    _insist(thread.start)


def reserve() -> None:
    """Have the threads in which the running event loop looks up host names, now and once and for all."""
    pool, gate = ThreadPoolExecutor(RESOLVERS, "resolver"), threading.Event()
    try:
        for _ in range(RESOLVERS):
            _insist(partial(pool.submit, gate.wait))  # all others wait at the gate, so each gets a new thread
    finally:
        gate.set()
    asyncio.get_running_loop().set_default_executor(pool)


def _insist(begin: Callable[[], object]) -> None:
    token = object()
    try:
        while True:
            try:
                begin()
            except RuntimeError as error:
                if not _is_shortage(error):
                    raise
                _note(token)
                time.sleep(AGAIN)
            else:
                return
    finally:
        _waiting.pop(token, None)


def _is_shortage(error: RuntimeError) -> bool:
    """Python has no class of its own for it."""
    return "can't start new thread" in str(error)


def _note(token: object) -> None:
    if not _waiting:
        log.warning(
            "the machine has no thread to give (ulimit -u, pids.max, TasksMax): tried again each second"
        )
    _waiting.setdefault(token, time.time())
