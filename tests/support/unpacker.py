"""A process that enters an archive of three rasters in pieces of one, so that it can be killed between them.

Run it as `python -m tests.support.unpacker STATE_DIR`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import anyio

from tests.support.configured import a_folder
from uploader.core.model import Fingerprint, Sighting
from uploader.journal import Journal, archives

FOLDER = a_folder("p", include=("*.tif", "*.zip"))
MEMBERS = (b"a.tif", b"b.tif", b"c.tif")


def sighting(path: bytes) -> Sighting:
    """One look at a file without sidecars."""
    return Sighting("/d", path, Fingerprint(1, 1, 10, 5, 6))


async def enter(journal: Journal, file_id: int) -> None:
    """Unpack the archive that is this file."""
    found = [
        archives.UnpackedFile(sighting(b"o.zip/" + name), name.hex(), 10, b"s" * 32, 7) for name in MEMBERS
    ]
    await journal.archives.unpacked(file_id, sighting(b"o.zip"), found, FOLDER, "3 of 3")


async def main() -> None:
    """Claim the archive, and unpack it."""
    archives.PIECE = 1
    journal = Journal(Path(sys.argv[1]))
    (file_id,) = await journal.files.discovered([sighting(b"o.zip")])
    await journal.files.claimed(file_id, sighting(b"o.zip"), "zip", 10)
    await enter(journal, file_id)
    journal.close()


if __name__ == "__main__":
    anyio.run(main)
