"""Private copies of which a repaired journal knows nothing, or something else: they are put aside, not removed.

A source may be gone from its folder once it was claimed, and then its copy is all there is.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from uploader.core.model import Sighting
from uploader.staging import CLAIM, Staging
from uploader.system.files import sync_directory

ASIDE = "aside"
"""The folder below staging that such copies are moved to."""


def put_aside(staging: Staging, root: Path, known: Mapping[int, tuple[Sighting, str] | None]) -> Path | None:
    """Move claims of files that are not known, or of other content; returns where such lie, None where there are none.

    `known` has the group and its content hash of each file whose copies are still to be used. Safe to repeat.
    """
    aside = root / ASIDE
    for home in [path for path in root.iterdir() if path.suffix == CLAIM and path.stem.isdecimal()]:
        if not _right(staging, int(home.stem), known):
            aside.mkdir(mode=0o700, exist_ok=True)
            home.rename(_free(aside, home.stem))
    if not aside.is_dir():
        return None
    sync_directory(str(aside))
    sync_directory(str(root))
    return aside


def _right(staging: Staging, file_id: int, known: Mapping[int, tuple[Sighting, str] | None]) -> bool:
    if file_id not in known:
        return False
    claim = known[file_id]
    if claim is None:
        return True
    sighting, content = claim
    return staging.content(file_id, sighting, threading.Event()) in {content, None}


def _free(folder: Path, name: str) -> Path:
    number = 1
    while (path := folder / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return path
