"""Which live files belong together, and what one of them changes for the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from uploader.core.live_rows import FileRow, LiveFile
from uploader.core.live_scenes import LiveScenes
from uploader.core.model import FileState, OwnTarget
from uploader.core.scenes import Scene

pytestmark = pytest.mark.unit

SCENE = Scene(id=5, project_id="p", name="S", collection_id="", lead="a")


def file(number: int, asset: str, state: FileState = FileState.CONVERTED, scene: Scene = SCENE) -> LiveFile:
    """A file of a scene."""
    row = FileRow(
        *(number, "/d", b"x", state, "", 1, "c", 10, b"", 0, "x.tif", None, "keep", 0, 0, 0, 0, 0),
        scene_id=scene.id,
    )
    own = OwnTarget(asset_key=asset)
    return LiveFile(row, True, False, float(number), False, "", False, 0.0, None, own_target=own, scene=scene)


def test_a_file_in_a_session_keeps_the_others_back() -> None:
    """Also one that is completed, while its item is not known."""
    live = LiveScenes()
    first, second = file(1, "a"), file(2, "a")
    live.put(1, first)

    assert [other for other, _ in live.put(2, second)] == [1]
    assert live.may_go(first)
    live.put(2, file(2, "a", FileState.BATCHED))
    assert not live.may_go(first)
    live.put(2, None)
    assert live.may_go(first)


def test_who_waits_is_told_by_scene() -> None:
    """How many, since when, and whether one of them makes the item."""
    live = LiveScenes()
    files = [file(2, "b"), file(3, "c")]
    for each in files:
        live.put(each.row.id, each)

    (kept,) = live.kept_back(files)

    assert (kept.files, kept.size, kept.since, kept.making) == (2, 20, 2.0, False)


def test_sources_stay_until_the_last_raster_is_done() -> None:
    """A rejected one is done."""
    live = LiveScenes()
    done = file(1, "a", FileState.COMPLETED)
    live.put(1, done)
    live.put(2, file(2, "b", FileState.QUEUED))

    assert not live.finished(done)
    live.put(2, file(2, "b", FileState.REJECTED))
    assert live.finished(done)


def test_scenes_that_want_something_come_in_the_order_of_their_time() -> None:
    """One that wants nothing any more is left out."""
    live = LiveScenes()
    late, soon = (replace(SCENE, id=n, collection_id=None, not_before=at) for n, at in ((1, 9.0), (2, 3.0)))
    live.put_scenes({1: late, 2: soon})

    assert [scene.id for scene in live.wanting()] == [2, 1]
    live.put_scenes({2: replace(soon, collection_id="c")})
    assert [scene.id for scene in live.wanting()] == [1]
