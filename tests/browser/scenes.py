"""States of a daemon that the page is looked at in: a real journal, filled as a day would fill it."""

from __future__ import annotations

import math
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.support.configured import a_folder
from tests.support.page import Acted
from uploader.core.model import FileState, Hold, HoldCause, Scope
from uploader.core.planning_pass import Wait
from uploader.report.dashboard import Preview

TARGETS = {"/srv/drop/survey": a_folder("project-7", "coast"), "/srv/drop/drone": a_folder("project-9")}
HOURS = 3600.0


def empty(root: Path) -> Acted:
    """Nothing was dropped yet."""
    return Acted(root, destinations=TARGETS)


def finished(root: Path) -> Acted:
    """Everything became an item."""
    acted = empty(root)
    for number in range(60):
        ago = 20 * HOURS * (1 - math.sin(number / 40)) + 120
        folder = "/srv/drop/survey" if number % 3 else "/srv/drop/drone"
        size = 40_000_000 + 900_000 * (number * 37 % 50)
        made = acted.add(
            f"2026-11/tile_{number // 10}_{number % 10}.tif",
            folder=folder,
            ago=ago,
            size=size,
            object_size=size // 2,
            file_name=f"tile_{number // 10}_{number % 10}-{number:012x}.tif",
            item=f"it_{number * 7919 % 999983:06d}",
        )
        x, y = 10.0 + 0.05 * (number % 10), 54.2 + 0.03 * (number // 10)
        ring = [[x, y], [x + 0.049, y + 0.002], [x + 0.048, y + 0.03], [x - 0.001, y + 0.028], [x, y]]
        acted.previews[made] = Preview([ring], picture=True)
    acted.picture = picture()
    return acted


def busy(root: Path) -> Acted:
    """All stages have work."""
    acted = finished(root)
    for state, number in (("settling", 3), ("queued", 14), ("converted", 6), ("batched", 4), ("stored", 2)):
        for count in range(number):
            acted.add(
                f"2026-11/new_{state}_{count}.tif", state, folder="/srv/drop/survey", size=61_000_000, ago=90
            )
    acted.running = [
        running("claim", "/srv/drop/survey/2026-11/new_settling_0.tif", 0.9),
        running("convert", "/srv/drop/survey/2026-11/new_queued_0.tif", 0.62),
        running("convert", "/srv/drop/survey/2026-11/new_queued_1.tif", 0.17),
        running("put", "/srv/drop/survey/2026-11/new_batched_0.tif", 0.48),
        running("put", "/srv/drop/survey/2026-11/new_batched_1.tif", 0.05),
        running("call", "complete 118", 0.0, 0),
    ]
    acted.waits = [Wait(FileState.CONVERTED, "more files for the session", 6, time.time() + 200)]
    return acted


def held(root: Path) -> Acted:
    """The platform is away, and a person has paused a folder."""
    acted = busy(root)
    now = time.time()
    acted.running = acted.running[:2]
    acted.holds = [
        Hold(
            Scope.PLATFORM,
            "",
            "The platform cannot be reached: no route to host.",
            "Look at the network of this machine; it goes on by itself.",
            now - 700,
            now + 42,
            cause=HoldCause.PLATFORM_UNREACHABLE,
        ),
        Hold(
            Scope.FOLDER,
            "/srv/drop/drone",
            "A person has paused it.",
            "`uploader resume` ends it.",
            now - 4000,
            now + 7200,
            cause=HoldCause.PAUSED,
        ),
    ]
    return acted


def failing(root: Path) -> Acted:
    """Files were rejected for some reasons."""
    acted = finished(root)
    for number in range(7):
        acted.add(
            f"2026-11/broken_{number}.tif",
            "rejected",
            folder="/srv/drop/survey",
            reason="The raster ends too early: 3 of its 40 strips lie behind its end. Send it again.",
            attempts=2,
            ago=300 + number,
        )
    acted.add(
        "flight 12/ortho <final>.tif",
        "rejected",
        folder="/srv/drop/drone",
        reason="The raster has no reference system, and [[folders]] on_missing_crs rejects those. Set crs.",
    )
    return acted


SCENES: dict[str, Callable[[Path], Acted]] = {
    "empty": empty,
    "busy": busy,
    "held": held,
    "failing": failing,
    "finished": finished,
}


def running(kind: str, subject: str, share: float, total: int = 61_000_000) -> dict[str, object]:
    """Something under way."""
    return {
        "kind": kind,
        "subject": subject,
        "total": total,
        "done": int(share * total),
        "since": time.time(),
    }


def picture(size: int = 64) -> bytes:
    """A PNG of land, water and a coast between them."""
    lines = b"".join(b"\0" + b"".join(_colour(x / size, y / size) for x in range(size)) for y in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _colour(x: float, y: float) -> bytes:
    height = y - 0.45 - 0.12 * math.sin(7 * x) + 0.05 * math.sin(31 * x + 9 * y)
    grain = int(14 * math.sin(90 * x) * math.sin(70 * y))
    red, green, blue = (40, 96, 128) if height < 0 else (96 + int(60 * height), 122, 70)
    return bytes(max(0, min(255, part + grain)) for part in (red, green, blue))
