"""Where the page's footprints and thumbnails come from: the journal, and the pictures in the state directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from uploader import thumbnails
from uploader.core.footprint_shapes import outlines
from uploader.journal.receipt_rows import contents, footprints
from uploader.journal.sqlite_library import Database
from uploader.report.dashboard.sources import Preview, Previews


def kept_previews(state_dir: Path) -> Previews:
    """Those of the daemon with this state directory."""
    return Previews(of=partial(_previews, state_dir), picture=partial(thumbnail, state_dir))


def thumbnail(state_dir: Path, db: Database, file_id: int) -> bytes | None:
    """A PNG of at most 256 pixels a side; None where there is none, or it had to make room for later ones."""
    content = contents(db, [file_id]).get(file_id)
    return None if content is None else thumbnails.read(state_dir, file_id, content)


def _previews(state_dir: Path, db: Database, file_ids: Iterable[int]) -> Mapping[int, Preview]:
    wanted = [*file_ids]
    known, rings = contents(db, wanted), footprints(db, wanted)
    pictures = {number for number, content in known.items() if thumbnails.exists(state_dir, number, content)}
    return {
        number: Preview(outlines(rings[number]) if number in rings else (), picture=number in pictures)
        for number in rings.keys() | pictures
    }
