"""What the kernel tells of the thread that asks: its rights, its masks."""

from __future__ import annotations

from pathlib import Path


def own_status(key: str) -> str:
    """The first word of one line of the thread's status; "0" where it cannot be read."""
    try:
        lines = Path("/proc/thread-self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return "0"
    return next((line.split()[1] for line in lines if line.startswith(key + ":")), "0")
