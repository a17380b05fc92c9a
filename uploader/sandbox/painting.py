"""The children that render, measure and cut rasters, as the server sees them: bounded in number, time and patience."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

import anyio

from uploader.sandbox.children import Child, GaveUp
from uploader.sandbox.inspector import driver_of

_SCRIPT = Path(__file__).with_name("painter")
_WAITING = 4
"""Calls that may wait for a child at once; further ones wait without a thread."""


class Unpaintable(Exception):
    """The raster, or what was asked of it, cannot be painted; the text says why."""


class Outside(Exception):
    """The tile lies where the raster is not."""


class Painters:
    """A few children, each started when it is needed. Thread-safe.

    A raster over which a child hung or died is not given to another one.
    """

    def __init__(self, size: int, timeout: float) -> None:
        self._timeout = timeout
        self._children = [Child(_SCRIPT, timeout, {"do": "hello"}) for _ in range(size)]
        self._free: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in reversed(self._children):
            self._free.put(child)
        self._lock = threading.Lock()
        self._hostile: dict[str, str] = {}
        self.limiter = anyio.CapacityLimiter(_WAITING)
        """For the threads of the calls that paint, so that tiles never take all threads of the server."""

    def paint(self, path: Path, do: str, **given: Any) -> dict[str, Any]:
        """The answer to one task of `painter.__main__.TASKS`.

        Raises:
            Unpaintable: no raster, a raster that does not allow it, or one that keeps a child too long.
            Outside: the tile and the raster have nothing in common.

        """
        driver = driver_of(path)
        if not driver:
            raise Unpaintable("not a raster that the sandbox reads")
        with self._lock:
            before = self._hostile.get(str(path))
        if before:
            raise Unpaintable(before)
        found = self._asked(path, {"do": do, "path": str(path), "driver": driver, **given})
        if found.get("outside"):
            raise Outside
        if "error" in found:
            raise Unpaintable(found["error"])
        return found

    def close(self) -> None:
        """End the children, also in the middle of a task."""
        for child in self._children:
            child.close()

    def _asked(self, path: Path, question: dict[str, Any]) -> dict[str, Any]:
        try:
            child = self._free.get(timeout=self._timeout)
        except queue.Empty as error:
            raise Unpaintable("all painters are busy; try again") from error
        try:
            return child.ask(question)
        except GaveUp as error:
            with self._lock:
                self._hostile[str(path)] = f"the painter gave up: {error}"
            raise Unpaintable(f"the painter gave up: {error}") from error
        finally:
            self._free.put(child)
