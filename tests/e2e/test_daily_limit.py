"""`[transfer] daily_limit` with a real daemon: what it holds back, what it does not forget, and how it ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.test_reload import reloaded, up
from tests.support.rasters import make
from tests.support.world import World

pytestmark = pytest.mark.e2e


def causes(w: World) -> list[str]:
    """The causes of all holds."""
    return [hold["cause"] for hold in w.status()["holds"]]


def test_the_rest_of_a_day_waits_also_after_a_restart(make_world: Callable[..., World]) -> None:
    """The first file reaches the limit, the second is converted and waits; a higher limit lets it go at once."""
    w = make_world(settings={"transfer": {"daily_limit": 1}})
    make("dem_nodata", w.drop / "first.tif", size=64)
    with w.daemon():
        up(w)
        w.wait(lambda: w.status()["completed"] == 1, "the first file is an item")
    make("dem_nodata", w.drop / "second.tif", size=64, seed=2)
    with w.daemon() as process:
        up(w)
        w.wait(lambda: causes(w) == ["daily_limit"], "the limit is a hold")
        (hold,) = w.status()["holds"]
        assert (hold["scope"], hold["files"], hold["until"] is not None) == ("stage", 1, True)
        assert w.status()["files"].get("converted") == 1
        w.settings["transfer"] = {"daily_limit": "1GB"}
        reloaded(w, process)
        w.wait(lambda: w.status()["completed"] == 2, "the second file is an item")
        assert causes(w) == []
    assert process.returncode == 0
