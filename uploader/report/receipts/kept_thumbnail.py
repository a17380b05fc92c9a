"""The one place that gives the picture of a file by its id."""

from __future__ import annotations

from pathlib import Path

from uploader import thumbnails
from uploader.journal.receipt_rows import contents
from uploader.journal.sqlite_library import Database


def thumbnail(db: Database, state_dir: Path, file_id: int) -> bytes | None:
    """A PNG of at most 256 pixels a side; None where there is none, or it had to make room for later ones."""
    content = contents(db, [file_id]).get(file_id)
    return None if content is None else thumbnails.read(state_dir, file_id, content)
