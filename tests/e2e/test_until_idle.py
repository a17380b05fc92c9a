"""`run --until-idle` ends although files wait for what only others do, and says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.rasters import make
from tests.support.world import World
from uploader.core import waits

pytestmark = pytest.mark.e2e


def test_a_run_ends_without_what_others_have_to_finish(make_world: Callable[..., World]) -> None:
    """A transfer that was given up, a scene without its primary, and one that is not said to be complete."""
    w = make_world(folders=[])
    rule = {"pattern": r"(?P<scene>S\d)_(?P<asset>B\d)\.tif"}
    folders = {
        "plain": {},
        "scenes": {"scenes": [{"rules": [rule], "primary": "B1"}]},
        "marked": {"scenes": [{"rules": [rule], "complete": "{scene}.done"}]},
    }
    w.folders = [{"path": str(w.root / name), "project_id": "p-1", **keys} for name, keys in folders.items()]
    w.write_config()
    for number, name in enumerate(("plain/a.tif", "plain/b.tif", "scenes/S1_B2.tif", "marked/S2_B1.tif")):
        (w.root / name).parent.mkdir(exist_ok=True)
        make("dem_nodata", w.root / name, size=64, seed=number + 1)
    (w.root / "plain/b.tif.part").touch()

    said = w.until_idle(check=1).stderr

    for why in (waits.ARRIVAL, waits.SCENE_PRIMARY, waits.SCENE_MARKER):
        assert f"not waited for: 1 file, which needs {why}" in said
    assert len(w.items()) == 1
    status = w.status()
    assert (status["pending"], status["completed"], status["holds"]) == (3, 1, [])
