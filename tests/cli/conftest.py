"""What the tests of the commands share."""

from __future__ import annotations

import logging

import anyio
import pytest

from uploader.cli.common import OUTCOMES
from uploader.core.model import Fingerprint, Sighting
from uploader.journal import Journal


@pytest.fixture(autouse=True)
def logs_as_they_were():
    """Undo what a command that runs within this process does to the log: others want to hear it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    for room in OUTCOMES:
        logging.getLogger(room).setLevel(logging.NOTSET)


@pytest.fixture
def setup(tmp_path):
    """A configuration and a journal with one queued and two rejected files; gives the configuration's path."""
    drop = tmp_path / "drop"
    drop.mkdir()
    path = tmp_path / "config.toml"
    path.write_text(f'state_dir = "state"\n[[folders]]\npath = "{drop}"\nproject_id = "p"\n')

    async def fill() -> None:
        (tmp_path / "state").mkdir()
        journal = Journal(tmp_path / "state")
        names = (b"good.tif", b"bad.tif", b"odd\xff\n.tif")
        looks = [Sighting(str(drop), name, Fingerprint(1, n, 10, 5, 6)) for n, name in enumerate(names)]
        ids = await journal.files.discovered(looks)
        for number, look in zip(ids, looks, strict=True):
            await journal.files.claimed(number, look, f"content {number}", 10)
        for number in ids[1:]:
            await journal.files.rejected(number, "It is no raster.")
        journal.close()

    anyio.run(fill)
    return path
