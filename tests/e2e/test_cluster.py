"""A daemon that has its rasters converted by a Dask cluster."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster import cluster
from tests.support.rasters import make
from tests.support.world import World
from uploader.journal import FILE_NAME, Reader

pytestmark = [pytest.mark.e2e]
pytest.importorskip("distributed", reason="needs the extra `dask`")


def holds(w: World) -> list[dict[str, Any]]:
    """What the journal holds; nothing while it is still being made."""
    if not (w.state / FILE_NAME).exists():
        return []
    with Reader(w.state) as reader:
        return [*reader.status()["holds"]]


def test_a_cluster_that_is_not_there_is_a_hold(make_world: Callable[..., World], tmp_path: Path) -> None:
    """It is told with the scheduler's name; once it is there the raster becomes an item, and nothing is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = tmp_path / "shared"
    convert = {"engine": "dask", "scheduler": f"tcp://127.0.0.1:{port}", "workers": 0}
    w = make_world(settings={"convert": convert, "staging": {"dir": str(shared)}})
    make("dem_nodata", w.drop / "a.tif", size=64)
    with w.daemon():
        (hold,) = w.wait(lambda: holds(w), "the cluster is missed")
        assert (hold["scope"], hold["cause"], hold["files"]) == ("machine", "cluster_unavailable", 1)
        assert f"tcp://127.0.0.1:{port}" in hold["reason"]
        with cluster(tmp_path / "cluster", port=port):
            w.command("retry", "-c", str(w.config), "--held", check=0)
            w.wait(w.items, "the raster is an item")
    assert w.problems() == []
    assert w.unlike(w.drop / "a.tif") == []
    assert [path.name for path in shared.iterdir() if not path.name.startswith(".uploader")] == []
