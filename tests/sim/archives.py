"""Histories of archives: files that become others, beside loose ones, with all that can go wrong.

They run on the real journal, which alone knows members. The judgement asks the platform: each member of what was
dropped is there once, however often its archive was unpacked.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uploader.effects.unpacking as unpacking_effects
from tests.sim.disk import FOLDER, OBJECT, ROOM, Claim, Disk, Place
from tests.sim.expectations import DONE, LOOKS, name_of
from tests.sim.history import CURRENT, LOOKED, PATH, STATE, History
from tests.sim.standins import drive
from tests.sim.world import START
from tests.support.configured import a_folder
from uploader.convert import ArchiveJob
from uploader.core import errors as err
from uploader.core.archives import ArchiveEntry
from uploader.core.model import FileState, Sighting
from uploader.journal import archives as archive_commits
from uploader.staging import Checksums

MEMBERS = (b"0.tif", b"in/1.tif", b"in/2.tif", b"3.tif")
OVER = DONE | {FileState.DUPLICATE, FileState.GONE}
"""States of members for which the source of their archive does not stay."""

LOST = 0.4
"""Share of the starts before which somebody has removed what was unpacked."""

Held = dict[bytes, str]
"""What an archive holds: contents by the names in it."""


@dataclass(frozen=True, slots=True)
class Copy:
    """The place of a private copy, which may come to be there."""

    id: int
    claimed: dict[int, str]

    def exists(self) -> bool:
        """Whether there is a copy."""
        return self.id in self.claimed


@dataclass
class ArchiveDisk(Disk):
    """The disk, the opener, and what was unpacked: by archive, then by path and content hash."""

    held: dict[str, Held] = field(default_factory=dict)
    """By what is written of an archive."""
    begun: dict[int, dict[int, str]] = field(default_factory=dict)
    out: dict[int, dict[tuple[bytes, str], str]] = field(default_factory=dict)

    def source(self, file_id: int, path: bytes) -> Any:
        """The copy's place."""
        return Copy(file_id, self.claimed)

    def content(self, file_id: int, sighting: Sighting, stop: object) -> Any:
        """Of the copy; None where there is none."""
        return super().content(file_id, sighting, stop) if file_id in self.claimed else None

    async def list_archive(self, job: ArchiveJob) -> list[ArchiveEntry]:
        """What is in it; a draw finds it damaged."""
        held = self._opened(job)
        return [
            ArchiveEntry(number, name.decode(), len(content)) for number, (name, content) in enumerate(held)
        ]

    async def unpack(self, job: ArchiveJob, alive: object) -> None:
        """Write what is wanted."""
        held = self._opened(job)
        self._room()
        places = {number: int(place.partition("/")[0]) for number, (place,) in job.wanted.items()}
        self.begun[job.target.id] = {place: held[number][1] for number, place in places.items()}  # type: ignore[union-attr]

    def _opened(self, job: ArchiveJob) -> list[tuple[bytes, str]]:
        content = self.claimed[job.source.id]  # type: ignore[attr-defined]
        if content not in self.held:
            raise err.RasterRefused("no archive")
        if self.faults and self.rng.random() < self.faults / 10:
            raise err.RasterUnreadable("it ends early") if self.rng.random() < 0.5 else err.NoSpace("full")
        return list(self.held[content].items())

    def begin_unpacking(self, archive_id: int) -> Place:
        """An empty folder."""
        self._room()
        self.begun[archive_id] = {}
        return Place(archive_id, there=True)

    def unpacked(self, archive_id: int, sightings: list[Sighting], stop: object) -> list[Claim]:
        """Hash what was written, and keep it."""
        kept, copies = self.out.setdefault(archive_id, {}), []
        for place, sighting in enumerate(sightings):
            content = self.begun[archive_id][place]
            hashed = (content * 12)[:12]
            kept[sighting.path, hashed] = content
            copies.append(Claim(hashed, len(content), Checksums(OBJECT, 2, b"c" * 32)))
        del self.begun[archive_id]
        return copies

    def adopt(self, archive_id: int, file_id: int, path: bytes, content: str) -> None:
        """A file has its own copy from now on."""
        kept = self.out.get(archive_id, {})
        if file_id not in self.claimed and (path, content) in kept:
            self.claimed[file_id] = kept.pop((path, content))

    def discard(self, file_id: int) -> None:
        """All copies go."""
        super().discard(file_id)
        self.out.pop(file_id, None)
        self.begun.pop(file_id, None)

    def sweep(self, known: set[int]) -> None:
        """What no row refers to is removed at a start; now and then somebody has removed more."""
        super().sweep(known)
        self.begun.clear()
        for archive_id in self.out.keys() - known:
            del self.out[archive_id]
        if self.faults and self.rng.random() < LOST:
            self.out.clear()


