"""Keeps one child process that answers questions: starts it, asks it, replaces it when it hangs or dies."""

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

ENVIRONMENT = {
    "PATH": os.defpath,
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": "64",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "OMP_NUM_THREADS": "1",
    "NUMEXPR_MAX_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""All that a child gets: nothing leads it to other files or to a network, and one thread is enough."""

_START = 300.0
"""Seconds that a child may take to say hello, on a machine that is busy."""
_STARVED = 10
"""How many times its patience a child may have that waits for a processor: that is not the fault of a raster."""
_SLICE = 0.1
_UTIME, _STIME = 11, 12
"""Where the times stand in /proc/PID/stat, counted from the state."""


class GaveUp(Exception):
    """The child took too long, died, or did not answer in JSON; it is replaced at the next question."""


class Child:
    """A script that reads one JSON object a line and answers with one. Thread-safe; one question at a time.

    It starts with the first question, so that a server that never asks never pays. `hello` is asked first of
    each new child, with its own patience: what it takes to start is not the fault of a raster.
    """

    def __init__(self, script: Path, timeout: float, hello: dict[str, Any] | None = None) -> None:
        self._script = script
        self._timeout = timeout
        self._hello = hello
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question.

        Raises:
            GaveUp: as its text tells.

        """
        with self._lock:
            try:
                return _ask(self._living(), question, self._timeout)
            except (OSError, ValueError) as error:
                self._stop()
                raise GaveUp(str(error)) from error

    def start(self) -> None:
        """Start the child ahead of the first question."""
        with self._lock:
            self._living()

    def close(self) -> None:
        """End the child for good, also in the middle of a question."""
        self._closed = True
        child = self._child
        if child is not None:
            child.kill()
        with self._lock:
            self._stop()

    def _living(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise ValueError("it was told to end")
        if self._child is None or self._child.poll() is not None:
            self._stop()
            self._child = _start(self._script)
            if self._closed:  # in the meantime: nobody else would end it
                raise ValueError("it was told to end")
            if self._hello is not None:
                _ask(self._child, self._hello, _START)
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


def _start(script: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  our own script
        [sys.executable, "-I", str(script)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )


def _ask(child: subprocess.Popen[bytes], question: dict[str, Any], timeout: float) -> dict[str, Any]:
    assert child.stdin is not None
    assert child.stdout is not None
    begin, spent = time.monotonic(), _processor(child.pid)[1]
    child.stdin.write(json.dumps(question).encode() + b"\n")
    answer = bytearray()
    while not answer.endswith(b"\n"):
        passed = time.monotonic() - begin
        if not select.select([child.stdout], [], [], max(_SLICE, timeout - passed))[0]:
            _check_patience(child.pid, time.monotonic() - begin, spent, timeout)
            continue
        piece = child.stdout.read(1 << 16)
        if not piece:
            raise ValueError("it died")
        answer += piece
    return cast("dict[str, Any]", json.loads(answer))


def _check_patience(pid: int, passed: float, spent: float, timeout: float) -> None:
    """Give up on a child that waits for something, or had its time on a processor; not on one that gets none."""
    runs, now = _processor(pid)
    if not runs or now - spent >= timeout or passed >= timeout * _STARVED:
        raise ValueError("it took too long")


def _processor(pid: int) -> tuple[bool, float]:
    """Whether a process runs or could run, and the seconds it had; where nobody can tell, that it does not run."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return False, 0.0
    ticks = int(fields[_UTIME]) + int(fields[_STIME])
    return fields[0] in {"R", "D"}, ticks / os.sysconf("SC_CLK_TCK")
