"""Files that the daemon itself has archived and that show in the drop folder: they are never taken in again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from uploader.core.log_subject import About
from uploader.core.model import Sighting
from uploader.core.path_text import shown
from uploader.system import files as fs

log = logging.getLogger(__name__)

Archived = tuple[Sighting, bytes]
"""A file that seems to have been archived, and where in the archive."""


class ArchivedFiles:
    """Those of one folder, each told once as long as it shows."""

    def __init__(self, folder: str) -> None:
        self.paths: set[bytes] = set()
        """Where the folder shows them, since the last scan began."""
        self._told: set[bytes] = set()
        self._folder = folder

    def begin(self) -> None:
        """A scan begins."""
        self._told, self.paths = self.paths, set()

    def left_alone(self, archived: Sequence[Archived], back: Collection[Sighting]) -> None:
        """The archive still has all of these but those that were brought back."""
        for sighting, path in archived:
            if sighting in back:
                continue
            self.paths.add(sighting.path)
            if sighting.path not in self._told:
                lies = About(folder=self._folder, file=sighting.path, code="archived_again")
                log.warning("%s is the archived %s, and is left", lies, shown(path))
        self._told |= self.paths


def brought_back(archived: Sequence[Archived]) -> list[Sighting]:
    """Those of which the archive no longer has the file: somebody has brought them back. Blocking."""
    return [
        sighting
        for sighting, path in archived
        if fs.identity(path) != f"{sighting.fingerprint.device}:{sighting.fingerprint.inode}"
    ]
