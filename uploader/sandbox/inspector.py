"""Asks the child that opens rasters what each of them tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from uploader.sandbox.children import Child, GaveUp

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


class Inspector(Child):
    """What a raster tells of itself, one at a time."""

    def __init__(self, timeout: float = _TIMEOUT) -> None:
        super().__init__(_SCRIPT, timeout)

    def look(self, path: Path) -> dict[str, Any]:
        """The facts of the file, see `raster.look`; `{"error": …}` for what is no raster, or hangs or kills."""
        driver = driver_of(path)
        if not driver:
            return {"error": "not a raster that the sandbox reads"}
        try:
            return self.ask({"path": str(path), "driver": driver})
        except GaveUp as error:
            return {"error": f"the reader gave up: {error}"}

    def expect(self, path: Path) -> None:
        """Start the child ahead of the first question, if this file will need it."""
        if driver_of(path):
            self.start()


def driver_of(path: Path) -> str:
    """The driver for a file by its first bytes; empty: none, and no child need see it."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return ""
    return next((driver for magic, driver in DRIVERS.items() if head.startswith(magic)), "")
