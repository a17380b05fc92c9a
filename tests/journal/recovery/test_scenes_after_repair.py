"""After a repair a file finds the item of its scene: by its own name, by those of others, whatever came first."""

from __future__ import annotations

from datetime import UTC

import pytest

from tests.journal.recovery.test_reconciliation import DESTINATIONS, Past, content, item, past, seen
from uploader.core.model import FileState
from uploader.core.scene_rules import Placement, Rule, SceneRules, place
from uploader.core.transitions.scene_events import Joining
from uploader.journal.rows import one

pytestmark = [pytest.mark.unit, pytest.mark.anyio]
__all__ = ["past"]

RULES = [SceneRules((Rule(r"(?P<scene>S\d)_(?P<asset>B\d)\.tif"),), UTC)]


async def claim(past: Past, name: str, *, alone: bool = True) -> int:
    """A raster of a scene is claimed; `alone`: only files of scenes go to its target."""

    def placed(path: bytes) -> object:
        return place(RULES, path)

    sighting = seen(name, inode=2)
    (file_id,) = await past.journal.files.discovered([sighting])
    found = placed(sighting.path)
    assert isinstance(found, Placement)
    joining = Joining("p", "", found, place=placed if alone else None)
    await past.journal.files.claimed(
        file_id, sighting, content(name), 10, DESTINATIONS["/d"], joining=joining
    )
    return file_id


async def goes_to(past: Past, file_id: int) -> str | None:
    """The item that a file is to join; None where it makes one."""
    sql = (
        "SELECT target_item_id AS own, scenes.item_id AS common FROM files JOIN scenes ON scenes.id = scene_id "
        "WHERE files.id = ?"
    )
    found = await past.journal.read(lambda db: one(db, sql, file_id))
    assert found is not None
    assert found["own"] == found["common"]
    return found["own"]


async def test_a_new_raster_joins_the_item_that_has_others_of_its_scene(past: Past) -> None:
    """Although none of them lies in the folder any more."""
    past.repaired([item("S2_B1", "it-2"), item("S1_B1", "it-1"), item("S1_B2", "it-1")])

    assert await goes_to(past, await claim(past, "S1_B3")) == "it-1"
    assert await goes_to(past, await claim(past, "S3_B1")) is None


async def test_what_came_before_the_recognised_raster_joins_its_item_as_well(past: Past) -> None:
    """Where names alone tell nothing, for plain files go to the same target, it was to make an item itself."""
    past.repaired([item("S1_B1", "it-1")])
    new = await claim(past, "S1_B3", alone=False)
    assert await goes_to(past, new) is None

    known = await claim(past, "S1_B1", alone=False)

    assert await past.states(new, known) == [FileState.QUEUED, FileState.COMPLETED]
    assert await goes_to(past, new) == await goes_to(past, known) == "it-1"


async def test_a_raster_that_has_changed_does_not_join_the_item_of_the_earlier_one(past: Past) -> None:
    """The item that has its asset is left; one that lacks it gets it."""
    past.repaired([item("S1_B1", "it-1")])
    changed = seen("S1_B1", inode=3)
    (file_id,) = await past.journal.files.discovered([changed])
    joining = Joining("p", "", Placement("S1", "B1", spelled="S1"), place=lambda path: place(RULES, path))
    await past.journal.files.claimed(
        file_id, changed, content("other"), 10, DESTINATIONS["/d"], joining=joining
    )

    assert await goes_to(past, file_id) is None
