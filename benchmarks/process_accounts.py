"""What the kernel has counted of a process: its memory, and its processor time as a whole and by thread."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """MiB; 0 where it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def spent(pid: int) -> float:
    """Seconds of the process itself; 0 where it is gone."""
    return _seconds(Path(f"/proc/{pid}/stat"))


def by_thread(pid: int) -> list[float]:
    """Seconds of its first thread, then those of the others that there are now, the largest first."""
    first, tasks = f"{pid}", Path(f"/proc/{pid}/task")
    others = (_seconds(one / "stat") for one in tasks.iterdir() if one.name != first)
    return [_seconds(tasks / first / "stat"), *sorted(others, reverse=True)]


def _seconds(account: Path) -> float:
    with suppress(OSError):
        fields = account.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    return 0.0