class ArchiveHistory(History):
    """A folder in which archives are opened."""

    disk_model = ArchiveDisk
    disk: ArchiveDisk

    def __init__(self, seed: int) -> None:
        self.more = random.Random(seed ^ 0xA2C)
        self.piece = self.more.choice([1, 2, 4000])
        super().__init__(seed, memory=False)

    # -- what happens ----------------------------------------------------------------------------------------

    def _script(self) -> None:
        super()._script()
        draw = self.more
        self.destination = a_folder(
            "p",
            include=("*.tif", "*.zip"),
            path=FOLDER,
            after_upload=self.destination.after_upload,
            duplicates=self.destination.duplicates,
            passthrough=self.destination.passthrough,
        )
        first = self._made()
        at = START + draw.random() * 40
        self.later(at, partial(self._write, b"o.zip", first))
        if draw.random() < 0.3:  # the same under another name, or no archive at all
            other = first if draw.random() < 0.7 else "b"
            self.later(at + draw.random() * 60, partial(self._write, b"p.zip", other))
        what = draw.random()
        if what < 0.3:
            self.later(
                at + draw.random() * 120, partial(self._write, b"o.zip", self._made(self.disk.held[first]))
            )
        elif what < 0.5:
            self.later(at + draw.random() * 120, partial(self.disk.remove, b"o.zip"))

    def _made(self, earlier: Held | None = None) -> str:
        """An archive; one that follows an earlier one has some of its members as they were."""
        draw = self.more
        held: Held = {}
        for name in draw.sample(MEMBERS, draw.randint(1, len(MEMBERS))):
            kind = draw.random()
            held[name] = (
                "b" if kind < 0.1 else f"x{draw.randint(0, 3)}" if kind < 0.16 else f"c{draw.randint(0, 5)}"
            )
            if earlier and name in earlier and draw.random() < 0.6:
                held[name] = earlier[name]
        written = f"a{len(self.disk.held)}"
        self.disk.held[written] = held
        return written

    def _write(self, path: bytes, content: str) -> None:
        """What an archive holds that lies there already is no new version of it."""
        there = self.disk.sources.get(path)
        before = self.disk.held.get(there.content, {}) if there else {}
        super()._write(path, content)
        for name, of_member in self.disk.held.get(content, {}).items():
            self.written[_object(name, of_member)] += before.get(name) != of_member

    def _forget(self) -> None:
        """A person gives up some of what does not lie in the folder, in an archive there neither."""
        draw = random.Random(self.seed + int(self.now))
        rows = [(row[0], bytes(row[PATH]).partition(b"/")[0]) for row in self.journal.table()]
        lost = [file_id for file_id, path in rows if path not in self.disk.sources and draw.random() < 0.7]
        found = drive(self.journal.forgetting.forget(lost))
        for file_id in found.files:
            self.intake.claimed(file_id)

    # -- the judgement ---------------------------------------------------------------------------------------

    def keeps(self, archive_id: int) -> str:
        """Its source stays while anything in it may still become an item."""
        waiting = [
            bytes(row[PATH])
            for row in self.journal.table()
            if self.journal.file(row[0]).archive_id == archive_id and row[STATE] not in OVER
        ]
        return f"these are not items yet: {waiting}" if waiting else ""

    def _seen(self, file_id: int) -> str:
        row = self.journal.file(file_id)
        seen = super()._seen(file_id)
        return seen if row.archive_id is None else self.disk.held[seen][row.path.partition(b"/")[2]]

    def _judge_rejections(self, rows: list[tuple[Any, ...]]) -> None:
        """A member that cannot be read is not looked at again, for its archive was whole; an archive is."""
        super()._judge_rejections([row for row in rows if self.journal.file(row[0]).archive_id is None])
        for row in rows:
            refused = row[STATE] == FileState.REJECTED and self._seen(row[0]) in self.disk.held
            if refused and row[LOOKED] < LOOKS:
                self.wrong.append(f"{bytes(row[PATH])!r} was rejected too soon: {row}")

    def _judge(self) -> None:
        super()._judge()
        assets = [asset for item in self.platform.items.values() for asset in item["assets"].items()]
        objects = Counter([(name, asset["content"]) for name, asset in assets])
        contents = {content for _, content in objects}
        for path, source in self.disk.sources.items():
            for name, content in self.disk.held.get(source.content, {}).items():
                there = objects[_object(name, content), content] if self.distinct else content in contents
                if content[0] == "c" and not there:
                    self.wrong.append(
                        f"{name!r} ({content}) of {path!r} never became an item: {self.states()}"
                    )
        for row in self.journal.table():
            if (
                row[STATE] == FileState.REJECTED
                and row[CURRENT] == 1
                and self._seen(row[0]) in self.disk.held
            ):
                self.wrong.append(f"the good archive {bytes(row[PATH])!r} was rejected: {row}")

    @contextmanager
    def doors(self) -> Any:
        """The room of the disk, and how many members are entered at once, are the history's, too."""
        with ExitStack() as stack:
            stack.enter_context(super().doors())
            for module, name, value in (
                (unpacking_effects, "_room", lambda _: 0 if self.disk.full else ROOM),
                (archive_commits, "PIECE", self.piece),
            ):
                stack.callback(setattr, module, name, getattr(module, name))
                setattr(module, name, value)
            yield self


def _object(name: bytes, content: str) -> str:
    """What a member is called on the platform."""
    return name_of(name.rpartition(b"/")[2], content)


def simulate(seed: int, *, memory: bool = False) -> tuple[int, str, list[str]]:
    """Run one history: (turns, hash, all that is wrong). `memory` is nothing to it."""
    history = ArchiveHistory(seed)
    history.run()
    return history.turns, history.journal.digest(), history.wrong
