"""A third of the corpus of odd rasters from public test suites; `python -m tests.corpus` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import corpus as command
from tests.support import corpus

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_GIANTS = ("sparse.tiff", "MSK_QUALIT_B02.jp2", "MSK_QUALIT_B03.jp2", "geos_vrtwarp.tif")
"""A few kilobytes that declare gigabytes: half a minute each."""


async def test_every_odd_raster_is_exact_or_refused(tmp_path: Path) -> None:
    """Each ends as an exact COG, with what is lost named, or as a refusal that is known or that the contract allows."""
    files = [path for path in corpus.require() if path.name not in _GIANTS][::3]
    outcome = await command.run(command.of_files(files), tmp_path)

    assert outcome.bad() == []
    assert len(outcome.results) == len(files)
    assert outcome.row()["exact"] + outcome.row()["named"] > 0.8 * len(files)
