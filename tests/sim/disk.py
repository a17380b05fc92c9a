"""A model of this machine's disk: the drop folder, staging, and the converter, failing by a seeded draw."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from uploader.convert import Job, Report
from uploader.core import errors as err
from uploader.core.model import Fingerprint, Sighting
from uploader.disposal import Disposed
from uploader.staging import Checksums

FOLDER = "/drop"
OBJECT = 100
"""Bytes of every converted object."""

ROOM = 1 << 50
"""Free bytes while the disk is not full."""


@dataclass(slots=True)
class Source:
    """A file in the drop folder: what it holds, and since when it has been quiet. `b…` is no raster at all."""

    content: str
    since: float
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Place:
    """Stands for a path in staging."""

    id: int
    there: bool

    @property
    def fd(self) -> int:
        """What a descriptor of it is."""
        return self.id

    def exists(self) -> bool:
        """Whether there is a copy."""
        return self.there


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim brings."""

    content: str
    size: int
    raster: Checksums


_MEASURED = Checksums(OBJECT, crc32c=1, sha256=b"s" * 32)
_REPORT = Report("cog_driver", categorical=False)


@dataclass
class Disk:
    """Sources by path, private copies by file id. `touched` are the paths that the daemon has to look at again."""

    rng: random.Random
    faults: float
    sources: dict[bytes, Source] = field(default_factory=dict)
    touched: dict[bytes, None] = field(default_factory=dict)
    claimed: dict[int, str] = field(default_factory=dict)
    results: dict[int, str] = field(default_factory=dict)
    mounted: bool = True
    full: bool = False
    inodes: int = 0
    wrong: list[str] = field(default_factory=list)

    def write(self, path: bytes, content: str, now: float) -> Sighting:
        """A person drops a file, or another one in its place."""
        self.inodes += 1
        i = self.inodes
        seen = Sighting(FOLDER, path, Fingerprint(1, i, len(content), i, i))
        self.sources[path] = Source(content, now, seen)
        self.touched[path] = None
        return seen

    def remove(self, path: bytes) -> None:
        """A person takes a file away."""
        self.sources.pop(path, None)
        self.touched[path] = None

    @property
    def free(self) -> int:
        """What the planner is told."""
        return 0 if self.full else ROOM

    # -- staging ---------------------------------------------------------------------------------------------

    def claim(self, file_id: int, folder: str, sighting: Sighting, stop: object) -> Claim:
        """Copy the source if it still is the one that was seen."""
        if not self.mounted:
            raise err.SourceUnreadable("its folder is gone")
        source = self.sources.get(sighting.path)
        if source is None or source.sighting != sighting:
            raise err.SourceChanged("it changed")
        self._room()
        self.claimed[file_id] = source.content
        size = len(source.content)
        return Claim(self.content(file_id, sighting, stop), size, Checksums(OBJECT, 2, b"c" * 32))

    def linked(self, file_id: int, path: bytes) -> bool:
        """The claim is the object; what is no raster, and now and then a good one, goes the long way."""
        content = self.claimed[file_id]
        if content.startswith("b") or (self.faults and self.rng.random() < self.faults):
            return False
        self.results[file_id] = content
        return True

    def content(self, file_id: int, sighting: Sighting, stop: object) -> str:
        """Of the copy."""
        return (self.claimed[file_id] * 12)[:12]

    def source(self, file_id: int, path: bytes) -> Any:
        """The copy's place."""
        return Place(file_id, file_id in self.claimed)

    def result(self, file_id: int) -> Any:
        """The object's place."""
        return Place(file_id, file_id in self.results)

    def size(self, place: Place) -> int:
        """In bytes, of the object."""
        return OBJECT

    def measure(self, place: Place, stop: object) -> Checksums:
        """Size and hashes of the object."""
        return _MEASURED

    def opened(self, place: Place, size: int) -> AbstractContextManager[Any]:
        """A draw damages the copy now and then."""
        if place.id not in self.results or (self.faults and self.rng.random() < self.faults / 5):
            self.results.pop(place.id, None)
            raise err.StagedDamaged("damaged")
        return nullcontext(place)

    def discard(self, file_id: int) -> None:
        """Both copies go."""
        self.claimed.pop(file_id, None)
        self.results.pop(file_id, None)

    def sweep(self, known: set[int]) -> None:
        """What no row refers to is removed at a start."""
        for file_id in (self.claimed.keys() | self.results.keys()) - known:
            self.discard(file_id)

    # -- the converter ---------------------------------------------------------------------------------------

    async def convert(self, job: Job, alive: object = None, part: object = None) -> Report:
        """Make the object; a draw kills the child or fills the disk."""
        self.hand_over(job.source, job.target)  # type: ignore[arg-type]
        return _REPORT

    def hand_over(self, source: Place, target: Place) -> None:
        """The same for what is sent as it is."""
        content = self.claimed[target.id]
        if content.startswith("b"):
            raise err.RasterRefused("not a raster")
        self._room()
        if self.faults and self.rng.random() < self.faults / 20:
            raise err.RasterUnreadable("it ends early") if self.rng.random() < 0.5 else err.NoSpace("full")
        self.results[target.id] = content

    def _room(self) -> None:
        if self.full:
            raise err.NoSpace("the disk is full")

    # -- disposal --------------------------------------------------------------------------------------------

    def dispose(self, policy: str, sighting: Sighting, archive: object, stop: object) -> Disposed:
        """Delete the source if it still is the one that was uploaded."""
        if not self.mounted:
            raise OSError("its folder is gone")
        path = sighting.path
        self.touched[path] = None
        source = self.sources.get(path)
        if source is None:
            return Disposed("missing")
        if source.sighting != sighting:
            return Disposed("replaced")
        del self.sources[path]
        return Disposed("deleted")
