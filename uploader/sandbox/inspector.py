"""Keeps the child that opens rasters: starts it, asks it, replaces it when it hangs or dies."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, cast

_SCRIPT = Path(__file__).with_name("raster.py")
_TIMEOUT = 20.0
DRIVERS = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"\0\0\0\x0cjP  ": "JP2OpenJPEG",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
}
"""First bytes of a file, and the only driver that may open it."""
_ENVIRONMENT = {
    "PATH": os.defpath,
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": "64",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
}


class Inspector:
    """What a raster tells of itself, one at a time. Thread-safe; the child starts with the first question."""

    def __init__(self, timeout: float = _TIMEOUT) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def look(self, path: Path) -> dict[str, Any]:
        """The facts of the file, see `raster.look`; `{"error": …}` for what is no raster, or hangs or kills."""
        driver = driver_of(path)
        if not driver:
            return {"error": "not a raster that the sandbox reads"}
        with self._lock:
            child = self._living()
            try:
                return _ask(child, {"path": str(path), "driver": driver}, time.monotonic() + self._timeout)
            except (OSError, ValueError) as error:
                self._stop()
                return {"error": f"the reader gave up: {error}"}

    def expect(self, path: Path) -> None:
        """Start the child ahead of the first question, if this file will need it."""
        if driver_of(path):
            with self._lock:
                self._living()

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._stop()

    def _living(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._stop()
            self._child = _start()
        return self._child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()


def driver_of(path: Path) -> str:
    """The driver for a file by its first bytes; empty: none, and no child need see it."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return ""
    return next((driver for magic, driver in DRIVERS.items() if head.startswith(magic)), "")


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  our own script
        [sys.executable, "-I", str(_SCRIPT)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT,
    )


def _ask(child: subprocess.Popen[bytes], question: dict[str, str], deadline: float) -> dict[str, Any]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(question).encode() + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        left = max(0.0, deadline - time.monotonic())
        if not select.select([child.stdout], [], [], left)[0]:
            raise ValueError("it took too long")
        piece = child.stdout.read(1 << 16)
        if not piece:
            raise ValueError("it died")
        answer += piece
    return cast("dict[str, Any]", json.loads(answer))
