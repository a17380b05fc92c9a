"""What is sent as it is was hashed while it was claimed: it is not read again before its PUT, which compares it."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import google_crc32c
import pytest

from tests.journal.test_journal import planned
from tests.support.configured import a_folder, settings_with
from tests.support.groups import seen
from tests.support.tools import few
from uploader.activity import Activity
from uploader.convert import Report
from uploader.core.damaged_copies import DamagedCopies
from uploader.core.model import FileState
from uploader.core.staging_refusals import StagingRefusals
from uploader.core.transitions.fates import Fates
from uploader.core.upload_advice import Asker
from uploader.effects.claims import claim
from uploader.effects.conversion import convert
from uploader.journal import FileRow, Journal
from uploader.journal.queries import file_row
from uploader.staging import Staging

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

DATA = bytes(range(256)) * 40


class Way:
    """One file on its way, with a real journal and real copies."""

    def __init__(self, root: Path, name: str) -> None:
        self.drop, self.journal, self.staging = root / "drop", Journal(root), Staging(root / "staging")
        self.drop.mkdir()
        (self.drop / name).write_bytes(DATA)
        self.sighting = seen(self.drop, name, include=["*"])
        intake = SimpleNamespace(
            settled_sighting=lambda _: self.sighting, claimed=_nothing, unsettled=_nothing
        )
        self.tools = few(
            journal=self.journal,
            staging=self.staging,
            intake=intake,
            activity=Activity(),
            settings=settings_with(),
            destinations={str(self.drop): a_folder("p-1", passthrough=["*.dat"])},
            converter=self,
            staging_refusals=StagingRefusals(),
            damaged_copies=DamagedCopies(),
            stop=threading.Event(),
            machine_held=False,
            asker=Asker.FOLDER,
            random=random.Random(1),
        )

    async def begin(self) -> None:
        """Claim it."""
        (self.id,) = await self.journal.files.discovered([self.sighting])
        await claim(self.tools, self.id)

    async def make(self) -> None:
        """Convert it, where it is not ready with its claim."""
        if (await self.row()).state is FileState.QUEUED:
            await convert(self.tools, self.id)

    async def row(self) -> FileRow:
        """As the journal has it."""
        return await self.journal.read(lambda db: file_row(db, self.id))

    def damage(self) -> None:
        """The disk gives other bytes than were written."""
        with self.staging.source(self.id, self.sighting.path).open("r+b") as copy:
            copy.write(b"\xff")

    async def found_damaged(self) -> None:
        """Its PUT finds other bytes than were recorded."""
        session_id = await planned(self.journal, self.id)
        await self.journal.sessions.abandoned(session_id, "damaged", Fates(damaged={self.id: 0.0}))

    async def convert(self, job: Any, *_: object) -> Report:
        """The raster is a good COG."""
        job.target.unlink(missing_ok=True)
        job.target.hardlink_to(job.source)
        return Report("passthrough", categorical=False)


def _nothing(*_: object) -> None:
    return None


@pytest.fixture(params=["a.tif", "a.dat"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    """A COG that needs no conversion, and a file that its folder lists to be passed on."""
    made = Way(tmp_path, request.param)
    yield made
    made.journal.close()


async def test_what_is_sent_as_it_is_is_not_read_again(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hashes are those of its claim."""
    monkeypatch.delattr(Staging, "measure")
    await way.begin()
    await way.make()

    row = await way.row()
    assert row.state is FileState.CONVERTED
    assert (row.object_size, row.object_crc32c) == (len(DATA), google_crc32c.value(DATA))
    assert row.object_sha256 == hashlib.sha256(DATA).digest()


async def test_what_its_folder_passes_on_is_ready_with_its_claim(tmp_path: Path) -> None:
    """Both are one commit: a queue, a turn and a thread are saved for each of many small files."""
    way = Way(tmp_path, "a.dat")
    await way.begin()

    row = await way.row()
    assert row.state is FileState.CONVERTED
    events = await way.journal.read(
        lambda db: [event for (event,) in db.execute("SELECT event FROM events ORDER BY id")]
    )
    assert events == ["discovered", "claimed", "converted"]
    assert way.staging.result(way.id).samefile(way.staging.source(way.id, way.sighting.path))
    way.journal.close()


async def test_where_no_second_name_can_be_had_it_is_queued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conversion copies it then, or says why it cannot."""
    way = Way(tmp_path, "a.dat")
    monkeypatch.setattr(Path, "hardlink_to", _refused)
    await way.begin()

    assert (await way.row()).state is FileState.QUEUED
    await way.make()
    assert (await way.row()).state is FileState.CONVERTED
    way.journal.close()


def _refused(*_: object) -> None:
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


async def test_a_copy_damaged_since_its_claim_is_recorded_as_it_was_claimed(way: Way) -> None:
    """So that its PUT, which compares, makes no object of it."""
    await way.begin()
    way.damage()
    await way.make()

    assert (await way.row()).object_crc32c == google_crc32c.value(DATA)


async def test_a_copy_that_its_put_found_damaged_is_made_anew(way: Way) -> None:
    """The object was the copy itself: handed over once more it would become an object, as it is now."""
    await way.begin()
    await way.make()
    way.damage()
    await way.found_damaged()
    assert (await way.row()).state is FileState.QUEUED
    await way.make()

    assert (await way.row()).state is FileState.SETTLING


async def test_a_damaged_object_of_a_whole_copy_is_measured_when_it_is_made_again(way: Way) -> None:
    """What the row has by then are hashes of the former object."""
    await way.begin()
    await way.make()
    await way.found_damaged()
    await way.make()

    row = await way.row()
    assert (row.state, row.object_crc32c) == (FileState.CONVERTED, google_crc32c.value(DATA))
