"""Many files at once, in ways of which events tell too late or too little; `benchmarks/backlog.py` has more of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.arrivals import ARRIVALS, Links
from tests.support.intake import bench

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.mark.parametrize(("way", "number"), [("burst", 400), ("renamed", 60), ("races", 200)])
async def test_none_is_missed_within_one_rescan(tmp_path: Path, way: str, number: int) -> None:
    """A burst, filled folders that are renamed in, and files that lie there before their folder is watched."""
    sample = tmp_path / "sample.tif"
    sample.write_bytes(b"II*\0" + bytes(60))
    async with bench(tmp_path, rescan_seconds=2.0) as b:
        expected = ARRIVALS[way](b.drop, Links(sample), number)

        async def known() -> bool:
            return len(await b.files()) >= expected

        await b.until(known, f"{expected} known")

        assert len(await b.files()) == expected, "each once"
