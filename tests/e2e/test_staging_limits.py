"""A daemon that may write no file as large as one of those that were dropped."""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest

from tests.e2e.test_reload import up
from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e

LIMIT = 4 << 20


def test_a_file_too_large_for_staging_is_held_and_keeps_no_other_back(
    make_world: Callable[..., World],
) -> None:
    """The smaller one becomes an item, and the large one is told with its size, the limit and a way out."""
    w = make_world()
    with w.daemon() as process:
        up(w)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
        large = w.drop / "large.tif"
        large.write_bytes(b"II*\0\x08\0\0\0" + bytes(6) + bytes(LIMIT))
        make("dem_nodata", w.drop / "small.tif", size=64)
        w.wait(lambda: w.status()["completed"] == 1 and w.status()["holds"], "one is an item, the other held")
        (hold,) = w.status()["holds"]

    assert (hold["scope"], hold["cause"], hold["files"]) == ("file", "file_exceeds_staging", 1)
    assert hold["subject"] == str(large)
    assert "this process may write 4 MiB" in hold["reason"]
    assert "`[staging] dir`" in hold["way_out"]
    assert process.returncode == 0
