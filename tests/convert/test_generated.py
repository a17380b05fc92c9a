"""A small table of made-up rasters of all kinds; `python -m tests.corpus --generated 500` is the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import corpus as command
from tests.support import generated

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_COUNT, _SEED = 60, 7
_HONEST = ("different nodata values", "several bands of half floats")
"""What a refusal may say: GeoTIFF itself has no place for it."""


async def test_rasters_of_all_kinds_are_exact(tmp_path: Path) -> None:
    """Each becomes an exact COG with exact statistics, or is refused for what GeoTIFF cannot hold."""
    cases, _ = generated.table(_COUNT, _SEED)
    small = [case for case in cases if max(case.width, case.height) < 600]
    outcome = await command.run(command.of_table(small), tmp_path)

    assert outcome.wrong == []
    assert set(outcome.names) <= {"RasterRefused"} | {
        title for title in outcome.names if title.startswith("exact")
    }
    assert [
        reason for reason in outcome.reasons.values() if not any(word in reason for word in _HONEST)
    ] == []
    assert sum(len(names) for title, names in outcome.names.items() if title.startswith("exact")) > 0.9 * len(
        small
    )


@pytest.mark.unit
def test_the_table_is_the_same_each_time() -> None:
    """The same count and seed give the same rasters; every type and validity that can be is among many."""
    cases, skipped = generated.table(400, 3)

    assert cases == generated.table(400, 3)[0]
    assert cases != generated.table(400, 4)[0]
    assert skipped
    assert {case.validity for case in cases} == set(generated.VALIDITIES)
    assert {case.layout for case in cases} == set(generated.LAYOUTS)
    assert {case.place for case in cases} == set(generated.PLACES)
