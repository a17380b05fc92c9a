"""What providers pack, planned and then run: equal, and what is not supported is told in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lookahead.comparison import differences, happened, plan
from tests.lookahead.deliveries import DELIVERIES, folders
from tests.support.live import live

pytestmark = pytest.mark.e2e


def test_deliveries_of_five_providers_are_what_a_plan_says(tmp_path: Path) -> None:
    """Of each archive the rasters that its recipe takes, with their assets; the rest lies in it and is left."""
    with live(tmp_path, start=False, folders=list(folders(tmp_path))) as made:
        for name, delivery in DELIVERIES.items():
            delivery.write(tmp_path / name, tmp_path / "masters")
        code, said, sums = plan(made, "--json")
        made.w.until_idle(check=None)
        rows = happened(made)

    assert differences(said, rows) == []
    assert code == 1  # the archive of archives
    assert (sums["files"]["opened"], sums["files"]["upload"], sums["files"]["refused"]) == (4, 8, 1)
    for name, delivery in DELIVERIES.items():
        archive = tmp_path / name / delivery.file
        inside = {path: row for path, row in rows.items() if path.startswith(f"{archive}/")}
        assets = {
            path[len(str(archive)) + 1 :]: row["target_asset_key"] or "" for path, row in inside.items()
        }
        assert assets == delivery.taken
        assert all(row["state"] == "completed" for row in inside.values())
        assert delivery.told in said[str(archive)]["reason"]
